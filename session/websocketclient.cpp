#include "session/websocketclient.h"

#include "session/address.h"
#include "session/netproxy.h"
#include "session/proxydial.h"
#include "session/tlstrust.h"
#include "session/websocketframes.h"
#include "session/websockethandshake.h"

#include <QLoggingCategory>
#include <QNetworkProxy>
#include <QPointer>
#include <QSslConfiguration>
#include <QSslSocket>
#include <QTimer>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

static Q_LOGGING_CATEGORY(lcWebSocket, "sandpiper.session.websocket", QtInfoMsg)

namespace {

constexpr qint64 maxMessage = 4 << 20; // streamed, never held: only against an endless one
constexpr qint64 readChunk = 64 * 1024;
constexpr int sendBuffer = 256 * 1024; // what the kernel may keep of ours: it cannot be taken back

Error fromSocket(QAbstractSocket::SocketError code, const QString &text)
{
    const auto error = [&text](ErrorKind kind, Layer layer) { return Error{kind, layer, tamed(text), {}}; };
    switch (code) {
    case QAbstractSocket::HostNotFoundError: return error(ErrorKind::HostNotFound, Layer::Dns);
    case QAbstractSocket::ConnectionRefusedError: return error(ErrorKind::ConnectionRefused, Layer::Tcp);
    case QAbstractSocket::SocketTimeoutError: return error(ErrorKind::Timeout, Layer::Tcp);
    case QAbstractSocket::NetworkError: return error(ErrorKind::HostUnreachable, Layer::Tcp);
    case QAbstractSocket::SslHandshakeFailedError: return error(ErrorKind::CertificateInvalid, Layer::Tls);
    case QAbstractSocket::SslInternalError:
    case QAbstractSocket::SslInvalidUserDataError: return error(ErrorKind::Protocol, Layer::Tls);
    default: return error(ErrorKind::ConnectionLost, Layer::Tcp);
    }
}

} // namespace

class WebSocketClient::Private
{
public:
    enum class State { Idle, Connecting, Upgrading, Open, Closing, Ended };

    Private(WebSocketClient *owner, const WebSocketRequest &wanted, qint64 initialWindow,
            const WebSocketTiming &times)
        : q(owner)
        , request(wanted)
        , timing(times)
        , window(initialWindow)
    {
    }

    void connectSocket();
    void connectThrough(const ProxySetting &proxy);
    void connected();
    [[nodiscard]] Done secure(QSslSocket &tls);
    void sendUpgrade();
    void process();
    [[nodiscard]] bool upgrade(QByteArrayView &input);
    [[nodiscard]] bool decode(QByteArrayView &input);
    void peerLeft(const Error &why);
    void tick();
    void deadlinePassed();
    void fail(const Error &error);
    void end(WebSocketEnd how);
    void hangUp();
    void write(WebSocketOpcode opcode, QByteArrayView payload);
    void awaitGoodbye();

    WebSocketClient *const q;
    WebSocketRequest request;
    const WebSocketTiming timing;
    State state = State::Idle;
    QTcpSocket *socket = nullptr; // ours by parent
    std::unique_ptr<ProxyDial> dial; // until the proxy has answered
    QTimer deadline;
    QTimer pings;
    QTimer probing;
    const QByteArray key = makeWebSocketKey();
    UpgradeReply reply{key};
    WebSocketDecoder decoder{maxMessage};
    QByteArray unread; // taken from the socket; understood up to unreadAt
    qsizetype unreadAt = 0;
    qint64 window;
    bool isProcessing = false;
    std::optional<Error> left; // the peer has gone; what it sent before still counts
    int unanswered = 0;
    bool deleteWhenDone = false;
    bool isFinishing = false; // our goodbye is said: nothing more is sent, what comes is received
};

void WebSocketClient::Private::connectSocket()
{
    state = State::Connecting;
    if (const Done usable = checkWebSocketRequest(request); !usable)
        return fail(usable.error());

    const QUrl &url = request.url;
    QSslSocket *tls = nullptr;
    if (wantsTls(url)) {
        tls = new QSslSocket(q);
        socket = tls;
        if (const Done secured = secure(*tls); !secured)
            return fail(secured.error());
    } else {
        socket = new QTcpSocket(q);
    }
    socket->setProxy(QNetworkProxy::NoProxy); // see ProxyDial
    socket->setReadBufferSize(readChunk);

    QObject::connect(socket, &QTcpSocket::connected, q, [this] { connected(); });
    QObject::connect(socket, &QTcpSocket::readyRead, q, [this] { process(); });
    QObject::connect(socket, &QTcpSocket::bytesWritten, q, [this] { if (state == State::Open) emit q->written(); });
    QObject::connect(socket, &QTcpSocket::errorOccurred, q, [this, tls](QAbstractSocket::SocketError code) {
        Error error = fromSocket(code, socket->errorString());
        // A handshake can also break without a word against the certificate.
        if (error.kind == ErrorKind::CertificateInvalid && tls->sslHandshakeErrors().isEmpty())
            error.kind = ErrorKind::Protocol;
        peerLeft(error);
    });
    QObject::connect(socket, &QTcpSocket::disconnected, q, [this] {
        peerLeft({ErrorKind::ConnectionLost, Layer::Tcp, u"the connection was closed without a goodbye"_s, {}});
    });
    if (tls) {
        QObject::connect(tls, &QSslSocket::encrypted, q, [this] { sendUpgrade(); });
        QObject::connect(tls, &QSslSocket::encryptedBytesWritten, q, [this] { if (state == State::Open) emit q->written(); });
    }
    if (const ProxySetting proxy = webProxyFor(url); proxy.kind != ProxySetting::Kind::None)
        connectThrough(proxy);
    else if (tls)
        tls->connectToHostEncrypted(url.host(), portOf(url));
    else
        socket->connectToHost(url.host(), portOf(url));
}

void WebSocketClient::Private::connectThrough(const ProxySetting &proxy)
{
    const Result<QByteArray> host = hostForLookup(request.url.host());
    if (!host)
        return fail(host.error());
    const TcpTarget target{.host = *host, .port = portOf(request.url), .bindAddress = {}};
    dial = std::make_unique<ProxyDial>(proxy, target, deadline.remainingTimeAsDuration(), [this](ProxyDial::Outcome outcome) {
        dial.release()->deleteLater(); // it is calling us
        if (state != State::Connecting)
            return;
        if (!outcome)
            return fail(outcome.error());
        if (!socket->setSocketDescriptor(outcome->get()))
            return fail({ErrorKind::Io, Layer::Tcp, tamed(socket->errorString()), {}});
        (void)outcome->release(); // the socket closes it
        connected();
        if (auto *tls = qobject_cast<QSslSocket *>(socket)) {
            tls->setPeerVerifyName(request.url.host());
            tls->startClientEncryption();
        }
    }, nullptr);
}

void WebSocketClient::Private::connected()
{
    // A key press must not wait for the answer to the one before.
    socket->setSocketOption(QAbstractSocket::LowDelayOption, 1);
    socket->setSocketOption(QAbstractSocket::SendBufferSizeSocketOption, sendBuffer);
    if (!wantsTls(request.url))
        sendUpgrade();
}

Done WebSocketClient::Private::secure(QSslSocket &tls)
{
    const std::optional<QSslConfiguration> config = tlsTrusting(request.pinnedCa);
    if (!config)
        return failure(ErrorKind::InvalidInput, Layer::Tls, u"the pinned authority is not a certificate"_s);
    tls.setSslConfiguration(*config);
    return {};
}

void WebSocketClient::Private::sendUpgrade()
{
    if (state != State::Connecting)
        return;
    state = State::Upgrading;
    QByteArray text = composeUpgrade(request, key);
    socket->write(text);
    wipe(text);
    socket->flush();
}

void WebSocketClient::Private::process()
{
    if (isProcessing || !socket)
        return;
    if (state == State::Closing) {
        // Unread bytes would turn our close into a reset, which can cost the peer our last words.
        socket->skip(socket->bytesAvailable());
        return;
    }
    isProcessing = true;
    const QPointer<WebSocketClient> alive(q);
    while (state == State::Upgrading || state == State::Open) {
        if (unreadAt == unread.size()) {
            unreadAt = 0;
            unread = socket->read(readChunk);
            if (unread.isEmpty())
                break;
            unanswered = 0;
            probing.stop();
            awaitGoodbye();
        }
        const QByteArray input = unread; // stays while a slot deletes us
        QByteArrayView view = QByteArrayView(input).sliced(unreadAt);
        const bool goesOn = state == State::Upgrading ? upgrade(view) : decode(view);
        if (!alive)
            return;
        unreadAt = input.size() - view.size();
        if (!goesOn)
            break;
    }
    isProcessing = false;
    const bool starved = unreadAt == unread.size() && socket->bytesAvailable() == 0;
    if (left && starved && (state == State::Upgrading || state == State::Open))
        peerLeft(*left);
}

// False: nothing more can be done with what is there.
bool WebSocketClient::Private::upgrade(QByteArrayView &input)
{
    switch (reply.take(input)) {
    case UpgradeReply::Outcome::Incomplete:
        // A refusal is known by its head; its body is given a moment, not the whole deadline.
        if (reply.hasHead())
            deadline.start(std::min(timing.closeDeadline, timing.connectDeadline));
        return true;
    case UpgradeReply::Outcome::Refused:
        fail(reply.error());
        return false;
    case UpgradeReply::Outcome::Accepted:
        break;
    }
    state = State::Open;
    deadline.stop();
    pings.start(timing.pingInterval);
    request.secretHeaders.clear();
    emit q->opened();
    return true;
}

bool WebSocketClient::Private::decode(QByteArrayView &input)
{
    using Kind = WebSocketDecoder::Event::Kind;
    const WebSocketDecoder::Event event = decoder.next(input, window);
    switch (event.kind) {
    case Kind::Starved:
        return input.isEmpty(); // else it waits for grant()
    case Kind::Data:
        window -= event.bytes.size();
        emit q->received(event.bytes, event.isFirst, event.isLast);
        return true;
    case Kind::Text:
        emit q->textIgnored();
        return true;
    case Kind::Ping:
        write(WebSocketOpcode::Pong, event.bytes);
        return true;
    case Kind::Pong:
        emit q->pongReceived(event.bytes);
        return true;
    case Kind::Close:
        write(WebSocketOpcode::Close, event.hasCode ? webSocketClosePayload(event.code, {}) : QByteArray());
        end({.wasOpen = true, .hasCode = true, .code = event.code, .reason = event.reason, .error = {}});
        return false;
    case Kind::Broken:
        qCInfo(lcWebSocket).noquote() << "the server broke the protocol:" << event.error.detail;
        write(WebSocketOpcode::Close,
              webSocketClosePayload(event.error.kind == ErrorKind::TooLarge ? 1009 : 1002, {}));
        fail(event.error);
        return false;
    }
    Q_UNREACHABLE_RETURN(false);
}

void WebSocketClient::Private::peerLeft(const Error &why)
{
    switch (state) {
    case State::Idle:
    case State::Ended:
        return;
    case State::Closing:
        hangUp();
        return;
    case State::Connecting:
        return fail(why);
    case State::Upgrading:
    case State::Open:
        break;
    }
    if (!left) {
        left = why;
        process();
        return;
    }
    if (isProcessing || unreadAt < unread.size() || socket->bytesAvailable() > 0)
        return; // process() comes back here when all has been read
    if (state == State::Upgrading && reply.hasHead()) {
        (void)reply.finish();
        return fail(reply.error());
    }
    if (isFinishing)
        return end({.wasOpen = true, .hasCode = true, .code = 1006, .reason = {}, .error = {}});
    fail(*left);
}

void WebSocketClient::Private::awaitGoodbye()
{
    if (isFinishing)
        deadline.start(timing.drainDeadline);
}

void WebSocketClient::Private::tick()
{
    // While we do not read we cannot hear, so silence proves nothing then. The peer counts what it
    // hears from us: an unasked pong tells it that we are there.
    if (window <= 0) {
        unanswered = 0;
        write(WebSocketOpcode::Pong, {});
        return;
    }
    if (unanswered >= 2)
        return fail({ErrorKind::Timeout, Layer::WebSocket, u"two pings went unanswered"_s, {}});
    ++unanswered;
    write(WebSocketOpcode::Ping, {});
}

void WebSocketClient::Private::deadlinePassed()
{
    if (state == State::Closing)
        return hangUp();
    // Whoever does not read keeps the other side from saying it.
    if (isFinishing && window <= 0)
        return awaitGoodbye();
    if (isFinishing)
        return end({.wasOpen = true, .hasCode = true, .code = 1006, .reason = {}, .error = {}});
    if (state == State::Upgrading && reply.hasHead()) {
        (void)reply.finish();
        return fail(reply.error());
    }
    Layer layer = Layer::Http;
    if (state == State::Connecting && socket) {
        layer = dial ? Layer::Tcp
                : socket->state() == QAbstractSocket::HostLookupState ? Layer::Dns
                : socket->state() == QAbstractSocket::ConnectedState ? Layer::Tls : Layer::Tcp;
    }
    fail({ErrorKind::Timeout, layer, u"no connection within %1 ms"_s.arg(timing.connectDeadline.count()), {}});
}

void WebSocketClient::Private::fail(const Error &error)
{
    WebSocketEnd how;
    how.wasOpen = state == State::Open;
    how.error = error;
    if (how.error.subject.isEmpty())
        how.error.subject = hostText(request.url);
    end(how);
}

void WebSocketClient::Private::end(WebSocketEnd how)
{
    if (state == State::Ended || state == State::Closing)
        return;
    state = State::Ended;
    deadline.stop();
    pings.stop();
    probing.stop();
    request.secretHeaders.clear();
    dial.reset();
    if (socket)
        socket->disconnectFromHost();
    emit q->ended(how);
}

void WebSocketClient::Private::hangUp()
{
    if (state == State::Ended)
        return;
    state = State::Ended;
    deadline.stop();
    if (deleteWhenDone)
        q->deleteLater();
}

void WebSocketClient::Private::write(WebSocketOpcode opcode, QByteArrayView payload)
{
    if (socket && socket->state() == QAbstractSocket::ConnectedState && !isFinishing)
        socket->write(webSocketFrame(opcode, payload));
}

WebSocketClient::WebSocketClient(const WebSocketRequest &request, qint64 window,
                                 const WebSocketTiming &timing, QObject *parent)
    : QObject(parent)
    , d(std::make_unique<Private>(this, request, window, timing))
{
    d->deadline.setSingleShot(true);
    connect(&d->deadline, &QTimer::timeout, this, [this] { d->deadlinePassed(); });
    connect(&d->pings, &QTimer::timeout, this, [this] { d->tick(); });
    d->probing.setSingleShot(true);
    connect(&d->probing, &QTimer::timeout, this, [this] {
        d->fail({ErrorKind::Timeout, Layer::WebSocket, u"nobody answers any more"_s, {}});
    });
}

WebSocketClient::~WebSocketClient()
{
    // We may be inside one of its signals: it must outlive this call, and hear nothing of us.
    if (d->socket) {
        d->socket->disconnect(this);
        d->socket->setParent(nullptr);
        d->socket->abort();
        d->socket->deleteLater();
    }
}

void WebSocketClient::start()
{
    Q_ASSERT(d->state == Private::State::Idle);
    d->state = Private::State::Connecting;
    d->deadline.start(d->timing.connectDeadline);
    // From the event loop, so that no signal comes from inside this call.
    QMetaObject::invokeMethod(this, [this] {
        if (d->state == Private::State::Connecting)
            d->connectSocket();
    }, Qt::QueuedConnection);
}

bool WebSocketClient::isOpen() const
{
    return d->state == Private::State::Open;
}

void WebSocketClient::send(QByteArrayView payload)
{
    if (isOpen())
        d->write(WebSocketOpcode::Binary, payload);
}

void WebSocketClient::ping(QByteArrayView payload)
{
    if (isOpen())
        d->write(WebSocketOpcode::Ping, payload);
}

void WebSocketClient::probe()
{
    if (!isOpen() || d->isFinishing || d->window <= 0 || d->probing.isActive())
        return;
    d->write(WebSocketOpcode::Ping, {});
    d->probing.start(d->timing.probeDeadline);
}

qint64 WebSocketClient::bytesToWrite() const
{
    if (!d->socket)
        return 0;
    const auto *tls = qobject_cast<const QSslSocket *>(d->socket);
    return d->socket->bytesToWrite() + (tls ? tls->encryptedBytesToWrite() : 0);
}

void WebSocketClient::grant(qint64 bytes)
{
    const bool wasEmpty = d->window <= 0;
    d->window += bytes;
    // Not from inside this call: the giver may be in the middle of something.
    if (wasEmpty && d->window > 0)
        QMetaObject::invokeMethod(this, [this] { d->process(); }, Qt::QueuedConnection);
}

void WebSocketClient::finish(quint16 code)
{
    if (!isOpen() || d->isFinishing)
        return;
    d->pings.stop();
    d->probing.stop();
    d->write(WebSocketOpcode::Close, webSocketClosePayload(code, {}));
    d->isFinishing = true;
    d->awaitGoodbye();
}

void WebSocketClient::close(quint16 code, Afterwards afterwards)
{
    d->deleteWhenDone = afterwards == Afterwards::DeleteLater;
    const bool wasOpen = isOpen();
    // Ended by the peer: our answer to its goodbye may still be on its way.
    const bool hasEnded = d->state == Private::State::Ended || d->state == Private::State::Idle;
    const bool isLingering = d->socket && d->socket->state() != QAbstractSocket::UnconnectedState;
    d->pings.stop();
    d->probing.stop();
    d->deadline.stop();
    d->dial.reset();
    if (d->state == Private::State::Closing)
        return;
    if (!isLingering) {
        d->state = Private::State::Ended;
        if (d->deleteWhenDone)
            deleteLater();
        return;
    }
    if (wasOpen)
        d->write(WebSocketOpcode::Close, webSocketClosePayload(code, {}));
    d->state = Private::State::Closing;
    d->request.secretHeaders.clear();
    if (!wasOpen && !hasEnded) {
        // Nothing has been agreed on yet, so there is nobody to say goodbye to.
        d->hangUp();
        d->socket->abort();
        return;
    }
    d->deadline.start(d->timing.closeDeadline);
    d->socket->flush();
    d->process();
}

} // namespace Sandpiper
