#include "app/cli/directory.h"

#include "session/background.h"
#include "session/gatewayprovider.h"
#include "session/localgateway.h"
#include "session/localtokens.h"
#include "session/paths.h"
#include "session/providers/factory.h"

#include <QDir>
#include <QFileInfo>
#include <QPromise>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// How many answers are still to come; the last one finishes the promise.
template <typename T>
struct Gathering
{
    QPromise<T> promise;
    qsizetype waiting = 0;
};

bool hasHadLocalSandboxes()
{
    return QFileInfo::exists(stateFolder() + u"/gateway"_s);
}

} // namespace

CliResult<TargetText> parseTarget(const QString &text)
{
    const auto wrong = [&](const QString &why) { return mistyped(u"'%1' is no TARGET: %2"_s.arg(tamed(text, 80), why)); };
    if (text.isEmpty())
        return wrong(u"it must be a sandbox's name or id, ACCOUNT/name, a Host of ssh_config, or ssh://user@host:port"_s);
    if (text.startsWith("ssh://"_L1)) {
        const QUrl url(text, QUrl::StrictMode);
        if (!url.isValid() || url.host().isEmpty() || url.userName().isEmpty() || !url.password().isEmpty()
            || (!url.path().isEmpty() && url.path() != "/"_L1))
            return wrong(u"it must look like ssh://user@host:port, without a password"_s);
        SshEndpoint endpoint;
        endpoint.host = url.host();
        endpoint.port = quint16(url.port(22));
        endpoint.user = url.userName();
        if (endpoint.port == 0)
            return wrong(u"the port must be 1 to 65535"_s);
        return TargetText{{}, {}, endpoint};
    }
    if (text.contains(QChar(0)))
        return wrong(u"a name holds no NUL"_s);
    const qsizetype slash = text.lastIndexOf(u'/');
    TargetText target{text.left(std::max<qsizetype>(slash, 0)), text.mid(slash + 1), std::nullopt};
    if (target.name.isEmpty() || slash == 0)
        return wrong(u"it must be a name, or ACCOUNT/name"_s);
    return target;
}

Directory::Directory(QObject *parent)
    : QObject(parent)
    , m_accounts(configFolder() + u"/accounts.json"_s)
    , m_ownHosts(configFolder() + u"/hosts.json"_s)
    , m_hosts(SshConfig::defaultSources(), &m_ownHosts)
    , m_keychain(withLocalTokens(makeSystemKeychain()))
    , m_network(configFolder() + u"/network.json"_s, m_keychain.get())
    , m_logins(configFolder() + u"/logins.json"_s)
    , m_keys(QDir::homePath() + u"/.ssh"_s, m_logins.agentToAsk())
{
}

Directory::~Directory() = default;

void Directory::add(const Account &account, const Result<std::shared_ptr<Secret>> &secret)
{
    auto entry = std::make_unique<Entry>();
    entry->account = account;
    if (secret)
        entry->provider = makeProvider(account, *secret);
    else
        entry->error = secret.error();
    if (secret && !entry->provider)
        entry->error = {ErrorKind::Unsupported, Layer::Provider, u"the vendor '%1' is not known to this version"_s.arg(account.vendor), account.name};
    m_entries.push_back(std::move(entry));
}

void Directory::addLocal(Gateway gateway, const std::function<void()> &done)
{
    const auto put = [this](const Result<GatewayAddress> &address) {
        auto entry = std::make_unique<Entry>();
        if (address) {
            entry->account = thisComputerAccount(address->apiUrl);
            entry->provider = makeGatewayProvider(*address);
        } else {
            entry->account = thisComputerAccount();
            entry->error = address.error();
        }
        m_entries.insert(m_entries.begin(), std::move(entry));
    };
    const Result<GatewayAddress> running = findGateway();
    const bool start = gateway == Gateway::Start || (gateway == Gateway::WhereUsed && hasHadLocalSandboxes());
    if (running || !start) {
        put(running);
        done();
        return;
    }
    ensureGateway().then(this, [put, done](const Result<GatewayAddress> &address) {
        put(address);
        done();
    });
}

QFuture<void> Directory::load(Gateway gateway)
{
    m_entries.clear();
    m_registeredKeys.clear();
    auto gathering = std::make_shared<Gathering<void>>();
    gathering->promise.start();
    gathering->waiting = 1;
    const auto arrived = [gathering] {
        if (--gathering->waiting == 0)
            gathering->promise.finish();
    };
    ++gathering->waiting;
    m_network.ready().then(this, arrived);
    for (const Account &account : accountsFromEnvironment())
        add(account, readEnvironmentSecret(account));
    for (const Account &account : m_accounts.accounts()) {
        ++gathering->waiting;
        m_keychain->read(u"account/"_s + account.id).then(this, [this, account, arrived](const Result<std::shared_ptr<Secret>> &secret) {
            add(account, secret);
            arrived();
        });
    }
    addLocal(gateway, arrived);
    return gathering->promise.future();
}

CliResult<Directory::Entry *> Directory::entry(const QString &account) const
{
    QStringList names;
    std::vector<Entry *> remote;
    for (const auto &entry : m_entries) {
        names << entry->account.name;
        if (account == entry->account.name || account == entry->account.id)
            return entry.get();
        if (entry->account.vendor != localVendorId())
            remote.push_back(entry.get());
    }
    if (!account.isEmpty())
        return mistyped(u"there is no account '%1'; there are: %2"_s.arg(account, names.join(u", "_s)));
    if (remote.size() == 1)
        return remote.front();
    if (remote.empty() && !m_entries.empty())
        return m_entries.front().get();
    return mistyped(u"say --account: there are %1"_s.arg(names.join(u", "_s)));
}

struct Directory::Search : Gathering<CliResult<Target>>
{
    TargetText text;
    QList<Target> found;
    std::optional<Error> error; // "not found" is an answer; anything else may hide one
    QStringList candidates;

    void finish(CliResult<Target> result)
    {
        promise.addResult(std::move(result));
        promise.finish();
    }
    [[nodiscard]] std::unexpected<CliError> refuse(ErrorKind kind, const QString &sentence) const
    {
        return std::unexpected(CliError{{kind, Layer::Provider, sentence, text.name}, sentence});
    }
};

QFuture<CliResult<Target>> Directory::resolve(const TargetText &text)
{
    auto search = std::make_shared<Search>();
    search->text = text;
    search->promise.start();
    search->waiting = 1;
    const QFuture<CliResult<Target>> future = search->promise.future();
    if (text.ssh) {
        search->finish(Target{quickHost({text.ssh->user, text.ssh->host, text.ssh->port}), nullptr, {}, {}});
        return future;
    }
    const auto arrive = [this, search] {
        if (--search->waiting > 0)
            return;
        if (search->found.size() == 1)
            return search->finish(search->found.front());
        if (search->found.isEmpty())
            return lookAmongHosts(search);
        for (const Target &target : search->found)
            search->candidates << target.accountName + u'/' + target.sandbox.displayName();
        search->finish(search->refuse(ErrorKind::Conflict, u"'%1' is ambiguous: %2"_s.arg(search->text.name, search->candidates.join(u", "_s))));
    };
    for (const auto &entry : m_entries) {
        if (!text.account.isEmpty() && text.account != entry->account.name && text.account != entry->account.id)
            continue;
        if (!entry->provider) {
            if (entry->error.kind != ErrorKind::NotFound)
                search->error = entry->error;
            continue;
        }
        ++search->waiting;
        entry->provider->find(text.name).then(this, [search, arrive, raw = entry.get()](const Result<Sandbox> &sandbox) {
            if (sandbox)
                search->found << Target{*sandbox, raw->provider.get(), raw->account.name, {}};
            else if (sandbox.error().kind != ErrorKind::NotFound)
                search->error = sandbox.error();
            arrive();
        });
    }
    arrive();
    return future;
}

void Directory::lookAmongHosts(const std::shared_ptr<Search> &search)
{
    const auto give = [this, search] {
        if (search->error)
            return search->finish(std::unexpected(CliError{*search->error, {}}));
        nameCandidates(search);
    };
    if (!search->text.account.isEmpty() && search->text.account != sshHostsAccount().name && search->text.account != sshHostsAccount().id)
        return give();
    m_hosts.list(SandboxProvider::ListScope::Live).then(this, [search, give](const Result<QList<Sandbox>> &hosts) {
        for (const Sandbox &host : hosts.value_or(QList<Sandbox>())) {
            if (host.name == search->text.name || host.id.id == search->text.name)
                return search->finish(Target{host, nullptr, {}, {}});
            search->candidates << tamed(host.name, 80);
        }
        give();
    });
}

void Directory::nameCandidates(const std::shared_ptr<Search> &search)
{
    search->waiting = 1;
    const auto arrive = [search] {
        if (--search->waiting > 0)
            return;
        search->candidates.sort();
        const QString there = search->candidates.isEmpty() ? u"there are none yet"_s : u"there are: "_s + search->candidates.join(u", "_s);
        search->finish(search->refuse(ErrorKind::NotFound, u"there is no sandbox and no SSH host '%1'; %2"_s.arg(search->text.name, there)));
    };
    for (const auto &entry : m_entries) {
        if (!entry->provider)
            continue;
        ++search->waiting;
        entry->provider->list(SandboxProvider::ListScope::Live).then(this, [search, arrive](const Result<QList<Sandbox>> &sandboxes) {
            for (const Sandbox &sandbox : sandboxes.value_or(QList<Sandbox>()))
                search->candidates << tamed(sandbox.displayName(), 80);
            arrive();
        });
    }
    arrive();
}

} // namespace Sandpiper
