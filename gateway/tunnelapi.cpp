#include "gateway/tunnelapi.h"

#include <QPointer>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr int mostTunnels = 512; // of one sandbox

WebSocketPeer::Limits tunnelLimits()
{
    WebSocketPeer::Limits limits;
    limits.atPeersClose = WebSocketPeer::Queued::Send;
    return limits;
}

} // namespace

TunnelApi::TunnelApi(SandboxStore *store, WorkerPool *pool, QObject *parent)
    : QObject(parent)
    , m_store(store)
    , m_pool(pool)
{
    connect(store, &SandboxStore::sandboxChanged, this, [this](const QString &id) {
        const std::optional<LocalSandbox> sandbox = m_sessions.contains(id) ? m_store->lookup(id) : std::nullopt;
        if (!sandbox || sandbox->state != LocalState::Running)
            dropAll(id);
    });
    connect(store, &SandboxStore::processesLost, this, &TunnelApi::dropAll);
}

void TunnelApi::dropAll(const QString &sandbox)
{
    for (TunnelSession *session : m_sessions.value(sandbox)) // each takes itself out
        session->drop();
}

void TunnelApi::open(HttpExchange *exchange, const LocalSandbox &sandbox)
{
    const HttpRequest &request = exchange->request();
    bool isNumber = false;
    const quint16 port = request.queryValue(u"port"_s).toUShort(&isNumber);
    if (!isNumber || port == 0)
        return exchange->respond(HttpResponse::proxyError(400, u"INVALID_PORT"_s, u"\"port\" must be a number from 1 to 65535."_s));
    if (!request.isWebSocketUpgrade())
        return exchange->respond(HttpResponse::proxyError(426, u"UPGRADE_REQUIRED"_s, u"A tunnel is opened by WebSocket."_s));
    if (m_sessions.value(sandbox.id).size() + m_dialling.value(sandbox.id) >= mostTunnels)
        return exchange->respond(HttpResponse::proxyError(429, u"TOO_MANY_TUNNELS"_s, u"This sandbox has %1 tunnels already."_s.arg(mostTunnels)));
    ++m_dialling[sandbox.id];
    m_pool->run(
            this, [agent = sandbox.agent, port] { return agent.dial(u"127.0.0.1"_s, port); },
            [this, id = sandbox.id, port, guard = QPointer<HttpExchange>(exchange)](Result<Fd> service) { dialled(guard, id, port, std::move(service)); });
}

void TunnelApi::dialled(HttpExchange *exchange, const QString &sandbox, quint16 port, Result<Fd> service)
{
    if (--m_dialling[sandbox] <= 0)
        m_dialling.remove(sandbox);
    if (!exchange)
        return; // whoever asked is gone
    const std::optional<LocalSandbox> now = m_store->lookup(sandbox); // it may have been suspended meanwhile
    if (!now || now->state != LocalState::Running)
        return exchange->respond(HttpResponse::proxyError(503, u"SANDBOX_NOT_RUNNING"_s, u"The sandbox does not run any more."_s));
    if (!service)
        return exchange->respond(HttpResponse::proxyError(502, u"CONNECTION_REFUSED"_s, u"Nothing accepts connections on port %1 in the sandbox."_s.arg(port)));
    std::unique_ptr<QTcpSocket> socket = exchange->upgradeToWebSocket();
    if (!socket)
        return;
    auto *session = new TunnelSession(*std::move(service), std::make_unique<WebSocketPeer>(std::move(socket), tunnelLimits()), this);
    m_sessions[sandbox].append(session);
    connect(session, &TunnelSession::over, this, [this, sandbox, session] {
        m_sessions[sandbox].removeOne(session);
        if (m_sessions.value(sandbox).isEmpty())
            m_sessions.remove(sandbox);
        session->deleteLater();
    });
}

} // namespace Sandpiper
