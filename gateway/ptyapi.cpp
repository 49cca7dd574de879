#include "gateway/ptyapi.h"

#include "gateway/jsonfields.h"

#include <QPointer>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

HttpResponse noSession(const QString &code)
{
    return HttpResponse::proxyError(404, code, u"There is no such PTY session."_s);
}

} // namespace

QString randomId()
{
    constexpr QLatin1StringView alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    const QByteArray raw = QByteArray::fromHex(Secret::randomHex(21).reveal().toByteArray());
    QString id;
    for (const char byte : raw)
        id.append(alphabet.at(byte & 63));
    return id;
}

PtyApi::PtyApi(SandboxStore *store, WorkerPool *pool, const PtyLimits &limits, QObject *parent)
    : QObject(parent)
    , m_store(store)
    , m_pool(pool)
    , m_limits(limits)
{
    connect(store, &SandboxStore::sandboxChanged, this, &PtyApi::sandboxChanged);
    connect(store, &SandboxStore::processesLost, this, [this](const QString &id) {
        qDeleteAll(m_sessions.take(id));
        m_states.remove(id);
    });
}

PtyApi::~PtyApi() = default;

PtySession *PtyApi::find(const QString &sandbox, const QString &session) const
{
    for (PtySession *candidate : m_sessions.value(sandbox)) {
        if (candidate->id() == session)
            return candidate;
    }
    return nullptr;
}

void PtyApi::create(HttpExchange *exchange, const LocalSandbox &sandbox)
{
    JsonFields fields = JsonFields::parse(exchange->request().body);
    SpawnSpec spec;
    spec.io = SpawnSpec::Io::Terminal;
    PtySession::Start start;
    start.command = fields.text(u"command"_s);
    start.arguments = fields.texts(u"args"_s);
    start.size = TerminalSize{int(fields.integer(u"cols"_s, 0, 65535, 80)), int(fields.integer(u"rows"_s, 0, 65535, 24))}.clamped();
    spec.environment = fields.textMap(u"env"_s);
    spec.workingDirectory = fields.text(u"working_dir"_s);
    if (start.command.isEmpty())
        fields.complain(u"\"command\" must be the program to run."_s);
    if (!fields.complaint().isEmpty()) {
        exchange->respond(HttpResponse::proxyError(400, u"INVALID_REQUEST"_s, fields.complaint()));
        return;
    }
    if (m_sessions.value(sandbox.id).size() + m_starting.value(sandbox.id) >= m_limits.sessions) {
        exchange->respond(HttpResponse::proxyError(429, u"TOO_MANY_SESSIONS"_s,
                                                   u"This sandbox has %1 PTY sessions already."_s.arg(m_limits.sessions)));
        return;
    }
    spec.argv = QStringList{start.command} + start.arguments;
    spec.size = start.size;
    start.id = randomId();
    ++m_starting[sandbox.id];
    m_pool->run(
            this, [agent = sandbox.agent, spec] { return agent.spawn(spec); },
            [this, start, id = sandbox.id, guard = QPointer<HttpExchange>(exchange)](Result<SandboxProcess> process) {
                spawned(guard, id, start, std::move(process));
            });
}

void PtyApi::spawned(HttpExchange *exchange, const QString &sandbox, const PtySession::Start &start, Result<SandboxProcess> process)
{
    if (--m_starting[sandbox] <= 0)
        m_starting.remove(sandbox);
    // Whoever asked is gone, and nobody else knows the token: the process is let go.
    if (!exchange)
        return;
    if (!process) {
        const bool notRunning = process.error().kind == ErrorKind::SandboxNotRunning;
        exchange->respond(HttpResponse::proxyError(notRunning ? 503 : 500, notRunning ? u"SANDBOX_NOT_RUNNING"_s : u"SPAWN_FAILED"_s,
                                                   tamed(process.error().detail)));
        return;
    }
    Secret token = Secret::randomHex(32);
    const QString shown = QString::fromLatin1(token.reveal());
    auto *session = new PtySession(start, std::move(token), std::move(*process), m_limits, this);
    m_sessions[sandbox].append(session);
    connect(session, &PtySession::reaped, this, [this, sandbox, session] { remove(sandbox, session); });
    sandboxChanged(sandbox);
    exchange->respond(HttpResponse::json(201, {{u"session_id"_s, session->id()}, {u"token"_s, shown}}));
}

void PtyApi::remove(const QString &sandbox, PtySession *session)
{
    m_sessions[sandbox].removeOne(session);
    if (m_sessions.value(sandbox).isEmpty()) {
        m_sessions.remove(sandbox);
        m_states.remove(sandbox);
    }
    session->deleteLater();
}

void PtyApi::sandboxChanged(const QString &id)
{
    if (!m_sessions.contains(id))
        return;
    const std::optional<LocalSandbox> sandbox = m_store->lookup(id);
    const LocalState state = sandbox ? sandbox->state : LocalState::Terminated;
    const LocalState before = m_states.value(id, LocalState::Running);
    m_states.insert(id, state);
    if (state == LocalState::Terminated) {
        m_states.remove(id);
        qDeleteAll(m_sessions.take(id));
    } else if (state != LocalState::Running && before == LocalState::Running) {
        for (PtySession *session : m_sessions.value(id))
            session->freeze();
    } else if (state == LocalState::Running && before != LocalState::Running) {
        for (PtySession *session : m_sessions.value(id))
            session->thaw();
    }
}

void PtyApi::list(HttpExchange *exchange, const LocalSandbox &sandbox) const
{
    QJsonArray sessions;
    for (const PtySession *session : m_sessions.value(sandbox.id))
        sessions.append(session->toJson());
    exchange->respond(HttpResponse::json(200, {{u"sessions"_s, sessions}}));
}

void PtyApi::get(HttpExchange *exchange, const LocalSandbox &sandbox, const QString &id) const
{
    const PtySession *session = find(sandbox.id, id);
    exchange->respond(session ? HttpResponse::json(200, session->toJson()) : noSession(u"NOT_FOUND"_s));
}

void PtyApi::resize(HttpExchange *exchange, const LocalSandbox &sandbox, const QString &id) const
{
    PtySession *session = find(sandbox.id, id);
    if (!session) {
        exchange->respond(noSession(u"NOT_FOUND"_s));
        return;
    }
    JsonFields fields = JsonFields::parse(exchange->request().body);
    const TerminalSize size{int(fields.integer(u"cols"_s, 0, 65535, -1)), int(fields.integer(u"rows"_s, 0, 65535, -1))};
    if (size.columns < 0 || size.rows < 0)
        fields.complain(u"\"rows\" and \"cols\" are both needed."_s);
    if (!fields.complaint().isEmpty()) {
        exchange->respond(HttpResponse::proxyError(400, u"INVALID_REQUEST"_s, fields.complaint()));
        return;
    }
    session->resize(size);
    exchange->respond(HttpResponse::empty(204));
}

void PtyApi::kill(HttpExchange *exchange, const LocalSandbox &sandbox, const QString &id) const
{
    PtySession *session = find(sandbox.id, id);
    if (session)
        session->kill();
    exchange->respond(session ? HttpResponse::empty(204) : noSession(u"NOT_FOUND"_s));
}

void PtyApi::attach(HttpExchange *exchange, const LocalSandbox &sandbox, const QString &id) const
{
    const HttpRequest &request = exchange->request();
    if (!request.isWebSocketUpgrade()) {
        exchange->respond(HttpResponse::proxyError(426, u"UPGRADE_REQUIRED"_s, u"A PTY session is attached to by WebSocket."_s));
        return;
    }
    PtySession *session = find(sandbox.id, id);
    if (!session) {
        exchange->respond(noSession(u"SESSION_NOT_FOUND"_s));
        return;
    }
    const QByteArray inHeader = request.header("x-pty-token");
    const QByteArray token = inHeader.isEmpty() ? request.queryValue(u"token"_s).toUtf8() : inHeader;
    if (!session->hasToken(token)) {
        exchange->respond(HttpResponse::proxyError(403, u"INVALID_TOKEN"_s, u"This is not the token of that PTY session."_s));
        return;
    }
    if (session->clientCount() >= m_limits.clients) {
        exchange->respond(HttpResponse::proxyError(429, u"TOO_MANY_CLIENTS"_s,
                                                   u"This PTY session has %1 clients already."_s.arg(m_limits.clients)));
        return;
    }
    if (auto socket = exchange->upgradeToWebSocket())
        session->attach(std::make_unique<WebSocketPeer>(std::move(socket), m_limits.socket));
}

} // namespace Sandpiper
