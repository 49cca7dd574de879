#include "session/websockettunnel.h"

#include "session/address.h"
#include "session/iothread.h"
#include "session/websocketclient.h"

#include <QSocketNotifier>

#include <algorithm>
#include <cerrno>

#include <poll.h>
#include <sys/socket.h>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {
namespace {

constexpr qsizetype kLargestFrame = 32 << 10;
constexpr qint64 kMostBuffered = 256 << 10; // each way
constexpr quint16 kNormalClose = 1000;
constexpr quint16 kNotUnderstood = 1003;

using Opening = Mailbox<Result<FileDescriptor>>; // the link's end, or why there is none

// Lives in the I/O thread and carries bytes between a WebSocket and a stream.
class Tunnel : public QObject
{
public:
    Tunnel(const WebSocketRequest &request, std::chrono::milliseconds patience, std::shared_ptr<Opening> opening,
           std::shared_ptr<TransportWords> words);
    ~Tunnel() override;

    void start() { m_client->start(); }

private:
    void begin();
    void take(const QByteArray &piece);
    void flush();
    void readStream();
    void finish(const WebSocketEnd &end);
    void fail(const Error &error);
    void closeStream();

    WebSocketRequest m_request;
    std::shared_ptr<Opening> m_opening; // until it is open
    std::shared_ptr<TransportWords> m_words;
    WebSocketClient *m_client; // ours by parent, until it says goodbye by itself
    FileDescriptor m_stream;
    std::unique_ptr<QSocketNotifier> m_readable;
    std::unique_ptr<QSocketNotifier> m_writable;
    QByteArray m_pending; // came and does not fit into the stream yet: at most what was granted
    bool m_hasEnded = false; // nothing more comes
};

Tunnel::Tunnel(const WebSocketRequest &request, std::chrono::milliseconds patience, std::shared_ptr<Opening> opening,
               std::shared_ptr<TransportWords> words)
    : m_request(request)
    , m_opening(std::move(opening))
    , m_words(std::move(words))
    , m_client(new WebSocketClient(request, kMostBuffered, {.connectDeadline = patience, .pingInterval = 30s, .closeDeadline = 2s}, this))
{
    QObject::connect(m_client, &WebSocketClient::opened, this, [this] { begin(); });
    QObject::connect(m_client, &WebSocketClient::received, this, [this](const QByteArray &piece) { take(piece); });
    QObject::connect(m_client, &WebSocketClient::written, this, [this] {
        if (m_readable && m_client->bytesToWrite() < kMostBuffered)
            m_readable->setEnabled(true);
    });
    QObject::connect(m_client, &WebSocketClient::textIgnored, this, [this] {
        m_client->close(kNotUnderstood, WebSocketClient::Afterwards::Keep);
        fail({ErrorKind::Protocol, Layer::WebSocket, u"the tunnel carried text where only bytes may be"_s, hostText(m_request.url)});
    });
    QObject::connect(m_client, &WebSocketClient::ended, this, [this](const WebSocketEnd &end) { finish(end); });
}

Tunnel::~Tunnel()
{
    closeStream();
    m_client->disconnect(this);
    IoThread::letLinger(m_client); // it says goodbye by itself
    m_client->close(kNormalClose, WebSocketClient::Afterwards::DeleteLater);
}

void Tunnel::begin()
{
    Result<SocketPair> pair = makeSocketPair();
    if (!pair)
        return fail(pair.error());
    m_stream = std::move(pair->ours);
    m_readable = std::make_unique<QSocketNotifier>(m_stream.get(), QSocketNotifier::Read);
    m_writable = std::make_unique<QSocketNotifier>(m_stream.get(), QSocketNotifier::Write);
    m_writable->setEnabled(false);
    QObject::connect(m_readable.get(), &QSocketNotifier::activated, this, [this] { readStream(); });
    QObject::connect(m_writable.get(), &QSocketNotifier::activated, this, [this] { flush(); });
    std::exchange(m_opening, nullptr)->put(std::move(pair->theirs));
}

void Tunnel::take(const QByteArray &piece)
{
    m_pending += piece;
    flush();
}

void Tunnel::flush()
{
    qsizetype sent = 0;
    while (m_stream.isValid() && sent < m_pending.size()) {
        const ssize_t code = ::send(m_stream.get(), m_pending.constData() + sent, size_t(m_pending.size() - sent), MSG_NOSIGNAL);
        if (code > 0) {
            sent += code;
        } else if (errno == EAGAIN || errno == EINTR) {
            break;
        } else {
            closeStream(); // nobody reads it any more
            return;
        }
    }
    m_pending.remove(0, sent);
    if (m_writable)
        m_writable->setEnabled(!m_pending.isEmpty());
    if (m_hasEnded && m_pending.isEmpty())
        closeStream();
    else if (sent > 0 && !m_hasEnded)
        m_client->grant(sent);
}

void Tunnel::readStream()
{
    char buffer[kLargestFrame];
    while (m_client->bytesToWrite() < kMostBuffered) {
        const ssize_t got = ::recv(m_stream.get(), buffer, sizeof buffer, 0);
        if (got > 0) {
            m_client->send(QByteArrayView(buffer, got));
            continue;
        }
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        // The link is done. It lets go of us too, but not before it has closed its end.
        m_client->close(kNormalClose, WebSocketClient::Afterwards::Keep);
        closeStream();
        return;
    }
    m_readable->setEnabled(false);
}

void Tunnel::finish(const WebSocketEnd &end)
{
    const QString host = hostText(m_request.url);
    if (end.hasCode) {
        const bool isEnd = end.code == 1000 || end.code == 1005 || end.code == 1006;
        const QString reason = tamed(end.reason, 200);
        if (!isEnd || !reason.isEmpty() || m_opening)
            return fail({ErrorKind::ConnectionLost, Layer::WebSocket,
                         tamed(u"the tunnel was closed with %1 %2"_s.arg(end.code).arg(reason).trimmed()), host});
        m_hasEnded = true;
        return flush();
    }
    fail(end.error);
}

void Tunnel::fail(const Error &error)
{
    if (m_opening) {
        std::exchange(m_opening, nullptr)->put(std::unexpected(error));
        return;
    }
    if (!std::exchange(m_hasEnded, true))
        m_words->put(error);
    flush();
}

void Tunnel::closeStream()
{
    // One of them may be the caller.
    for (auto *notifier : {&m_readable, &m_writable}) {
        if (*notifier) {
            (*notifier)->setEnabled(false);
            notifier->release()->deleteLater();
        }
    }
    m_stream.reset();
    m_pending.clear();
}

} // namespace

Result<OpenTransport> openWebSocketTunnel(const WebSocketRequest &request, const Waiting &waiting)
{
    std::shared_ptr<IoThread> thread = IoThread::shared();
    const auto opening = std::make_shared<Opening>();
    const auto words = std::make_shared<TransportWords>();
    if (!thread || !opening->isUsable() || !words->isUsable())
        return failure(ErrorKind::Io, Layer::WebSocket, u"no file descriptors are left"_s);
    auto slot = std::make_shared<Tunnel *>(nullptr); // for the I/O thread alone
    const std::chrono::milliseconds patience(std::max(1, millisecondsUntil(waiting.deadline)));
    thread->post([=] {
        *slot = new Tunnel(request, patience, opening, words);
        (*slot)->start();
    });
    // Keeps the thread as long as the tunnel is wanted.
    const std::shared_ptr<void> behind(slot.get(), [thread, slot](void *) mutable {
        thread->post([slot] { delete std::exchange(*slot, nullptr); });
        slot.reset();
        thread.reset();
    });
    for (;;) {
        if (waiting.cancelled())
            return failure(ErrorKind::Cancelled, Layer::WebSocket);
        pollfd polled[] = {{opening->descriptor(), POLLIN, 0}, {waiting.wakeDescriptor, POLLIN, 0}};
        // Its own deadline ends it; ours is for a thread that hangs.
        ::poll(polled, 2, millisecondsUntil(waiting.deadline + 5s));
        std::vector<Result<FileDescriptor>> outcome = opening->takeAll();
        if (!outcome.empty()) {
            if (!outcome.front())
                return std::unexpected(outcome.front().error());
            return OpenTransport{std::move(*outcome.front()), words, behind};
        }
        if (millisecondsUntil(waiting.deadline + 5s) == 0)
            return failure(ErrorKind::Timeout, Layer::WebSocket, u"the tunnel did not open in time"_s);
    }
}

} // namespace Sandpiper
