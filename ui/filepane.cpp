#include "ui/filepane.h"

#include "session/errortext.h"
#include "session/localcommand.h"
#include "sftp/localfilesystem.h"
#include "ui/fileplaces.h"
#include "ui/filetable.h"
#include "ui/filewords.h"
#include "ui/panebanner.h"
#include "ui/pathbar.h"

#include <QLineEdit>
#include <QPushButton>
#include <QStackedWidget>
#include <QToolButton>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

FilePane::FilePane(const FileServices &services, FilePlaces *places, QWidget *parent)
    : QWidget(parent)
    , m_services(services)
    , m_places(places)
    , m_model(new FileListModel(this))
    , m_watch(new FolderWatch(this))
{
    m_model->setWording(columnText, columnTitle);
    m_slow.setSingleShot(true);
    m_slow.setInterval(10s);
    build();
    connectParts();
}

FilePane::~FilePane()
{
    // They speak to it, and their children are still there.
    m_model->disconnect(this);
    m_completing.reset();
    m_model->clear();
    m_watch->watch(nullptr, {});
    m_standing.reset();
    m_local.reset();
}

void FilePane::open(const KeptSide &side)
{
    m_completing.reset();
    m_model->clear();
    m_watch->watch(nullptr, {});
    m_standing.reset();
    m_local.reset();
    m_back.clear();
    m_forward.clear();
    m_space.clear();
    m_whyNoResume.clear();
    m_wasOpen = false;
    m_notices->dismiss();
    setFilter({});
    m_side = side;
    const Result<FilePath> folder = FilePath::fromBytes(side.folder);
    m_wanted = folder ? *folder : FilePath();
    m_path->setPath(m_wanted);
    if (isLocal()) {
        m_local = std::make_unique<LocalFileSystem>(displayName());
        enter(m_wanted, {});
    } else {
        m_slow.start(); // with its account
        connectSide();
    }
    updateHead();
    updateBanner();
    updateMessage();
    updateFooter();
    emit sideChanged();
    emit stateChanged();
}

void FilePane::connectSide()
{
    SandboxRegistry *registry = m_services.registry;
    const bool isAccountHere = m_services.standing && (!registry || registry->provider(m_side.sandbox.account));
    if (m_standing || isLocal() || !isAccountHere)
        return;
    m_standing = std::make_unique<StandingFiles>(m_side.sandbox, m_services.standing(m_side.sandbox));
    connect(m_standing.get(), &StandingFiles::statusChanged, this, &FilePane::onStatus);
    if (registry) {
        if (const std::optional<Sandbox> sandbox = registry->sandbox(m_side.sandbox))
            setSandbox(*sandbox);
    }
    m_standing->open();
}

void FilePane::onStatus(const StandingFiles::Status &status)
{
    if (status.state == StandingShell::State::Opening)
        m_slow.start();
    else
        m_slow.stop();
    if (status.state == StandingShell::State::Open) {
        m_wasOpen = true;
        m_notices->dismiss();
        if (m_model->state() == FileListModel::State::Empty) {
            enter(m_wanted, {});
        } else {
            m_model->refresh(files());
            m_watch->watch(files(), m_model->folder());
        }
    } else {
        m_watch->watch(nullptr, {});
    }
    updateBanner();
    updateMessage();
    updateFooter();
    emit stateChanged();
}

KeptSide FilePane::kept() const
{
    KeptSide side = m_side;
    side.folder = folder().bytes();
    return side;
}

QString FilePane::displayName() const
{
    return isLocal() ? tr("This computer") : m_side.name.isEmpty() ? m_side.sandbox.id : m_side.name;
}

FileSystem *FilePane::files() const
{
    return m_local ? m_local.get() : m_standing ? m_standing->files() : nullptr;
}

StandingFiles::Status FilePane::status() const
{
    if (m_standing)
        return m_standing->status();
    StandingFiles::Status status;
    status.state = isLocal() ? StandingShell::State::Open : StandingShell::State::Idle;
    return status;
}

QString FilePane::reasonAgainst(FileAction action) const
{
    if (const FileSystem *there = files())
        return there->reasonAgainst(action);
    return tr("“%1” is not connected.").arg(displayName());
}

QString FilePane::reasonAgainstCommands() const
{
    if (isLocal())
        return {};
    const QString none = tr("“%1” cannot run commands.").arg(displayName());
    const std::optional<Sandbox> sandbox = m_services.registry ? m_services.registry->sandbox(m_side.sandbox) : std::nullopt;
    if (!m_services.command)
        return none;
    if (!sandbox || sandbox->ssh || sandbox->capabilities.has(Capability::Exec))
        return {};
    const QString reason = sandbox->capabilities.reasonAgainst(Capability::Exec);
    return reason.isEmpty() ? none : reason;
}

FileCommandMaker FilePane::commands() const
{
    if (isLocal())
        return [](const CommandSpec &spec) -> Result<std::unique_ptr<RemoteCommand>> { return std::make_unique<LocalCommand>(spec); };
    if (!reasonAgainstCommands().isEmpty())
        return {};
    return [command = m_services.command, id = m_side.sandbox](const CommandSpec &spec) { return command(id, spec); };
}

void FilePane::setSandbox(const Sandbox &sandbox)
{
    if (sandbox.id != m_side.sandbox)
        return;
    m_side.name = sandbox.displayName();
    m_whyNoResume = sandbox.capabilities.has(Capability::Resume) ? QString() : sandbox.capabilities.reasonAgainst(Capability::Resume);
    updateHead();
    updateBanner();
}

// Going somewhere --------------------------------------------------------------------------------

void FilePane::goTo(const FilePath &folder, const QByteArray &select)
{
    if (folder == m_model->folder() && m_model->state() != FileListModel::State::Failed) {
        if (!select.isEmpty())
            m_table->select(select);
        return refresh();
    }
    if (!m_model->folder().isEmpty() && m_model->folder() != folder) {
        m_back.append(m_model->folder());
        m_forward.clear();
    }
    enter(folder, select);
}

void FilePane::enter(const FilePath &folder, const QByteArray &select)
{
    FileSystem *there = files();
    m_wanted = folder;
    if (!there)
        return;
    setFilter({});
    m_table->select(select);
    const QByteArray bytes = folder.bytes() + '/';
    const bool isPlain = folder.isAbsolute() && !bytes.contains("//") && !bytes.contains("/./") && !bytes.contains("/../");
    if (isPlain || folder.bytes() == "/")
        return list(folder);
    QFuture<Result<FilePath>> found = folder.isEmpty() ? there->homeFolder() : there->realPath(folder);
    found.then(this, [this, folder](const Result<FilePath> &path) {
        if (m_wanted != folder)
            return; // somewhere else by now
        if (path)
            return list(*path);
        tell(path.error());
    });
}

void FilePane::list(const FilePath &folder)
{
    m_wanted = folder;
    m_space.clear();
    m_path->setPath(folder);
    m_model->show(files(), folder);
    m_watch->watch(files(), folder);
    m_places->visited(m_side.sandbox, folder);
    QStringList history;
    for (const FilePath &path : m_places->history(m_side.sandbox))
        history.append(path.shown());
    m_path->setHistory(history);
    askSpace();
    updateHead();
    emit sideChanged();
    emit stateChanged();
}

void FilePane::goHome()
{
    goTo({});
}

void FilePane::goUp()
{
    const FilePath here = m_model->folder();
    if (!here.isEmpty() && here.parent() != here)
        goTo(here.parent(), here.name());
}

void FilePane::goBack()
{
    if (m_back.isEmpty())
        return;
    m_forward.append(m_model->folder());
    const FilePath folder = m_back.takeLast();
    enter(folder, m_forward.constLast().parent() == folder ? m_forward.constLast().name() : QByteArray());
}

void FilePane::goForward()
{
    if (m_forward.isEmpty())
        return;
    m_back.append(m_model->folder());
    enter(m_forward.takeLast(), {});
}

void FilePane::refresh()
{
    if (!files())
        return;
    if (m_model->state() == FileListModel::State::Empty)
        return enter(m_wanted, {});
    m_model->refresh();
    askSpace();
}

void FilePane::openRow(int row)
{
    FileSystem *there = files();
    const FileEntry entry = m_model->entry(row);
    const FilePath path = m_model->path(row);
    switch (entry.attributes.type()) {
    case FileType::Folder: return goTo(path);
    case FileType::Link:
    case FileType::Unknown:
        if (!there)
            return;
        there->stat(path).then(this, [this, path, name = entry.name](const Result<FileAttributes> &found) {
            if (!found)
                return tell(found.error());
            if (found->isFolder())
                return goTo(path);
            if (const int now = m_model->rowOf(name); now >= 0 && m_model->path(now) == path)
                emit fileOpened(now);
        });
        return;
    case FileType::File:
    case FileType::Fifo:
    case FileType::Socket:
    case FileType::CharacterDevice:
    case FileType::BlockDevice: return emit fileOpened(row);
    }
}

void FilePane::complete(const FilePath &parent)
{
    m_completing.reset();
    FileSystem *there = files();
    if (!there)
        return;
    m_completing = there->list(parent);
    auto found = std::make_shared<QStringList>(); // of the two lambdas below
    FileListing *listing = m_completing.get();
    connect(listing, &FileListing::rowsReceived, this, [found, parent, listing](const QList<FileEntry> &rows) {
        for (const FileEntry &row : rows) {
            const bool mayBeFolder = row.attributes.isFolder() || row.attributes.type() == FileType::Link;
            if (mayBeFolder && found->size() < 5000)
                found->append(parent.child(row.name).value_or(parent).shown());
        }
        listing->consumed(rows.size());
    });
    connect(listing, &FileListing::finished, this, [this, found, parent] {
        m_completing.release()->deleteLater(); // it is what speaks
        found->sort();
        m_path->setCompletions(parent, *found);
    });
}

// What it looks like -----------------------------------------------------------------------------

void FilePane::sortBy(int column)
{
    FileOrder order = m_model->order();
    const bool isSame = order.column == FileColumn(column);
    // What people look for first: the newest and the largest.
    const bool startsDown = FileColumn(column) == FileColumn::Size || FileColumn(column) == FileColumn::Modified;
    order.isDescending = isSame ? !order.isDescending : startsDown;
    order.column = FileColumn(column);
    m_model->setOrder(order);
}

void FilePane::setShowsHidden(bool shows)
{
    FileOrder order = m_model->order();
    order.showsHidden = shows;
    m_model->setOrder(order);
    emit stateChanged();
}

void FilePane::startFilter(const QString &text)
{
    if (files() == nullptr && m_model->rowCount() == 0)
        return;
    m_filterBar->show();
    m_filter->setFocus(Qt::ShortcutFocusReason);
    m_filter->setText(m_filter->text() + text);
}

void FilePane::setFilter(const QString &text)
{
    if (text.isEmpty()) {
        const QSignalBlocker quiet(m_filter);
        m_filter->clear();
        m_filterBar->hide();
    }
    FileOrder order = m_model->order();
    order.filter = text.left(200);
    m_model->setOrder(order);
}

void FilePane::editPath()
{
    m_path->edit();
}

void FilePane::focusFiles()
{
    if (m_stack->currentWidget() == m_table || m_messageButton->isHidden())
        m_table->setFocus();
    else
        m_messageButton->setFocus();
}

void FilePane::retryNow()
{
    if (m_standing)
        m_standing->retryNow();
    refresh();
}

void FilePane::toggleBookmark()
{
    if (folder().isAbsolute())
        m_places->toggleBookmark(m_side.sandbox, folder());
    updateHead();
}

void FilePane::setShown(bool shown)
{
    m_watch->setActive(shown);
}

void FilePane::tell(const Error &error)
{
    if (error.kind != ErrorKind::Cancelled)
        m_notices->tell(NoticeBar::Tone::Trouble, problemText(error));
}

} // namespace Sandpiper
