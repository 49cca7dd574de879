#include "app/cli/farends.h"

#include "session/sshlinkcore.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr auto sftpMark = "sandpiper:sftp\n"_L1;
// The exit status by which our own lines of sh say that something they need is missing.
constexpr int missingThere = 127;

QString withLoginShell(const QString &arguments)
{
    return u"exec \"${SHELL:-/bin/sh}\" "_s + arguments;
}

// Looks for OpenSSH's server where the distributions put it. before: what happens when it is found.
QString sftpServerScript(const QString &before, const QString &behind)
{
    return u"for p in /usr/lib/openssh/sftp-server /usr/libexec/openssh/sftp-server /usr/libexec/sftp-server "
           "/usr/lib/ssh/sftp-server /usr/lib/sftp-server /usr/local/libexec/sftp-server; do "
           "[ -x \"$p\" ] || continue; %1exec \"$p\"%2; done; exit %3"_s.arg(before, behind).arg(missingThere);
}

QString firstWord(const QByteArray &command)
{
    const QString text = QString::fromUtf8(command).trimmed();
    return text.section(u' ', 0, 0).section(u'/', -1);
}

FarEnds::Choice refused(const QString &sentence)
{
    return {{}, sentence};
}

} // namespace

FarEnds::FarEnds(const Options &options)
    : m_options(options)
{
}

FarEnds::Choice FarEnds::choose(const ToFar::Start &start)
{
    using What = ToFar::Start::What;
    if (start.what == What::Subsystem && start.command != "sftp")
        return refused(tr("There is no subsystem \"%1\" here; there is sftp.").arg(tamed(QString::fromUtf8(start.command), 40)));
    if (start.what == What::Subsystem && m_options.sftp == Sftp::Never)
        return refused(tr("SFTP is switched off here (--no-sftp)."));
    return m_options.route == Route::Ssh ? overSsh(start) : overVendor(start);
}

FarEnds::Choice FarEnds::overSsh(const ToFar::Start &start)
{
    ChannelSpec spec;
    spec.terminal = start.terminal ? ChannelSpec::Terminal::Pty : ChannelSpec::Terminal::None;
    spec.term = start.term;
    spec.size = start.size;
    spec.environment = start.environment;
    switch (start.what) {
    case ToFar::Start::What::Shell:
        return {{channel(spec)}, {}};
    case ToFar::Start::What::Exec:
        spec.commandLine = start.command;
        return {{channel(spec)}, {}};
    case ToFar::Start::What::Subsystem: {
        spec.terminal = ChannelSpec::Terminal::None;
        ChannelSpec byHand = spec;
        spec.subsystem = u"sftp"_s;
        byHand.argv = {u"/bin/sh"_s, u"-c"_s, sftpServerScript({}, {})};
        return {{channel(spec), channel(byHand)}, {}};
    }
    case ToFar::Start::What::Connect:
        spec = {};
        spec.connectHost = start.host;
        spec.connectPort = start.port;
        return {{channel(spec)}, {}};
    }
    Q_UNREACHABLE_RETURN({});
}

FarEnds::Choice FarEnds::overVendor(const ToFar::Start &start)
{
    using What = ToFar::Start::What;
    const Sandbox &sandbox = m_options.sandbox;
    SandboxProvider *provider = m_options.provider;
    if (start.what == What::Connect)
        return refused(tr("%1 is reached without SSH, and so carries no forwards.").arg(sandbox.displayName()));
    if (start.what == What::Subsystem)
        return sftpOverVendor();
    // The command is a word of its own, so nothing in it needs to be quoted.
    QStringList argv = {u"/bin/sh"_s, u"-c"_s, withLoginShell(u"-l"_s)};
    if (start.what == What::Exec)
        argv = {u"/bin/sh"_s, u"-c"_s, withLoginShell(u"-c \"$0\""_s), QString::fromUtf8(start.command)};
    if (start.terminal) {
        if (!sandbox.capabilities.has(Capability::PtyShell))
            return refused(tr("%1 offers no terminal without SSH, only commands: ssh -T HOST COMMAND.").arg(sandbox.displayName()));
        ShellSpec spec;
        if (start.what == What::Exec) {
            spec.command = argv.first();
            spec.arguments = argv.sliced(1);
        }
        spec.environment = start.environment;
        spec.term = start.term;
        return {{[=]() -> std::unique_ptr<FarEnd> {
                    std::unique_ptr<Shell> shell = provider->makePtyShell(sandbox, spec, std::nullopt);
                    return shell ? std::make_unique<ShellFarEnd>(std::move(shell), start.size) : nullptr;
                }},
                {}};
    }
    const bool copies = start.what == What::Exec && firstWord(start.command) == "scp"_L1;
    if (!sandbox.capabilities.has(Capability::Exec))
        return refused(copies ? tr("%1 can run no command, so scp -O cannot work; use scp without -O, or sftp.").arg(sandbox.displayName())
                              : tr("%1 offers no commands without SSH, only a terminal: ssh -t HOST COMMAND.").arg(sandbox.displayName()));
    CommandSpec spec;
    spec.argv = argv;
    spec.environment = start.environment;
    return {{[=]() -> std::unique_ptr<FarEnd> {
                std::unique_ptr<RemoteCommand> command = provider->makeCommand(sandbox, spec);
                return command ? std::make_unique<CommandFarEnd>(std::move(command)) : nullptr;
            }},
            {}};
}

FarEnds::Choice FarEnds::sftpOverVendor()
{
    const Sandbox &sandbox = m_options.sandbox;
    SandboxProvider *provider = m_options.provider;
    // A terminal comes first: once it is told to, it carries any byte, and process APIs may carry text only.
    if (sandbox.capabilities.has(Capability::PtyShell)) {
        ShellSpec spec;
        spec.command = u"/bin/sh"_s;
        spec.arguments = {u"-c"_s, u"stty raw -echo || exit %1; "_s.arg(missingThere) + sftpServerScript(u"printf '%1\\n'; "_s.arg(QString(sftpMark).chopped(1)), u" 2>/dev/null"_s)};
        return {{[=]() -> std::unique_ptr<FarEnd> {
                    std::unique_ptr<Shell> shell = provider->makePtyShell(sandbox, spec, std::nullopt);
                    return shell ? std::make_unique<ShellFarEnd>(std::move(shell), TerminalSize{}, QByteArray(sftpMark.data(), sftpMark.size())) : nullptr;
                }},
                {}};
    }
    if (sandbox.capabilities.has(Capability::Exec)) {
        CommandSpec spec;
        spec.argv = {u"/bin/sh"_s, u"-c"_s, sftpServerScript({}, {})};
        return {{[=]() -> std::unique_ptr<FarEnd> {
                    std::unique_ptr<RemoteCommand> command = provider->makeCommand(sandbox, spec);
                    return command ? std::make_unique<CommandFarEnd>(std::move(command)) : nullptr;
                }},
                {}};
    }
    return refused(tr("%1 offers neither a terminal nor commands, so there is no SFTP.").arg(sandbox.displayName()));
}

QString FarEnds::explain(const ToFar::Start &start, const ShellEnd &end) const
{
    if (end.kind != ShellEnd::Kind::Exited || end.exitCode != missingThere)
        return {};
    if (start.what == ToFar::Start::What::Subsystem)
        return tr("There is no SFTP server in %1. Install OpenSSH's sftp-server there (package openssh-sftp-server).").arg(m_options.sandbox.displayName());
    const QString program = start.what == ToFar::Start::What::Exec ? firstWord(start.command) : QString();
    if (program == "scp"_L1)
        return tr("There may be no scp in %1. Use scp without -O, or sftp.").arg(m_options.sandbox.displayName());
    if (program == "rsync"_L1)
        return tr("There may be no rsync in %1. Install it there, or use sftp.").arg(m_options.sandbox.displayName());
    return {};
}

std::function<std::unique_ptr<FarEnd>()> FarEnds::channel(const ChannelSpec &spec)
{
    return [this, spec]() -> std::unique_ptr<FarEnd> { return std::make_unique<SshFarEnd>(link(), spec); };
}

SshLinkCore *FarEnds::link()
{
    for (const auto &link : m_links) {
        if (link->state() != LinkState::Closed && link->channelCount() < kMostChannels)
            return link.get();
    }
    // Its channels have been told, and do without it.
    std::erase_if(m_links, [](const auto &link) { return link->state() == LinkState::Closed; });
    m_links.push_back(std::make_unique<SshLinkCore>(linkOptionsFor(m_options.sandbox, m_options.signIn), m_options.prompts));
    m_links.back()->connectToHost();
    return m_links.back().get();
}

} // namespace Sandpiper
