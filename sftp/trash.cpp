#include "sftp/trash.h"

#include "sftp/fileanswer.h"
#include "sftp/transferfile.h"

#include <QDateTime>

namespace Sandpiper {
namespace {

constexpr int kMostUnderWay = 32;
constexpr int kMostNames = 1000; // for one file
constexpr qsizetype kMostErrors = 100;
constexpr qsizetype kLongestName = 255 - qsizetype(sizeof(".trashinfo (1000)") - 1);

FilePath below(const FilePath &folder, const QByteArray &rest)
{
    return FilePath::fromBytes(folder.bytes() + '/' + rest).value_or(folder);
}

} // namespace

TrashRun::TrashRun(FileSystem *files, const QList<FilePath> &targets, const FilePath &trash, QObject *parent)
    : QObject(parent)
    , m_files(files)
    , m_trash(trash)
{
    for (const FilePath &target : targets)
        m_waiting.push_back({target});
}

TrashRun::~TrashRun() = default;

QString TrashRun::reasonAgainst(const FileSystem &files)
{
    for (const FileAction action : {FileAction::Rename, FileAction::MakeFolder, FileAction::Write, FileAction::Stat}) {
        if (const QString reason = files.reasonAgainst(action); !reason.isEmpty())
            return reason;
    }
    return {};
}

void TrashRun::start()
{
    if (m_trash.isEmpty())
        return findTrash();
    m_folders = {m_trash, below(m_trash, "files"), below(m_trash, "info")};
    makeFolders(0);
}

void TrashRun::findTrash()
{
    if (!m_files)
        return failAll({ErrorKind::ConnectionLost, Layer::Sftp, {}, {}});
    const QByteArray ours = m_files->isLocal() ? qgetenv("XDG_DATA_HOME") : QByteArray();
    if (ours.startsWith('/')) {
        m_trash = FilePath::fromBytes(ours + "/Trash").value_or(FilePath());
        if (!m_trash.isEmpty())
            return start();
    }
    onAnswer(m_files->homeFolder(), this, [this](const Result<FilePath> &home) {
        if (!home)
            return failAll(home.error());
        m_trash = below(*home, ".local/share/Trash");
        m_folders = {below(*home, ".local"), below(*home, ".local/share"), m_trash, below(m_trash, "files"), below(m_trash, "info")};
        makeFolders(0);
    });
}

void TrashRun::makeFolders(qsizetype made)
{
    if (!m_files)
        return failAll({ErrorKind::ConnectionLost, Layer::Sftp, {}, {}});
    if (made == m_folders.size()) {
        startMore();
        return settle();
    }
    const FilePath folder = m_folders.at(made);
    // Looked at first: not every server says of a folder that could not be made that it is there already.
    onAnswer(m_files->stat(folder), this, [this, made, folder](const Result<FileAttributes> &there) {
        if (there && there->isFolder())
            return makeFolders(made + 1);
        if (!m_files)
            return failAll({ErrorKind::ConnectionLost, Layer::Sftp, {}, {}});
        onAnswer(m_files->makeFolder(folder), this, [this, made, folder](const Done &done) {
            if (!done && done.error().kind != ErrorKind::Conflict)
                return failAll(done.error());
            const bool isOurs = folder.bytes().startsWith(m_trash.bytes());
            if (!done || !isOurs || !m_files || !m_files->can(FileAction::SetMode))
                return makeFolders(made + 1);
            FileAttributes mode;
            mode.mode = 0700;
            onAnswer(m_files->setAttributes(folder, mode), this, [this, made](const Done &) { makeFolders(made + 1); });
        });
    });
}

void TrashRun::startMore()
{
    while (m_files && m_underWay < kMostUnderWay && !m_waiting.empty()) {
        const Item item = m_waiting.front();
        m_waiting.pop_front();
        const QByteArray inside = m_trash.bytes() + '/';
        if (item.was == m_trash || item.was.bytes().startsWith(inside) || inside.startsWith(item.was.bytes() + '/')) {
            m_outcome.unmovable.append(item.was);
            continue;
        }
        ++m_underWay;
        choose(item);
    }
}

// A name that nothing in the trash has.
void TrashRun::choose(const Item &item)
{
    const QByteArray whole = item.was.name().first(std::min(kLongestName, item.was.name().size()));
    const FilePath now = below(m_trash, "files/" + (item.number == 1 ? whole : otherName(whole, item.number)));
    const FilePath info = below(m_trash, "info/" + now.name() + ".trashinfo");
    if (item.number > kMostNames)
        return fail({ErrorKind::Conflict, m_files && m_files->isLocal() ? Layer::LocalDisk : Layer::Sftp, {}, now.shown()});
    if (!m_files)
        return fail({ErrorKind::ConnectionLost, Layer::Sftp, {}, item.was.shown()});
    const auto next = [this, item] {
        Item other = item;
        ++other.number;
        choose(other);
    };
    onAnswer(m_files->stat(now, LinkPolicy::NoFollow), this, [this, item, now, info, next](const Result<FileAttributes> &taken) {
        if (taken)
            return next();
        if (taken.error().kind != ErrorKind::NotFound || !m_files)
            return fail(taken.error());
        onAnswer(m_files->stat(info, LinkPolicy::NoFollow), this, [this, item, now, info, next](const Result<FileAttributes> &told) {
            if (told)
                return next();
            if (told.error().kind != ErrorKind::NotFound)
                return fail(told.error());
            writeInfo(item, now, info);
        });
    });
}

// First, as the specification wants it: what is in the trash is always told of.
void TrashRun::writeInfo(const Item &item, const FilePath &now, const FilePath &info)
{
    if (!m_files)
        return fail({ErrorKind::ConnectionLost, Layer::Sftp, {}, item.was.shown()});
    const QByteArray text = "[Trash Info]\nPath=" + item.was.bytes().toPercentEncoding("/") + "\nDeletionDate="
            + QDateTime::currentDateTime().toString(u"yyyy-MM-ddTHH:mm:ss").toLatin1() + '\n';
    FileWriteWish wish;
    wish.path = info;
    wish.mode = 0600;
    wish.size = quint64(text.size());
    FileWriter *writer = m_files->write(wish).release();
    writer->setParent(this);
    connect(writer, &FileWriter::finished, this, [this, writer, item, now, info](const Done &done) {
        writer->deleteLater();
        if (done)
            return move(item, now, info);
        fail(done.error());
    });
    writer->write(text);
    writer->close();
}

void TrashRun::move(const Item &item, const FilePath &now, const FilePath &info)
{
    if (!m_files)
        return fail({ErrorKind::ConnectionLost, Layer::Sftp, {}, item.was.shown()});
    onAnswer(m_files->rename(item.was, now, RenamePolicy::Keep), this, [this, item, now, info](const Done &done) {
        if (done) {
            m_outcome.moved.append({item.was, now, info});
            --m_underWay;
            startMore();
            return settle();
        }
        const Error error = done.error();
        const auto end = [this, item, error](const Done &) {
            // What a server says of another disk is no more than that it failed.
            if (error.kind != ErrorKind::Unsupported && error.kind != ErrorKind::ServerError)
                return fail(error);
            m_outcome.unmovable.append(item.was);
            --m_underWay;
            startMore();
            settle();
        };
        if (!m_files)
            return end({});
        onAnswer(m_files->removeFile(info), this, end);
    });
}

void TrashRun::fail(const Error &error)
{
    ++m_outcome.failed;
    if (m_outcome.errors.size() < kMostErrors)
        m_outcome.errors.append(error);
    --m_underWay;
    startMore();
    settle();
}

void TrashRun::failAll(const Error &error)
{
    m_outcome.failed += qint64(m_waiting.size());
    m_outcome.errors.append(error);
    m_waiting.clear();
    settle();
}

void TrashRun::settle()
{
    if (!m_files && !m_waiting.empty())
        return failAll({ErrorKind::ConnectionLost, Layer::Sftp, {}, {}});
    if (m_underWay == 0 && m_waiting.empty())
        emit finished(m_outcome);
}

} // namespace Sandpiper
