#include "gateway/lifecycleapi.h"

#include "gateway/jsonfields.h"

#include <algorithm>
#include <vector>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype defaultPage = 100;
constexpr qsizetype largestPage = 1000;
const QString defaultImage = u"tensorlake/ubuntu-minimal"_s;

QString nameOf(LocalState state)
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

// Where a sandbox stands in the list: live before terminated, newest first, the id decides a tie.
struct Place
{
    int terminated = 0;
    qint64 age = 0; // minus the creation time
    QString id;
    friend auto operator<=>(const Place &, const Place &) = default;
};

Place placeOf(const LocalSandbox &sandbox)
{
    return {sandbox.state == LocalState::Terminated ? 1 : 0, -sandbox.createdAt.toMSecsSinceEpoch(), sandbox.id};
}

QString cursorOf(const LocalSandbox &sandbox)
{
    const Place place = placeOf(sandbox);
    return QString::fromLatin1((QByteArray::number(place.terminated) + ' ' + QByteArray::number(place.age) + ' '
                                + place.id.toUtf8()).toBase64(QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals));
}

std::optional<Place> parseCursor(const QString &cursor)
{
    const auto bytes = QByteArray::fromBase64Encoding(cursor.toLatin1(), QByteArray::Base64UrlEncoding | QByteArray::AbortOnBase64DecodingErrors);
    if (!bytes)
        return std::nullopt;
    const QByteArrayList parts = bytes.decoded.split(' ');
    bool one = false;
    bool two = false;
    if (parts.size() != 3)
        return std::nullopt;
    const Place place{parts.at(0).toInt(&one), parts.at(1).toLongLong(&two), QString::fromUtf8(parts.at(2))};
    return one && two ? std::optional(place) : std::nullopt;
}

int statusOf(const Error &error)
{
    if (error.kind == ErrorKind::NotFound)
        return 404;
    if (error.kind == ErrorKind::Conflict)
        return 409;
    if (error.kind == ErrorKind::InvalidInput)
        return 400;
    // Not 503: the official clients would try that again, and it will not help.
    return 500;
}

HttpResponse refusalOf(const Error &error)
{
    const QString text = tamed(error.detail);
    return HttpResponse::text(statusOf(error), text.isEmpty() ? u"That did not work: %1."_s.arg(nameOf(error.kind)) : text);
}

} // namespace

QJsonObject GatewayEndpoints::sshObject() const
{
    return {{u"host"_s, sshHost}, {u"port"_s, sshPort}, {u"host_key"_s, QString::fromLatin1(sshHostKey)}};
}

Result<SandboxPage> pageOf(const QList<LocalSandbox> &all, qsizetype limit, const QString &cursor, PageDirection direction)
{
    struct Placed
    {
        Place place;
        const LocalSandbox *sandbox;
    };
    std::vector<Placed> sorted;
    sorted.reserve(size_t(all.size()));
    for (const LocalSandbox &sandbox : all)
        sorted.push_back({placeOf(sandbox), &sandbox});
    std::ranges::sort(sorted, {}, &Placed::place);
    const auto size = qsizetype(sorted.size());
    qsizetype from = direction == PageDirection::Forward ? 0 : std::max<qsizetype>(0, size - limit);
    qsizetype to = std::min(size, from + limit);
    if (!cursor.isEmpty()) {
        const std::optional<Place> place = parseCursor(cursor);
        if (!place)
            return failure(ErrorKind::InvalidInput, Layer::Http, u"The cursor is not one of ours."_s);
        if (direction == PageDirection::Forward) {
            from = std::ranges::upper_bound(sorted, *place, {}, &Placed::place) - sorted.begin();
            to = std::min(size, from + limit);
        } else {
            to = std::ranges::lower_bound(sorted, *place, {}, &Placed::place) - sorted.begin();
            from = std::max<qsizetype>(0, to - limit);
        }
    }
    SandboxPage page;
    for (qsizetype i = from; i < to; ++i)
        page.sandboxes.append(*sorted.at(size_t(i)).sandbox);
    if (!page.sandboxes.isEmpty()) {
        page.previous = from > 0 ? cursorOf(page.sandboxes.first()) : QString();
        page.next = to < size ? cursorOf(page.sandboxes.last()) : QString();
    }
    return page;
}

LifecycleApi::LifecycleApi(SandboxStore *store, std::chrono::milliseconds startDeadline, QObject *parent)
    : QObject(parent)
    , m_store(store)
    , m_startDeadline(startDeadline)
{
    connect(store, &SandboxStore::sandboxChanged, this, [this](const QString &id) {
        const auto sandbox = m_store->lookup(id);
        if (m_creating.contains(id) && (!sandbox || sandbox->state != LocalState::Pending))
            answerCreate(id);
    });
}

QJsonObject LifecycleApi::objectOf(const LocalSandbox &sandbox, const QString &space) const
{
    QJsonArray ports;
    for (const int port : sandbox.exposedPorts)
        ports.append(port);
    QJsonObject object{
        {u"id"_s, sandbox.id},
        {u"namespace"_s, space},
        {u"status"_s, nameOf(sandbox.state)},
        {u"resources"_s, QJsonObject{{u"cpus"_s, sandbox.cpus}, {u"memory_mb"_s, sandbox.memoryMiB},
                                     {u"disk_mb"_s, sandbox.diskMiB}, {u"ephemeral_disk_mb"_s, sandbox.diskMiB}}},
        {u"image"_s, sandbox.image.isEmpty() ? defaultImage : sandbox.image},
        {u"created_at"_s, sandbox.createdAt.toMSecsSinceEpoch()},
        {u"timeout_secs"_s, sandbox.timeoutSeconds},
        {u"sandbox_url"_s, m_endpoints.apiUrl},
        {u"exposed_ports"_s, ports},
        {u"allow_unauthenticated_access"_s, sandbox.allowUnauthenticated},
        {u"network"_s, QJsonObject{{u"allow_internet_access"_s, sandbox.hasNetwork}, {u"allow_out"_s, QJsonArray()}, {u"deny_out"_s, QJsonArray()}}},
        // Ours: what this computer could give the sandbox, and where SSH is.
        {u"has_network"_s, sandbox.hasNetwork},
        {u"network_note"_s, sandbox.networkNote},
        {u"isolated"_s, sandbox.isolated},
        {u"isolation_note"_s, sandbox.isolationNote},
    };
    object[u"ssh_endpoint"_s] = m_endpoints.sshObject();
    if (!sandbox.name.isEmpty())
        object[u"name"_s] = sandbox.name;
    if (sandbox.state == LocalState::Terminated && sandbox.terminatedAt.isValid())
        object[u"terminated_at"_s] = sandbox.terminatedAt.toMSecsSinceEpoch();
    if (!sandbox.terminationReason.isEmpty())
        object[u"termination_reason"_s] = sandbox.terminationReason;
    if (sandbox.state == LocalState::Pending)
        object[u"pending_reason"_s] = u"waiting_for_container"_s;
    return object;
}

QJsonObject LifecycleApi::createdObject(const LocalSandbox &sandbox) const
{
    QJsonObject object{
        {u"sandbox_id"_s, sandbox.id},
        {u"status"_s, nameOf(sandbox.state)},
        {u"sandbox_url"_s, m_endpoints.apiUrl},
        {u"network_note"_s, sandbox.networkNote},
        {u"isolation_note"_s, sandbox.isolationNote},
    };
    object[u"ssh_endpoint"_s] = m_endpoints.sshObject();
    if (!sandbox.name.isEmpty())
        object[u"name"_s] = sandbox.name;
    if (!sandbox.terminationReason.isEmpty())
        object[u"termination_reason"_s] = sandbox.terminationReason;
    if (sandbox.state == LocalState::Pending)
        object[u"pending_reason"_s] = u"waiting_for_container"_s;
    return object;
}

std::optional<LocalSandbox> LifecycleApi::find(HttpExchange *exchange, const QString &idOrName) const
{
    std::optional<LocalSandbox> sandbox = m_store->lookup(idOrName);
    if (!sandbox)
        exchange->respond(HttpResponse::text(404, u"There is no sandbox \"%1\"."_s.arg(tamed(idOrName, 80))));
    return sandbox;
}

void LifecycleApi::list(HttpExchange *exchange, const QString &space) const
{
    const HttpRequest &request = exchange->request();
    const QString wantedLimit = request.queryValue(u"limit"_s);
    const QString wantedDirection = request.queryValue(u"direction"_s);
    const QString wantedStatus = request.queryValue(u"status"_s);
    bool number = true;
    const qsizetype limit = wantedLimit.isEmpty() ? defaultPage : wantedLimit.toLongLong(&number);
    if (!number || limit < 1) {
        exchange->respond(HttpResponse::text(400, u"\"limit\" must be a whole number from 1."_s));
        return;
    }
    if (!wantedDirection.isEmpty() && wantedDirection != "forward"_L1 && wantedDirection != "backward"_L1) {
        exchange->respond(HttpResponse::text(400, u"\"direction\" must be \"forward\" or \"backward\"."_s));
        return;
    }
    QList<LocalSandbox> sandboxes = m_store->all();
    if (!wantedStatus.isEmpty())
        sandboxes.removeIf([&](const LocalSandbox &sandbox) { return nameOf(sandbox.state) != wantedStatus; });
    const auto page = pageOf(sandboxes, std::min(limit, largestPage), request.queryValue(u"cursor"_s),
                             wantedDirection == "backward"_L1 ? PageDirection::Backward : PageDirection::Forward);
    if (!page) {
        exchange->respond(refusalOf(page.error()));
        return;
    }
    QJsonArray array;
    for (const LocalSandbox &sandbox : page->sandboxes)
        array.append(objectOf(sandbox, space));
    QJsonObject answer{{u"sandboxes"_s, array}};
    if (!page->previous.isEmpty())
        answer[u"prev_cursor"_s] = page->previous;
    if (!page->next.isEmpty())
        answer[u"next_cursor"_s] = page->next;
    if (const QString because = m_store->unusableBecause(); !because.isEmpty())
        answer[u"unusable_because"_s] = because;
    exchange->respond(HttpResponse::json(200, answer));
}

void LifecycleApi::get(HttpExchange *exchange, const QString &space, const QString &idOrName) const
{
    if (const auto sandbox = find(exchange, idOrName))
        exchange->respond(HttpResponse::json(200, objectOf(*sandbox, space)));
}

void LifecycleApi::create(HttpExchange *exchange)
{
    JsonFields fields = JsonFields::parse(exchange->request().body);
    JsonFields resources(fields.object(u"resources"_s));
    JsonFields network(fields.object(u"network"_s));
    LocalCreate wish;
    wish.name = fields.text(u"name"_s);
    wish.image = fields.text(u"image"_s);
    wish.cpus = resources.number(u"cpus"_s, 0.1, 1024, wish.cpus);
    wish.memoryMiB = resources.integer(u"memory_mb"_s, 1, 1 << 30, wish.memoryMiB);
    wish.diskMiB = resources.integer(u"disk_mb"_s, 1, 1 << 30, wish.diskMiB);
    wish.timeoutSeconds = fields.integer(u"timeout_secs"_s, 0, 1'000'000'000, 0);
    wish.exposedPorts = fields.ports(u"exposed_ports"_s);
    wish.allowUnauthenticated = fields.boolean(u"allow_unauthenticated_access"_s, fields.boolean(u"allow_unauthenticated_proxy_access"_s, false));
    if (!wish.image.isEmpty() && wish.image != defaultImage)
        fields.complain(u"This computer has one image, %1, which is this computer's own system."_s.arg(defaultImage));
    // Said, not ignored: a sandbox that lacks what was asked for is worse than none.
    for (const QString &name : {u"snapshot_id"_s, u"template_id"_s, u"file_systems"_s, u"secret_names"_s, u"entrypoint"_s, u"cloud_init_base64"_s})
        fields.mustBeAbsent(name, u"\"%1\" is not to be had on this computer."_s.arg(name));
    resources.mustBeAbsent(u"gpus"_s, u"\"gpus\" are not to be had on this computer."_s);
    if (!network.boolean(u"allow_internet_access"_s, true))
        network.complain(u"Sandboxes of this computer cannot be kept from the internet."_s);
    for (const QString &name : {u"allow_out"_s, u"deny_out"_s})
        network.mustBeAbsent(name, u"\"%1\" is not to be had on this computer."_s.arg(name));
    for (const JsonFields &part : {resources, network}) {
        if (!part.complaint().isEmpty())
            fields.complain(part.complaint());
    }
    if (!fields.complaint().isEmpty()) {
        exchange->respond(HttpResponse::text(400, fields.complaint()));
        return;
    }
    if (const QString because = m_store->unusableBecause(); !because.isEmpty()) {
        exchange->respond(HttpResponse::text(500, because));
        return;
    }
    const Result<LocalSandbox> made = m_store->create(wish);
    if (!made) {
        exchange->respond(refusalOf(made.error()));
        return;
    }
    m_creating.insert(made->id, exchange);
    const auto now = m_store->lookup(made->id);
    if (!now || now->state != LocalState::Pending)
        answerCreate(made->id);
    else
        QTimer::singleShot(m_startDeadline, this, [this, id = made->id] { answerCreate(id); });
}

void LifecycleApi::answerCreate(const QString &id)
{
    const QPointer<HttpExchange> exchange = m_creating.take(id);
    if (!exchange)
        return;
    const auto sandbox = m_store->lookup(id);
    exchange->respond(sandbox ? HttpResponse::json(200, createdObject(*sandbox))
                                      : HttpResponse::text(500, u"The sandbox ended while it was made."_s));
}

void LifecycleApi::update(HttpExchange *exchange, const QString &space, const QString &idOrName)
{
    const auto sandbox = find(exchange, idOrName);
    if (!sandbox)
        return;
    JsonFields fields = JsonFields::parse(exchange->request().body);
    const QString name = fields.text(u"name"_s);
    const QList<int> ports = fields.ports(u"exposed_ports"_s);
    const bool open = fields.boolean(u"allow_unauthenticated_access"_s, sandbox->allowUnauthenticated);
    fields.mustBeAbsent(u"network"_s, u"Network rules are not to be had on this computer."_s);
    if (fields.has(u"name"_s) && name.isEmpty())
        fields.complain(u"\"name\" must not be empty."_s);
    if (!fields.complaint().isEmpty()) {
        exchange->respond(HttpResponse::text(400, fields.complaint()));
        return;
    }
    Result<LocalSandbox> result = *sandbox;
    if (!name.isEmpty() && name != sandbox->name)
        result = m_store->rename(sandbox->id, name);
    if (result && (fields.has(u"exposed_ports"_s) || open != sandbox->allowUnauthenticated))
        result = m_store->setExposure(sandbox->id, fields.has(u"exposed_ports"_s) ? ports : sandbox->exposedPorts, open);
    exchange->respond(result ? HttpResponse::json(200, objectOf(*result, space)) : refusalOf(result.error()));
}

void LifecycleApi::suspend(HttpExchange *exchange, const QString &idOrName)
{
    const auto sandbox = find(exchange, idOrName);
    if (!sandbox)
        return;
    if (sandbox->state == LocalState::Suspended || sandbox->state == LocalState::Suspending) {
        exchange->respond(HttpResponse::empty(sandbox->state == LocalState::Suspended ? 200 : 202));
        return;
    }
    if (sandbox->name.isEmpty()) {
        exchange->respond(HttpResponse::text(400, u"Only a sandbox with a name can be suspended."_s));
        return;
    }
    const Done done = sandbox->state == LocalState::Running
            ? m_store->suspend(sandbox->id)
            : Done(failure(ErrorKind::Conflict, Layer::SandboxState, u"The sandbox is %1, not running."_s.arg(nameOf(sandbox->state))));
    if (done)
        exchange->respond(HttpResponse::empty(202));
    else
        exchange->respond(HttpResponse::text(done.error().kind == ErrorKind::Conflict ? 400 : statusOf(done.error()), tamed(done.error().detail)));
}

void LifecycleApi::resume(HttpExchange *exchange, const QString &idOrName)
{
    const auto sandbox = find(exchange, idOrName);
    if (!sandbox)
        return;
    if (sandbox->state == LocalState::Running) {
        exchange->respond(HttpResponse::empty(200));
        return;
    }
    const Done done = sandbox->state == LocalState::Suspended
            ? m_store->resume(sandbox->id)
            : Done(failure(ErrorKind::Conflict, Layer::SandboxState, u"The sandbox is %1, not suspended."_s.arg(nameOf(sandbox->state))));
    if (done)
        exchange->respond(HttpResponse::empty(202));
    else
        exchange->respond(HttpResponse::text(done.error().kind == ErrorKind::Conflict ? 400 : statusOf(done.error()), tamed(done.error().detail)));
}

void LifecycleApi::terminate(HttpExchange *exchange, const QString &idOrName)
{
    const auto sandbox = find(exchange, idOrName);
    if (!sandbox)
        return;
    const Done done = sandbox->state == LocalState::Terminated ? Done() : m_store->terminate(sandbox->id);
    exchange->respond(done ? HttpResponse::empty(200) : refusalOf(done.error()));
}

} // namespace Sandpiper
