#include "session/standingshellprivate.h"

#include "session/backoff.h"

#include <QLoggingCategory>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {

static Q_LOGGING_CATEGORY(lcStanding, "sandpiper.session.standingshell", QtInfoMsg)

namespace {

constexpr auto steady = 10s;       // open for so long: the next loss starts a new count
constexpr auto replayLook = 250ms; // silence after which a replay is taken to be complete
constexpr auto resumeLook = 1s;

// Long enough for the one that is shown to be asked about and connected; not all at the same moment.
std::chrono::milliseconds behindTheShown(double chance)
{
    return 400ms + std::chrono::milliseconds(int(1200 * chance));
}

} // namespace

StandingShell::Private::Private(StandingShell *owner, const ShellRecord &wanted, Services given)
    : q(owner)
    , record(wanted)
    , services(std::move(given))
{
    sandbox.id = record.sandbox;
    sandbox.name = record.sandboxName;
}

StandingShell::Private::~Private()
{
    interrupt();
    dropShell();
}

void StandingShell::Private::emitStatus()
{
    emit q->statusChanged(status);
}

void StandingShell::Private::setStatus(State state, const Error &error)
{
    status.state = state;
    status.error = error;
    if (status.error.subject.isEmpty() && error != Error{})
        status.error.subject = sandbox.displayName();
    if (state != State::Waiting)
        status.retryAt = {};
    if (state != State::Ended)
        status.end = {};
    emitStatus();
}

void StandingShell::Private::interrupt()
{
    ++turn;
    if (const auto cancel = std::exchange(cancelTimer, nullptr))
        cancel();
    if (const auto cancel = std::exchange(cancelCall, nullptr))
        cancel();
}

void StandingShell::Private::dropShell()
{
    ledger.shellIsGone();
    isReplaying = replayIsWhole = false;
    if (!shell)
        return;
    shell->disconnect(q);
    shell->detach();
    // We may be inside one of its signals.
    shell.release()->deleteLater();
}

void StandingShell::Private::later(std::chrono::milliseconds delay, void (Private::*step)())
{
    if (cancelTimer)
        cancelTimer();
    cancelTimer = services.after(delay, q, [this, step, of = turn] {
        if (of != turn)
            return;
        cancelTimer = nullptr;
        (this->*step)();
    });
}

void StandingShell::Private::begin()
{
    interrupt();
    dropShell();
    setStatus(State::Opening);
    const bool mustFetchToken = record.route == ShellRoute::Pty && !record.ptySession.isEmpty() && !token;
    if (mustFetchToken)
        readToken();
    else
        look();
}

void StandingShell::Private::readToken()
{
    if (!services.keychain)
        return setStatus(State::Gone, {ErrorKind::NoKeychain, Layer::LocalDisk, u"no keychain to read from"_s, {}});
    await(services.keychain->read(tokenKey()), [this](const Result<std::shared_ptr<Secret>> &read) {
        if (read) {
            token = *read;
            look();
        } else if (read.error().kind == ErrorKind::NotFound) {
            const bool neverKept = services.keychain
                    && services.keychain->persistenceOf(tokenKey()) == Keychain::Persistence::ThisRunOnly;
            setStatus(State::Gone, {neverKept ? ErrorKind::NoKeychain : ErrorKind::NotFound,
                                    neverKept ? Layer::LocalDisk : Layer::WebSocket,
                                    u"the token of this shell is not in the keychain"_s, {}});
        } else {
            // A locked keychain may be unlocked: that is for the person to do.
            setStatus(State::Failed, read.error());
        }
    });
}

void StandingShell::Private::look()
{
    if (services.plainHost)
        return found(*services.plainHost);
    if (!services.provider)
        return setStatus(State::Failed, {ErrorKind::Unsupported, Layer::Provider,
                                         u"the account of this sandbox is not here any more"_s, {}});
    await(services.provider->find(record.sandbox.id), [this](const Result<Sandbox> &result) { found(result); });
}

void StandingShell::Private::found(const Result<Sandbox> &result)
{
    if (result) {
        sandbox = *result;
        noteName(sandbox.name);
    }
    follow(afterFinding(result));
}

void StandingShell::Private::follow(const Decision &decision)
{
    switch (decision.move) {
    case NextMove::Connect: return connectShell();
    case NextMove::Wait: return wait(decision.error);
    case NextMove::OfferResume: return setStatus(State::Suspended, decision.error);
    case NextMove::GiveUp:
        forgetSession();
        return setStatus(State::Gone, decision.error);
    case NextMove::AskUser: return setStatus(State::Failed, decision.error);
    case NextMove::Stop: return setStatus(State::Stopped, decision.error);
    }
}

// After the vendor has taken the wish to resume, until the sandbox runs or has had its time.
void StandingShell::Private::watchResume()
{
    if (!services.provider)
        return look(); // says so
    await(services.provider->find(record.sandbox.id), [this](const Result<Sandbox> &result) {
        Decision decision = afterFinding(result);
        const bool isOnItsWay = decision.move == NextMove::Wait || decision.move == NextMove::OfferResume;
        if (isOnItsWay && --resumeLooks > 0)
            return later(resumeLook, &Private::watchResume);
        if (isOnItsWay)
            decision.error = {ErrorKind::Timeout, Layer::SandboxState, u"the sandbox did not come up in time"_s, {}};
        if (result)
            sandbox = *result;
        follow(decision);
    });
}

void StandingShell::Private::wait(const Error &why)
{
    ++status.attempt;
    const auto delay = backoffDelay(status.attempt, chance());
    waitFor(isShown ? delay : delay + behindTheShown(chance()), why);
}

void StandingShell::Private::waitFor(std::chrono::milliseconds delay, const Error &why)
{
    status.retryAt = QDateTime::currentDateTimeUtc().addMSecs(delay.count());
    qCInfo(lcStanding).noquote() << "waiting" << delay.count() << "ms:" << describe(why);
    setStatus(State::Waiting, why);
    later(delay, &Private::begin);
}

void StandingShell::Private::networkChanged()
{
    if (status.state == State::Waiting) {
        // What it waited for may be over; and if not, the next wait is a short one again.
        status.attempt = 0;
        if (isShown)
            begin();
        else
            waitFor(behindTheShown(chance()), status.error);
    } else if (shell && status.state == State::Open) {
        shell->probe();
    }
}

std::unique_ptr<Shell> StandingShell::Private::makeShell()
{
    switch (record.route) {
    case ShellRoute::Ssh:
        return services.makeSshShell ? services.makeSshShell(sandbox, record.spec) : nullptr;
    case ShellRoute::Pty: {
        std::optional<PtyHandle> known;
        if (isReattaching())
            known = PtyHandle{record.ptySession, token};
        return services.provider->makePtyShell(sandbox, record.spec, known);
    }
    }
    Q_UNREACHABLE_RETURN(nullptr);
}

void StandingShell::Private::connectShell()
{
    // Made anew for every try: a sandbox that was resumed may have another address.
    shell = services.provider || (services.plainHost && record.route == ShellRoute::Ssh) ? makeShell() : nullptr;
    if (!shell) {
        const QString reason = sandbox.capabilities.reasonAgainst(
                record.route == ShellRoute::Ssh ? Capability::SshShell : Capability::PtyShell);
        return setStatus(State::Failed, {ErrorKind::Unsupported, Layer::Provider, reason, {}});
    }
    connect(shell.get(), &Shell::stateChanged, q, [this](ShellState state) { shellStateChanged(state); });
    connect(shell.get(), &Shell::outputReceived, q, [this](const QByteArray &bytes) { shellOutput(bytes); });
    connect(shell.get(), &Shell::replaying, q, [this](bool active) { replaying(active); });
    connect(shell.get(), &Shell::noticeReceived, q, &StandingShell::noticeReceived);
    connect(shell.get(), &Shell::ended, q, [this](const ShellEnd &end) { shellEnded(end); });
    if (isReattaching()) {
        splice.beginReplay();
        shell->attach(size);
    } else {
        splice.forget();
        shell->open(size);
    }
}

void StandingShell::Private::shellStateChanged(ShellState state)
{
    if (state != ShellState::Open)
        return;
    shell->resize(size); // it may have changed on the way
    setStatus(State::Open);
    if (!shell)
        return;
    if (std::exchange(saysNewShell, false))
        emit q->noticeReceived(afterLoss ? u"The connection was lost. A new shell was started."_s
                                         : u"A new shell was started."_s);
    afterLoss = false;
    later(steady, &Private::settled);
}

void StandingShell::Private::settled()
{
    status.attempt = 0;
}

void StandingShell::Private::sessionKnown(const PtyHandle &handle)
{
    token = handle.token;
    record.ptySession = handle.sessionId;
    emit q->recordChanged(record);
    if (!services.keychain)
        return;
    services.keychain->write(tokenKey(), *token).then(q, [](const Done &written) {
        // The shell works all the same; what a missing keychain costs is said by who shows it.
        if (!written)
            qCWarning(lcStanding).noquote() << "a token was not kept:" << describe(written.error());
    });
}

void StandingShell::Private::shellEnded(const ShellEnd &end)
{
    interrupt();
    const bool wasReattaching = isReattaching();
    dropShell();
    switch (end.kind) {
    case ShellEnd::Kind::Exited:
    case ShellEnd::Kind::Signalled:
    case ShellEnd::Kind::Killed:
        forgetSession();
        status.end = end;
        return setStatus(State::Ended);
    case ShellEnd::Kind::Lost:
        qCInfo(lcStanding).noquote() << "lost:" << describe(end.error);
        afterLoss = true;
        saysNewShell = !wasReattaching;
        // The first try is at once; a connection that keeps breaking waits like any other.
        if (status.attempt > 0)
            return wait(end.error);
        ++status.attempt;
        return begin();
    case ShellEnd::Kind::Failed:
        return follow(afterFailing(wasReattaching ? Attempt::Reattach : Attempt::NewShell, end.error));
    }
}

// --- output ---

void StandingShell::Private::replaying(bool active)
{
    isReplaying = active;
    replayIsWhole = active && !splice.hasTail();
    if (active && splice.isUndecided())
        watchReplay();
}

// The protocol does not mark the end of a replay, and what it repeats is held back until it is known.
void StandingShell::Private::watchReplay()
{
    (void)services.after(replayLook, q, [this, of = turn] {
        if (of != turn || !splice.isUndecided())
            return;
        if (!std::exchange(replayStirred, false))
            show(splice.settle(), OutputLedger::Owed::No);
        if (splice.isUndecided())
            watchReplay();
    });
}

void StandingShell::Private::shellOutput(const QByteArray &bytes)
{
    replayStirred = true;
    const bool wasUndecided = splice.isUndecided();
    // What is held back or not shown again is taken in by us; it may be freed when shown after all.
    if (wasUndecided)
        shell->consumed(bytes.size());
    show(splice.feed(bytes), wasUndecided ? OutputLedger::Owed::No : OutputLedger::Owed::Yes);
}

void StandingShell::Private::show(const ReplaySplice::Output &output, OutputLedger::Owed owed)
{
    if (output.resetsScreen) {
        replayIsWhole = isReplaying;
        emit q->screenReset();
        emit q->noticeReceived(
                u"More output was missed than the server keeps (1 MB). What follows is the last of it."_s);
    }
    if (output.bytes.isEmpty())
        return;
    const bool isOld = output.resetsScreen || replayIsWhole;
    ledger.add(output.bytes.size(), owed, isOld ? OutputLedger::Kind::Replay : OutputLedger::Kind::Live);
    emit q->outputReceived(output.bytes);
}

// --- keeping ---

QString StandingShell::Private::tokenKey() const
{
    return u"pty/"_s + record.sandbox.toString() + u'/' + record.ptySession;
}

void StandingShell::Private::forgetSession()
{
    token.reset();
    if (record.ptySession.isEmpty())
        return;
    if (services.keychain)
        (void)services.keychain->remove(tokenKey());
    record.ptySession.clear();
    emit q->recordChanged(record);
}

void StandingShell::Private::noteName(const QString &name)
{
    if (record.sandboxName == name)
        return;
    record.sandboxName = name;
    emit q->recordChanged(record);
}

} // namespace Sandpiper
