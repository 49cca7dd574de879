// Archives, finding, and folders that are kept uploaded; see ui/filebrowser.h.
#include "session/errortext.h"
#include "sftp/archivework.h"
#include "sftp/keepuploading.h"
#include "ui/filebrowser.h"
#include "ui/filedialogs.h"
#include "ui/filetable.h"
#include "ui/filework.h"
#include "ui/finddialog.h"

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

void FileBrowser::findFiles()
{
    FilePane *pane = activePane();
    if (!pane->files() || !pane->folder().isAbsolute())
        return;
    auto *dialog = new FindDialog(pane->files(), pane->commands(), pane->folder(), pane->displayName(), window());
    // By then the pane may show another place.
    connect(dialog, &FindDialog::goToWanted, pane, [pane, place = pane->sandbox()](const FilePath &path) {
        if (pane->sandbox() != place)
            pane->open({place, {}, path.parent().bytes()});
        pane->goTo(path.parent(), path.name());
        pane->focusFiles();
    });
    dialog->show();
}

void FileBrowser::packChosen()
{
    FilePane *pane = activePane();
    const QList<FilePath> paths = m_work[m_active]->chosenPaths();
    if (paths.isEmpty() || !pane->reasonAgainstCommands().isEmpty())
        return;
    const QByteArray name = paths.size() == 1 ? paths.constFirst().name() : pane->folder().name();
    askText(window(), {tr("Pack %1").arg(paths.size() == 1 ? u'“' + shownBytes(name).left(60) + u'”' : tr("%L1 files").arg(paths.size())), tr("Archive"), shownBytes(name + ".tar.gz"), tr("Pack")},
            [this, still = QPointer(this), pane, paths, folder = pane->folder(), commands = pane->commands()](const QString &shown) {
                if (!still)
                    return;
                const Result<QByteArray> archive = bytesFromShown(shown);
                if (!archive || !isPlainName(*archive))
                    return pane->notices()->tell(NoticeBar::Tone::Trouble, tr("“%1” cannot be the name of a file.").arg(tamed(shown, 100)));
                const Result<CommandSpec> spec = ArchiveWork::packing(folder, paths, *archive);
                spec ? runArchive(pane, commands, *spec, tr("Packing “%1”").arg(shownBytes(*archive)), *archive) : pane->tell(spec.error());
            });
}

void FileBrowser::unpackChosen()
{
    const QModelIndex current = activePane()->table()->currentIndex();
    if (!current.isValid())
        return;
    const FilePath archive = activePane()->model()->path(current.row());
    if (ArchiveWork::isArchive(archive.name()) && activePane()->reasonAgainstCommands().isEmpty())
        unpackInto(activePane(), archive, 1);
}

// Into a folder of its own: what is in it may have any name.
void FileBrowser::unpackInto(FilePane *pane, const FilePath &archive, int number)
{
    const QByteArray name = ArchiveWork::stem(archive.name());
    const Result<FilePath> into = archive.parent().child(number == 1 ? name : otherName(name, number));
    if (!into || !pane->files())
        return;
    pane->files()->stat(*into, LinkPolicy::NoFollow).then(this, [this, pane, archive, into = *into, number](const Result<FileAttributes> &there) {
        if (there && number < 100)
            return unpackInto(pane, archive, number + 1);
        if (!pane->files())
            return;
        pane->files()->makeFolder(into).then(this, [this, pane, archive, into](const Done &made) {
            const Result<CommandSpec> spec = ArchiveWork::unpacking(archive, into);
            if (!made || !spec)
                return pane->tell(made ? spec.error() : made.error());
            runArchive(pane, pane->commands(), *spec, tr("Unpacking “%1”").arg(shownBytes(archive.name())), into.name());
        });
    });
}

void FileBrowser::runArchive(FilePane *pane, const FileCommandMaker &commands, const CommandSpec &spec, const QString &words, const QByteArray &select)
{
    auto *work = new ArchiveWork(commands, spec, pane);
    const auto stop = [pane, work = QPointer(work)] {
        delete work.data();
        pane->notices()->tell(NoticeBar::Tone::Info, tr("Stopped."));
        pane->refresh();
    };
    connect(work, &ArchiveWork::progressed, pane, [pane, words, stop](qint64 files) {
        pane->notices()->tell(NoticeBar::Tone::Info, files > 0 ? tr("%1: %L2 files so far").arg(words).arg(files) : words + u'…', tr("Stop"), stop);
    });
    connect(work, &ArchiveWork::finished, pane, [pane, work, select](const Done &done) {
        work->deleteLater();
        pane->notices()->dismiss();
        if (!done)
            pane->tell(done.error());
        else
            pane->table()->select(select);
        pane->refresh();
    });
    pane->notices()->tell(NoticeBar::Tone::Info, words + u'…', tr("Stop"), stop);
    work->start();
}

// The chosen folder of this computer, or the one that is shown, into the folder of the other side.
QString FileBrowser::reasonAgainstKeepUploading() const
{
    const FilePane *pane = activePane();
    const FilePane *other = m_panes[1 - m_active];
    if (m_keptUp)
        return {}; // it can be stopped
    if (!pane->isLocal())
        return tr("Folders of this computer are watched; go to that side.");
    if (other->isLocal())
        return tr("The other side must be a sandbox or a host.");
    if (!other->files() || !m_services.transfers)
        return tr("“%1” is not connected.").arg(other->displayName());
    return TreeSync::reasonAgainst(*pane->files(), *other->files());
}

void FileBrowser::toggleKeepUploading()
{
    FilePane *pane = activePane();
    if (m_keptUp) {
        const QString name = m_keptUp->source().shown();
        m_keptUp.reset();
        pane->notices()->tell(NoticeBar::Tone::Info, tr("%1 is not watched any more.").arg(name));
        return updateActions();
    }
    const FilePane *other = m_panes[1 - m_active];
    if (!reasonAgainstKeepUploading().isEmpty())
        return;
    TreeSync::Places places{pane->files(), pane->folder(), other->files(), other->folder(), other->sandbox(), other->displayName()};
    // A chosen folder goes as a folder; else what is in this one goes into that one.
    if (const QModelIndex current = pane->table()->currentIndex(); current.isValid() && !pane->table()->selectionModel()->selection().isEmpty() && pane->model()->entry(current.row()).attributes.isFolder()) {
        places.sourceRoot = pane->model()->path(current.row());
        places.targetRoot = other->folder().child(places.sourceRoot.name()).value_or(other->folder());
    }
    Confirmation question;
    question.question = tr("Upload “%1” again whenever it changes?").arg(shownBytes(places.sourceRoot.name()).left(80));
    question.text = tr("Into %1 on “%2”, over what differs there. Nothing is removed there. It ends with this tab.").arg(places.targetRoot.shown(), other->displayName());
    question.verb = tr("Keep uploading");
    question.keep = tr("Cancel");
    question.isDestructive = false;
    confirm(window(), question, [this, still = QPointer(this), pane, places] {
        if (!still || !places.source || !places.target)
            return;
        m_keptUp = std::make_unique<KeepUploading>(places, m_services.transfers);
        connect(m_keptUp.get(), &KeepUploading::settled, this, [this, pane](qint64 files, const std::optional<Error> &error) {
            if (error)
                return pane->tell(*error);
            const QString name = m_keptUp->source().shown();
            const QString box = m_keptUp->sandboxName();
            for (FilePane *one : m_panes)
                one->refresh();
            pane->notices()->tell(NoticeBar::Tone::Info, files > 0 ? tr("%1 is on “%2” as it is here; %L3 files went there.").arg(name, box).arg(files) : tr("%1 is on “%2” as it is here, and is watched.").arg(name, box),
                                  tr("Stop"), [this] { toggleKeepUploading(); });
        });
        connect(m_keptUp.get(), &KeepUploading::ended, this, [this, pane](const Error &error) {
            m_keptUp.release()->deleteLater(); // it is what speaks
            pane->tell(error);
            updateActions();
        });
        pane->notices()->tell(NoticeBar::Tone::Info, tr("Looking at what differs…"));
        m_keptUp->start();
        updateActions();
    });
}

} // namespace Sandpiper
