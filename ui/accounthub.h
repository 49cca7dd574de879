// Every account the window shows (This computer, the stored ones, those of the environment) and the
// way from an account to a provider in the registry, as soon as its secret is known. GUI thread.
#pragma once

#include "session/accounts.h"
#include "session/keychain.h"
#include "session/localgateway.h"
#include "session/sandboxregistry.h"

#include <QDateTime>
#include <QList>
#include <QObject>

#include <functional>
#include <memory>

namespace Sandpiper {

class AccountHub : public QObject
{
    Q_OBJECT
public:
    enum class State {
        Idle,      // This computer: its gateway has not been needed yet
        Preparing, // a secret is being read, or the gateway is starting
        Connected, // the registry has a provider
        NoSecret,  // nothing is kept for this account: it must be entered anew
        Failed,    // see error
    };
    struct Entry
    {
        Account account;
        State state = State::Idle;
        Error error;
        QDateTime since; // when this state began, UTC
    };
    // An account that is simply there, has no secret, and is never stored. Shown after the others.
    struct FixedAccount
    {
        Account account;
        std::function<std::unique_ptr<SandboxProvider>()> makeProvider;
    };
    // All borrowed; they outlive the hub. Functions from outside, so that tests bring their own.
    struct Services
    {
        AccountStore *store = nullptr;
        Keychain *keychain = nullptr;
        SandboxRegistry *registry = nullptr;
        std::function<std::unique_ptr<SandboxProvider>(const Account &, std::shared_ptr<Secret>)> makeProvider;
        std::function<std::unique_ptr<SandboxProvider>(const GatewayAddress &)> makeLocalProvider;
        std::function<Result<GatewayAddress>()> findGateway;
        std::function<QFuture<Result<GatewayAddress>>()> ensureGateway;
        QList<Account> environmentAccounts;
        std::function<std::shared_ptr<Secret>(const Account &)> environmentSecret; // may give null
        QList<FixedAccount> fixedAccounts;
        Account localAccount; // This computer; its apiUrl comes from the gateway
    };

    explicit AccountHub(Services services, QObject *parent = nullptr);

    // Connects what can be connected. Local sandboxes that were there before are a reason to start the
    // gateway; else it is only looked for.
    enum class LocalStart { OnlyIfRunning, Needed };
    void start(LocalStart local);

    // This computer first, then the environment's, then the stored ones by name, then the fixed ones.
    [[nodiscard]] const QList<Entry> &entries() const { return m_entries; }
    [[nodiscard]] const Entry *entry(const QString &accountId) const; // borrowed until the next change
    [[nodiscard]] QString localId() const { return m_services.localAccount.id; }
    [[nodiscard]] SandboxProvider *provider(const QString &accountId) const;

    // Starts the gateway where it does not run. Asked again while on its way, it answers all at once.
    [[nodiscard]] QFuture<Done> connectLocal();
    // Tries again what failed; for This computer connectLocal().
    void retry(const QString &accountId);

    // One listing with these credentials; nothing is kept.
    [[nodiscard]] QFuture<Done> test(const Account &account, const std::shared_ptr<Secret> &secret);
    // Keeps and connects. The account is there at once; a secret that cannot be kept lasts for this run.
    [[nodiscard]] Done add(const Account &account, const std::shared_ptr<Secret> &secret);
    void replaceSecret(const QString &accountId, const std::shared_ptr<Secret> &secret);
    [[nodiscard]] Done remove(const QString &accountId);

signals:
    void entriesChanged(); // added or removed
    void entryChanged(const QString &accountId);

private:
    void setState(const QString &accountId, State state, const Error &error = {});
    void connectAccount(const Account &account, const std::shared_ptr<Secret> &secret);
    void plugIn(const Account &account, std::unique_ptr<SandboxProvider> provider);
    void readSecret(const Account &account);
    void connectGateway(const GatewayAddress &address);
    void insert(const Account &account, State state);
    [[nodiscard]] const FixedAccount *fixedAccount(const QString &accountId) const; // null: it is none
    Services m_services;
    QList<Entry> m_entries;
    QList<std::shared_ptr<QPromise<Done>>> m_waitingForLocal;
};

} // namespace Sandpiper
