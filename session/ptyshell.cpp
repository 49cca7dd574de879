#include "session/ptyshell.h"

#include "session/bulkpacer.h"
#include "session/errortext.h"
#include "session/inputpacer.h"

#include <QLoggingCategory>
#include <QPointer>
#include <QTimer>
#include <QtEndian>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

static Q_LOGGING_CATEGORY(lcPty, "sandpiper.session.pty", QtInfoMsg)

namespace {

constexpr qint64 outputWindow = 256 * 1024;
constexpr qint64 socketBacklog = 64 * 1024; // what may wait in the socket before input stays with us

enum class Message : quint8 { Data = 0x00, Resize = 0x01, Ready = 0x02, Exit = 0x03 };

QByteArray resizeMessage(TerminalSize size)
{
    QByteArray message(5, Qt::Uninitialized);
    message[0] = char(Message::Resize);
    qToBigEndian(quint16(size.columns), message.data() + 1); // columns first, unlike over HTTP
    qToBigEndian(quint16(size.rows), message.data() + 3);
    return message;
}

ShellEnd exited(int code)
{
    ShellEnd end;
    // A shell that a signal ended has no code of its own; the protocol says -1 and not which signal.
    end.kind = code < 0 ? ShellEnd::Kind::Signalled : ShellEnd::Kind::Exited;
    end.exitCode = code;
    return end;
}

ShellEnd brokenOff(ShellEnd::Kind kind, const Error &error)
{
    ShellEnd end;
    end.kind = kind;
    end.error = error;
    return end;
}

// What a close frame of the server means.
ShellEnd fromClose(quint16 code, const QString &reason)
{
    if (reason.startsWith("exit:"_L1)) {
        bool ok = false;
        const int exitCode = QStringView(reason).sliced(5).toInt(&ok);
        if (ok)
            return exited(exitCode);
        ShellEnd end;
        end.kind = ShellEnd::Kind::Exited;
        end.exitCode = -1;
        return end;
    }
    // 1001 alone is also what a proxy says that goes away: only with its reason is it the session's end.
    if (code == 1001 && reason.contains("session terminated"_L1, Qt::CaseInsensitive)) {
        ShellEnd end;
        end.kind = ShellEnd::Kind::Killed;
        return end;
    }
    QString detail = u"closed with %1"_s.arg(code);
    if (!reason.isEmpty())
        detail += u": "_s + tamed(reason);
    return brokenOff(ShellEnd::Kind::Lost, {ErrorKind::ConnectionLost, Layer::WebSocket, detail, {}});
}

} // namespace

class PtyShell::Private
{
public:
    Private(PtyShell *owner, PtyEndpoint vendor, const std::optional<PtyHandle> &known, const PtyTiming &times)
        : q(owner)
        , endpoint(std::move(vendor))
        , timing(times)
        , handle(known)
    {
    }

    // Public calls emit nothing themselves: what follows from them comes by the event loop.
    void later(std::function<void()> fn);
    void setState(ShellState next);
    void setStateLater(ShellState next);
    void create();
    void created(Result<PtyHandle> result);
    void connectSocket();
    void opened();
    void received(const QByteArray &piece, bool isFirst, bool isLast);
    void output(const QByteArray &bytes);
    void unknownMessage();
    void replayHeard(qint64 bytes);
    void replayOver();
    void pump();
    void socketEnded(const WebSocketEnd &how);
    void killNow();
    void killed(quint64 asked, const Done &result);
    void finish(ShellEnd end);
    void dropSocket();

    PtyShell *const q;
    const PtyEndpoint endpoint;
    const PtyTiming timing;
    std::optional<PtyHandle> handle;
    ShellState state = ShellState::Idle;
    quint64 attempt = 0; // open(), attach() and detach() count it up: what belongs to an older one is void
    bool sessionIsGone = false;
    bool isAttaching = false;
    bool killAsked = false;
    TerminalSize size;
    TerminalSize sizeThere; // what the far side was told last
    QFuture<Result<PtyHandle>> creation;
    QTimer creationDeadline;
    QTimer killDeadline;

    QPointer<WebSocketClient> socket; // child of q
    Message message = Message::Data;
    bool skips = false; // the rest of a message we do not know
    bool saidUnknown = false;
    QByteArray exitBytes;
    qint64 unconsumed = 0;

    bool isReplaying = false;
    qint64 replayed = 0;
    QTimer quiet;

    InputPacer input;
    QTimer pace;
};

void PtyShell::Private::later(std::function<void()> fn)
{
    QMetaObject::invokeMethod(q, [this, fn = std::move(fn), of = attempt] { if (of == attempt) fn(); },
                              Qt::QueuedConnection);
}

void PtyShell::Private::setState(ShellState next)
{
    state = next;
    emit q->stateChanged(next);
}

void PtyShell::Private::setStateLater(ShellState next)
{
    state = next;
    QMetaObject::invokeMethod(q, [this, next] { emit q->stateChanged(next); }, Qt::QueuedConnection);
}

void PtyShell::Private::create()
{
    creationDeadline.start(timing.createDeadline);
    sizeThere = size;
    creation = endpoint.create(size);
    const quint64 of = attempt;
    // Also after detach(): the session has then been made, and should be known.
    creation.then(q, [this, of](const Result<PtyHandle> &result) { if (of == attempt || state == ShellState::Detached) created(result); })
            .onCanceled(q, [this, of, alive = QPointer<PtyShell>(q)] {
                if (!alive) // see killNow()
                    return;
                if (of == attempt)
                    created(failure(ErrorKind::Cancelled, Layer::Provider, u"making the session was cancelled"_s));
            });
}

void PtyShell::Private::created(Result<PtyHandle> result)
{
    creationDeadline.stop();
    if (!result) {
        if (state == ShellState::Opening)
            finish(brokenOff(ShellEnd::Kind::Failed, result.error()));
        return;
    }
    handle = *result;
    const QPointer<PtyShell> alive(q);
    emit q->sessionKnown(*handle);
    if (!alive || state != ShellState::Opening)
        return;
    if (killAsked)
        killNow();
    else
        connectSocket();
}

void PtyShell::Private::connectSocket()
{
    const qint64 window = qMax<qint64>(0, outputWindow - unconsumed);
    auto *client = new WebSocketClient(endpoint.request(*handle), window, timing.socket, q);
    socket = client;
    saidUnknown = false;
    exitBytes.clear();
    skips = false;
    connect(client, &WebSocketClient::opened, q, [this] { opened(); });
    connect(client, &WebSocketClient::received, q,
            [this](const QByteArray &piece, bool isFirst, bool isLast) { received(piece, isFirst, isLast); });
    connect(client, &WebSocketClient::textIgnored, q, [this] { unknownMessage(); });
    connect(client, &WebSocketClient::pongReceived, q, [this](const QByteArray &payload) {
        if (payload == "ready")
            replayHeard(0);
        input.acknowledged(payload);
        pump();
    });
    connect(client, &WebSocketClient::written, q, [this] { pump(); });
    connect(client, &WebSocketClient::ended, q, [this](const WebSocketEnd &how) { socketEnded(how); });
    client->start();
}

void PtyShell::Private::opened()
{
    const char ready = char(Message::Ready);
    socket->send(QByteArrayView(&ready, 1));
    if (isAttaching || !(size == sizeThere))
        socket->send(resizeMessage(size));
    sizeThere = size;
    isReplaying = isAttaching;
    replayed = 0;
    const QPointer<PtyShell> alive(q);
    setState(ShellState::Open);
    if (!alive || !isReplaying || !socket)
        return pump();
    emit q->replaying(true);
    if (!alive || !socket)
        return;
    // Its answer says that the server has seen us: from then on silence means something.
    socket->ping("ready");
    pump();
}

void PtyShell::Private::received(const QByteArray &piece, bool isFirst, bool isLast)
{
    QByteArrayView body(piece);
    if (isFirst) {
        skips = piece.isEmpty();
        if (!skips) {
            message = Message(quint8(piece.at(0)));
            body = body.sliced(1);
            skips = message != Message::Data && message != Message::Exit;
        }
        exitBytes.clear();
        if (skips)
            unknownMessage();
    }
    const bool isOutput = !skips && message == Message::Data;
    if (!socket)
        return;
    // Only output waits for its reader; everything else has been dealt with.
    socket->grant(piece.size() - (isOutput ? body.size() : 0));
    if (isOutput) {
        if (!body.isEmpty())
            output(body.size() == piece.size() ? piece : body.toByteArray());
        return;
    }
    if (skips)
        return;
    exitBytes.append(body.first(qMin<qsizetype>(body.size(), 5)));
    if (exitBytes.size() > 4 || (isLast && exitBytes.size() < 4)) {
        finish(brokenOff(ShellEnd::Kind::Lost, {ErrorKind::Protocol, Layer::WebSocket,
                                                u"an exit message that is not four bytes long"_s, {}}));
        return;
    }
    if (isLast)
        finish(exited(qFromBigEndian<qint32>(exitBytes.constData())));
}

void PtyShell::Private::output(const QByteArray &bytes)
{
    unconsumed += bytes.size();
    const QPointer<PtyShell> alive(q);
    emit q->outputReceived(bytes);
    if (alive)
        replayHeard(bytes.size());
}

void PtyShell::Private::unknownMessage()
{
    if (std::exchange(saidUnknown, true))
        return;
    qCInfo(lcPty) << "a kind of message that is not known was left out";
    emit q->noticeReceived(
            u"The server sent a kind of WebSocket message that Sandpiper does not know; it was left out."_s);
}

void PtyShell::Private::replayHeard(qint64 bytes)
{
    if (!isReplaying)
        return;
    replayed += bytes;
    if (replayed > ptyReplayLimit)
        replayOver();
    else
        quiet.start(timing.replayQuiet);
}

void PtyShell::Private::replayOver()
{
    quiet.stop();
    if (std::exchange(isReplaying, false))
        emit q->replaying(false);
}

void PtyShell::Private::pump()
{
    while (state == ShellState::Open && socket && socket->bytesToWrite() < socketBacklog) {
        const InputPacer::Step step = input.next(std::chrono::steady_clock::now());
        switch (step.kind) {
        case InputPacer::Step::Kind::Idle:
        case InputPacer::Step::Kind::WaitAnswer:
            return;
        case InputPacer::Step::Kind::Wait:
            pace.start(step.delay);
            return;
        case InputPacer::Step::Kind::Send:
            break;
        }
        socket->send(char(Message::Data) + step.bytes);
        if (!step.mark.isEmpty())
            socket->ping(step.mark);
        if (input.pending() == 0) {
            // write() calls us too, and no signal may come from inside it.
            later([this] { if (input.pending() == 0) emit q->inputDrained(); });
        }
    }
}

void PtyShell::Private::socketEnded(const WebSocketEnd &how)
{
    ShellEnd end = how.hasCode ? fromClose(how.code, how.reason)
                               : brokenOff(how.wasOpen ? ShellEnd::Kind::Lost : ShellEnd::Kind::Failed, how.error);
    if (!how.wasOpen && how.error.kind == ErrorKind::NotFound)
        sessionIsGone = true;
    // Below HTTP it is the host that fails; above, the sandbox is what people know.
    const Layer layer = end.error.layer;
    if (!endpoint.subject.isEmpty() && layer != Layer::Dns && layer != Layer::Tcp && layer != Layer::Tls)
        end.error.subject = endpoint.subject;
    finish(end);
}

void PtyShell::Private::killNow()
{
    if (!handle) {
        finish(brokenOff(ShellEnd::Kind::Killed, {}));
        return;
    }
    const quint64 of = attempt;
    endpoint.kill(handle->sessionId)
            .then(q, [this, of](const Done &result) { killed(of, result); })
            .onCanceled(q, [this, of, alive = QPointer<PtyShell>(q)] {
                // Qt calls this also while q goes, when nothing of it is left to ask.
                if (alive)
                    killed(of, failure(ErrorKind::Cancelled, Layer::Provider, u"ending the session was cancelled"_s));
            });
}

void PtyShell::Private::killed(quint64 asked, const Done &result)
{
    const bool isGone = result || result.error().kind == ErrorKind::NotFound;
    if (isGone && asked == attempt)
        sessionIsGone = true;
    if (asked != attempt || state == ShellState::Ended)
        return;
    if (state == ShellState::Detached) {
        if (isGone)
            setState(ShellState::Ended); // without ended(): nothing was open
        return;
    }
    if (isGone) {
        // The end should come by the socket, with the last words of the shell before it.
        if (socket && socket->isOpen() && result)
            killDeadline.start(timing.killDeadline);
        else
            finish(brokenOff(ShellEnd::Kind::Killed, {}));
        return;
    }
    killAsked = false;
    emit q->noticeReceived(u"The shell could not be ended. "_s + errorText(result.error()).sentence);
}

void PtyShell::Private::finish(ShellEnd end)
{
    if (state != ShellState::Opening && state != ShellState::Open)
        return;
    const bool wasReplaying = std::exchange(isReplaying, false);
    using Kind = ShellEnd::Kind;
    if (killAsked && end.kind != Kind::Failed && (end.kind != Kind::Lost || sessionIsGone))
        end.kind = Kind::Killed;
    if (end.kind == Kind::Exited || end.kind == Kind::Signalled || end.kind == Kind::Killed)
        sessionIsGone = true;
    dropSocket();
    creation.cancel();
    killAsked = false;
    ++attempt;
    if (end.kind == Kind::Lost || end.kind == Kind::Failed)
        qCInfo(lcPty).noquote() << "ended:" << describe(end.error);
    const QPointer<PtyShell> alive(q);
    if (wasReplaying)
        emit q->replaying(false);
    if (!alive)
        return;
    setState(ShellState::Ended);
    if (alive)
        emit q->ended(end);
}

void PtyShell::Private::dropSocket()
{
    creationDeadline.stop();
    killDeadline.stop();
    quiet.stop();
    pace.stop();
    input.clear();
    if (socket) {
        socket->disconnect(q);
        socket->close(1000, WebSocketClient::Afterwards::DeleteLater);
        socket.clear();
    }
}

PtyShell::PtyShell(PtyEndpoint endpoint, const std::optional<PtyHandle> &known, const PtyTiming &timing,
                   QObject *parent)
    : Shell(parent)
    , d(std::make_unique<Private>(this, std::move(endpoint), known, timing))
{
    for (QTimer *timer : {&d->creationDeadline, &d->killDeadline, &d->quiet, &d->pace})
        timer->setSingleShot(true);
    d->pace.setTimerType(Qt::PreciseTimer);
    connect(&d->pace, &QTimer::timeout, this, [this] { d->pump(); });
    connect(&d->quiet, &QTimer::timeout, this, [this] {
        // Nothing can come while the reader keeps the window shut: that is not silence.
        if (d->unconsumed >= outputWindow)
            d->quiet.start(d->timing.replayQuiet);
        else
            d->replayOver();
    });
    connect(&d->killDeadline, &QTimer::timeout, this,
            [this] { d->finish(brokenOff(ShellEnd::Kind::Killed, {})); });
    connect(&d->creationDeadline, &QTimer::timeout, this, [this] {
        d->finish(brokenOff(ShellEnd::Kind::Failed, {ErrorKind::Timeout, Layer::Provider,
                                                     u"the session was not made in time"_s, {}}));
    });
}

PtyShell::~PtyShell()
{
    d->creation.cancel();
    d->dropSocket();
}

std::optional<PtyHandle> PtyShell::handle() const
{
    return d->handle;
}

ShellState PtyShell::state() const
{
    return d->state;
}

bool PtyShell::canReattach() const
{
    return d->handle.has_value() && !d->sessionIsGone;
}

void PtyShell::open(TerminalSize size)
{
    if (d->state == ShellState::Opening || d->state == ShellState::Open)
        return;
    ++d->attempt;
    d->size = size.clamped();
    d->isAttaching = false;
    d->sessionIsGone = false;
    d->killAsked = false;
    d->handle.reset();
    d->setStateLater(ShellState::Opening);
    d->later([this] { d->create(); });
}

void PtyShell::attach(TerminalSize size)
{
    if (d->state == ShellState::Opening || d->state == ShellState::Open)
        return;
    ++d->attempt;
    d->size = size.clamped();
    d->isAttaching = true;
    d->killAsked = false;
    d->setStateLater(ShellState::Opening);
    d->later([this] {
        if (canReattach())
            d->connectSocket();
        else
            d->finish(brokenOff(ShellEnd::Kind::Failed, {ErrorKind::NotFound, Layer::Provider,
                                                         u"there is no session to attach to"_s, {}}));
    });
}

void PtyShell::write(QByteArrayView bytes)
{
    if (bytes.isEmpty() || (d->state != ShellState::Opening && d->state != ShellState::Open))
        return;
    Typing::here().wrote(bytes.size(), std::chrono::steady_clock::now());
    d->input.add(bytes);
    d->pump();
}

void PtyShell::resize(TerminalSize size)
{
    d->size = size.clamped();
    if (d->state != ShellState::Open || !d->socket || d->size == d->sizeThere)
        return;
    d->sizeThere = d->size;
    d->socket->send(resizeMessage(d->size));
}

void PtyShell::probe()
{
    if (d->state == ShellState::Open && d->socket)
        d->socket->probe();
}

void PtyShell::detach()
{
    if (d->state != ShellState::Opening && d->state != ShellState::Open)
        return;
    ++d->attempt;
    d->isReplaying = false;
    d->dropSocket();
    d->setStateLater(ShellState::Detached);
}

void PtyShell::kill()
{
    if (d->state == ShellState::Idle && !d->handle)
        return;
    if (std::exchange(d->killAsked, true))
        return;
    // While the session is being made there is nothing to end yet: created() sees to it.
    const bool isBeingMade = d->state == ShellState::Opening && !d->handle;
    if (!isBeingMade && canReattach())
        d->later([this] { d->killNow(); });
}

void PtyShell::consumed(qint64 bytes)
{
    const qint64 taken = qBound<qint64>(0, bytes, d->unconsumed);
    d->unconsumed -= taken;
    if (d->socket && taken > 0)
        d->socket->grant(taken);
}

qint64 PtyShell::pendingInput() const
{
    return d->input.pending();
}

} // namespace Sandpiper
