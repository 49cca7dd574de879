#include "gateway/fileapi.h"

#include "gateway/filedownload.h"
#include "gateway/fileupload.h"
#include "gateway/sandboxinit/wire.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr int runningLimit = 64; // of one sandbox; each is a process there
constexpr qsizetype pathLimit = 4096;

std::optional<HttpResponse> refusedPath(const std::optional<QByteArray> &path)
{
    if (!path || path->isEmpty() || path->contains('\0') || path->size() >= pathLimit)
        return HttpResponse::proxyError(400, u"INVALID_REQUEST"_s, u"\"path\" must be a path of at most 4,095 bytes."_s);
    if (path->split('/').contains(".."))
        return HttpResponse::proxyError(403, u"PATH_TRAVERSAL"_s, u"Path traversal detected: \"..\" is not allowed."_s);
    return std::nullopt;
}

} // namespace

HttpResponse fileAnswer(const QByteArray &said)
{
    const auto refused = [&](int status, const QString &code, const QString &message) { return HttpResponse::proxyError(status, code, message); };
    using enum Wire::FileStatus;
    const QString detail = tamed(QString::fromUtf8(said.mid(1)));
    if (said.isEmpty())
        return refused(500, u"FILE_FAILED"_s, u"The sandbox ended the work on the file."_s);
    switch (static_cast<Wire::FileStatus>(said.front())) {
    case Good: return HttpResponse::empty(204);
    case NotFound: return refused(404, u"NOT_FOUND"_s, u"There is no such file or folder."_s);
    case IsFolder: return refused(400, u"IS_DIRECTORY"_s, u"The path is a directory, not a file."_s);
    case NotAFolder: return refused(400, u"NOT_A_DIRECTORY"_s, u"The path is not a directory, or leads through a file."_s);
    case NotAFile: return refused(400, u"NOT_A_FILE"_s, u"The path is a device, a pipe or a socket."_s);
    case Denied: return refused(403, u"PERMISSION_DENIED"_s, u"The sandbox's user may not do that (%1)."_s.arg(detail));
    case NoSpace: return refused(507, u"NO_SPACE"_s, u"There is no space left for the file (%1)."_s.arg(detail));
    case BadPath: return refused(400, u"INVALID_REQUEST"_s, u"The path cannot be followed (%1)."_s.arg(detail));
    case Failed: break;
    }
    return refused(500, u"FILE_FAILED"_s, detail);
}

FileApi::FileApi(WorkerPool *pool, QObject *parent)
    : QObject(parent)
    , m_pool(pool)
{
}

void FileApi::read(HttpExchange *exchange, const LocalSandbox &sandbox)
{
    begin(exchange, sandbox, SpawnSpec::FileWork::Read);
}

void FileApi::write(HttpExchange *exchange, const LocalSandbox &sandbox)
{
    begin(exchange, sandbox, SpawnSpec::FileWork::Write);
}

void FileApi::remove(HttpExchange *exchange, const LocalSandbox &sandbox)
{
    begin(exchange, sandbox, SpawnSpec::FileWork::Remove);
}

void FileApi::list(HttpExchange *exchange, const LocalSandbox &sandbox)
{
    begin(exchange, sandbox, SpawnSpec::FileWork::List);
}

void FileApi::begin(HttpExchange *exchange, const LocalSandbox &sandbox, SpawnSpec::FileWork work)
{
    const std::optional<QByteArray> path = exchange->request().queryBytes("path");
    if (const auto refused = refusedPath(path)) {
        exchange->respond(*refused);
        return;
    }
    if (m_running.value(sandbox.id) >= runningLimit) {
        exchange->respond(HttpResponse::proxyError(429, u"TOO_MANY_REQUESTS"_s, u"%1 files of this sandbox are under way already."_s.arg(runningLimit)));
        return;
    }
    ++m_running[sandbox.id];
    const auto ended = [this, id = sandbox.id] {
        if (--m_running[id] <= 0)
            m_running.remove(id);
    };
    SpawnSpec spec;
    spec.fileWork = work;
    spec.filePath = *path;
    m_pool->run(
            this, [agent = sandbox.agent, spec] { return agent.spawn(spec); },
            [this, work, ended, guard = QPointer<HttpExchange>(exchange)](Result<SandboxProcess> process) {
                if (!guard || !process) {
                    ended();
                    if (!guard)
                        return;
                    const bool notRunning = process.error().kind == ErrorKind::SandboxNotRunning;
                    guard->respond(HttpResponse::proxyError(notRunning ? 503 : 500, notRunning ? u"SANDBOX_NOT_RUNNING"_s : u"FILE_FAILED"_s,
                                                            tamed(process.error().detail)));
                    return;
                }
                QObject *job = nullptr;
                if (work == SpawnSpec::FileWork::Write)
                    job = new FileUpload(guard, std::move(*process), this);
                else
                    job = new FileDownload(guard, std::move(*process), work, this);
                connect(job, &QObject::destroyed, this, ended);
            });
}

} // namespace Sandpiper
