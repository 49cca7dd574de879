// The provider's calls into a sandbox: terminals, commands and files.
#include "session/providers/stepped.h"
#include "session/providers/tensorlakeask.h"
#include "session/providers/tensorlakecommand.h"
#include "session/providers/tensorlakefiles.h"
#include "session/ptyshell.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QPointer>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

using Verb = HttpRequest::Verb;

Result<HttpRequest> withBody(Result<HttpRequest> request, const QJsonObject &body)
{
    if (request) {
        request->contentType = "application/json"_ba;
        request->body = QJsonDocument(body).toJson(QJsonDocument::Compact);
    }
    return request;
}

Result<QString> ptyPath(const QString &session, QLatin1StringView tail = {})
{
    const Result<QString> part = TensorlakeRoutes::segment(session);
    if (!part)
        return std::unexpected(part.error());
    return u"/api/v1/pty/"_s + *part + tail;
}

QJsonObject ptyWish(const ShellSpec &spec, TerminalSize size, const QString &folder)
{
    QJsonObject environment{{u"TERM"_s, spec.term}, {u"COLORTERM"_s, u"truecolor"_s}};
    for (auto it = spec.environment.cbegin(); it != spec.environment.cend(); ++it)
        environment.insert(it.key(), it.value());
    const TerminalSize clamped = size.clamped();
    QJsonObject wish{{u"command"_s, spec.command.isEmpty() ? u"/bin/bash"_s : spec.command},
                     {u"args"_s, QJsonArray::fromStringList(spec.command.isEmpty() ? QStringList{u"-l"_s} : spec.arguments)},
                     {u"env"_s, environment},
                     {u"rows"_s, clamped.rows},
                     {u"cols"_s, clamped.columns}};
    if (!folder.isEmpty())
        wish.insert("working_dir"_L1, folder);
    return wish;
}

// A socket inside a sandbox, with the account's token in a header.
Result<WebSocketRequest> socketRequest(const TensorlakeContext &context, const Secret &secret, const Sandbox &sandbox, const Result<QString> &path)
{
    Result<WebSocketRequest> request = context.routes.usable().and_then([&] { return path; }).and_then([&](const QString &inside) {
        return context.routes.socketInside(sandbox, inside);
    });
    if (request) {
        QByteArray bearer = "Bearer "_ba.append(secret.reveal());
        request->secretHeaders = {{"Authorization"_ba, std::make_shared<Secret>(Secret::taking(bearer))}};
    }
    return request;
}

} // namespace

QFuture<Result<QList<PtySession>>> TensorlakeProvider::ptySessions(const Sandbox &sandbox)
{
    return ask<QList<PtySession>>(&m_http, m_context->routes.inside(sandbox, Verb::Get, u"/api/v1/pty"_s), TensorlakePlane::Proxy,
                                  [](const HttpReply &reply) { return tensorlakePtySessions(reply.body); });
}

QFuture<Result<PtySession>> TensorlakeProvider::ptySession(const Sandbox &sandbox, const QString &session)
{
    const auto request = ptyPath(session).and_then([&](const QString &path) { return m_context->routes.inside(sandbox, Verb::Get, path); });
    return ask<PtySession>(&m_http, request, TensorlakePlane::Proxy, [](const HttpReply &reply) { return tensorlakePtySession(reply.body); });
}

QFuture<Result<PtyHandle>> TensorlakeProvider::createPtyIn(const Sandbox &sandbox, const ShellSpec &spec, TerminalSize size,
                                                           const QString &folder)
{
    Result<HttpRequest> request = m_context->routes.inside(sandbox, Verb::Post, u"/api/v1/pty"_s);
    if (request)
        request->connection = HttpRequest::Connection::Fresh;
    return ask<PtyHandle>(&m_http, withBody(request, ptyWish(spec, size, folder)), TensorlakePlane::Proxy,
                          [](const HttpReply &reply) { return tensorlakePtyHandle(reply.body); });
}

QFuture<Result<PtyHandle>> TensorlakeProvider::createPty(const Sandbox &sandbox, const ShellSpec &spec, TerminalSize size)
{
    // The gateway of This computer chooses the folder itself. The vendor's daemon does not, and
    // refuses to start anything in a folder that is not there: then it is its own default that counts.
    if (!spec.workingDirectory.isEmpty() || m_context->isThisComputer)
        return createPtyIn(sandbox, spec, size, spec.workingDirectory);

    using Answer = Result<PtyHandle>;
    const Stepped<Answer> steps(this);
    QFuture<Answer> first = createPtyIn(sandbox, spec, size, u"/workspace"_s);
    steps.cancelWith(first);
    first.then(this, [=, this](const Answer &result) {
        // An explicit refusal: nothing was made, so asking again makes no second session.
        const bool refused = !result && (result.error().kind == ErrorKind::InvalidInput || result.error().kind == ErrorKind::ServerError);
        if (!refused)
            return steps.answer(result);
        QFuture<Answer> second = createPtyIn(sandbox, spec, size, QString());
        steps.cancelWith(second);
        second.then(this, [steps](const Answer &last) { steps.answer(last); });
    });
    return steps.future();
}

QFuture<Done> TensorlakeProvider::resizePty(const Sandbox &sandbox, const QString &session, TerminalSize size)
{
    const TerminalSize clamped = size.clamped();
    const auto request = ptyPath(session, "/resize"_L1).and_then([&](const QString &path) {
        return m_context->routes.inside(sandbox, Verb::Post, path);
    });
    return ask<void>(&m_http, withBody(request, {{u"rows"_s, clamped.rows}, {u"cols"_s, clamped.columns}}), TensorlakePlane::Proxy,
                     [](const HttpReply &) { return Done(); });
}

QFuture<Done> TensorlakeProvider::killPty(const Sandbox &sandbox, const QString &session)
{
    const auto request = ptyPath(session).and_then([&](const QString &path) { return m_context->routes.inside(sandbox, Verb::Delete, path); });
    return ask<void>(&m_http, request, TensorlakePlane::Proxy, [](const HttpReply &) { return Done(); });
}

void TensorlakeProvider::follow(const Sandbox &sandbox)
{
    const auto it = m_places.constFind(sandbox.id);
    if (it == m_places.cend())
        return;
    if (const std::shared_ptr<Sandbox> place = it->lock())
        *place = sandbox;
    else
        m_places.erase(it);
}

std::unique_ptr<Shell> TensorlakeProvider::makePtyShell(const Sandbox &sandbox, const ShellSpec &spec, const std::optional<PtyHandle> &known)
{
    std::shared_ptr<Sandbox> place = m_places.value(sandbox.id).lock();
    if (place)
        *place = sandbox;
    else
        place = std::make_shared<Sandbox>(sandbox); // shared by all shells in this sandbox
    m_places.insert(sandbox.id, place);

    PtyEndpoint endpoint;
    endpoint.subject = sandbox.displayName();
    endpoint.request = [context = m_context, secret = m_secret, place](const PtyHandle &handle) {
        // An address that may not be used stays empty, and the socket says so.
        WebSocketRequest request = socketRequest(*context, *secret, *place, ptyPath(handle.sessionId, "/ws"_L1)).value_or(WebSocketRequest());
        request.secretHeaders.append({"X-PTY-Token"_ba, handle.token});
        return request;
    };
    const auto gone = [subject = endpoint.subject] { return failure(ErrorKind::Cancelled, Layer::Provider, {}, subject); };
    endpoint.create = [self = QPointer(this), place, spec, gone](TerminalSize size) {
        return self ? self->createPty(*place, spec, size) : QtFuture::makeReadyValueFuture(Result<PtyHandle>(gone()));
    };
    endpoint.kill = [self = QPointer(this), place, gone](const QString &session) {
        return self ? self->killPty(*place, session) : QtFuture::makeReadyValueFuture(Done(gone()));
    };
    auto shell = std::make_unique<PtyShell>(std::move(endpoint), known);
    connect(shell.get(), &PtyShell::sessionKnown, this,
            [this, raw = shell.get()](const PtyHandle &handle) { emit ptySessionKnown(raw, handle); });
    return shell;
}

std::unique_ptr<RemoteCommand> TensorlakeProvider::makeCommand(const Sandbox &sandbox, const CommandSpec &spec)
{
    return std::make_unique<TensorlakeCommand>(m_context, HttpClient::Options{m_secret, m_account.pinnedCa, {}}, sandbox, spec);
}

Result<WebSocketRequest> TensorlakeProvider::tunnelRequest(const Sandbox &sandbox, quint16 port)
{
    Result<WebSocketRequest> request = socketRequest(*m_context, *m_secret, sandbox, u"/api/v1/tunnels/tcp"_s);
    if (request)
        request->url.setQuery(u"port=%1"_s.arg(port));
    return request;
}

std::unique_ptr<VendorFiles> TensorlakeProvider::makeFiles(const Sandbox &sandbox)
{
    return std::make_unique<TensorlakeFiles>(m_context, HttpClient::Options{m_secret, m_account.pinnedCa}, sandbox);
}

} // namespace Sandpiper
