#include "session/sshconfig.h"

#include "session/sshconfigreading.h"
#include "session/sshdestination.h"

#include <QDir>
#include <QFileInfo>

#include <algorithm>
#include <array>

#include <pwd.h>
#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype kMostAliases = 20'000;
// Fills in what may only be filled in when all is read.
class Completion
{
public:
    Completion(const SshConfigReading &reading, SshWritten &written, const SshHostQuery &query)
        : m_reading(reading)
        , m_written(written)
        , m_values(written.values)
        , m_tokens(reading.tokens())
        , m_query(query)
    {
    }

    SshHostConfig run(const QString &hostName);

private:
    void refuse(const QString &keyword, const QString &why);
    void expand(QString &value, TokenUse use, const QString &keyword);
    void expandPath(QString &value, TokenUse use, const QString &keyword);
    void fillUser();
    void fillPaths();
    void fillForwards();
    void fillAgent();

    const SshConfigReading &m_reading;
    SshWritten &m_written;
    SshHostConfig &m_values;
    SshTokens m_tokens;
    const SshHostQuery &m_query;
};

void Completion::refuse(const QString &keyword, const QString &why)
{
    SshConfigPlace place;
    for (const SshSetting &setting : std::as_const(m_values.settings)) {
        if (setting.keyword == keyword)
            place = setting.place;
    }
    m_values.problems.append({SshConfigProblem::Kind::Refused, place, tamed(u"%1: %2"_s.arg(keyword, why), 300)});
}

void Completion::expand(QString &value, TokenUse use, const QString &keyword)
{
    Result<QString> expanded = expandSshTokens(value, m_tokens, use);
    if (expanded)
        value = *std::move(expanded);
    else
        refuse(keyword, expanded.error().detail);
}

void Completion::expandPath(QString &value, TokenUse use, const QString &keyword)
{
    Result<QString> path = expandSshHome(value, m_tokens.home);
    if (!path)
        return refuse(keyword, path.error().detail);
    value = *std::move(path);
    expand(value, use, keyword);
}

void Completion::fillUser()
{
    m_values.user = m_written.user.value_or(m_tokens.localUser);
    m_tokens.remoteUser = m_values.user;
    // What was typed for this one connection is meant as it is.
    if (m_written.user && m_query.user.isEmpty())
        expand(m_values.user, TokenUse::User, u"user"_s);
    m_tokens.remoteUser = m_values.user;
}

void Completion::fillPaths()
{
    m_values.identityFiles.removeIf([](const QString &file) { return file.compare("none"_L1, Qt::CaseInsensitive) == 0; });
    m_values.certificateFiles.removeIf([](const QString &file) { return file.compare("none"_L1, Qt::CaseInsensitive) == 0; });
    for (QString &file : m_values.identityFiles)
        expandPath(file, TokenUse::Path, u"identityfile"_s);
    for (QString &file : m_values.certificateFiles)
        expandPath(file, TokenUse::Path, u"certificatefile"_s);
    if (m_values.userKnownHostsFiles) {
        for (QString &file : *m_values.userKnownHostsFiles)
            expandPath(file, TokenUse::Path, u"userknownhostsfile"_s);
    }
}

void Completion::fillForwards()
{
    const auto fill = [this](QString &path, const QString &keyword) {
        if (!path.isEmpty())
            expand(path, TokenUse::Path, keyword);
    };
    m_values.forwardRules.gatewayPorts = m_written.gatewayPorts.value_or(false);
    m_values.forwardRules.exitOnFailure = m_written.exitOnForwardFailure.value_or(false);
    m_values.forwardRules.unlinksSockets = m_written.streamLocalBindUnlink.value_or(false);
    m_values.forwardRules.remoteTargets = m_written.permitRemoteOpen;
    m_values.forwardRules.socketMask = m_written.streamLocalBindMask.value_or(m_values.forwardRules.socketMask);
    if (m_written.clearAllForwardings.value_or(false))
        m_values.forwards.clear();
    for (ForwardSpec &wish : m_values.forwards) {
        const bool isLocal = listensHere(wish.kind);
        fill(wish.listen.path, isLocal ? u"localforward"_s : u"remoteforward"_s);
        fill(wish.target.path, isLocal ? u"localforward"_s : u"remoteforward"_s);
    }
}

void Completion::fillAgent()
{
    if (std::optional<QString> &agent = m_values.identityAgent) {
        if (agent->compare("none"_L1, Qt::CaseInsensitive) == 0) {
            agent = u"none"_s;
        } else if (agent->startsWith(u'$') && !agent->startsWith("${"_L1)) {
            agent = m_tokens.variable ? m_tokens.variable(agent->sliced(1)).value_or(QString()) : QString();
            if (agent->isEmpty())
                agent = u"none"_s;
        } else if (*agent != "SSH_AUTH_SOCK"_L1) {
            expandPath(*agent, TokenUse::Path, u"identityagent"_s);
        }
    }
    const QString forward = m_written.agentForward.value_or(u"no"_s);
    const QString lowered = forward.toLower();
    if (lowered == "no"_L1 || lowered == "false"_L1) {
        m_values.agentForward = SshAgentForward::No;
    } else if (lowered == "yes"_L1 || lowered == "true"_L1) {
        m_values.agentForward = SshAgentForward::Yes;
    } else {
        m_values.agentForward = SshAgentForward::Socket;
        m_values.agentForwardSocket = forward;
        if (forward.startsWith(u'$') && !forward.startsWith("${"_L1))
            m_values.agentForwardSocket = m_tokens.variable ? m_tokens.variable(forward.sliced(1)).value_or(QString()) : QString();
        else
            expandPath(m_values.agentForwardSocket, TokenUse::Path, u"forwardagent"_s);
        if (m_values.agentForwardSocket.isEmpty())
            m_values.agentForward = SshAgentForward::No;
    }
}

SshHostConfig Completion::run(const QString &hostName)
{
    m_values.alias = m_query.host;
    m_values.hostName = hostName;
    if (!isSafeSshHost(hostName))
        refuse(u"hostname"_s, u"'%1' is no name of a host"_s.arg(hostName));
    m_values.port = m_written.port.value_or(22);
    m_values.hostKeyAlias = m_written.hostKeyAlias.value_or(QString()).toLower();
    m_values.compression = m_written.compression.value_or(false);
    m_values.pubkeyAuthentication = m_written.pubkeyAuthentication.value_or(true);
    m_values.passwordAuthentication = m_written.passwordAuthentication.value_or(true);
    m_values.kbdInteractiveAuthentication = m_written.kbdInteractiveAuthentication.value_or(true);
    m_values.addressFamily = m_written.addressFamily.value_or(SshAddressFamily::Any);
    m_values.requestTty = m_written.requestTty.value_or(SshTtyWish::Auto);
    m_values.bindAddress = m_written.bindAddress.value_or(QString());
    m_values.tag = m_written.tag.value_or(QString());
    if (m_written.preferredAuthentications)
        m_values.preferredAuthentications = m_written.preferredAuthentications->split(u',', Qt::SkipEmptyParts);

    m_tokens.hostName = hostName;
    m_tokens.original = m_query.host;
    m_tokens.keyAlias = m_values.hostKeyAlias.isEmpty() ? m_query.host : m_values.hostKeyAlias;
    m_tokens.port = m_values.port;
    if (m_written.jumpHost && *m_written.jumpHost != "none"_L1) {
        m_values.jumps = sshJumpHops(*m_written.jumpHost).value_or(QList<SshJumpHop>());
        if (!m_values.jumps.isEmpty())
            m_tokens.jumpHost = m_values.jumps.constLast().host;
    }
    fillUser();
    for (SshJumpHop &hop : m_values.jumps) {
        expand(hop.host, TokenUse::Proxy, u"proxyjump"_s);
        expand(hop.user, TokenUse::Proxy, u"proxyjump"_s);
        if (!isSafeSshHost(hop.host))
            refuse(u"proxyjump"_s, u"'%1' is no name of a host"_s.arg(hop.host));
    }
    if (m_values.proxyCommand) {
        if (m_values.proxyCommand->compare("none"_L1, Qt::CaseInsensitive) == 0)
            m_values.proxyCommand.reset();
        else
            expand(*m_values.proxyCommand, TokenUse::Proxy, u"proxycommand"_s);
    }
    m_values.remoteCommand = m_written.remoteCommand.value_or(QString());
    if (m_values.remoteCommand.compare("none"_L1, Qt::CaseInsensitive) == 0)
        m_values.remoteCommand.clear();
    expand(m_values.remoteCommand, TokenUse::Command, u"remotecommand"_s);
    for (auto &[name, value] : m_values.setEnv)
        expand(value, TokenUse::Path, u"setenv"_s);
    fillPaths();
    fillForwards();
    fillAgent();
    return std::move(m_values);
}

} // namespace

SshConfig::Sources SshConfig::defaultSources()
{
    Sources sources;
    sources.uid = ::getuid();
    passwd entry{};
    passwd *found = nullptr;
    std::array<char, 16384> buffer{};
    if (::getpwuid_r(sources.uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found) {
        sources.localUser = QString::fromLocal8Bit(found->pw_name);
        sources.home = QString::fromLocal8Bit(found->pw_dir);
    }
    // ssh asks the list of users only. Where HOME is set to something else, the other files of ours are there.
    if (const QString home = qEnvironmentVariable("HOME"); !home.isEmpty() && QDir(home).exists())
        sources.home = home;
    sources.userFile = sources.home + u"/.ssh/config"_s;
    sources.systemFile = u"/etc/ssh/ssh_config"_s;
    std::array<char, 256> host{};
    if (::gethostname(host.data(), host.size() - 1) == 0)
        sources.localHost = QString::fromLocal8Bit(host.data());
    sources.variable = [](const QString &name) -> std::optional<QString> {
        const QByteArray key = name.toLocal8Bit();
        return qEnvironmentVariableIsSet(key.constData()) ? std::optional(qEnvironmentVariable(key.constData())) : std::nullopt;
    };
    return sources;
}

SshConfig::SshConfig(Sources sources)
    : d(std::make_unique<SshConfigReading>(std::move(sources)))
{
}

SshConfig::~SshConfig() = default;
SshConfig::SshConfig(SshConfig &&) noexcept = default;
SshConfig &SshConfig::operator=(SshConfig &&) noexcept = default;

SshHostConfig SshConfig::resolve(const SshHostQuery &query)
{
    SshWritten written;
    if (!query.user.isEmpty())
        written.user = query.user;
    if (query.port != 0)
        written.port = query.port;
    SshConfigWalk::Subject subject{query.host, query.host};
    SshConfigWalk first(*d, subject, written);
    first.run(SshConfigWalk::Pass::First);

    QString hostName = query.host;
    std::optional<QString> mistake;
    if (written.hostName) {
        SshTokens tokens;
        tokens.hostName = query.host;
        if (const Result<QString> expanded = expandSshTokens(*written.hostName, tokens, TokenUse::HostName))
            hostName = *expanded;
        else
            mistake = expanded.error().detail;
    }
    hostName = hostName.toLower();
    if (first.wantsFinalPass() && !mistake) {
        written.hostName = hostName;
        subject.patternHost = hostName;
        SshConfigWalk(*d, subject, written).run(SshConfigWalk::Pass::Final);
    }
    SshHostConfig result = Completion(*d, written, query).run(hostName);
    if (mistake)
        result.problems.append({SshConfigProblem::Kind::Refused, {}, u"hostname: "_s + *mistake});
    return result;
}

QList<SshHostAlias> SshConfig::aliases()
{
    QList<SshHostAlias> found;
    QSet<QString> names;
    QSet<QString> seen;
    const auto look = [&](const auto &self, const QString &path, SshConfigReading::Trust trust) -> void {
        if (seen.contains(path))
            return;
        seen.insert(path);
        const SshConfigFile *file = d->file(path, trust);
        if (!file || !file->refusal.isEmpty())
            return;
        for (const SshConfigLine &line : file->lines) {
            if (!line.mistake.isEmpty())
                continue;
            if (line.keyword == SshKeyword::Include) {
                for (const QString &argument : line.arguments) {
                    // What depends on the host cannot be followed without one.
                    const Result<QString> pattern = expandSshTokens(argument, d->tokens(), TokenUse::EnvironmentOnly);
                    if (!pattern || pattern->contains(u'%'))
                        continue;
                    for (const QString &one : d->included(*pattern, true))
                        self(self, one, SshConfigReading::Trust::OwnersOnly);
                }
            } else if (line.keyword == SshKeyword::Host) {
                for (const QString &name : line.arguments) {
                    const bool isConcrete = isSafeSshHost(name) && !name.contains(u'*') && !name.contains(u'?') && !name.startsWith(u'!');
                    if (isConcrete && found.size() < kMostAliases && !names.contains(name)) {
                        names.insert(name);
                        found.append({name, {path, line.number}});
                    }
                }
            }
        }
    };
    const bool asGiven = d->sources.ownership == Sources::Ownership::AsGiven;
    if (!d->sources.userFile.isEmpty())
        look(look, d->sources.userFile, asGiven ? SshConfigReading::Trust::Anyone : SshConfigReading::Trust::OwnersOnly);
    return found;
}

QStringList SshConfig::files() const
{
    return d->order;
}

QStringList SshConfig::folders() const
{
    QStringList folders(d->folders.cbegin(), d->folders.cend());
    folders.sort();
    return folders;
}

} // namespace Sandpiper
