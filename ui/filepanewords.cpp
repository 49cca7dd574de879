// What a pane says of itself: the line above the files, what stands in their place, and the line below. See ui/filepane.h.
#include "ui/filepane.h"

#include "ui/filetable.h"
#include "ui/filewords.h"
#include "ui/panebanner.h"

#include <QPushButton>
#include <QStackedWidget>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

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

} // namespace Sandpiper
