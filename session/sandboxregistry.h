// All sandboxes of all accounts, kept fresh. GUI thread.
#pragma once

#include "session/accounts.h"
#include "session/keychain.h"
#include "session/provider.h"

#include <QHash>

#include <chrono>

namespace Sandpiper {

// Polling: every 5 s while something is on its way (pending, suspending), else 15 s; doubled on each
// failure up to 5 min; nothing while hidden. Only life-cycle listings are asked, which wake nothing.
class SandboxRegistry : public QObject
{
    Q_OBJECT
public:
    explicit SandboxRegistry(QObject *parent = nullptr);
    ~SandboxRegistry() override;

    enum class AccountState { Loading, Ready, Failed };
    struct AccountView
    {
        Account account;
        AccountState state = AccountState::Loading;
        Error error;                // Failed
        QList<Sandbox> sandboxes;   // stays filled while Failed: what was last known
        QList<SshKey> keys;
        bool keysKnown = false;
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
    void poll(const QString &accountId);
    void schedule(Entry &entry);
    std::vector<std::unique_ptr<Entry>> m_entries;
    bool m_visible = true;
};

} // namespace Sandpiper
