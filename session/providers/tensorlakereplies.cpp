// The smaller answers: keys, PTYs, processes, refusals.
#include "session/json.h"
#include "session/providers/tensorlakejson.h"

#include <QJsonArray>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype maxItems = 10'000;

std::optional<SshKey> keyFrom(const QJsonObject &object)
{
    SshKey key;
    key.id = object.value("id"_L1).toString();
    if (!TensorlakeRoutes::segment(key.id))
        return std::nullopt;
    key.name = jsonText(object, {"name"_L1}, 200);
    key.type = jsonText(object, {"keyType"_L1, "key_type"_L1}, 64);
    key.fingerprint = jsonText(object, {"fingerprint"_L1}, 128);
    const auto time = [&object](QLatin1StringView camel, QLatin1StringView snake) {
        return jsonTime(object.contains(camel) ? object.value(camel) : object.value(snake));
    };
    key.addedAt = time("createdAt"_L1, "created_at"_L1);
    key.lastUsedAt = time("lastUsedAt"_L1, "last_used_at"_L1);
    return key;
}

std::optional<PtySession> ptyFrom(const QJsonObject &object)
{
    PtySession session;
    session.id = object.value("session_id"_L1).toString();
    if (!TensorlakeRoutes::segment(session.id))
        return std::nullopt;
    session.pid = jsonCount(object.value("pid"_L1));
    session.command = jsonText(object, {"command"_L1}, 1000);
    const QJsonArray arguments = object.value("args"_L1).toArray();
    for (qsizetype i = 0; i < qMin(arguments.size(), qsizetype(100)); ++i)
        session.arguments.append(tamed(arguments.at(i).toString(), 1000));
    const auto dimension = [&object](QLatin1StringView key) { return int(qMin(jsonCount(object.value(key)), qint64(10'000))); };
    session.size = TerminalSize{dimension("cols"_L1), dimension("rows"_L1)}.clamped();
    session.createdAt = jsonTime(object.value("created_at"_L1));
    session.endedAt = jsonTime(object.value("ended_at"_L1));
    const QJsonValue code = object.value("exit_code"_L1);
    if (code.isDouble() && qAbs(code.toDouble()) <= 2147483647.0)
        session.exitCode = int(code.toDouble());
    session.isAlive = object.value("is_alive"_L1).toBool(!session.endedAt.isValid() && !session.exitCode);
    return session;
}

template <typename T, typename Read>
Result<QList<T>> listFrom(const QByteArray &body, std::initializer_list<QLatin1StringView> names, Read read)
{
    const Result<QJsonObject> root = parseJsonObject(body);
    if (!root)
        return std::unexpected(root.error());
    for (const QLatin1StringView name : names) {
        const QJsonValue list = root->value(name);
        if (!list.isArray())
            continue;
        QList<T> out;
        const QJsonArray items = list.toArray();
        for (qsizetype i = 0; i < qMin(items.size(), maxItems); ++i) {
            if (auto value = read(items.at(i).toObject()))
                out.append(*std::move(value));
        }
        return out;
    }
    return failure(ErrorKind::Protocol, Layer::Provider, u"there is no list in it"_s);
}

template <typename T, typename Read>
Result<T> oneFrom(const QByteArray &body, Read read)
{
    const Result<QJsonObject> root = parseJsonObject(body);
    if (!root)
        return std::unexpected(root.error());
    if (auto value = read(*root))
        return *std::move(value);
    return failure(ErrorKind::Protocol, Layer::Provider, u"the answer has no usable id"_s);
}

struct Refusal
{
    QString code;
    QString message;
};

// Three planes, three forms, and whatever a proxy in between may say.
Refusal refusalFrom(const HttpReply &reply)
{
    if (const auto object = parseJsonObject(reply.body)) {
        const QJsonObject nested = object->value("error"_L1).toObject();
        Refusal refusal;
        refusal.message = jsonText(*object, {"message"_L1, "error"_L1, "detail"_L1});
        if (refusal.message.isEmpty())
            refusal.message = jsonText(nested, {"message"_L1, "detail"_L1});
        refusal.code = jsonText(*object, {"code"_L1}, 64);
        if (refusal.code.isEmpty())
            refusal.code = jsonText(nested, {"code"_L1}, 64);
        return refusal;
    }
    // A page for a browser says nothing that fits into a sentence.
    if (reply.contentType.startsWith("text/html") || reply.body.trimmed().startsWith('<'))
        return {};
    return {{}, tamed(QString::fromUtf8(reply.body.left(2000)))};
}

struct Meaning
{
    ErrorKind kind;
    Layer layer;
};

Meaning meaningOf(int status, const QString &code, TensorlakePlane plane)
{
    using enum ErrorKind;
    if (code == "TOO_MANY_SESSIONS"_L1)
        return {QuotaExceeded, Layer::Provider};
    if (code == "SANDBOX_NOT_RUNNING"_L1)
        return {SandboxNotRunning, Layer::SandboxState};
    if (code == "INVALID_TOKEN"_L1)
        return {AuthRejected, Layer::WebSocket};
    if (status == 400 && plane == TensorlakePlane::Action)
        return {Conflict, Layer::SandboxState};
    switch (status) {
    case 400:
    case 422: return {InvalidInput, Layer::Provider};
    case 401: return {AuthRejected, Layer::Auth};
    case 402: return {QuotaExceeded, Layer::Provider};
    case 403: return {PermissionDenied, Layer::Provider};
    case 404:
        // Inside a sandbox it is a session or a process that is missing, unless the proxy itself
        // says that it does not know the sandbox.
        if (plane == TensorlakePlane::Lifecycle || plane == TensorlakePlane::Action || code == "SANDBOX_NOT_FOUND"_L1)
            return {NotFound, Layer::SandboxState};
        return {NotFound, Layer::Provider};
    case 408: return {Timeout, Layer::Http};
    case 409: return {Conflict, Layer::Provider};
    case 413: return {TooLarge, Layer::Provider};
    case 429: return {RateLimited, Layer::Provider};
    case 501: return {Unsupported, Layer::Provider};
    default: return {status >= 500 ? ServerError : Protocol, Layer::Http};
    }
}

} // namespace

Result<QList<SshKey>> tensorlakeKeys(const QByteArray &body)
{
    return listFrom<SshKey>(body, {"items"_L1, "keys"_L1}, keyFrom);
}

Result<SshKey> tensorlakeKey(const QByteArray &body)
{
    return oneFrom<SshKey>(body, keyFrom);
}

Result<QList<PtySession>> tensorlakePtySessions(const QByteArray &body)
{
    return listFrom<PtySession>(body, {"sessions"_L1}, ptyFrom);
}

Result<PtySession> tensorlakePtySession(const QByteArray &body)
{
    return oneFrom<PtySession>(body, ptyFrom);
}

Result<PtyHandle> tensorlakePtyHandle(const QByteArray &body)
{
    return oneFrom<PtyHandle>(body, [](const QJsonObject &object) -> std::optional<PtyHandle> {
        const QString id = object.value("session_id"_L1).toString();
        QByteArray token = object.value("token"_L1).toString().left(4096).toLatin1();
        if (!TensorlakeRoutes::segment(id) || token.isEmpty())
            return std::nullopt;
        return PtyHandle{id, std::make_shared<Secret>(Secret::taking(token))};
    });
}

Result<TensorlakeProcess> tensorlakeProcess(const QByteArray &body)
{
    const Result<QJsonObject> root = parseJsonObject(body);
    if (!root)
        return std::unexpected(root.error());
    TensorlakeProcess process;
    process.pid = jsonCount(root->value("pid"_L1));
    if (process.pid == 0)
        return failure(ErrorKind::Protocol, Layer::Provider, u"the answer has no process id"_s);
    const QString status = root->value("status"_L1).toString();
    process.isRunning = status == "running"_L1;
    const qint64 signalNumber = jsonCount(root->value("signal"_L1));
    if (status == "oom_killed"_L1 || signalNumber > 0) {
        process.end.kind = ShellEnd::Kind::Signalled;
        process.end.signalName = signalNameOf(signalNumber > 0 ? int(qMin(signalNumber, qint64(64))) : 9);
    } else {
        process.end.kind = ShellEnd::Kind::Exited;
        process.end.exitCode = int(qBound(-255.0, root->value("exit_code"_L1).toDouble(-1), 255.0));
    }
    return process;
}

QString signalNameOf(int number)
{
    static const QHash<int, QString> names{{1, u"HUP"_s},   {2, u"INT"_s},   {3, u"QUIT"_s},  {4, u"ILL"_s},   {5, u"TRAP"_s},  {6, u"ABRT"_s},
                                           {7, u"BUS"_s},   {8, u"FPE"_s},   {9, u"KILL"_s},  {10, u"USR1"_s}, {11, u"SEGV"_s}, {12, u"USR2"_s},
                                           {13, u"PIPE"_s}, {14, u"ALRM"_s}, {15, u"TERM"_s}, {24, u"XCPU"_s}, {25, u"XFSZ"_s}, {31, u"SYS"_s}};
    return names.value(number, QString::number(number));
}

Error tensorlakeError(const HttpReply &reply, TensorlakePlane plane, const QString &subject)
{
    const Refusal refusal = refusalFrom(reply);
    const Meaning meaning = meaningOf(reply.status, refusal.code, plane);
    QStringList parts{u"HTTP %1"_s.arg(reply.status)};
    for (const QString &part : {refusal.code, refusal.message}) {
        if (!part.isEmpty())
            parts.append(part);
    }
    QString detail = parts.join(u": "_s);
    if (reply.retryAfter)
        detail += u"; try again in %1 s"_s.arg(reply.retryAfter->count());
    return {meaning.kind, meaning.layer, tamed(detail), subject};
}

} // namespace Sandpiper
