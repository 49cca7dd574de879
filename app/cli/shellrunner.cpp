#include "app/cli/shellrunner.h"

#include "app/cli/command.h"
#include "app/cli/output.h"
#include "session/errortext.h"
#include "session/runafter.h"

#include <QRandomGenerator>

#include <csignal>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

Result<ShellRoute> chooseRoute(const Sandbox &sandbox, const QString &via)
{
    const bool pty = sandbox.capabilities.has(Capability::PtyShell);
    const bool ssh = sandbox.ssh.has_value();
    const auto missing = [&](Capability capability) {
        return failure(ErrorKind::Unsupported, Layer::Provider, sandbox.capabilities.reasonAgainst(capability), sandbox.displayName());
    };
    if (via == "pty"_L1 || (via.isEmpty() && pty))
        return pty ? Result<ShellRoute>(ShellRoute::Pty) : missing(Capability::PtyShell);
    return ssh ? Result<ShellRoute>(ShellRoute::Ssh) : missing(Capability::SshShell);
}

ShellRunner::ShellRunner(Directory *directory, Wish wish)
    : m_wish(std::move(wish))
    , m_prompts(directory->makePrompts())
{
    ShellRecord record;
    record.sandbox = m_wish.target.sandbox.id;
    record.sandboxName = m_wish.target.sandbox.displayName();
    record.route = m_wish.route;
    record.spec = m_wish.spec;
    record.ptySession = m_wish.ptySession;
    StandingShell::Services services;
    services.provider = m_wish.target.provider;
    if (!m_wish.target.provider)
        services.plainHost = m_wish.target.sandbox;
    services.keychain = directory->keychain();
    services.makeSshShell = [prompts = m_prompts.get(), signIn = m_wish.target.signIn](const Sandbox &sandbox, const ShellSpec &spec) {
        return sandbox.ssh ? makeSshShell(linkOptionsFor(sandbox, signIn), spec, prompts) : nullptr;
    };
    services.random = [] { return QRandomGenerator::global()->generateDouble(); };
    services.after = runAfter;
    m_shell = std::make_unique<StandingShell>(record, services);
}

ShellRunner::~ShellRunner() = default;

void ShellRunner::start()
{
    connect(m_shell.get(), &StandingShell::outputReceived, this, [](const QByteArray &bytes) { standardOutput().write(bytes); });
    connect(&standardOutput(), &OutputStream::written, m_shell.get(), &StandingShell::consumed);
    connect(&standardOutput(), &OutputStream::broken, this, &ShellRunner::leave);
    connect(m_shell.get(), &StandingShell::screenReset, this, [] { standardOutput().write("\x1b[H\x1b[2J\x1b[3J"); });
    connect(m_shell.get(), &StandingShell::noticeReceived, this, &ShellRunner::tell);
    connect(m_shell.get(), &StandingShell::statusChanged, this, &ShellRunner::onStatus);
    connect(&signalWatch(), &SignalWatch::raised, this, [this](int number) {
        if (number == SIGWINCH)
            m_shell->resize(localTerminalSize());
    });
    m_raw.emplace();
    m_heldKeys.setSingleShot(true);
    connect(&m_heldKeys, &QTimer::timeout, this, [this] {
        m_shell->write(m_wish.detachKeys.expired(std::chrono::steady_clock::now()));
    });
    m_input = std::make_unique<InputReader>();
    connect(m_input.get(), &InputReader::received, this, &ShellRunner::typed);
    connect(m_input.get(), &InputReader::ended, this, &ShellRunner::leave);
    m_shell->open(localTerminalSize());
}

void ShellRunner::typed(const QByteArray &bytes)
{
    const QByteArray passed = m_wish.detachKeys.filter(bytes, std::chrono::steady_clock::now());
    if (m_wish.detachKeys.deadline())
        m_heldKeys.start(DetachKeys::patience);
    if (m_state == StandingShell::State::Open)
        m_shell->write(passed);
    else if (bytes.contains('\x03')) // nothing there takes it, so it means us
        return finish(ExitInterrupted);
    if (m_wish.detachKeys.matched())
        leave();
}

void ShellRunner::leave()
{
    const QString session = m_shell->record().ptySession;
    m_shell->detach();
    if (m_wish.route == ShellRoute::Pty && !session.isEmpty())
        tell(u"Detached. To come back: sandpiper-cli pty attach %1 %2"_s.arg(session, m_wish.target.sandbox.displayName()));
    finish(ExitOk);
}

void ShellRunner::onStatus(const StandingShell::Status &status)
{
    m_state = status.state;
    switch (status.state) {
    case StandingShell::State::Waiting:
        tell(u"%1 Trying again; Ctrl-C stops."_s.arg(errorText(status.error).sentence));
        return;
    case StandingShell::State::Suspended:
        tell(u"%1 is suspended. To wake it: sandpiper-cli resume %1"_s.arg(m_wish.target.sandbox.displayName()));
        return finish(ExitOurs);
    case StandingShell::State::Gone:
    case StandingShell::State::Failed:
        tell(errorText(status.error).sentence);
        return finish(status.error.kind == ErrorKind::Cancelled ? int(ExitInterrupted) : int(ExitOurs));
    case StandingShell::State::Ended:
        return finish(statusOf(status.end));
    case StandingShell::State::Idle:
    case StandingShell::State::Opening:
    case StandingShell::State::Open:
    case StandingShell::State::Stopped:
    case StandingShell::State::Detached:
        return;
    }
}

int ShellRunner::statusOf(const ShellEnd &end) const
{
    switch (end.kind) {
    case ShellEnd::Kind::Exited: return statusOfExit(end.exitCode);
    case ShellEnd::Kind::Signalled: return statusOfSignal(end.signalName);
    case ShellEnd::Kind::Killed:
    case ShellEnd::Kind::Lost:
    case ShellEnd::Kind::Failed: return ExitOurs;
    }
    Q_UNREACHABLE_RETURN(ExitOurs);
}

void ShellRunner::tell(const QString &line)
{
    // The terminal is raw: the carriage has to be returned by hand.
    standardError().write("\r\n[" + line.toUtf8() + "]\r\n");
}

void ShellRunner::finish(int status)
{
    if (std::exchange(m_finished, true))
        return;
    m_input.reset();
    m_raw.reset();
    emit finished(status);
}

} // namespace Sandpiper
