// Keeps the forwards that are switched on: one link for each sandbox that has some and each way there, made again
// after every loss; and says how each stands. GUI thread.
#pragma once

#include "session/forwardwishes.h"
#include "session/sandboxregistry.h"
#include "session/standingforwards.h"

#include <QHash>
#include <QPointer>
#include <QSet>

#include <map>
#include <memory>

namespace Sandpiper {

class ForwardManager : public QObject
{
    Q_OBJECT
public:
    enum class State {
        Off,
        Waiting,   // for the sandbox, the account or the network; error says why, retryAt until when
        Arming,    // the link or the listener is being made
        Listening, // at
        Failed,    // goes on when whoever looks at error does something
    };
    struct Status
    {
        State state = State::Off;
        ForwardSpec::End at; // Listening
        std::optional<Error> error;
        QDateTime retryAt;
        bool isAsleep = false; // Waiting for a suspended sandbox: resume it, nothing else wakes it
        ForwardWay way = ForwardWay::Automatic; // Listening: the one that it goes
        friend bool operator==(const Status &, const Status &) = default;
    };
    struct Services
    {
        // What a link to this sandbox needs. Called when its account is there.
        std::function<StandingForwards::Services(const SandboxId &, ForwardWay)> standing;
        QPointer<SandboxRegistry> registry;
    };

    // wishes: borrowed, outlives it. Nothing is begun before begin().
    ForwardManager(ForwardWishes *wishes, Services services, QObject *parent = nullptr);
    ~ForwardManager() override;

    // Switches on what starts with the program; from now on wishes are followed.
    void begin();
    [[nodiscard]] const ForwardWishes *wishes() const { return m_wishes; }
    [[nodiscard]] Status status(const QString &id) const;
    [[nodiscard]] int count(State state) const;
    // Since it was switched on; nothing where it is off.
    [[nodiscard]] ForwardTraffic traffic(const QString &id) const;
    void closeConnection(const QString &id, quint64 connection); // one of traffic()

    // The store's errors. Adding, editing or removing one leaves the connections of the others alone.
    [[nodiscard]] Result<QStringList> add(const QList<ForwardWish> &wishes);
    [[nodiscard]] Done update(const ForwardWish &wish);
    [[nodiscard]] Done remove(const QStringList &ids);
    [[nodiscard]] Done setOn(const QStringList &ids, bool isOn);
    void retryNow(const QString &id); // Waiting, Failed

signals:
    void listChanged();                       // wishes came, went or were edited
    void changed(const QString &id);          // its status
    void trafficChanged(const QString &id);
    // It listened, and does not any more until somebody does something.
    void died(const QString &id, const Sandpiper::Error &error);
    void connectionFailed(const QString &id, const Sandpiper::Error &error);

private:
    struct Place
    {
        qsizetype index = 0; // in standing
        ForwardSpec spec;
        qint64 bytesPerSecond = 0;
    };
    struct GroupKey
    {
        explicit GroupKey(const ForwardWish &wish)
            : sandbox(wish.sandbox.toString())
            , way(wish.way)
        {
        }
        QString sandbox;
        ForwardWay way;
        friend auto operator<=>(const GroupKey &, const GroupKey &) = default;
    };
    struct Group
    {
        std::unique_ptr<StandingForwards> standing;
        QHash<QString, Place> places; // by the wish's id
    };
    void follow();
    void followSandboxes(const QString &accountId);
    [[nodiscard]] Group *groupOf(const ForwardWish &wish);
    // Where its forward stands; null: nowhere.
    [[nodiscard]] std::pair<StandingForwards *, const Place *> placeOf(const QString &id) const;
    void closeWhatIsEmpty();
    void note(const QString &id);
    void noteAll(const SandboxId &sandbox);
    [[nodiscard]] Status look(const ForwardWish &wish) const;

    ForwardWishes *m_wishes;
    Services m_services;
    std::map<GroupKey, Group> m_groups;
    QHash<QString, Status> m_told;
    QSet<QString> m_haveListened; // since they were switched on
    QSet<QString> m_running; // sandboxes that were seen to run
    bool m_hasBegun = false;
};

} // namespace Sandpiper
