// Its life: tasks, states, the watch over the copy. The steps of the tasks are in editsteps.cpp.
#include "sftp/editsession.h"

#include "session/background.h"
#include "session/paths.h"
#include "sftp/localdisk.h"

#include <QFile>
#include <QLoggingCategory>

namespace Sandpiper {
namespace {

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

Q_LOGGING_CATEGORY(lcEdit, "sandpiper.sftp.edit", QtInfoMsg)

constexpr auto kSettle = 300ms;
constexpr auto kRetry = 5s;
constexpr quint64 kMostCompared = 2 << 20;

// A connection that comes back mends these.
bool isPassing(ErrorKind kind)
{
    switch (kind) {
    case ErrorKind::ConnectionLost:
    case ErrorKind::Timeout:
    case ErrorKind::Cancelled: // the file system went
    case ErrorKind::RateLimited:
    case ErrorKind::HostUnreachable:
    case ErrorKind::SandboxNotRunning: return true;
    default: return false;
    }
}

} // namespace

EditSession::EditSession(const EditRecord &record, const QString &root, QObject *parent)
    : QObject(parent)
    , m_record(record)
    , m_root(root)
    , m_disk(QString())
{
    m_settle.setSingleShot(true);
    m_retry.setSingleShot(true);
    setPace(kSettle, kRetry);
    connect(&m_settle, &QTimer::timeout, this, &EditSession::lookAgain);
    connect(&m_retry, &QTimer::timeout, this, &EditSession::filesWanted);
    connect(&m_watch, &FolderWatch::changed, this, &EditSession::look);
}

EditSession::~EditSession()
{
    endCompares(failure(ErrorKind::Cancelled, Layer::LocalDisk));
}

void EditSession::setPace(std::chrono::milliseconds settle, std::chrono::milliseconds retry)
{
    m_settle.setInterval(settle);
    m_retry.setInterval(retry);
}

QString EditSession::localFile() const
{
    return m_root + u'/' + m_record.id + u'/' + m_record.localName;
}

FilePath EditSession::localPath(const QByteArray &name) const
{
    const QByteArray folder = QFile::encodeName(m_root + u'/' + m_record.id);
    return FilePath::fromBytes(folder + '/' + name).value_or(FilePath());
}

FilePath EditSession::localPath() const
{
    return localPath(QFile::encodeName(m_record.localName));
}

void EditSession::start()
{
    if (!m_record.isFetched)
        return begin(Task::Fetch);
    m_watch.watch(&m_disk, localPath().parent());
    m_status.state = EditState::Waiting; // until the look has been
    look();
}

void EditSession::setState(EditState state, const std::optional<Error> &error)
{
    EditStatus status;
    status.state = state;
    status.error = error;
    status.isGoneThere = state == EditState::Conflict && m_theirs.isGone;
    if (state == EditState::AsksSize && m_current)
        status.size = m_current->size;
    if (std::exchange(m_status, status) == status)
        return;
    if (error)
        qCInfo(lcEdit).noquote() << m_record.path.shown() << "·" << int(state) << describe(*error);
    emit changed();
}

void EditSession::writeJournal(std::function<void()> then)
{
    const QString file = m_root + u'/' + m_record.id + u".json"_s;
    inBackground(diskPool(), this, [file, json = m_record.toJson()] { return writePrivateFile(file, json); }, [this, then = std::move(then), of = m_turn](const Done &done) {
        if (!done)
            qCWarning(lcEdit).noquote() << "not remembered:" << describe(done.error());
        if (of == m_turn)
            then();
    });
}

// Tasks -----------------------------------------------------------------------------------------

bool EditSession::wantsFiles() const
{
    const bool isAsking = m_isRefused || m_status.state == EditState::AsksSize;
    return m_isBusy || !m_compares.isEmpty() || (m_task != Task::None && !isAsking);
}

void EditSession::setFiles(FileSystem *files)
{
    if (files == m_files)
        return proceed();
    dropStep();
    m_files = files;
    if (files) {
        m_trouble.reset();
        m_retry.stop();
    }
    proceed();
}

void EditSession::setTrouble(const std::optional<Error> &why, Trouble trouble)
{
    dropStep();
    m_files = nullptr;
    m_trouble = why;
    if (trouble == Trouble::Final) {
        m_retry.stop();
        endCompares(failure(why ? why->kind : ErrorKind::ConnectionLost, why ? why->layer : Layer::Sftp, why ? why->detail : QString(), why ? why->subject : QString()));
    }
    if (m_task == Task::None || m_isRefused || m_status.state == EditState::AsksSize)
        return;
    setState(trouble == Trouble::Final ? EditState::Failed : EditState::Waiting, why);
}

// A step belongs to the file system that it was begun with.
void EditSession::dropStep()
{
    ++m_turn;
    m_isBusy = false;
    for (std::unique_ptr<FilePipe> *pipe : {&m_pipe, &m_comparing}) {
        if (FilePipe *speaks = pipe->release()) {
            speaks->disconnect(this);
            speaks->deleteLater();
        }
    }
}

void EditSession::begin(Task task)
{
    m_task = task;
    m_isRefused = false;
    m_number = 1;
    proceed();
}

void EditSession::proceed()
{
    const bool waitsForUser = m_isRefused || (m_status.state == EditState::AsksSize && !m_isLargeAllowed);
    if (!m_isBusy && m_task != Task::None && !waitsForUser) {
        if (!m_files || !m_files->isReady()) {
            setState(EditState::Waiting, m_trouble);
            emit filesWanted();
            return;
        }
        ++m_turn;
        m_isBusy = true;
        switch (m_task) {
        case Task::None: break;
        case Task::Fetch:
        case Task::TakeTheirs:
            setState(EditState::Fetching);
            resolve();
            break;
        case Task::Send:
        case Task::SendBeside:
            setState(EditState::Sending);
            measure();
            break;
        }
    }
    compareNext();
}

// Lost on the way, the step is taken again and finds that all is done.
void EditSession::finish()
{
    writeJournal([this] { finished(); });
}

void EditSession::finished()
{
    const bool isFirst = std::exchange(m_task, Task::None) == Task::Fetch;
    m_isBusy = false;
    setState(EditState::Same);
    if (isFirst)
        emit fetched();
    if (m_isDirty)
        look();
    compareNext();
}

void EditSession::stepFailed(const Error &error)
{
    dropStep();
    if (isPassing(error.kind)) {
        if (error.kind != ErrorKind::Cancelled)
            m_trouble = error;
        m_files = nullptr; // until somebody says that it works again
        setState(EditState::Waiting, m_trouble);
        m_retry.start();
    } else {
        m_isRefused = true;
        setState(EditState::Failed, error);
        if (m_isDirty)
            look();
        compareNext();
    }
}

void EditSession::fetchAnyway()
{
    if (m_status.state != EditState::AsksSize)
        return;
    m_isLargeAllowed = true;
    proceed();
}

void EditSession::sendNow()
{
    if (m_isBusy || m_status.state == EditState::Conflict || m_status.state == EditState::AsksSize)
        return;
    if (m_task == Task::None)
        return look();
    m_isRefused = false;
    proceed();
}

void EditSession::overwrite()
{
    if (m_status.state != EditState::Conflict)
        return;
    m_record.base = m_theirs; // what is there now is what may be replaced
    begin(Task::Send);
}

void EditSession::keepBoth()
{
    if (m_status.state == EditState::Conflict)
        begin(Task::SendBeside);
}

void EditSession::takeTheirs()
{
    if (m_status.state == EditState::Conflict && !m_status.isGoneThere)
        begin(Task::TakeTheirs);
}

// The copy here -----------------------------------------------------------------------------------

// Whoever saves may take a while, and may do it by a rename: it is looked at until it holds still.
void EditSession::look()
{
    if (!m_record.isFetched)
        return;
    if (m_isBusy || m_isLooking) {
        m_isDirty = true;
        return;
    }
    m_isDirty = false;
    m_isLooking = true;
    m_seen.reset();
    lookAgain();
}

void EditSession::lookAgain()
{
    m_disk.stat(localPath(), LinkPolicy::NoFollow).then(this, [this](const Result<FileAttributes> &found) {
        if (!found)
            return looked(std::unexpected(found.error()));
        if (std::exchange(m_seen, *found) != *found)
            return m_settle.start();
        inBackground(diskPool(), this, [path = localPath()] { return digestOf(path); }, [this](const Result<LocalDigest> &mine) { looked(mine); });
    });
}

void EditSession::looked(const Result<LocalDigest> &mine)
{
    m_isLooking = false;
    if (m_isBusy) {
        m_isDirty = true;
        return;
    }
    if (!mine) {
        // Between two names of a save it is not there for a moment; what follows is told as well.
        if (mine.error().kind != ErrorKind::NotFound || m_status.state == EditState::Same)
            setState(EditState::Failed, mine.error());
    } else if (m_status.state != EditState::Conflict) {
        const bool isSame = mine->sha256 == m_record.base.sha256 && !m_record.base.isGone;
        if (m_task == Task::SendBeside && !m_isRefused) {
            proceed();
        } else if (!isSame) {
            begin(Task::Send);
        } else if (m_task == Task::None || m_task == Task::Send) {
            m_task = Task::None;
            setState(EditState::Same);
        }
    }
    if (m_isDirty)
        look();
}

// Both beside each other ---------------------------------------------------------------------------

QFuture<Result<EditDifference>> EditSession::compare()
{
    auto promise = std::make_shared<QPromise<Result<EditDifference>>>(); // of this list; see there
    promise->start();
    m_compares.append(promise);
    QMetaObject::invokeMethod(this, &EditSession::compareNext, Qt::QueuedConnection);
    return promise->future();
}

void EditSession::compareNext()
{
    if (m_compares.isEmpty() || m_comparing || m_isBusy)
        return;
    if (!m_files || !m_files->isReady()) {
        emit filesWanted();
        return;
    }
    FilePipeWish wish;
    wish.read.path = m_record.path;
    wish.most = kMostCompared;
    wish.keeps = true;
    m_comparing = std::make_unique<FilePipe>(m_files, nullptr, wish);
    connect(m_comparing.get(), &FilePipe::finished, this, [this](const Result<FilePipeEnd> &end) {
        m_comparing.release()->deleteLater(); // it is what speaks
        EditDifference difference;
        difference.isGoneThere = !end && end.error().kind == ErrorKind::NotFound;
        if (!end && !difference.isGoneThere)
            return endCompares(std::unexpected(end.error()));
        if (end)
            difference.theirs = end->content;
        inBackground(diskPool(), this, [file = localFile()] { return readFile(file, qint64(kMostCompared)); }, [this, difference](const Result<QByteArray> &mine) {
            if (!mine)
                return endCompares(std::unexpected(mine.error()));
            endCompares(EditDifference{difference.theirs, *mine, difference.isGoneThere});
        });
    });
}

void EditSession::endCompares(const Result<EditDifference> &difference)
{
    for (const auto &promise : std::exchange(m_compares, {})) {
        promise->addResult(difference);
        promise->finish();
    }
}

} // namespace Sandpiper
