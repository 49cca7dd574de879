#include "ui/filepane.h"

#include "session/errortext.h"
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
    if (folder == m_model->folder() && m_model->state() != FileListModel::State::Failed)
        return refresh();
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

void FilePane::askSpace()
{
    FileSystem *there = files();
    if (!there || !there->can(FileAction::Space))
        return;
    there->space(m_wanted).then(this, [this, folder = m_wanted](const Result<FileSystemSpace> &space) {
        if (folder != m_wanted)
            return;
        // 64 bits hold what any disk has; what a server says need not be true.
        const bool isSane = space && space->blocks > 0 && space->availableBlocks <= space->blocks && space->blocks < (1ull << 50)
                && space->fragmentSize > 0 && space->fragmentSize <= (1u << 24);
        const quint64 unit = isSane ? std::min<quint64>(space->fragmentSize, UINT64_MAX / space->blocks) : 0;
        m_space = isSane ? tr("%1 free of %2").arg(sizeText(space->availableBlocks * unit), sizeText(space->blocks * unit)) : QString();
        updateFooter();
    });
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

QString FilePane::messageText() const
{
    return m_stack->currentWidget() == m_message ? m_messageTitle->text() : QString();
}

QString FilePane::footerText() const
{
    return m_count->text();
}

BannerSubject FilePane::subject() const
{
    return {.name = displayName(), .route = ShellRoute::Ssh, .whyNoResume = m_whyNoResume, .slow = !m_slow.isActive(), .wasOpen = m_wasOpen};
}

void FilePane::updateBanner()
{
    if (isLocal())
        return m_banner->setFace({});
    if (!m_standing)
        return m_banner->setFace(bannerForMissingAccount(subject()));
    BannerFace face = bannerFor(m_standing->status(), subject());
    // The words for a shell that went; files have no last screen to show.
    if (m_standing->status().state == StandingShell::State::Gone) {
        face.text = tr("“%1” is gone.").arg(displayName());
        face.actions = {BannerAction::RetryNow};
    }
    face.actions.removeAll(BannerAction::Close);
    // Said in place of the rows, where there are none.
    if (m_standing->status().state == StandingShell::State::Suspended && m_model->rowCount() == 0)
        face = {};
    m_banner->setFace(face);
}

void FilePane::onBanner(BannerAction action)
{
    switch (action) {
    case BannerAction::RetryNow:
    case BannerAction::Restart:
    case BannerAction::StartNew: return retryNow();
    case BannerAction::Stop:
        if (m_standing)
            m_standing->stop();
        return;
    case BannerAction::Resume:
    case BannerAction::ResumeSandbox:
    case BannerAction::StartSandbox:
        emit resumeWanted(m_side.sandbox);
        if (m_standing)
            m_standing->resumeSandbox();
        return;
    case BannerAction::RegisterKey:
    case BannerAction::ChooseKey:
    case BannerAction::ReviewHostKey:
    case BannerAction::CreateSandbox:
    case BannerAction::RefreshList:
    case BannerAction::SignInAgain: return emit stepWanted(action, m_side.sandbox);
    case BannerAction::Close:
    case BannerAction::Dismiss: return;
    }
}

void FilePane::runMessageAction()
{
    if (const auto run = m_messageAction)
        run();
}

void FilePane::updateMessage()
{
    using State = FileListModel::State;
    QString title;
    QString detail;
    QString verb;
    IconName picture = IconName::Files;
    m_messageAction = nullptr;
    const bool hasRows = m_model->rowCount() > 0;
    const bool isOpen = files() != nullptr;
    if (!hasRows && !isOpen && m_model->state() != State::Ready) {
        const bool isAsleep = status().state == StandingShell::State::Suspended;
        title = isAsleep ? tr("“%1” is asleep").arg(displayName()) : tr("The files of “%1” are not here yet").arg(displayName());
        detail = !isAsleep                ? tr("They appear as soon as it is connected.")
                : !m_whyNoResume.isEmpty() ? m_whyNoResume
                                           : tr("Looking here does not wake it. Resuming starts billing where the vendor bills.");
        picture = isAsleep ? IconName::Pause : IconName::Sandbox;
        if (isAsleep && m_whyNoResume.isEmpty()) {
            verb = tr("Resume");
            m_messageAction = [this] { onBanner(BannerAction::Resume); };
        }
    } else if (!hasRows && m_model->state() == State::Failed) {
        title = tr("This folder cannot be shown");
        detail = problemText(m_model->error());
        verb = tr("Retry");
        picture = IconName::Error;
        m_messageAction = [this] { refresh(); };
    } else if (!hasRows && m_model->state() == State::Ready && !m_model->order().filter.isEmpty()) {
        title = tr("Nothing matches “%1”").arg(m_model->order().filter);
        verb = tr("Clear the filter");
        picture = IconName::Search;
        m_messageAction = [this] {
            setFilter({});
            focusFiles();
        };
    } else if (!hasRows && m_model->state() == State::Ready) {
        title = tr("This folder is empty");
        if (m_model->hiddenFiles() > 0) {
            detail = m_model->hiddenFiles() == 1 ? tr("1 hidden file is not shown.") : tr("%L1 hidden files are not shown.").arg(m_model->hiddenFiles());
            verb = tr("Show hidden files");
            m_messageAction = [this] { setShowsHidden(true); };
        }
    }
    const bool hadFocus = m_table->hasFocus() || m_messageButton->hasFocus();
    m_stack->setCurrentWidget(title.isEmpty() ? static_cast<QWidget *>(m_table) : m_message);
    m_messageIcon->setPixmap(icon(picture).pixmap(QSize(32, 32), devicePixelRatioF()));
    m_messageTitle->setText(title);
    m_messageDetail->setText(detail);
    m_messageDetail->setVisible(!detail.isEmpty());
    m_messageButton->setText(verb);
    m_messageButton->setVisible(!verb.isEmpty());
    if (hadFocus)
        focusFiles();
}

void FilePane::updateFooter()
{
    QStringList parts;
    const int rows = m_model->rowCount();
    if (m_model->state() == FileListModel::State::Loading)
        parts.append(rows > 0 ? tr("Listing… %L1 so far").arg(m_model->allFiles()) : tr("Listing…"));
    else if (m_model->state() == FileListModel::State::Ready || rows > 0)
        parts.append(rows == 1 ? tr("1 item") : tr("%L1 items").arg(rows));
    qsizetype chosen = 0;
    quint64 bytes = 0;
    for (const QItemSelectionRange &range : m_table->selectionModel()->selection()) {
        chosen += range.height();
        for (int row = range.top(); row <= range.bottom(); ++row) {
            const FileAttributes &attributes = m_model->entry(row).attributes;
            bytes += attributes.type() == FileType::File ? attributes.size.value_or(0) : 0;
        }
    }
    if (chosen > 0)
        parts.append(tr("%L1 selected, %2").arg(chosen).arg(sizeText(bytes)));
    else if (rows > 0 && m_model->state() == FileListModel::State::Ready)
        parts.append(sizeText(m_model->shownBytes()));
    if (m_model->hiddenFiles() > 0 && rows > 0)
        parts.append(tr("%L1 hidden").arg(m_model->hiddenFiles()));
    if (m_model->refusedNames() > 0)
        parts.append(tr("%L1 left out: no file can have such a name").arg(m_model->refusedNames()));
    m_count->setText(parts.join(u" · "_s));
    m_free->setText(m_space);
}

} // namespace Sandpiper
