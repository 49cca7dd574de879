#include "session/providers/tensorlakefiles.h"

#include "session/background.h"
#include "session/json.h"
#include "session/providers/tensorlakeupload.h"

#include <QFutureWatcher>
#include <QJsonArray>
#include <QPromise>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {
namespace {

using Verb = HttpRequest::Verb;
constexpr qint64 readWindow = 1 << 20; // what may wait for consumed()

class Reader : public VendorFileReader
{
public:
    Reader(std::shared_ptr<HttpClient> http, const Result<HttpRequest> &request, const QString &subject)
        : m_http(std::move(http))
        , m_subject(subject)
    {
        if (!request) {
            QMetaObject::invokeMethod(this, [this, error = request.error()] { emit finished(std::unexpected(error)); }, Qt::QueuedConnection);
            return;
        }
        m_call = m_http->send(*request);
        m_call->grant(readWindow);
        connect(m_call, &HttpCall::received, this, &VendorFileReader::received);
        connect(m_call, &HttpCall::finished, this, [this](const Result<HttpReply> &reply) {
            m_call = nullptr;
            emit finished(tensorlakeFileDone(reply, m_subject));
        });
    }
    ~Reader() override
    {
        if (!m_call)
            return;
        m_call->disconnect(this);
        m_call->cancel();
    }
    void consumed(qint64 bytes) override
    {
        // Not from inside of this call, which must not lead to a signal.
        if (m_call && bytes > 0)
            QMetaObject::invokeMethod(m_call, [call = m_call.data(), bytes] { call->grant(bytes); }, Qt::QueuedConnection);
    }

private:
    std::shared_ptr<HttpClient> m_http;
    QString m_subject;
    QPointer<HttpCall> m_call;
};

template <typename T>
using Promise = std::shared_ptr<QPromise<Result<T>>>; // shared by the call's handlers

template <typename T>
void answer(const Promise<T> &promise, Result<T> value)
{
    promise->addResult(std::move(value));
    promise->finish();
}

// Starts the request; the future, when cancelled, ends it.
template <typename T>
HttpCall *ask(HttpClient *http, const Result<HttpRequest> &request, const Promise<T> &promise)
{
    promise->start();
    if (!request) {
        answer<T>(promise, std::unexpected(request.error()));
        return nullptr;
    }
    HttpCall *call = http->send(*request);
    auto *watcher = new QFutureWatcher<Result<T>>(call);
    QObject::connect(watcher, &QFutureWatcherBase::canceled, call, &HttpCall::cancel);
    watcher->setFuture(promise->future());
    return call;
}

std::optional<VendorFileEntry> entryFrom(const QJsonObject &object)
{
    VendorFileEntry entry;
    const QByteArray hex = object.value("name_hex"_L1).toString().toLatin1();
    entry.name = hex.isEmpty() ? object.value("name"_L1).toString().toUtf8() : QByteArray::fromHex(hex);
    if (entry.name.isEmpty())
        return std::nullopt;
    entry.isFolder = object.value("is_dir"_L1).toBool();
    const QJsonValue size = object.value("size"_L1);
    if (size.isDouble() && size.toDouble() >= 0)
        entry.size = jsonCount(size);
    if (const QDateTime time = jsonTime(object.value("modified_at"_L1)); time.isValid())
        entry.modifiedAt = time.toMSecsSinceEpoch();
    return entry;
}

} // namespace

Result<QList<VendorFileEntry>> tensorlakeListing(const QByteArray &body)
{
    const Result<QJsonObject> root = parseJsonObject(body, {8, 4'000'000});
    if (!root)
        return std::unexpected(root.error());
    const QJsonValue entries = root->value("entries"_L1);
    if (!entries.isArray())
        return failure(ErrorKind::Protocol, Layer::Provider, u"there is no list of files in it"_s);
    QList<VendorFileEntry> out;
    for (const QJsonValue &one : entries.toArray()) {
        if (auto entry = entryFrom(one.toObject()))
            out.append(*std::move(entry));
    }
    return out;
}

Done tensorlakeFileDone(const Result<HttpReply> &reply, const QString &sandbox)
{
    if (reply && reply->isSuccess())
        return {};
    Error error = reply ? tensorlakeError(*reply, TensorlakePlane::Proxy, sandbox) : reply.error();
    if (reply && reply->status == 507) {
        error.kind = ErrorKind::QuotaExceeded;
        error.layer = Layer::Provider;
    }
    // A refusal by the sandbox's own daemon is about the file, whose name the caller knows.
    const bool isAboutFile = error.layer == Layer::Provider && !error.detail.contains("SANDBOX"_L1);
    error.subject = isAboutFile ? QString() : sandbox;
    return std::unexpected(error);
}

TensorlakeFiles::TensorlakeFiles(std::shared_ptr<const TensorlakeContext> context, const HttpClient::Options &http, const Sandbox &sandbox,
                                 const Limits &limits)
    : m_context(std::move(context))
    , m_http(std::make_shared<HttpClient>(http))
    , m_sandbox(sandbox)
    , m_limits(limits)
{
}

TensorlakeFiles::TensorlakeFiles(std::shared_ptr<const TensorlakeContext> context, const HttpClient::Options &http, const Sandbox &sandbox)
    : TensorlakeFiles(std::move(context), http, sandbox, Limits())
{
}

TensorlakeFiles::~TensorlakeFiles() = default;

QList<QByteArray> TensorlakeFiles::startFolders() const
{
    return {"/workspace"_ba, "/"_ba};
}

Result<HttpRequest> TensorlakeFiles::request(HttpRequest::Verb verb, const QString &what, const QByteArray &path) const
{
    if (Done usable = m_context->routes.usable(); !usable)
        return std::unexpected(usable.error());
    // Refused there too; but a name that a server told must not be what decides it.
    if (path.isEmpty() || path.contains('\0') || path.split('/').contains(".."))
        return failure(ErrorKind::InvalidInput, Layer::Provider, u"PATH_TRAVERSAL: a path without \"..\" is needed"_s);
    Result<HttpRequest> request = m_context->routes.inside(m_sandbox, verb, u"/api/v1/files"_s + what);
    if (!request)
        return request;
    // All but the unreserved characters, a "+" above all, which a form takes for a space.
    request->url.setQuery(u"path="_s + QString::fromLatin1(path.toPercentEncoding("/")), QUrl::StrictMode);
    request->subject = m_sandbox.displayName();
    request->idleTime = m_limits.silence;
    return request;
}

QFuture<Result<QList<VendorFileEntry>>> TensorlakeFiles::list(const QByteArray &path)
{
    using Entries = QList<VendorFileEntry>;
    auto promise = std::make_shared<QPromise<Result<Entries>>>();
    Result<HttpRequest> wanted = request(Verb::Get, u"/list"_s, path);
    if (wanted)
        wanted->maxBytes = m_limits.listBytes;
    HttpCall *call = ask<Entries>(m_http.get(), wanted, promise);
    if (!call)
        return promise->future();
    const QString subject = m_sandbox.displayName();
    connect(call, &HttpCall::finished, call, [promise, subject](const Result<HttpReply> &reply) {
        if (const Done done = tensorlakeFileDone(reply, subject); !done)
            return answer<Entries>(promise, std::unexpected(done.error()));
        QThreadPool::globalInstance()->start([promise, subject, body = reply->body] {
            Result<Entries> entries = tensorlakeListing(body);
            if (!entries)
                entries.error().subject = subject;
            answer<Entries>(promise, std::move(entries));
        });
    });
    return promise->future();
}

std::unique_ptr<VendorFileReader> TensorlakeFiles::read(const QByteArray &path)
{
    Result<HttpRequest> wanted = request(Verb::Get, {}, path);
    if (wanted) {
        wanted->delivery = HttpRequest::Delivery::Streamed;
        wanted->connection = HttpRequest::Connection::Fresh;
        for (auto &[name, value] : wanted->headers) {
            if (name == "Accept")
                value = "application/octet-stream"_ba;
        }
    }
    return std::make_unique<Reader>(m_http, wanted, m_sandbox.displayName());
}

std::unique_ptr<VendorFileWriter> TensorlakeFiles::write(const QByteArray &path, std::optional<qint64> size)
{
    Result<HttpRequest> wanted = request(Verb::Put, {}, path);
    if (wanted) {
        wanted->contentType = "application/octet-stream"_ba;
        wanted->connection = HttpRequest::Connection::Fresh;
        wanted->totalTime = 0ms; // the upload keeps its own time
        wanted->idleTime = 0ms;
    }
    return std::make_unique<TensorlakeUpload>(m_http, wanted, m_sandbox.displayName(), size, TensorlakeUpload::Patience{m_limits.silence, m_limits.landing});
}

QFuture<Done> TensorlakeFiles::remove(const QByteArray &path)
{
    auto promise = std::make_shared<QPromise<Done>>();
    if (HttpCall *call = ask<void>(m_http.get(), request(Verb::Delete, {}, path), promise)) {
        connect(call, &HttpCall::finished, call, [promise, subject = m_sandbox.displayName()](const Result<HttpReply> &reply) {
            answer<void>(promise, tensorlakeFileDone(reply, subject));
        });
    }
    return promise->future();
}

} // namespace Sandpiper
