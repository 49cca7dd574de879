#include "session/websocketstream.h"

#include "session/address.h"
#include "session/iothread.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr quint16 kGoodbye = 1000;
constexpr quint16 kNoText = 1003;

} // namespace

WebSocketStream::WebSocketStream(std::function<void()> ask, std::function<Error(const Error &)> explain)
    : m_ask(std::move(ask))
    , m_explain(std::move(explain))
{
}

WebSocketStream::~WebSocketStream()
{
    if (!m_client)
        return;
    m_client->disconnect(this);
    IoThread::letLinger(m_client); // it says goodbye by itself
    m_client->close(kGoodbye, WebSocketClient::Afterwards::DeleteLater);
}

void WebSocketStream::go(const Result<WebSocketRequest> &request, std::chrono::milliseconds patience)
{
    if (m_client || m_isOver)
        return;
    if (!request)
        return end(request.error());
    WebSocketTiming timing;
    timing.connectDeadline = patience;
    m_client = new WebSocketClient(*request, kMostWaitingFar, timing, this);
    connect(m_client, &WebSocketClient::opened, this, &FarStream::opened);
    connect(m_client, &WebSocketClient::received, this, &FarStream::received);
    connect(m_client, &WebSocketClient::written, this, &FarStream::sent);
    connect(m_client, &WebSocketClient::textIgnored, this, [this, host = hostText(request->url)] {
        m_client->close(kNoText, WebSocketClient::Afterwards::Keep);
        end(Error{ErrorKind::Protocol, Layer::WebSocket, u"the tunnel carried text where only bytes may be"_s, host});
    });
    connect(m_client, &WebSocketClient::ended, this, &WebSocketStream::closed);
    m_client->start();
}

void WebSocketStream::send(QByteArrayView bytes)
{
    m_client->send(bytes);
}

qint64 WebSocketStream::waiting() const
{
    return m_client ? m_client->bytesToWrite() : 0;
}

void WebSocketStream::grant(qint64 bytes)
{
    m_client->grant(bytes);
}

void WebSocketStream::endOutput()
{
    m_client->finish(kGoodbye);
}

void WebSocketStream::closed(const WebSocketEnd &how)
{
    if (!how.hasCode)
        return end(how.wasOpen ? how.error : m_explain(how.error));
    // 1005: without a code; 1006: it broke when the goodbye was said already.
    if (how.code == kGoodbye || how.code == 1005 || how.code == 1006)
        return end({});
    end(Error{ErrorKind::ConnectionLost, Layer::WebSocket, tamed(u"the tunnel was closed with %1 %2"_s.arg(how.code).arg(tamed(how.reason, 200)).trimmed()), {}});
}

void WebSocketStream::end(const std::optional<Error> &why)
{
    if (!std::exchange(m_isOver, true))
        emit ended(why);
}

} // namespace Sandpiper
