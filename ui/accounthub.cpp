#include "ui/accounthub.h"

#include <QLoggingCategory>
#include <QPromise>

#include <algorithm>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

static Q_LOGGING_CATEGORY(lcAccounts, "sandpiper.ui.accounts", QtInfoMsg)

namespace {

QString keychainKey(const QString &accountId)
{
    return u"account/"_s + accountId;
}

} // namespace

AccountHub::AccountHub(Services services, QObject *parent)
    : QObject(parent)
    , m_services(std::move(services))
{
    insert(m_services.localAccount, State::Idle);
    for (const Account &account : std::as_const(m_services.environmentAccounts))
        insert(account, State::Preparing);
    QList<Account> stored = m_services.store->accounts();
    std::ranges::sort(stored, [](const Account &a, const Account &b) { return a.name.localeAwareCompare(b.name) < 0; });
    for (const Account &account : std::as_const(stored))
        insert(account, State::Preparing);
    for (const FixedAccount &fixed : std::as_const(m_services.fixedAccounts))
        m_entries.append({fixed.account, State::Preparing, {}, QDateTime::currentDateTimeUtc()});
}

void AccountHub::insert(const Account &account, State state)
{
    const auto isFixed = [this](const Entry &entry) { return fixedAccount(entry.account.id) != nullptr; };
    m_entries.insert(std::ranges::find_if(m_entries, isFixed), {account, state, {}, QDateTime::currentDateTimeUtc()});
}

const AccountHub::FixedAccount *AccountHub::fixedAccount(const QString &accountId) const
{
    const auto it = std::ranges::find_if(m_services.fixedAccounts,
                                         [&](const FixedAccount &fixed) { return fixed.account.id == accountId; });
    return it == m_services.fixedAccounts.cend() ? nullptr : &*it;
}

void AccountHub::start(LocalStart local)
{
    const QList<Entry> entries = m_entries;
    for (const Entry &entry : entries) {
        if (entry.account.id == localId()) {
            if (const Result<GatewayAddress> address = m_services.findGateway(); address)
                connectGateway(*address);
            else if (local == LocalStart::Needed)
                connectLocal().then(this, [](const Done &) {});
        } else if (const FixedAccount *fixed = fixedAccount(entry.account.id)) {
            plugIn(entry.account, fixed->makeProvider());
        } else if (entry.account.fromEnvironment) {
            if (const std::shared_ptr<Secret> secret = m_services.environmentSecret(entry.account))
                connectAccount(entry.account, secret);
            else
                setState(entry.account.id, State::NoSecret);
        } else {
            readSecret(entry.account);
        }
    }
}

const AccountHub::Entry *AccountHub::entry(const QString &accountId) const
{
    const auto it = std::ranges::find_if(m_entries, [&](const Entry &e) { return e.account.id == accountId; });
    return it == m_entries.cend() ? nullptr : &*it;
}

SandboxProvider *AccountHub::provider(const QString &accountId) const
{
    return m_services.registry->provider(accountId);
}

void AccountHub::setState(const QString &accountId, State state, const Error &error)
{
    for (Entry &entry : m_entries) {
        if (entry.account.id != accountId)
            continue;
        entry.state = state;
        entry.error = error;
        entry.since = QDateTime::currentDateTimeUtc();
        emit entryChanged(accountId);
        return;
    }
}

void AccountHub::connectAccount(const Account &account, const std::shared_ptr<Secret> &secret)
{
    plugIn(account, m_services.makeProvider(account, secret));
}

void AccountHub::plugIn(const Account &account, std::unique_ptr<SandboxProvider> provider)
{
    if (!provider) {
        setState(account.id, State::Failed,
                 Error{ErrorKind::Unsupported, Layer::Provider, u"vendor "_s + account.vendor, account.name});
        return;
    }
    if (m_services.registry->accountIds().contains(account.id))
        m_services.registry->removeProvider(account.id);
    m_services.registry->addProvider(account, std::move(provider));
    qCInfo(lcAccounts) << "connected account" << account.name;
    setState(account.id, State::Connected);
}

void AccountHub::readSecret(const Account &account)
{
    setState(account.id, State::Preparing);
    m_services.keychain->read(keychainKey(account.id))
            .then(this, [this, account](const Result<std::shared_ptr<Secret>> &secret) {
                if (!entry(account.id))
                    return; // removed in the meantime
                if (secret)
                    connectAccount(account, *secret);
                else if (secret.error().kind == ErrorKind::NotFound || secret.error().kind == ErrorKind::NoKeychain)
                    setState(account.id, State::NoSecret, secret.error());
                else
                    setState(account.id, State::Failed, secret.error());
            });
}

void AccountHub::connectGateway(const GatewayAddress &address)
{
    Account account = m_services.localAccount;
    account.apiUrl = address.apiUrl;
    m_entries.first().account = account;
    plugIn(account, m_services.makeLocalProvider(address));
}

QFuture<Done> AccountHub::connectLocal()
{
    auto promise = std::make_shared<QPromise<Done>>(); // shared with the list of those who wait
    promise->start();
    const QFuture<Done> future = promise->future();
    m_waitingForLocal.append(promise);
    if (m_waitingForLocal.size() > 1)
        return future;
    const Entry *local = entry(localId());
    const bool wasConnected = local && local->state == State::Connected;
    if (!wasConnected)
        setState(localId(), State::Preparing);
    m_services.ensureGateway().then(this, [this, wasConnected](const Result<GatewayAddress> &address) {
        Done done;
        if (!address) {
            done = std::unexpected(address.error());
            qCWarning(lcAccounts) << "the local gateway did not start:" << describe(address.error());
            setState(localId(), State::Failed, address.error());
        } else if (!wasConnected || address->apiUrl != m_entries.first().account.apiUrl) {
            connectGateway(*address);
        } else {
            m_services.registry->refresh(localId());
        }
        const auto waiting = std::exchange(m_waitingForLocal, {});
        for (const auto &one : waiting) {
            one->addResult(done);
            one->finish();
        }
    });
    return future;
}

void AccountHub::retry(const QString &accountId)
{
    const Entry *one = entry(accountId);
    if (!one)
        return;
    if (accountId == localId()) {
        connectLocal().then(this, [](const Done &) {});
    } else if (one->state == State::Connected) {
        m_services.registry->refresh(accountId);
    } else if (!one->account.fromEnvironment && !fixedAccount(accountId)) {
        readSecret(one->account);
    }
}

QFuture<Done> AccountHub::test(const Account &account, const std::shared_ptr<Secret> &secret)
{
    std::unique_ptr<SandboxProvider> made = m_services.makeProvider(account, secret);
    if (!made) {
        return QtFuture::makeReadyValueFuture(
                Done(failure(ErrorKind::Unsupported, Layer::Provider, u"vendor "_s + account.vendor, account.name)));
    }
    // Shared with the continuation alone; not deleted from inside its own answer.
    const std::shared_ptr<SandboxProvider> provider(made.release(), [](SandboxProvider *p) { p->deleteLater(); });
    return provider->list(SandboxProvider::ListScope::Live)
            .then(this, [provider](const Result<QList<Sandbox>> &list) -> Done {
                if (!list)
                    return std::unexpected(list.error());
                return {};
            });
}

Done AccountHub::add(const Account &account, const std::shared_ptr<Secret> &secret)
{
    if (const Done stored = m_services.store->add(account); !stored)
        return stored;
    insert(account, State::Preparing);
    emit entriesChanged();
    replaceSecret(account.id, secret);
    return {};
}

void AccountHub::replaceSecret(const QString &accountId, const std::shared_ptr<Secret> &secret)
{
    const Entry *one = entry(accountId);
    if (!one)
        return;
    m_services.keychain->write(keychainKey(accountId), *secret).then(this, [accountId](const Done &written) {
        if (!written)
            qCWarning(lcAccounts) << "a secret is kept for this run only:" << describe(written.error());
    });
    connectAccount(one->account, secret);
}

Done AccountHub::remove(const QString &accountId)
{
    const Entry *one = entry(accountId);
    if (!one || accountId == localId() || one->account.fromEnvironment || fixedAccount(accountId))
        return failure(ErrorKind::InvalidInput, Layer::Provider, u"not a stored account"_s);
    if (const Done removed = m_services.store->remove(accountId); !removed)
        return removed;
    m_services.keychain->remove(keychainKey(accountId)).then(this, [](const Done &) {});
    if (m_services.registry->accountIds().contains(accountId))
        m_services.registry->removeProvider(accountId);
    m_entries.removeIf([&](const Entry &e) { return e.account.id == accountId; });
    emit entriesChanged();
    return {};
}

} // namespace Sandpiper
