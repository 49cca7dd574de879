// All sandboxes of all accounts, kept fresh. GUI thread.
#pragma once

#include "session/accounts.h"
#include "session/keychain.h"
#include "session/provider.h"

#include <QHash>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace Sandpiper {

// Polling: every 5 s while something is on its way (pending, suspending), else 15 s; doubled on each
// failure up to 5 min; nothing while hidden. Only life-cycle listings are asked, which wake nothing.
class SandboxRegistry : public QObject
{
    Q_OBJECT
public:
    struct Timing
    {
        std::chrono::milliseconds busy{5'000};  // something is on its way
        std::chrono::milliseconds calm{15'000};
        std::chrono::milliseconds longest{300'000}; // between tries that fail
        std::chrono::milliseconds reshown{2'000};   // coming back into view within this asks nothing
        // Runs fn after delay, unless context dies or the returned call is made before.
        std::function<std::function<void()>(std::chrono::milliseconds delay, QObject *context, std::function<void()> fn)> after;
        std::function<std::chrono::milliseconds()> now; // monotonic
    };
    explicit SandboxRegistry(QObject *parent = nullptr);
    // For tests: with their own times, and their own clock where those functions are set.
    explicit SandboxRegistry(const Timing &timing, QObject *parent = nullptr);
    ~SandboxRegistry() override;

    enum class AccountState { Loading, Ready, Failed };
    struct AccountView
    {
        Account account;
        AccountState state = AccountState::Loading;
        Error error;                // Failed
        QString remark;             // SandboxProvider::remarked()
        QList<Sandbox> sandboxes;   // stays filled while Failed: what was last known
        QList<SshKey> keys;
        bool keysKnown = false;
        std::optional<Error> keysError; // of the last refreshKeys(), where it failed
    };

    // Takes the provider over; one per account.
    void addProvider(const Account &account, std::unique_ptr<SandboxProvider> provider);
    void removeProvider(const QString &accountId);
    [[nodiscard]] QStringList accountIds() const; // in the order they were added
    [[nodiscard]] const AccountView *view(const QString &accountId) const; // borrowed until the next change
    [[nodiscard]] SandboxProvider *provider(const QString &accountId) const;
    [[nodiscard]] std::optional<Sandbox> sandbox(const SandboxId &id) const;

    void refresh(const QString &accountId); // now; one request at a time each
    void refreshKeys(const QString &accountId);
    void refreshAll();
    void setVisible(bool visible); // false: no polling
    // Another network may answer what the last one did not: asks again without waiting, where visible.
    void networkChanged();
    // Puts a fresh answer in without waiting for the next poll.
    void put(const Sandbox &sandbox);
    void drop(const SandboxId &id);

signals:
    void accountAdded(const QString &accountId);
    void accountRemoved(const QString &accountId);
    void accountChanged(const QString &accountId); // state or error
    void sandboxesChanged(const QString &accountId); // only when a value differs
    void keysChanged(const QString &accountId);

private:
    struct Entry;
    [[nodiscard]] Entry *entry(const QString &accountId) const;
    [[nodiscard]] Entry *entry(quint64 serial) const;
    void poll(const QString &accountId);
    void schedule(Entry &entry);
    void onList(quint64 serial, const Result<QList<Sandbox>> &answer);
    void apply(quint64 serial, const QList<Sandbox> &fresh, bool differs);
    void onKeys(quint64 serial, const Result<QList<SshKey>> &answer);
    std::vector<std::unique_ptr<Entry>> m_entries;
    quint64 m_lastSerial = 0;
    Timing m_timing;
    bool m_visible = true;
};

} // namespace Sandpiper
