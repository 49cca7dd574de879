#include "session/standingshellprivate.h"

#include "session/terminalanswer.h"

namespace Sandpiper {

namespace {

constexpr int looksAfterResume = 120; // one a second

} // namespace

StandingShell::StandingShell(const ShellRecord &record, Services services, QObject *parent)
    : QObject(parent)
    , d(std::make_unique<Private>(this, record, std::move(services)))
{
    if (d->services.provider) {
        connect(d->services.provider, &SandboxProvider::ptySessionKnown, this,
                [this](const Shell *shell, const PtyHandle &handle) {
                    if (shell == d->shell.get())
                        d->sessionKnown(handle);
                });
    }
    if (d->services.network)
        connect(d->services.network, &NetworkWatch::changed, this, [this] { d->networkChanged(); });
}

StandingShell::~StandingShell() = default;

const ShellRecord &StandingShell::record() const
{
    return d->record;
}

StandingShell::Status StandingShell::status() const
{
    return d->status;
}

void StandingShell::open(TerminalSize size)
{
    if (d->status.state != State::Idle && d->status.state != State::Detached)
        return;
    d->size = size.clamped();
    d->status.attempt = 0;
    d->begin();
}

void StandingShell::write(QByteArrayView bytes)
{
    if (d->status.state != State::Open || !d->shell)
        return;
    // The screen answers questions that it reads again in old output; nobody waits for these.
    if ((d->replayIsWhole || d->ledger.replayed() > 0) && isTerminalAnswer(bytes))
        return;
    d->shell->write(bytes);
}

void StandingShell::resize(TerminalSize size)
{
    d->size = size.clamped();
    if (d->shell)
        d->shell->resize(d->size);
}

void StandingShell::consumed(qint64 bytes)
{
    const qint64 told = d->ledger.take(bytes);
    if (told > 0 && d->shell)
        d->shell->consumed(told);
}

void StandingShell::setShown(bool shown)
{
    d->isShown = shown;
    if (shown && d->status.state == State::Waiting)
        d->begin();
}

void StandingShell::retryNow()
{
    switch (d->status.state) {
    case State::Waiting:
    case State::Stopped:
    case State::Failed:
    case State::Suspended:
        d->begin();
        break;
    case State::Idle:
    case State::Opening:
    case State::Open:
    case State::Gone:
    case State::Ended:
    case State::Detached:
        break;
    }
}

void StandingShell::stop()
{
    if (d->status.state != State::Waiting && d->status.state != State::Opening)
        return;
    d->interrupt();
    d->dropShell();
    d->status.attempt = 0;
    d->setStatus(State::Stopped);
}

void StandingShell::resumeSandbox()
{
    if (d->status.state != State::Suspended && d->status.state != State::Failed)
        return;
    d->interrupt();
    d->resumeLooks = looksAfterResume;
    d->setStatus(State::Opening);
    if (!d->services.provider)
        return d->look(); // says so
    d->await(d->services.provider->resume(d->record.sandbox), [this](const Done &taken) {
        // Conflict: it is not suspended any more, so somebody else was faster.
        if (taken || taken.error().kind == ErrorKind::Conflict)
            return d->watchResume();
        const Decision decision = afterFinding(std::unexpected(taken.error()));
        // What may come right by itself is still not tried again by itself: it costs.
        if (decision.move == NextMove::Wait)
            d->setStatus(State::Suspended, decision.error);
        else
            d->follow(decision);
    });
}

void StandingShell::startNew()
{
    switch (d->status.state) {
    case State::Gone:
    case State::Ended:
    case State::Stopped:
    case State::Failed:
        break;
    case State::Idle:
    case State::Opening:
    case State::Open:
    case State::Waiting:
    case State::Suspended:
    case State::Detached:
        return;
    }
    d->forgetSession();
    d->saysNewShell = true;
    d->afterLoss = false;
    d->status.attempt = 0;
    d->begin();
}

void StandingShell::detach()
{
    d->interrupt();
    d->dropShell();
    if (d->status.state != State::Idle)
        d->setStatus(State::Detached);
}

void StandingShell::endShell()
{
    if (d->shell && d->status.state == State::Open)
        return d->shell->kill(); // its end follows
    const bool isThere = !d->record.ptySession.isEmpty();
    // Asking inside a sandbox that sleeps would wake it; without a client its shell ends soon enough
    // after somebody else has.
    const bool mayAsk = d->status.state == State::Opening || d->status.state == State::Waiting
            || d->status.state == State::Stopped || d->status.state == State::Detached;
    if (isThere && mayAsk && d->services.provider && d->sandbox.state == SandboxState::Running)
        (void)d->services.provider->killPty(d->sandbox, d->record.ptySession);
    d->interrupt();
    d->dropShell();
    d->forgetSession();
    d->status.end = {};
    d->status.end.kind = ShellEnd::Kind::Killed;
    d->setStatus(State::Ended);
}

} // namespace Sandpiper
