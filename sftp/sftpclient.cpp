#include "sftp/sftpclient.h"

#include "session/sshchannel.h"
#include "session/sshlink.h"
#include "sftp/sftpengine.h"

#include <QDeadlineTimer>
#include <QPromise>
#include <QSet>

#include <algorithm>
#include <utility>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {
namespace {

constexpr qsizetype kMostCalls = 256; // with the server at once
constexpr qsizetype kMostComplaints = 2000;
// Of the GUI thread at once: what came with a large folder, or of many small files, would hold it up for longer.
constexpr auto kSliceOfEvents = 2ms;

} // namespace

// A question and whoever waits for its answer.
class SftpClient::Call
{
public:
    explicit Call(SftpOperation wish)
        : operation(std::move(wish))
    {
    }
    virtual ~Call() = default;
    Call(const Call &) = delete;
    Call &operator=(const Call &) = delete;
    [[nodiscard]] virtual bool isCancelled() const = 0;
    [[nodiscard]] virtual std::function<bool()> cancellation() const = 0; // the same, for any thread
    virtual void answer(const Result<SftpValue> &value) = 0;

    SftpOperation operation;
};

template <typename Answer>
class SftpClient::TypedCall : public Call
{
public:
    explicit TypedCall(SftpOperation wish)
        : Call(std::move(wish))
    {
        m_promise.start();
    }
    [[nodiscard]] QFuture<Answer> future() const { return m_promise.future(); }
    [[nodiscard]] bool isCancelled() const override { return m_promise.isCanceled(); }
    [[nodiscard]] std::function<bool()> cancellation() const override
    {
        return [future = m_promise.future()] { return future.isCanceled(); };
    }
    void answer(const Result<SftpValue> &value) override
    {
        if (!value) {
            m_promise.addResult(Answer(std::unexpected(value.error())));
        } else if constexpr (std::is_void_v<typename Answer::value_type>) {
            m_promise.addResult(Answer());
        } else {
            m_promise.addResult(Answer(std::get<typename Answer::value_type>(*value)));
        }
        m_promise.finish();
    }

private:
    QPromise<Answer> m_promise;
};

SftpClient::SftpClient(SshLink *link, const SftpPatience &patience, QObject *parent, std::shared_ptr<BulkWindow> window)
    : QObject(parent)
    , m_mail(std::make_shared<SftpMail>())
{
    m_rest.setSingleShot(true);
    connect(&m_rest, &QTimer::timeout, this, [this] { takeEvents(Take::Slice); });
    m_channel = link->openSubsystem(u"sftp"_s, std::make_shared<SftpEngine>(m_mail, patience, std::move(window)));
    connect(m_channel.get(), &SshChannel::ended, this, &SftpClient::channelEnded);
    connect(m_channel.get(), &SshChannel::received, this, [this](SshStream, const QByteArray &bytes) {
        m_complaints = (m_complaints + bytes).right(kMostComplaints);
        m_channel->consumed(bytes.size());
    });
    if (!m_mail->commands.isUsable() || !m_mail->events.isUsable()) {
        QMetaObject::invokeMethod(this, [this] { endWith({ErrorKind::Io, Layer::Sftp, u"no file descriptors are left"_s, {}}); }, Qt::QueuedConnection);
        return;
    }
    m_bell = std::make_unique<QSocketNotifier>(m_mail->events.descriptor(), QSocketNotifier::Read);
    connect(m_bell.get(), &QSocketNotifier::activated, this, [this] { takeEvents(Take::Slice); });
}

SftpClient::~SftpClient()
{
    m_channel.reset();
    const Error gone{ErrorKind::Cancelled, Layer::Sftp, {}, {}};
    m_end = gone;
    for (const std::shared_ptr<Call> &call : std::exchange(m_calls, {}))
        call->answer(std::unexpected(gone));
    for (const auto &call : std::exchange(m_waiting, {}))
        call->answer(std::unexpected(gone));
    // From the event loop, as streams end.
    for (const QPointer<SftpStream> &stream : std::exchange(m_streams, {})) {
        if (stream)
            QMetaObject::invokeMethod(stream, [stream = stream.data(), gone] { stream->conclude(std::unexpected(gone)); }, Qt::QueuedConnection);
    }
    const auto files = std::exchange(m_files, {});
    for (SftpFileTransfers *one : QSet<SftpFileTransfers *>(files.cbegin(), files.cend()))
        QMetaObject::invokeMethod(one, [one, gone] { one->concludeAll(gone); }, Qt::QueuedConnection);
}

void SftpClient::send(SftpCommand command)
{
    if (m_end)
        return;
    m_mail->commands.put(std::move(command));
    m_channel->wake();
}

template <typename Answer>
QFuture<Answer> SftpClient::run(SftpOperation operation)
{
    auto call = std::make_unique<TypedCall<Answer>>(std::move(operation));
    QFuture<Answer> future = call->future();
    if (m_end) {
        call->answer(std::unexpected(*m_end));
        return future;
    }
    m_waiting.push_back(std::move(call));
    startWaiting();
    return future;
}

void SftpClient::startWaiting()
{
    while (!m_waiting.empty() && m_calls.size() < kMostCalls && !m_end) {
        std::shared_ptr<Call> call = std::move(m_waiting.front());
        m_waiting.pop_front();
        if (call->isCancelled())
            continue;
        const int id = ++m_lastId;
        send(ToSftp::Run{id, std::move(call->operation), call->cancellation()});
        m_calls.insert(id, std::move(call));
    }
}

int SftpClient::add(SftpStream *stream)
{
    const int id = ++m_lastId;
    if (m_end)
        QMetaObject::invokeMethod(stream, [stream, end = *m_end] { stream->conclude(std::unexpected(end)); }, Qt::QueuedConnection);
    else
        m_streams.insert(id, stream);
    return id;
}

int SftpClient::add(SftpFileTransfers *files)
{
    const int id = ++m_lastId;
    if (m_end)
        QMetaObject::invokeMethod(files, [files, end = *m_end] { files->concludeAll(end); }, Qt::QueuedConnection);
    else
        m_files.insert(id, files);
    return id;
}

void SftpClient::forget(int stream)
{
    if (m_streams.remove(stream) > 0)
        send(ToSftp::Cancel{stream});
}

void SftpClient::forget(const QList<int> &files)
{
    for (const int id : files) {
        if (m_files.remove(id) > 0)
            send(ToSftp::Cancel{id});
    }
}

void SftpClient::takeEvents(Take how)
{
    const QPointer<SftpClient> self(this);
    const QDeadlineTimer slice(how == Take::All ? QDeadlineTimer(QDeadlineTimer::Forever) : QDeadlineTimer(kSliceOfEvents));
    std::ranges::move(m_mail->events.takeAll(), std::back_inserter(m_events));
    while (!m_events.empty()) {
        SftpEvent event = std::move(m_events.front());
        m_events.pop_front();
        handle(event);
        if (!self) // whoever heard of it has deleted us
            return;
        if (slice.hasExpired() && !m_events.empty()) {
            m_rest.start(0ms);
            break;
        }
    }
    tellFileEnds();
    if (self)
        startWaiting();
}

void SftpClient::tellFileEnds()
{
    for (const QPointer<SftpFileTransfers> &files : std::exchange(m_haveEnds, {})) {
        if (files)
            files->tell();
    }
}

void SftpClient::handle(SftpEvent &event)
{
    std::visit(Overloaded{
                       [&](const FromSftp::Known &news) {
                           m_server = news.server;
                           if (!std::exchange(m_isReady, true))
                               emit ready();
                       },
                       [&](const FromSftp::Broken &news) { endWith(news.error); },
                       [&](const FromSftp::Ended &news) {
                           if (const std::shared_ptr<Call> call = m_calls.take(news.id))
                               call->answer(news.value);
                           else if (const QPointer<SftpStream> stream = m_streams.take(news.id))
                               stream->handle(event);
                           else if (SftpFileTransfers *files = m_files.take(news.id)) {
                               files->conclude(news.id, news.value);
                               if (!m_haveEnds.contains(files))
                                   m_haveEnds.append(files);
                           }
                       },
                       [&](const auto &news) {
                           if (const QPointer<SftpStream> stream = m_streams.value(news.id))
                               stream->handle(event);
                           else if (SftpFileTransfers *files = m_files.value(news.id))
                               files->handle(news.id, event);
                       },
               },
               event);
}

void SftpClient::channelEnded(const ShellEnd &end)
{
    const QPointer<SftpClient> self(this);
    takeEvents(Take::All); // what was answered before
    if (!self || m_end)
        return;
    const QString complaints = tamed(QString::fromUtf8(m_complaints), 300);
    const QString words = complaints.isEmpty() ? QString() : u": "_s + complaints;
    Error error = end.error;
    switch (end.kind) {
    case ShellEnd::Kind::Killed: error = {ErrorKind::Cancelled, Layer::Sftp, {}, {}}; break;
    case ShellEnd::Kind::Exited:
    case ShellEnd::Kind::Signalled: {
        const QString how = end.kind == ShellEnd::Kind::Exited ? u"with status %1"_s.arg(end.exitCode) : u"by signal %1"_s.arg(end.signalName);
        error = {m_isReady ? ErrorKind::ConnectionLost : ErrorKind::Unsupported, Layer::Sftp, u"the SFTP server there ended %1"_s.arg(how) + words, {}};
        break;
    }
    case ShellEnd::Kind::Failed:
        // The channel, not the link.
        if (error.kind == ErrorKind::ServerError)
            error = {ErrorKind::Unsupported, Layer::Sftp, u"the server does not offer SFTP: "_s + error.detail, error.subject};
        break;
    case ShellEnd::Kind::Lost: break;
    }
    endWith(error);
}

void SftpClient::endWith(const Error &error)
{
    if (m_end)
        return;
    m_end = error;
    m_isReady = false;
    m_bell.reset();
    // Not from here: this may be its own signal.
    if (m_channel) {
        m_channel->disconnect(this);
        m_channel.release()->deleteLater();
    }
    const QPointer<SftpClient> self(this);
    const auto calls = std::exchange(m_calls, {});
    const auto waiting = std::exchange(m_waiting, {});
    const auto streams = std::exchange(m_streams, {});
    const auto underWay = std::exchange(m_files, {});
    QList<QPointer<SftpFileTransfers>> files;
    for (SftpFileTransfers *one : QSet<SftpFileTransfers *>(underWay.cbegin(), underWay.cend()))
        files.append(one);
    for (const std::shared_ptr<Call> &call : calls)
        call->answer(std::unexpected(error));
    for (const auto &call : waiting)
        call->answer(std::unexpected(error));
    for (const QPointer<SftpStream> &stream : streams) {
        if (stream)
            stream->conclude(std::unexpected(error));
    }
    for (const QPointer<SftpFileTransfers> &one : std::as_const(files)) {
        if (one)
            one->concludeAll(error);
    }
    if (self)
        tellFileEnds();
    if (self)
        emit ended(error);
}

QFuture<Result<FileAttributes>> SftpClient::stat(const FilePath &path, LinkPolicy links)
{
    return run<Result<FileAttributes>>(SftpDo::Stat{path, links});
}

QFuture<Done> SftpClient::setAttributes(const FilePath &path, const FileAttributes &attributes, LinkPolicy links)
{
    return run<Done>(SftpDo::Set{path, attributes, links});
}

QFuture<Done> SftpClient::makeFolder(const FilePath &path, std::optional<quint32> mode)
{
    return run<Done>(SftpDo::MakeFolder{path, mode});
}

QFuture<Done> SftpClient::removeFile(const FilePath &path)
{
    return run<Done>(SftpDo::RemoveFile{path});
}

QFuture<Done> SftpClient::removeFolder(const FilePath &path)
{
    return run<Done>(SftpDo::RemoveFolder{path});
}

QFuture<Done> SftpClient::rename(const FilePath &from, const FilePath &to, RenamePolicy policy)
{
    return run<Done>(SftpDo::Rename{from, to, policy});
}

QFuture<Result<FilePath>> SftpClient::realPath(const FilePath &path)
{
    return run<Result<FilePath>>(SftpDo::RealPath{path});
}

QFuture<Result<FilePath>> SftpClient::expandPath(const FilePath &path)
{
    return run<Result<FilePath>>(SftpDo::ExpandPath{path});
}

QFuture<Result<FilePath>> SftpClient::homeFolder(const QByteArray &user)
{
    return run<Result<FilePath>>(SftpDo::HomeFolder{user});
}

QFuture<Result<FilePath>> SftpClient::readLink(const FilePath &path)
{
    return run<Result<FilePath>>(SftpDo::ReadLink{path});
}

QFuture<Done> SftpClient::makeSymlink(const FilePath &target, const FilePath &link)
{
    return run<Done>(SftpDo::Symlink{target, link});
}

QFuture<Done> SftpClient::makeHardlink(const FilePath &existing, const FilePath &link)
{
    return run<Done>(SftpDo::Hardlink{existing, link});
}

QFuture<Result<FileSystemSpace>> SftpClient::space(const FilePath &path)
{
    return run<Result<FileSystemSpace>>(SftpDo::Space{path});
}

QFuture<Done> SftpClient::sync(const FilePath &path)
{
    return run<Done>(SftpDo::Sync{path});
}

QFuture<Done> SftpClient::copyFile(const FilePath &from, const FilePath &to)
{
    return run<Done>(SftpDo::Copy{from, to});
}

QFuture<Result<OwnerNames>> SftpClient::ownerNames(const QList<quint32> &users, const QList<quint32> &groups)
{
    return run<Result<OwnerNames>>(SftpDo::OwnerNames{users, groups});
}

std::unique_ptr<SftpListing> SftpClient::list(const FilePath &path)
{
    return std::make_unique<SftpListing>(this, path);
}

std::unique_ptr<SftpReader> SftpClient::read(const FileReadWish &wish)
{
    return std::make_unique<SftpReader>(this, wish);
}

std::unique_ptr<SftpWriter> SftpClient::write(const FileWriteWish &wish)
{
    return std::make_unique<SftpWriter>(this, wish);
}

std::unique_ptr<SftpFileTransfers> SftpClient::transferFiles()
{
    return std::make_unique<SftpFileTransfers>(this);
}

} // namespace Sandpiper
