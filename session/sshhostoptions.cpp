#include "session/sshhostoptions.h"

#include "session/knownhosts.h"
#include "session/sshalgorithms.h"
#include "session/sshconfiglines.h"
#include "session/sshdestination.h"

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr quint16 kUsualPort = 22;
constexpr int kMostVariables = 200;

// "file:12: " of the setting that counts, so that the user finds it.
QString placeOf(const SshHostConfig &config, const QString &keyword)
{
    for (const SshSetting &setting : config.settings) {
        if (setting.keyword == keyword)
            return setting.place.toString() + u": "_s;
    }
    return {};
}

class Filling
{
public:
    Filling(LinkOptions options, const SshHostConfig &config, const QMap<QString, QString> &environment)
        : m_options(std::move(options))
        , m_config(config)
        , m_environment(environment)
    {
    }

    Result<LinkOptions> run();

private:
    void fillEndpoint();
    void fillKeys();
    void fillHostKeys();
    void fillTimes();
    void fillEnvironment();
    [[nodiscard]] Done fillAlgorithms();
    [[nodiscard]] Done fillTransport();
    [[nodiscard]] std::unexpected<Error> unsupported(const QString &keyword, const QString &why) const
    {
        return failure(ErrorKind::Unsupported, Layer::Ssh, tamed(placeOf(m_config, keyword) + why), m_config.alias);
    }

    LinkOptions m_options;
    const SshHostConfig &m_config;
    const QMap<QString, QString> &m_environment;
};

void Filling::fillEndpoint()
{
    SshEndpoint &endpoint = m_options.endpoint;
    if (endpoint.host.isEmpty())
        endpoint.host = m_config.hostName;
    endpoint.user = m_config.user; // of the query, where that names one
    endpoint.port = m_config.port; // likewise
    if (m_options.displayName.isEmpty())
        m_options.displayName = m_config.alias;
}

void Filling::fillKeys()
{
    if (!m_config.identityFiles.isEmpty()) {
        m_options.identityFiles = m_config.identityFiles;
        m_options.useDefaultKeys = false;
    }
    m_options.certificateFiles += m_config.certificateFiles;
    m_options.identitiesOnly = m_config.identitiesOnly.value_or(m_options.identitiesOnly);
    if (m_config.identityAgent == "none"_L1)
        m_options.useAgent = false;
    else if (m_config.identityAgent && *m_config.identityAgent != "SSH_AUTH_SOCK"_L1)
        m_options.agentSocket = *m_config.identityAgent;
    m_options.preferredAuthentications = m_config.preferredAuthentications;
    m_options.allowsPublicKey = m_config.pubkeyAuthentication;
    m_options.allowsPassword = m_config.passwordAuthentication;
    m_options.allowsInteractive = m_config.kbdInteractiveAuthentication;
    if (m_options.agentForward == SshAgentForward::No) {
        m_options.agentForward = m_config.agentForward;
        m_options.agentForwardSocket = m_config.agentForwardSocket;
    }
}

void Filling::fillHostKeys()
{
    m_options.hostKeyAlias = m_config.hostKeyAlias;
    m_options.hostChecking = m_config.hostChecking.value_or(m_options.hostChecking);
    if (!m_options.knownHostsFiles.isEmpty() || (!m_config.userKnownHostsFiles && !m_config.globalKnownHostsFiles))
        return;
    const QStringList usual = defaultKnownHostsFiles();
    const auto isSystems = [](const QString &file) { return file.startsWith("/etc/"_L1); };
    QStringList users;
    QStringList systems;
    for (const QString &file : usual)
        (isSystems(file) ? systems : users).append(file);
    users = m_config.userKnownHostsFiles.value_or(users);
    // The first is written to; where there is none of the user's, nothing is kept.
    if (users.isEmpty())
        users.append(u"/dev/null"_s);
    m_options.knownHostsFiles = users + m_config.globalKnownHostsFiles.value_or(systems);
}

void Filling::fillTimes()
{
    using namespace std::chrono_literals;
    if (m_config.serverAliveInterval)
        m_options.keepAlive = std::min(*m_config.serverAliveInterval, std::chrono::seconds(24h));
    if (m_config.serverAliveCountMax)
        m_options.keepAliveCount = std::max(1, *m_config.serverAliveCountMax);
    if (m_config.connectTimeout)
        m_options.connectTimeout = std::clamp<std::chrono::seconds>(*m_config.connectTimeout, 1s, 1h);
}

void Filling::fillEnvironment()
{
    QMap<QString, QString> variables;
    for (const QString &pattern : m_config.sendEnv) {
        for (const auto &[name, value] : m_environment.asKeyValueRange()) {
            if (variables.size() < kMostVariables && matchesSshPattern(name, pattern))
                variables.insert(name, value);
        }
    }
    for (const auto &[name, value] : m_config.setEnv)
        variables.insert(name, value);
    for (const auto &[name, value] : variables.asKeyValueRange())
        m_options.environment.append({name, value});
    m_options.remoteCommand = m_config.remoteCommand;
    m_options.requestTty = m_config.requestTty;
    m_options.forwards = m_config.forwards;
    const ForwardRules given = m_options.forwardRules;
    m_options.forwardRules = m_config.forwardRules;
    m_options.forwardRules.greetingPatience = given.greetingPatience; // no file says these
    m_options.forwardRules.dialPatience = given.dialPatience;
    m_options.forwardRules.answerPatience = given.answerPatience;
    m_options.compression = m_config.compression;
}

Done Filling::fillAlgorithms()
{
    struct Wish
    {
        const QString &text;
        QByteArray &into;
        AlgorithmList list;
        QString keyword;
        QString word;
    };
    const Wish wishes[] = {
        {m_config.ciphers, m_options.ciphers, AlgorithmList::Ciphers, u"ciphers"_s, u"Ciphers"_s},
        {m_config.kexAlgorithms, m_options.keyExchange, AlgorithmList::KeyExchange, u"kexalgorithms"_s, u"KexAlgorithms"_s},
        {m_config.macs, m_options.macs, AlgorithmList::Macs, u"macs"_s, u"MACs"_s},
        {m_config.hostKeyAlgorithms, m_options.hostKeyAlgorithms, AlgorithmList::HostKeys, u"hostkeyalgorithms"_s, u"HostKeyAlgorithms"_s},
        {m_config.pubkeyAcceptedAlgorithms, m_options.publicKeyAlgorithms, AlgorithmList::PublicKeys, u"pubkeyacceptedalgorithms"_s,
         u"PubkeyAcceptedAlgorithms"_s},
    };
    for (const Wish &wish : wishes) {
        if (wish.text.isEmpty())
            continue;
        wish.into = assembledAlgorithms(wish.text, usualAlgorithms(wish.list), possibleAlgorithms(wish.list));
        if (wish.into.isEmpty())
            return unsupported(wish.keyword, u"%1 names no algorithm that Sandpiper has"_s.arg(wish.word));
    }
    return {};
}

Done Filling::fillTransport()
{
    auto *tcp = std::get_if<TcpTransport>(&m_options.transport);
    if (!tcp)
        return {};
    if (!m_config.jumps.isEmpty()) {
        m_options.transport = JumpTransport{m_config.jumps};
        return {};
    }
    if (m_config.proxyCommand) {
        for (const SshConfigProblem &problem : m_config.problems) {
            if (problem.kind == SshConfigProblem::Kind::NotDone && problem.text.contains("'proxyusefdpass'"_L1))
                return failure(ErrorKind::Unsupported, Layer::Ssh, problem.place.toString() + u": ProxyUseFdpass is not supported"_s, m_config.alias);
        }
        m_options.transport = CommandTransport{*m_config.proxyCommand};
        return {};
    }
    tcp->family = m_config.addressFamily;
    tcp->bindAddress = m_config.bindAddress;
    return {};
}

Result<LinkOptions> Filling::run()
{
    if (const std::optional<SshConfigProblem> refusal = m_config.refusal()) {
        const QString place = refusal->place.line > 0 ? refusal->place.toString() + u": "_s : QString();
        return failure(ErrorKind::InvalidInput, Layer::Ssh, tamed(place + refusal->text), m_config.alias);
    }
    // The command was filled in with these.
    if (m_config.proxyCommand && (!isSafeSshUser(m_config.user) || !isSafeSshHost(m_config.hostName)))
        return failure(ErrorKind::InvalidInput, Layer::Ssh, u"this host or user cannot stand in a ProxyCommand"_s, m_config.alias);
    fillEndpoint();
    fillKeys();
    fillHostKeys();
    fillTimes();
    fillEnvironment();
    if (const Done filled = fillAlgorithms(); !filled)
        return std::unexpected(filled.error());
    if (const Done filled = fillTransport(); !filled)
        return std::unexpected(filled.error());
    return std::move(m_options);
}

} // namespace

Result<SshHostQuery> hostQueryFor(const LinkOptions &options)
{
    const SshEndpoint &endpoint = options.endpoint;
    // Tokens put them into commands of the file ("Match exec") before anything else looks at them.
    if (!isSafeSshHost(endpoint.alias))
        return failure(ErrorKind::InvalidInput, Layer::Ssh, u"this is no name of a host"_s, tamed(endpoint.alias, 100));
    if (!isSafeSshUser(endpoint.user))
        return failure(ErrorKind::InvalidInput, Layer::Ssh, u"this is no name of a user"_s, tamed(endpoint.user, 100));
    const bool hasPort = options.portIsSaid || endpoint.port != kUsualPort;
    return SshHostQuery{endpoint.alias, endpoint.user, hasPort ? endpoint.port : quint16(0)};
}

Result<LinkOptions> withHostConfig(LinkOptions options, const SshHostConfig &config, const QMap<QString, QString> &environment)
{
    return Filling(std::move(options), config, environment).run();
}

} // namespace Sandpiper
