#include "ui/filework.h"

#include "ui/filedialogs.h"
#include "ui/filetable.h"
#include "ui/filewords.h"

#include <QClipboard>
#include <QGuiApplication>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

FileWork::FileWork(FilePane *pane)
    : QObject(pane)
    , m_pane(pane)
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
        m_pane->notices()->tell(NoticeBar::Tone::Info, tr("“%1” is now “%2”.").arg(shownBytes(from.name()), shownBytes(to.name())), tr("Undo"), [this, from, to] {
            if (m_pane->files())
                follow(m_pane->files()->rename(to, from, RenamePolicy::Keep), from.name());
        });
    });
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
            m_pane->notices()->tell(NoticeBar::Tone::Info, (progress->moved.size() == 1 ? tr("“%1” was moved.").arg(shownBytes(progress->moved.constFirst().first.name())) : tr("%L1 files were moved.").arg(progress->moved.size())), tr("Undo"), [this, progress] {
                for (const auto &[was, now] : std::as_const(progress->moved)) {
                    if (m_pane->files())
                        follow(m_pane->files()->rename(now, was, RenamePolicy::Keep), {});
                }
            });
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

void FileWork::askRemove()
{
    const QList<int> rows = m_pane->table()->chosenRows();
    if (rows.isEmpty() || !m_pane->files() || m_removal)
        return;
    QList<TreeRemoval::Target> targets;
    bool hasFolder = false;
    for (const int row : rows) {
        const bool isFolder = m_pane->model()->entry(row).attributes.isFolder();
        hasFolder = hasFolder || isFolder;
        targets.append({m_pane->model()->path(row), isFolder});
    }
    const QString name = shownBytes(targets.constFirst().path.name());
    const QString place = m_pane->displayName();
    Confirmation question;
    question.question = rows.size() == 1 ? tr("Delete “%1”?").arg(name.left(120)) : tr("Delete %L1 files and folders?").arg(rows.size());
    question.text = hasFolder ? tr("With everything in it, for good: “%1” has no trash.").arg(place) : tr("For good: “%1” has no trash.").arg(place);
    if (m_pane->isLocal())
        question.text = hasFolder ? tr("With everything in it, for good; it does not go to the trash.") : tr("For good; it does not go to the trash.");
    question.verb = tr("Delete");
    question.keep = tr("Keep");
    confirm(m_pane->window(), question, [this, still = QPointer(this), targets] {
        if (still)
            remove(targets);
    });
}

void FileWork::remove(const QList<TreeRemoval::Target> &targets)
{
    if (!m_pane->files() || m_removal)
        return;
    m_removal = std::make_unique<TreeRemoval>(m_pane->files(), targets);
    const auto stop = [this] {
        m_removal.reset();
        m_pane->refresh();
        emit changed();
    };
    const auto tellProgress = [this, stop](qint64 count) {
        m_pane->notices()->tell(NoticeBar::Tone::Info, count > 0 ? tr("Deleting… %L1 so far").arg(count) : tr("Deleting…"), tr("Stop"), stop);
    };
    connect(m_removal.get(), &TreeRemoval::progressed, this, tellProgress);
    connect(m_removal.get(), &TreeRemoval::finished, this, &FileWork::removed);
    if (targets.size() > 50)
        tellProgress(0);
    m_removal->start();
}

void FileWork::removed(const TreeRemoval::Outcome &outcome)
{
    m_removal.release()->deleteLater(); // it is what speaks
    m_pane->notices()->dismiss();
    if (outcome.failed == 1)
        m_pane->tell(outcome.errors.constFirst());
    else if (outcome.failed > 1)
        m_pane->notices()->tell(NoticeBar::Tone::Trouble, tr("%L1 could not be deleted. The first: %2").arg(outcome.failed).arg(problemText(outcome.errors.constFirst())));
    m_pane->refresh();
    emit changed();
}

} // namespace Sandpiper
