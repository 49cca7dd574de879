#include "gateway/apifront.h"

#include "gateway/jsonfields.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qint64 inputBodyBytes = 16 << 20;
constexpr qint64 fileBodyBytes = qint64(1) << 40; // it goes straight to the sandbox's disk, which has its own bounds

enum class Plane { Lifecycle, Platform, Sandbox };

Plane planeOf(const QByteArray &path)
{
    if (path.startsWith("/api/"))
        return Plane::Sandbox;
    if (path.startsWith("/platform/"))
        return Plane::Platform;
    return Plane::Lifecycle;
}

// Each plane refuses in its own form, as the vendor's do.
HttpResponse refuse(Plane plane, int status, const QString &code, const QString &message)
{
    switch (plane) {
    case Plane::Sandbox: return HttpResponse::proxyError(status, code, message);
    case Plane::Platform: return HttpResponse::platformError(status, message);
    case Plane::Lifecycle: return HttpResponse::text(status, message);
    }
    Q_UNREACHABLE_RETURN({});
}

QByteArray withoutPort(const QByteArray &host)
{
    const qsizetype colon = host.lastIndexOf(':');
    return colon > 0 && host.lastIndexOf(']') < colon ? host.first(colon) : host;
}

QJsonObject keyObject(const RegisteredKey &key)
{
    return {
        {u"id"_s, key.id},
        {u"name"_s, key.name},
        {u"keyType"_s, key.type},
        {u"fingerprint"_s, key.fingerprint},
        {u"createdAt"_s, key.createdAt.toUTC().toString(Qt::ISODateWithMs)},
        {u"lastUsedAt"_s, key.lastUsedAt.isValid() ? QJsonValue(key.lastUsedAt.toUTC().toString(Qt::ISODateWithMs)) : QJsonValue::Null},
    };
}

QString wordFor(LocalState state)
{
    switch (state) {
    case LocalState::Pending: return u"pending"_s;
    case LocalState::Running: return u"running"_s;
    case LocalState::Suspending: return u"suspending"_s;
    case LocalState::Suspended: return u"suspended"_s;
    case LocalState::Terminated: return u"terminated"_s;
    }
    Q_UNREACHABLE_RETURN({});
}

} // namespace

QString sandboxNamedBy(const HttpRequest &request)
{
    if (const QByteArray id = request.header("x-tensorlake-sandbox-id"); !id.isEmpty())
        return QString::fromUtf8(id);
    const QList<QByteArray> hosts = request.headerValues("host");
    for (const QByteArray &value : hosts) {
        const QByteArray host = withoutPort(value);
        if (host.endsWith(".local"))
            return QString::fromUtf8(host.chopped(6));
    }
    for (const QByteArray &value : hosts) {
        const QByteArray host = withoutPort(value);
        const qsizetype dot = host.indexOf('.');
        // Addresses have no labels; a name of digits alone cannot be a sandbox's.
        if (dot > 0 && !host.startsWith('[') && std::ranges::any_of(host.first(dot), [](char c) { return c < '0' || c > '9'; }))
            return QString::fromUtf8(host.first(dot));
    }
    return {};
}

ApiFront::ApiFront(const Parts &parts, Secret apiKey)
    : m_parts(parts)
    , m_apiKey(std::move(apiKey))
{
    addLifecycle();
    addPlatform();
    addPtys();
    addProcesses();
    addFiles();
    addTunnels();
}

bool ApiFront::isOurOrigin(const QByteArray &origin) const
{
    const QByteArray port = QByteArray::number(m_port);
    return origin == "http://127.0.0.1:" + port || origin == "http://localhost:" + port;
}

std::optional<HttpResponse> ApiFront::admit(const HttpRequest &head, BodyPlan &plan)
{
    const Plane plane = planeOf(head.path);
    // No page of a browser has business here, even where it got hold of a key.
    for (const QByteArray &origin : head.headerValues("origin")) {
        if (!isOurOrigin(origin))
            return refuse(plane, 403, u"FOREIGN_ORIGIN"_s, u"Requests from that origin are refused."_s);
    }
    const QList<QByteArray> credentials = head.headerValues("authorization");
    const bool bearer = credentials.size() == 1 && credentials.first().first(std::min<qsizetype>(7, credentials.first().size())).compare("bearer ", Qt::CaseInsensitive) == 0;
    if (!bearer || !m_apiKey.equals(QByteArrayView(credentials.first()).sliced(7).trimmed())) {
        HttpResponse response = refuse(plane, 401, u"UNAUTHENTICATED"_s, bearer ? u"This is not the API key of this gateway."_s : u"An API key is needed: Authorization: Bearer …"_s);
        response.extraHeaders.emplaceBack("WWW-Authenticate", "Bearer");
        return response;
    }
    if (head.path.endsWith("/stdin"))
        plan.limit = inputBodyBytes;
    if (head.method == "PUT" && (head.path == "/api/v1/files" || head.path == "/api/v1/files/"))
        plan = {fileBodyBytes, true};
    return std::nullopt;
}

void ApiFront::handle(HttpExchange *exchange)
{
    const HttpRequest &request = exchange->request();
    const Router::Match match = m_router.find(request.method, request.path);
    if (match.function)
        (*match.function)(exchange, match.arguments);
    else if (match.pathKnown)
        exchange->respond(refuse(planeOf(request.path), 405, u"METHOD_NOT_ALLOWED"_s, u"That cannot be done here."_s));
    else
        exchange->respond(refuse(planeOf(request.path), 404, u"NOT_FOUND"_s, u"There is nothing at this path."_s));
}

HttpResponse ApiFront::refusal(int status, const QString &reason)
{
    return HttpResponse::json(status, {{u"error"_s, reason}, {u"message"_s, reason}, {u"code"_s, u"BAD_REQUEST"_s}});
}

void ApiFront::addLifecycle()
{
    LifecycleApi *api = m_parts.lifecycle;
    struct Shape
    {
        QByteArray prefix;
        qsizetype sandboxAt; // where in the arguments the sandbox is
    };
    // The cloud's shape, and the one that official clients use towards this computer.
    for (const Shape &shape : {Shape{"/sandboxes", 0}, Shape{"/v1/namespaces/{}/sandboxes", 1}}) {
        const QByteArray one = shape.prefix + "/{}";
        const qsizetype at = shape.sandboxAt;
        const auto space = [at](const QStringList &arguments) { return at == 0 ? u"default"_s : arguments.first(); };
        m_router.add("GET", shape.prefix, [api, space](HttpExchange *e, const QStringList &a) { api->list(e, space(a)); });
        m_router.add("POST", shape.prefix, [api](HttpExchange *e, const QStringList &) { api->create(e); });
        m_router.add("GET", one, [api, space, at](HttpExchange *e, const QStringList &a) { api->get(e, space(a), a.at(at)); });
        m_router.add("PATCH", one, [api, space, at](HttpExchange *e, const QStringList &a) { api->update(e, space(a), a.at(at)); });
        m_router.add("DELETE", one, [api, at](HttpExchange *e, const QStringList &a) { api->terminate(e, a.at(at)); });
        m_router.add("POST", one + "/suspend", [api, at](HttpExchange *e, const QStringList &a) { api->suspend(e, a.at(at)); });
        m_router.add("POST", one + "/resume", [api, at](HttpExchange *e, const QStringList &a) { api->resume(e, a.at(at)); });
    }
}

void ApiFront::addPlatform()
{
    m_router.add("POST", "/platform/v1/keys/introspect", [](HttpExchange *e, const QStringList &) {
        e->respond(HttpResponse::json(200, {{u"id"_s, u"key_local"_s}, {u"organizationId"_s, u"org_local"_s}, {u"projectId"_s, u"project_local"_s}}));
    });
    m_router.add("GET", "/platform/v1/users/me/ssh-keys", [this](HttpExchange *e, const QStringList &) { listKeys(e); });
    m_router.add("POST", "/platform/v1/users/me/ssh-keys", [this](HttpExchange *e, const QStringList &) { addKey(e); });
    m_router.add("DELETE", "/platform/v1/users/me/ssh-keys/{}", [this](HttpExchange *e, const QStringList &a) { removeKey(e, a.first()); });
}

void ApiFront::listKeys(HttpExchange *exchange) const
{
    QJsonArray items;
    for (const RegisteredKey &key : m_parts.keys->all())
        items.append(keyObject(key));
    exchange->respond(HttpResponse::json(200, {{u"items"_s, items}}));
}

void ApiFront::addKey(HttpExchange *exchange) const
{
    JsonFields fields = JsonFields::parse(exchange->request().body);
    const QString name = fields.text(u"name"_s).trimmed();
    const QString line = fields.text(u"publicKey"_s).trimmed();
    if (name.isEmpty() || name.size() > 200)
        fields.complain(u"\"name\" must have 1 to 200 characters."_s);
    if (line.isEmpty())
        fields.complain(u"\"publicKey\" must be one line in OpenSSH's form."_s);
    if (!fields.complaint().isEmpty()) {
        exchange->respond(HttpResponse::platformError(400, fields.complaint()));
        return;
    }
    const Result<RegisteredKey> key = m_parts.keys->add(name, line.toUtf8());
    if (key) {
        exchange->respond(HttpResponse::json(201, keyObject(*key)));
        return;
    }
    const bool twice = key.error().kind == ErrorKind::Conflict;
    const bool wrong = key.error().kind == ErrorKind::InvalidInput;
    const QString detail = tamed(key.error().detail);
    exchange->respond(HttpResponse::platformError(twice ? 409 : wrong ? 400 : 500,
                                                  !detail.isEmpty() ? detail
                                                          : twice   ? u"This key is registered already."_s
                                                                    : u"The key could not be registered."_s));
}

void ApiFront::removeKey(HttpExchange *exchange, const QString &id) const
{
    const Done done = m_parts.keys->remove(id);
    if (done)
        exchange->respond(HttpResponse::empty(204));
    else if (done.error().kind == ErrorKind::NotFound)
        exchange->respond(HttpResponse::platformError(404, u"There is no such key."_s));
    else
        exchange->respond(HttpResponse::platformError(500, tamed(done.error().detail)));
}

void ApiFront::addSandboxRoute(const QByteArray &method, const QByteArray &pattern, SandboxFunction function)
{
    m_router.add(method, pattern, [this, function = std::move(function)](HttpExchange *exchange, const QStringList &arguments) {
        const QString named = sandboxNamedBy(exchange->request());
        const auto sandbox = named.isEmpty() ? std::nullopt : m_parts.store->lookup(named);
        if (named.isEmpty())
            exchange->respond(HttpResponse::proxyError(400, u"MISSING_SANDBOX_ID"_s, u"The request names no sandbox."_s));
        else if (!sandbox || sandbox->state == LocalState::Terminated)
            exchange->respond(HttpResponse::proxyError(404, u"SANDBOX_NOT_FOUND"_s, u"There is no sandbox \"%1\"."_s.arg(tamed(named, 80))));
        else if (sandbox->state != LocalState::Running)
            exchange->respond(HttpResponse::proxyError(503, u"SANDBOX_NOT_RUNNING"_s, u"The sandbox is %1."_s.arg(wordFor(sandbox->state))));
        else
            function(exchange, *sandbox, arguments);
    });
}

void ApiFront::addPtys()
{
    PtyApi *api = m_parts.ptys;
    using S = const LocalSandbox &;
    using A = const QStringList &;
    addSandboxRoute("POST", "/api/v1/pty", [api](HttpExchange *e, S s, A) { api->create(e, s); });
    addSandboxRoute("GET", "/api/v1/pty", [api](HttpExchange *e, S s, A) { api->list(e, s); });
    addSandboxRoute("GET", "/api/v1/pty/{}", [api](HttpExchange *e, S s, A a) { api->get(e, s, a.first()); });
    addSandboxRoute("DELETE", "/api/v1/pty/{}", [api](HttpExchange *e, S s, A a) { api->kill(e, s, a.first()); });
    addSandboxRoute("POST", "/api/v1/pty/{}/resize", [api](HttpExchange *e, S s, A a) { api->resize(e, s, a.first()); });
    addSandboxRoute("GET", "/api/v1/pty/{}/ws", [api](HttpExchange *e, S s, A a) { api->attach(e, s, a.first()); });
}

void ApiFront::addProcesses()
{
    ProcessApi *api = m_parts.processes;
    using S = const LocalSandbox &;
    using A = const QStringList &;
    addSandboxRoute("POST", "/api/v1/processes/run", [api](HttpExchange *e, S s, A) { api->run(e, s); });
    addSandboxRoute("POST", "/api/v1/processes", [api](HttpExchange *e, S s, A) { api->start(e, s); });
    addSandboxRoute("GET", "/api/v1/processes", [api](HttpExchange *e, S s, A) { api->list(e, s); });
    addSandboxRoute("GET", "/api/v1/processes/{}", [api](HttpExchange *e, S s, A a) { api->get(e, s, a.first()); });
    addSandboxRoute("DELETE", "/api/v1/processes/{}", [api](HttpExchange *e, S s, A a) { api->kill(e, s, a.first()); });
    addSandboxRoute("POST", "/api/v1/processes/{}/signal", [api](HttpExchange *e, S s, A a) { api->signal(e, s, a.first()); });
    addSandboxRoute("POST", "/api/v1/processes/{}/stdin", [api](HttpExchange *e, S s, A a) { api->writeInput(e, s, a.first()); });
    addSandboxRoute("POST", "/api/v1/processes/{}/stdin/close", [api](HttpExchange *e, S s, A a) { api->closeInput(e, s, a.first()); });
    using Stream = SandboxCommand::Stream;
    const std::pair<QByteArray, std::optional<Stream>> streams[] = {{"stdout", Stream::Output}, {"stderr", Stream::ErrorOutput}, {"output", std::nullopt}};
    for (const auto &[name, only] : streams) {
        addSandboxRoute("GET", "/api/v1/processes/{}/" + name, [api, only = only](HttpExchange *e, S s, A a) { api->output(e, s, a.first(), only); });
        addSandboxRoute("GET", "/api/v1/processes/{}/" + name + "/follow", [api, only = only](HttpExchange *e, S s, A a) { api->follow(e, s, a.first(), only); });
    }
    addSandboxRoute("GET", "/api/v1/health", [](HttpExchange *e, S, A) { e->respond(HttpResponse::json(200, {{u"healthy"_s, true}})); });
    addSandboxRoute("GET", "/api/v1/info", [api](HttpExchange *e, S s, A) {
        const ProcessApi::Count count = api->count(s.id);
        e->respond(HttpResponse::json(200, {{u"version"_s, QStringLiteral(SANDPIPER_VERSION)}, {u"uptime_secs"_s, s.createdAt.secsTo(QDateTime::currentDateTimeUtc())},
                                            {u"running_processes"_s, count.running}, {u"total_processes"_s, count.total}}));
    });
}

void ApiFront::addFiles()
{
    FileApi *api = m_parts.files;
    using S = const LocalSandbox &;
    using A = const QStringList &;
    addSandboxRoute("GET", "/api/v1/files", [api](HttpExchange *e, S s, A) { api->read(e, s); });
    addSandboxRoute("PUT", "/api/v1/files", [api](HttpExchange *e, S s, A) { api->write(e, s); });
    addSandboxRoute("DELETE", "/api/v1/files", [api](HttpExchange *e, S s, A) { api->remove(e, s); });
    addSandboxRoute("GET", "/api/v1/files/list", [api](HttpExchange *e, S s, A) { api->list(e, s); });
}

void ApiFront::addTunnels()
{
    TunnelApi *api = m_parts.tunnels;
    addSandboxRoute("GET", "/api/v1/tunnels/tcp", [api](HttpExchange *e, const LocalSandbox &s, const QStringList &) { api->open(e, s); });
}

} // namespace Sandpiper
