#include "ui/filework.h"

#include "ui/filedialogs.h"
#include "ui/filetable.h"
#include "ui/fileundo.h"
#include "ui/filewords.h"

#include <QClipboard>
#include <QGuiApplication>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

FileWork::FileWork(FilePane *pane, FileUndo *undo)
    : QObject(pane)
    , m_pane(pane)
    , m_undo(undo)
{
    connect(pane->table(), &FileTable::renameWanted, this, &FileWork::rename);
}

std::optional<FilePath> FileWork::childNamed(const QString &shown)
{
    const Result<QByteArray> name = bytesFromShown(shown);
    const Result<FilePath> path = name ? m_pane->model()->folder().child(*name) : Result<FilePath>(std::unexpected(name.error()));
    if (path)
        return *path;
    m_pane->notices()->tell(NoticeBar::Tone::Trouble, tr("“%1” cannot be the name of a file: it must not be empty, “.” or “..”, nor hold a slash, and a backslash is written twice.").arg(tamed(shown, 100)));
    return std::nullopt;
}

// Shows what came of it, and what is new.
void FileWork::follow(const QFuture<Done> &answer, const QByteArray &select)
{
    QFuture<Done> future = answer;
    future.then(this, [this, select](const Done &done) {
        if (!done)
            return m_pane->tell(done.error());
        m_pane->table()->select(select);
        m_pane->refresh();
        emit changed();
    });
}

void FileWork::newFolder()
{
    askText(m_pane->window(), {tr("New folder"), tr("Name"), tr("New folder"), tr("Create")}, [this](const QString &shown) {
        if (const std::optional<FilePath> path = childNamed(shown); path && m_pane->files())
            follow(m_pane->files()->makeFolder(*path), path->name());
    });
}

void FileWork::newFile()
{
    askText(m_pane->window(), {tr("New file"), tr("Name"), tr("New file.txt"), tr("Create")}, [this](const QString &shown) {
        const std::optional<FilePath> path = childNamed(shown);
        if (!path || !m_pane->files())
            return;
        FileWriteWish wish;
        wish.path = *path;
        m_writer = m_pane->files()->write(wish);
        connect(m_writer.get(), &FileWriter::finished, this, [this, name = path->name()](const Done &done) {
            m_writer.release()->deleteLater(); // it is what speaks
            follow(QtFuture::makeReadyValueFuture(done), name);
        });
        m_writer->close();
    });
}

void FileWork::newLink()
{
    const QList<FilePath> chosen = chosenPaths();
    askLink(m_pane->window(), chosen.isEmpty() ? QString() : chosen.constFirst().shown(), [this](const QString &target, const QString &name) {
        const Result<FilePath> to = FilePath::fromShown(target);
        if (!to)
            return m_pane->tell(to.error());
        if (const std::optional<FilePath> path = childNamed(name); path && m_pane->files())
            follow(m_pane->files()->makeSymlink(*to, *path), path->name());
    });
}

void FileWork::renameCurrent()
{
    const QModelIndex current = m_pane->table()->currentIndex();
    if (current.isValid())
        m_pane->table()->rename(current.row());
}

void FileWork::rename(int row, const QString &shown)
{
    const std::optional<FilePath> to = childNamed(shown);
    FileSystem *files = m_pane->files();
    if (!to || !files)
        return;
    const FilePath from = m_pane->model()->path(row);
    files->rename(from, *to, RenamePolicy::Keep).then(this, [this, from, to = *to](const Done &done) {
        if (!done)
            return m_pane->tell(done.error());
        m_pane->table()->select(to.name());
        m_pane->refresh();
        emit changed();
        const QString name = shownBytes(from.name());
        noteUndo(tr("“%1” is now “%2”.").arg(name, shownBytes(to.name())), tr("Undo the renaming of “%1”").arg(name.left(60)), {{from, to}});
    });
}

// Says what was done, and how to take it back.
void FileWork::noteUndo(const QString &told, const QString &words, const QList<std::pair<FilePath, FilePath>> &moved)
{
    FileUndo::Step step{m_pane->sandbox(), {}, words};
    for (const auto &[was, now] : moved)
        step.moves.append({now, was, {}});
    const int number = m_undo->note(step);
    m_pane->notices()->tell(NoticeBar::Tone::Info, told, tr("Undo"), [undo = m_undo, number] { undo->undo(number); });
}

void FileWork::moveHere(const QList<FilePath> &paths, const FilePath &folder)
{
    FileSystem *files = m_pane->files();
    if (!files)
        return;
    struct Progress
    {
        qsizetype left;
        QList<std::pair<FilePath, FilePath>> moved;
        QList<FilePath> others;
    };
    auto progress = std::make_shared<Progress>(paths.size()); // of the answers
    for (const FilePath &from : paths) {
        const Result<FilePath> to = folder.child(from.name());
        if (!to || *to == from) {
            --progress->left;
            continue;
        }
        files->rename(from, *to, RenamePolicy::Keep).then(this, [this, progress, from, to = *to, folder](const Done &done) {
            const ErrorKind kind = done ? ErrorKind::Cancelled : done.error().kind;
            if (done)
                progress->moved.append({from, to});
            else if (kind == ErrorKind::Conflict || kind == ErrorKind::Unsupported || kind == ErrorKind::ServerError)
                progress->others.append(from);
            else
                m_pane->tell(done.error());
            if (--progress->left > 0)
                return;
            m_pane->refresh();
            emit changed();
            if (!progress->others.isEmpty())
                emit longMoveWanted(progress->others, folder);
            if (progress->moved.isEmpty() || !done)
                return;
            const bool isOne = progress->moved.size() == 1;
            const QString name = shownBytes(progress->moved.constFirst().first.name());
            noteUndo(isOne ? tr("“%1” was moved.").arg(name) : tr("%L1 files were moved.").arg(progress->moved.size()),
                     isOne ? tr("Undo the move of “%1”").arg(name.left(60)) : tr("Undo the move of %L1 files").arg(progress->moved.size()), progress->moved);
        });
    }
}

QList<FilePath> FileWork::chosenPaths() const
{
    QList<FilePath> paths;
    for (const int row : m_pane->table()->chosenRows())
        paths.append(m_pane->model()->path(row));
    return paths;
}

void FileWork::copyPaths() const
{
    QStringList lines;
    const QList<FilePath> chosen = chosenPaths();
    for (const FilePath &path : chosen.isEmpty() ? QList<FilePath>{m_pane->folder()} : chosen)
        lines.append(QString::fromUtf8(path.bytes()));
    QGuiApplication::clipboard()->setText(lines.join(u'\n'));
}

void FileWork::properties()
{
    if (!m_pane->files())
        return;
    QList<FilePath> paths = chosenPaths();
    if (paths.isEmpty())
        paths.append(m_pane->folder());
    showFileProperties(m_pane->window(), m_pane->files(), paths, [this, still = QPointer(this)] {
        if (!still)
            return;
        m_pane->refresh();
        emit changed();
    });
}

void FileWork::preview(int row)
{
    const FileEntry &entry = m_pane->model()->entry(row);
    if (!m_pane->files() || entry.attributes.isFolder())
        return;
    const bool isFile = entry.attributes.type() == FileType::File;
    showFilePreview(m_pane->window(), m_pane->files(), m_pane->model()->path(row), isFile ? entry.attributes.size : std::nullopt);
}

} // namespace Sandpiper
