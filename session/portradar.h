// Notices ports that begin to be listened at in sandboxes: by looking, over an SSH connection that is there for
// somebody else, and by what terminals print. It makes no connection and wakes nothing. GUI thread.
#pragma once

#include "session/portlook.h"
#include "session/provider.h"
#include "session/sandboxregistry.h"

#include <QHash>
#include <QObject>
#include <QPointer>
#include <QUrl>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace Sandpiper {

// A port of a sandbox that a person may want to reach.
struct FoundPort
{
    quint16 port = 0;
    QString host = QStringLiteral("localhost"); // to be dialled there
    QString process; // tamed; empty: not known
    QUrl url;        // as a terminal printed it; empty: none did
    bool isSeen = false; // it listens; else a terminal has said so, and nobody can look

    friend bool operator==(const FoundPort &, const FoundPort &) = default;
};

class PortRadar : public QObject
{
    Q_OBJECT
public:
    struct Timing
    {
        std::chrono::milliseconds busy{3'000};     // between two looks while a terminal there is used
        std::chrono::milliseconds used{60'000};    // so long after its last key it still is
        std::chrono::milliseconds calm{15'000};
        std::chrono::milliseconds longest{300'000}; // between looks that fail
        std::chrono::milliseconds slow{1'000};     // a look that takes longer is followed by a pause of twenty times that
        std::chrono::milliseconds patience{10'000}; // with a look
        std::chrono::milliseconds printed{300};    // between an address that is printed and the look at its port
        std::chrono::milliseconds believed{60'000}; // so long it may take until it listens
    };
    struct Services
    {
        // Over a connection that is Ready; null: none has a channel to spare. See ReadyLinks.
        std::function<std::unique_ptr<RemoteCommand>(const SandboxId &, const CommandSpec &)> command;
        QPointer<SandboxRegistry> registry; // may be null
        // Runs fn after delay, unless context dies or the returned call is made before.
        std::function<std::function<void()>(std::chrono::milliseconds delay, QObject *context, std::function<void()> fn)> after;
        std::function<std::chrono::milliseconds()> now; // monotonic
    };
    explicit PortRadar(Services services, QObject *parent = nullptr);
    PortRadar(Services services, const Timing &timing, QObject *parent = nullptr);
    ~PortRadar() override;

    // Off: nothing is looked at, nothing is known. At first it is on.
    void setOn(bool isOn);
    void setVisible(bool isVisible); // false: no looks
    // Whether there is a connection to look over. The first look over one finds what was there before.
    void setReachable(const SandboxId &sandbox, bool isReachable);
    void noteUse(const SandboxId &sandbox); // a key was pressed in a terminal there
    // A terminal there has printed it; see isLocalUrl().
    void notePrinted(const SandboxId &sandbox, const QUrl &url);

    // What listens there, by number: of the system's ports, other people's and the sandbox's own agent none.
    [[nodiscard]] QList<FoundPort> ports(const SandboxId &sandbox) const;

signals:
    void changed(const Sandpiper::SandboxId &sandbox); // ports()
    // Worth telling: it was not there at the first look, or a terminal has printed it. Ports that the kernel there
    // has given out are only told of when they are printed.
    void began(const Sandpiper::SandboxId &sandbox, const Sandpiper::FoundPort &port);

private:
    struct Port
    {
        FoundPort found;
        int missed = 0;      // looks in a row that have not seen it
        bool isTold = false; // or need not be
    };
    struct Print
    {
        QUrl url;
        std::chrono::milliseconds at{0};
        bool isTold = false;
    };
    struct Place
    {
        SandboxId sandbox;
        bool isReachable = false;
        bool isMute = false; // it does not understand the question; until there is another connection
        bool hasLooked = false;
        std::map<quint16, Port> ports;
        std::map<quint16, Print> prints;
        QSet<quint64> sockets; // of the last look
        std::unique_ptr<RemoteCommand> command;
        QByteArray output;
        std::chrono::milliseconds asked{0};
        std::chrono::milliseconds done{0};
        std::chrono::milliseconds cost{0};      // of the last look
        std::optional<std::chrono::milliseconds> lastUse;
        int failures = 0;
        std::chrono::milliseconds due{0};
        std::function<void()> cancelTimer;
    };
    [[nodiscard]] Place &placeOf(const SandboxId &sandbox);
    [[nodiscard]] bool canLook(const Place &place) const { return place.isReachable && !place.isMute; }
    [[nodiscard]] std::chrono::milliseconds pauseAfter(const Place &place) const;
    void schedule(Place &place);
    void lookAt(Place &place, std::chrono::milliseconds when);
    void look(Place &place);
    void ask(Place &place);
    void answered(Place &place, const ShellEnd &end);
    void failed(Place &place);
    void take(Place &place, const PortLook &look);
    [[nodiscard]] QList<FoundPort> takePrints(Place &place); // those that are to be told of
    void tell(const SandboxId &sandbox, const QList<FoundPort> &begun);
    void stop(Place &place);   // no look is under way or due
    void forget(Place &place); // what is known of it, too
    void followSandboxes(const QString &accountId);
    [[nodiscard]] bool isOfInterest(const SandboxId &sandbox, quint16 port) const;

    Services m_services;
    Timing m_timing;
    std::map<QString, Place> m_places; // by SandboxId::toString()
    bool m_isOn = true;
    bool m_isVisible = true;
};

} // namespace Sandpiper

Q_DECLARE_METATYPE(Sandpiper::FoundPort)
