#include "session/providers/tensorlakeprovider.h"

#include "session/json.h"
#include "session/providers/stepped.h"
#include "session/providers/tensorlakeask.h"
#include "session/providers/tensorlakelist.h"

#include <QJsonArray>
#include <QJsonDocument>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

using Verb = HttpRequest::Verb;

Result<HttpRequest> withJson(Result<HttpRequest> request, const QJsonObject &body)
{
    if (request) {
        request->contentType = "application/json"_ba;
        request->body = QJsonDocument(body).toJson(QJsonDocument::Compact);
    }
    return request;
}

Result<HttpRequest> about(Result<HttpRequest> request, const QString &subject)
{
    if (request)
        request->subject = subject;
    return request;
}

Done nothing(const HttpReply &)
{
    return {};
}

QJsonObject resourcesFrom(const CreateRequest &wish)
{
    QJsonObject resources;
    if (wish.cpus)
        resources.insert("cpus"_L1, *wish.cpus);
    if (wish.memoryMiB)
        resources.insert("memory_mb"_L1, *wish.memoryMiB);
    if (wish.diskMiB)
        resources.insert("disk_mb"_L1, *wish.diskMiB);
    return resources;
}

Error invalid(const QString &why, const QString &subject)
{
    return {ErrorKind::InvalidInput, Layer::Provider, why, subject};
}

// One line of an OpenSSH public key, and nothing that must stay secret.
Result<QByteArray> publicKeyLine(const QByteArray &given, const QString &name)
{
    const QByteArray line = given.trimmed();
    if (line.contains("PRIVATE KEY"))
        return std::unexpected(invalid(u"this is a private key; the public one is in the file that ends in .pub"_s, name));
    const QList<QByteArray> parts = line.split(' ');
    const auto blob = QByteArray::fromBase64Encoding(parts.value(1), QByteArray::AbortOnBase64DecodingErrors);
    // The type is said twice: as text, and inside of the key behind its length.
    const QByteArray type = parts.first();
    const bool matches = blob && blob.decoded.size() > 4 + type.size() && blob.decoded.sliced(4, type.size()) == type;
    if (line.size() > 16 << 10 || line.contains('\n') || line.contains('\r') || parts.size() < 2 || !matches)
        return std::unexpected(invalid(u"this is no OpenSSH public key line"_s, name));
    return line;
}

} // namespace

TensorlakeProvider::TensorlakeProvider(const Account &account, const Setup &setup, QObject *parent)
    : SandboxProvider(parent)
    , m_account(account)
    , m_secret(setup.secret)
    , m_context(std::make_shared<const TensorlakeContext>(TensorlakeContext{
              account.vendor, account.id, TensorlakeRoutes(account), setup.localSsh, setup.isThisComputer}))
    , m_capabilities(std::make_shared<CapabilityCache>())
    , m_http({setup.secret, account.pinnedCa})
    , m_keysHttp({setup.userSecret ? setup.userSecret : setup.secret, account.pinnedCa})
{
}

TensorlakeProvider::~TensorlakeProvider() = default;

QString TensorlakeProvider::vendor() const
{
    return m_account.vendor;
}

QString TensorlakeProvider::accountId() const
{
    return m_account.id;
}

Capabilities TensorlakeProvider::capabilities() const
{
    return tensorlakeCapabilities(*m_context);
}

std::optional<std::chrono::seconds> TensorlakeProvider::unattendedShellLife() const
{
    return std::chrono::seconds(300);
}

Result<HttpRequest> TensorlakeProvider::checked(const Result<HttpRequest> &request) const
{
    if (Done usable = m_context->routes.usable(); !usable)
        return std::unexpected(usable.error());
    return request;
}

TensorlakeProvider::Read<Sandbox> TensorlakeProvider::sandboxReader() const
{
    return [context = m_context, cache = m_capabilities](const HttpReply &reply) -> Result<Sandbox> {
        const Result<QJsonObject> object = parseJsonObject(reply.body);
        if (!object)
            return std::unexpected(object.error());
        if (auto sandbox = tensorlakeSandbox(*object, *context, cache.get()))
            return *std::move(sandbox);
        return failure(ErrorKind::Protocol, Layer::Provider, u"the sandbox has no usable id"_s);
    };
}

QFuture<Result<QList<Sandbox>>> TensorlakeProvider::list(ListScope scope)
{
    if (Done usable = m_context->routes.usable(); !usable)
        return QtFuture::makeReadyValueFuture(Result<QList<Sandbox>>(std::unexpected(usable.error())));
    auto *list = new TensorlakeList(&m_http, m_context, m_capabilities, scope, this);
    return list->future();
}

QFuture<Result<Sandbox>> TensorlakeProvider::find(const QString &idOrName)
{
    return ask<Sandbox>(&m_http, about(m_context->routes.sandbox(Verb::Get, idOrName), idOrName), TensorlakePlane::Lifecycle,
                        [this, read = sandboxReader()](const HttpReply &reply) {
                            Result<Sandbox> sandbox = read(reply);
                            if (sandbox)
                                follow(*sandbox);
                            return sandbox;
                        });
}

QFuture<Result<Sandbox>> TensorlakeProvider::create(const CreateRequest &wish)
{
    if (!wish.name.isEmpty()) {
        if (const QString problem = tensorlakeNameProblem(wish.name); !problem.isEmpty())
            return QtFuture::makeReadyValueFuture(Result<Sandbox>(std::unexpected(invalid(problem, wish.name))));
    }
    QJsonObject body;
    if (!wish.name.isEmpty())
        body.insert("name"_L1, wish.name);
    if (!wish.image.isEmpty())
        body.insert("image"_L1, wish.image);
    if (const QJsonObject resources = resourcesFrom(wish); !resources.isEmpty())
        body.insert("resources"_L1, resources);
    if (wish.timeoutSeconds)
        body.insert("timeout_secs"_L1, *wish.timeoutSeconds);
    auto read = [read = sandboxReader(), wish](const HttpReply &reply) {
        Result<Sandbox> made = read(reply);
        if (!made)
            return made;
        if (made->name.isEmpty())
            made->name = wish.name;
        if (made->image.isEmpty())
            made->image = wish.image;
        if (!made->createdAt.isValid())
            made->createdAt = QDateTime::currentDateTimeUtc();
        return made;
    };
    HttpRequest request = m_context->routes.createSandbox();
    request.subject = wish.name;
    return ask<Sandbox>(&m_http, withJson(request, body), TensorlakePlane::Create, read);
}

QFuture<Result<Sandbox>> TensorlakeProvider::rename(const SandboxId &id, const QString &name)
{
    if (const QString problem = tensorlakeNameProblem(name); !problem.isEmpty())
        return QtFuture::makeReadyValueFuture(Result<Sandbox>(std::unexpected(invalid(problem, name))));
    return ask<Sandbox>(&m_http, about(withJson(m_context->routes.sandbox(Verb::Patch, id.id), {{u"name"_s, name}}), name),
                        TensorlakePlane::Lifecycle, sandboxReader());
}

QFuture<Done> TensorlakeProvider::act(const SandboxId &id, HttpRequest::Verb verb, QLatin1StringView action)
{
    return ask<void>(&m_http, about(m_context->routes.sandbox(verb, id.id, action), id.id),
                     action.isEmpty() ? TensorlakePlane::Lifecycle : TensorlakePlane::Action, nothing);
}

QFuture<Done> TensorlakeProvider::suspend(const SandboxId &id)
{
    return act(id, Verb::Post, "suspend"_L1);
}

QFuture<Done> TensorlakeProvider::resume(const SandboxId &id)
{
    return act(id, Verb::Post, "resume"_L1);
}

QFuture<Done> TensorlakeProvider::terminate(const SandboxId &id)
{
    return act(id, Verb::Delete, {});
}

QFuture<Result<Sandbox>> TensorlakeProvider::closePublicPorts(const SandboxId &id, const QList<quint16> &ports)
{
    using Answer = Result<Sandbox>;
    const Stepped<Answer> steps(this);
    // The list is replaced as a whole: what others have opened meanwhile must stay in it.
    QFuture<Answer> now = find(id.id);
    steps.cancelWith(now);
    now.then(this, [=, this](const Answer &found) {
        if (!found)
            return steps.answer(found);
        QJsonArray left;
        for (const quint16 port : found->publicPorts) {
            if (!ports.contains(port))
                left.append(port);
        }
        if (left.size() == found->publicPorts.size())
            return steps.answer(found);
        QFuture<Answer> closed = ask<Sandbox>(&m_http, about(withJson(m_context->routes.sandbox(Verb::Patch, id.id), {{u"exposed_ports"_s, left}}), found->displayName()),
                                              TensorlakePlane::Lifecycle, sandboxReader());
        steps.cancelWith(closed);
        closed.then(this, [steps](const Answer &result) { steps.answer(result); });
    });
    return steps.future();
}

QFuture<Result<QList<SshKey>>> TensorlakeProvider::keys()
{
    return ask<QList<SshKey>>(&m_keysHttp, m_context->routes.keys(Verb::Get), TensorlakePlane::Platform,
                              [](const HttpReply &reply) { return tensorlakeKeys(reply.body); });
}

QFuture<Result<SshKey>> TensorlakeProvider::addKey(const QString &name, const QByteArray &publicLine)
{
    const QString shown = name.trimmed();
    Result<QByteArray> line = publicKeyLine(publicLine, shown);
    if (line && shown.isEmpty())
        line = std::unexpected(invalid(u"the key needs a name"_s, shown));
    if (!line)
        return QtFuture::makeReadyValueFuture(Result<SshKey>(std::unexpected(line.error())));
    const QJsonObject body{{u"name"_s, shown}, {u"publicKey"_s, QString::fromUtf8(*line)}};
    return ask<SshKey>(&m_keysHttp, about(withJson(m_context->routes.keys(Verb::Post), body), shown), TensorlakePlane::Platform,
                       [](const HttpReply &reply) { return tensorlakeKey(reply.body); });
}

QFuture<Done> TensorlakeProvider::removeKey(const QString &keyId)
{
    return ask<void>(&m_keysHttp, about(m_context->routes.key(Verb::Delete, keyId), keyId), TensorlakePlane::Platform, nothing);
}

} // namespace Sandpiper
