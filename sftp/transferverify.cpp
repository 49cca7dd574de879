#include "sftp/transferverify.h"

#include "session/background.h"
#include "session/sshlink.h"
#include "sftp/localdisk.h"
#include "sftp/sha256.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {
namespace {

constexpr qsizetype kFilesOfCommand = 500; // files that one command is told of
constexpr size_t kMostReadings = 8;
constexpr qsizetype kMostHere = 64; // files that a thread of the pool reads in one go
constexpr quint64 kMostBytesHere = 256 << 20;
// With a command: what is started there in its place, by the server's wish, need not know of any end.
constexpr auto kPatience = 60s;
constexpr quint64 kSlowest = 10 << 20; // bytes of files in a second
constexpr qsizetype kMostOfLine = 2 * FilePath::mostBytes + 100;

Result<QByteArray> hashOf(const TransferVerify::File &file, quint64 &read, const std::atomic_bool &isStopped)
{
    const auto failed = [&file](int number) { return std::unexpected(localError(number, file.tree->shown(file.local))); };
    const Result<LocalTree::Folder> folder = file.tree->folder(file.local.parent(), LocalTree::Missing::Fail);
    if (!folder)
        return std::unexpected(folder.error());
    const FileDescriptor fd(::openat((*folder)->get(), file.local.name().constData(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat status;
    if (!fd.isValid() || ::fstat(fd.get(), &status) != 0)
        return failed(errno);
    if (!S_ISREG(status.st_mode))
        return failure(ErrorKind::InvalidInput, Layer::LocalDisk, u"this is no plain file"_s, file.tree->shown(file.local));
    Sha256 sum;
    QByteArray piece(1 << 20, Qt::Uninitialized);
    for (;;) {
        const ssize_t got = ::read(fd.get(), piece.data(), size_t(piece.size()));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failed(errno);
        if (isStopped)
            return failure(ErrorKind::Cancelled, Layer::LocalDisk);
        if (got == 0)
            return sum.result();
        sum.add(QByteArrayView(piece).first(got));
        read += quint64(got);
    }
}

// A line of sha256sum: where a name has a backslash or a line's end in it, one stands in front and before each.
std::optional<std::pair<QByteArray, FilePath>> readLine(QByteArrayView line)
{
    const bool isEscaped = line.startsWith('\\');
    if (isEscaped)
        line = line.sliced(1);
    constexpr qsizetype digits = 64;
    const QByteArray hash = QByteArray::fromHex(line.first(std::min(digits, line.size())).toByteArray());
    if (hash.size() != 32 || line.size() < digits + 3 || line[digits] != ' ')
        return std::nullopt;
    QByteArray name = line.sliced(digits + 2).toByteArray();
    if (isEscaped) {
        QByteArray plain;
        for (qsizetype i = 0; i < name.size(); ++i) {
            const bool isMark = name[i] == '\\' && i + 1 < name.size();
            const char next = isMark ? name[++i] : name[i];
            plain += !isMark ? next : next == 'n' ? '\n' : next == 'r' ? '\r' : next;
        }
        name = plain;
    }
    const Result<FilePath> path = FilePath::fromBytes(name);
    return path ? std::optional(std::pair(hash, *path)) : std::nullopt;
}

} // namespace

TransferVerify::TransferVerify(QList<File> files, Services services, QObject *parent)
    : QObject(parent)
    , m_files(std::move(files))
    , m_services(std::move(services))
{
    m_patience.setSingleShot(true);
    connect(&m_patience, &QTimer::timeout, this, [this] { commandEnded(false); });
}

TransferVerify::~TransferVerify()
{
    *m_isStopped = true;
}

void TransferVerify::goOn()
{
    if (m_isFinished)
        return;
    if (m_isComparing || !m_toRead.empty())
        return readBack();
    if (m_end == m_begin)
        return beginBatch();
    if (!m_isThereDone && !m_command)
        hashThere();
}

void TransferVerify::beginBatch()
{
    m_begin = m_end;
    m_end = std::min(m_begin + kFilesOfCommand, m_files.size());
    m_here.clear();
    m_there.clear();
    m_byName.clear();
    if (m_begin == m_end) {
        m_isFinished = true;
        emit finished();
        return;
    }
    m_isHereDone = m_isThereDone = m_isComparing = false;
    for (qsizetype i = m_begin; i < m_end; ++i)
        m_byName.insert(named(i), i);
    hashHere(m_begin);
    hashThere();
}

void TransferVerify::hashHere(qsizetype from)
{
    const QList<File> files = m_files.sliced(from, std::min(kMostHere, m_end - from));
    inBackground(
            diskPool(), this,
            [files, isStopped = m_isStopped] {
                QList<Result<QByteArray>> hashes;
                quint64 read = 0;
                for (const File &file : files) {
                    if (read < kMostBytesHere && !*isStopped)
                        hashes.append(hashOf(file, read, *isStopped));
                }
                return hashes;
            },
            [this, from](const QList<Result<QByteArray>> &hashes) {
                for (qsizetype i = 0; i < hashes.size(); ++i)
                    m_here.insert(from + i, hashes.at(i));
                if (from + hashes.size() < m_end)
                    return hashHere(from + hashes.size());
                m_isHereDone = true;
                compareBatch();
            });
}

FilePath TransferVerify::named(qsizetype index) const
{
    // "-" is no file to it.
    const FilePath &path = m_files.at(index).remote;
    return path.bytes().startsWith('/') ? path : FilePath::fromBytes("./" + path.bytes()).value_or(path);
}

void TransferVerify::hashThere()
{
    SshLink *link = m_services.link();
    if (!link)
        return; // goOn() comes
    if (!m_hasCommands) {
        m_isThereDone = true;
        return compareBatch();
    }
    CommandSpec spec;
    spec.argv = {u"xargs"_s, u"-0"_s, u"sha256sum"_s, u"--"_s};
    m_output.clear();
    m_command = link->makeCommand(spec);
    connect(m_command.get(), &RemoteCommand::outputReceived, this, [this](const QByteArray &bytes) {
        m_command->consumed(bytes.size());
        m_output += bytes;
        takeOutput(false);
    });
    connect(m_command.get(), &RemoteCommand::errorOutputReceived, this, [this](const QByteArray &bytes) { m_command->consumed(bytes.size()); });
    connect(m_command.get(), &RemoteCommand::started, this, [this] {
        QByteArray names;
        for (qsizetype i = m_begin; i < m_end; ++i)
            names += named(i).bytes() + '\0';
        m_command->writeInput(names);
        m_command->closeInput();
    });
    connect(m_command.get(), &RemoteCommand::ended, this, [this](const ShellEnd &end) { commandEnded(end.kind == ShellEnd::Kind::Lost); });
    quint64 bytes = 0;
    for (qsizetype i = m_begin; i < m_end; ++i)
        bytes += m_files.at(i).size;
    m_patience.start(kPatience + std::chrono::seconds(qint64(bytes / kSlowest)));
    m_command->start();
}

void TransferVerify::takeOutput(bool isOver)
{
    qsizetype from = 0;
    for (qsizetype end = m_output.indexOf('\n'); end >= 0; end = m_output.indexOf('\n', from)) {
        if (const auto line = readLine(QByteArrayView(m_output).sliced(from, end - from))) {
            if (const auto file = m_byName.constFind(line->second); file != m_byName.cend())
                m_there.insert(*file, line->first);
        }
        from = end + 1;
    }
    m_output.remove(0, from);
    // No line of its: whatever it is, it is not kept.
    if (isOver || m_output.size() > kMostOfLine)
        m_output.clear();
}

void TransferVerify::commandEnded(bool isLost)
{
    m_patience.stop();
    m_command->disconnect(this);
    m_command.release()->deleteLater(); // this may be its own signal
    takeOutput(true);
    if (isLost) // of this batch what was not said is asked again
        return;
    // Where it says nothing of any of them, there is no such program, or no commands at all.
    m_hasCommands = !m_there.isEmpty();
    m_isThereDone = true;
    compareBatch();
}

void TransferVerify::compareBatch()
{
    if (!m_isHereDone || !m_isThereDone || std::exchange(m_isComparing, true))
        return;
    for (qsizetype i = m_begin; i < m_end; ++i) {
        const Result<QByteArray> here = m_here.value(i, failure(ErrorKind::Io, Layer::LocalDisk));
        if (!here)
            emit compared(i, std::unexpected(here.error()));
        else if (m_there.value(i) == *here && !here->isEmpty())
            emit compared(i, true);
        else // a command may see other files than SFTP: what counts is what SFTP gives
            m_toRead.push_back(i);
    }
    readBack();
}

void TransferVerify::readBack()
{
    while (!m_toRead.empty() && m_readings.size() < kMostReadings) {
        SftpClient *client = m_services.client();
        if (!client)
            return; // goOn() comes
        auto reading = std::make_unique<Reading>();
        Reading *added = reading.get();
        reading->index = m_toRead.front();
        m_toRead.pop_front();
        reading->sum = std::make_unique<Sha256>();
        reading->reader = client->read({.path = m_files.at(reading->index).remote});
        connect(reading->reader.get(), &SftpReader::received, this, [added](const QByteArray &bytes) {
            added->sum->add(bytes);
            added->reader->consumed(bytes.size());
        });
        connect(reading->reader.get(), &SftpReader::finished, this, [this, added](const Result<ReadEnd> &how) { readEnded(added, how); });
        m_readings.push_back(std::move(reading));
    }
    if (m_toRead.empty() && m_readings.empty())
        beginBatch();
}

void TransferVerify::readEnded(Reading *reading, const Result<ReadEnd> &how)
{
    const auto at = std::ranges::find(m_readings, reading, &std::unique_ptr<Reading>::get);
    const std::unique_ptr<Reading> ended = std::move(*at);
    m_readings.erase(at);
    ended->reader.release()->deleteLater(); // this is its own signal
    if (!how && how.error().kind == ErrorKind::ConnectionLost) {
        m_toRead.push_front(ended->index);
    } else if (!how) {
        emit compared(ended->index, std::unexpected(how.error()));
    } else {
        const QByteArray here = *m_here.value(ended->index);
        emit compared(ended->index, !here.isEmpty() && ended->sum->result() == here);
    }
    readBack();
}

} // namespace Sandpiper
