#include "app/cli/commands.h"
#include "app/cli/consoleprompts.h"
#include "app/cli/output.h"
#include "session/errortext.h"

#include <csignal>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

DoctorCommand::DoctorCommand(Directory *directory)
    : Command(directory)
    , m_prompts(std::make_unique<ConsolePrompts>())
{
}

DoctorCommand::~DoctorCommand() = default;

void DoctorCommand::start(const QStringList &arguments)
{
    QCommandLineParser parser;
    parser.addPositionalArgument(u"TARGET"_s, u"A sandbox's name or id, ACCOUNT/name, or ssh://user@host:port."_s);
    if (!parse(parser, u"doctor"_s, arguments))
        return;
    if (parser.positionalArguments().size() != 1)
        return usage(u"doctor takes one TARGET"_s);
    const CliResult<TargetText> text = parseTarget(parser.positionalArguments().constFirst());
    if (!text)
        return fail(text.error());
    directory()->load(Directory::Gateway::WhereUsed).then(this, [this, text = *text] {
        directory()->resolve(text).then(this, [this](const CliResult<Target> &target) {
            if (!target) {
                bad(u"account and API"_s, target.error().error);
                return conclude();
            }
            m_target = *target;
            if (m_target.provider != nullptr)
                good(u"account and API: %1 answers"_s.arg(m_target.accountName));
            if (m_target.sandbox.state != SandboxState::Running) {
                bad(u"sandbox"_s, {ErrorKind::SandboxNotRunning, Layer::SandboxState, m_target.sandbox.stateText, m_target.sandbox.displayName()});
                return conclude();
            }
            if (m_target.provider == nullptr)
                return checkSsh();
            good(u"sandbox: %1 is running"_s.arg(m_target.sandbox.displayName()));
            checkPty();
        });
    });
}

void DoctorCommand::checkPty()
{
    // Lists only: a doctor leaves nothing behind.
    m_target.provider->ptySessions(m_target.sandbox).then(this, [this](const Result<QList<PtySession>> &sessions) {
        if (sessions)
            good(u"PTY: the sandbox answers, %n session(s)"_s.replace(u"%n"_s, QString::number(sessions->size())));
        else
            bad(u"PTY"_s, sessions.error());
        checkSsh();
    });
}

void DoctorCommand::checkSsh()
{
    if (!m_target.sandbox.ssh) {
        printLine(u"–   SSH: "_s + tamed(m_target.sandbox.capabilities.reasonAgainst(Capability::SshShell)));
        return conclude();
    }
    CommandSpec spec;
    spec.argv = {u"true"_s};
    m_remote = makeSshCommand(linkOptionsFor(m_target.sandbox), spec, m_prompts.get());
    connect(m_remote.get(), &RemoteCommand::ended, this, [this](const ShellEnd &end) {
        if (end.kind == ShellEnd::Kind::Exited && end.exitCode == 0)
            good(u"SSH: connected, logged in, and ran a command"_s);
        else if (end.kind == ShellEnd::Kind::Exited)
            bad(u"SSH"_s, {ErrorKind::ServerError, Layer::Ssh, u"'true' ended with status %1"_s.arg(end.exitCode), m_target.sandbox.displayName()});
        else
            bad(u"SSH"_s, end.error);
        conclude();
    });
    m_remote->start();
    m_remote->closeInput();
}

void DoctorCommand::good(const QString &what)
{
    printLine(u"ok  "_s + tamed(what));
}

void DoctorCommand::bad(const QString &what, const Error &error)
{
    ++m_failures;
    const ErrorText text = errorText(error);
    printLine(u"BAD %1: %2"_s.arg(what, text.sentence));
    if (!text.stepLabel.isEmpty())
        printLine(u"    → %1"_s.arg(text.stepLabel));
    if (!error.detail.isEmpty())
        printLine(u"    (%1)"_s.arg(describe(error)));
}

void DoctorCommand::conclude()
{
    finishLater(m_failures == 0 ? ExitOk : ExitFailed);
}

} // namespace Sandpiper
