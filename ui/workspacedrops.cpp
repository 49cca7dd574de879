// What is dropped on terminals and on sandboxes of the sidebar; see ui/workspace.h.
#include "ui/carriedfiles.h"
#include "ui/conflictdialog.h"
#include "ui/filedialogs.h"
#include "ui/panebanner.h"
#include "ui/terminalpane.h"
#include "ui/workspaceprivate.h"

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

void Workspace::Private::takeDrop(TerminalPane *pane, const CarriedFiles &files, const FilePath &directory)
{
    const Sandbox sandbox = sandboxOf(pane);
    const auto send = [this, pane = QPointer(pane), files, sandbox](const FilePath &folder) {
        q->sendFiles(files, sandbox, folder);
        if (pane)
            pane->notice()->setFace(bannerForNotice(tr("Uploading %1 to %2.").arg(namesOf(files), folder.shown())));
    };
    if (!directory.isEmpty())
        return send(directory);
    // The shell does not say where it is.
    askText(q->window(), {tr("Upload %1").arg(namesOf(files)), tr("Folder on “%1”").arg(tamed(sandbox.displayName(), 60)), u"."_s, tr("Upload")}, [send](const QString &shown) {
        if (const Result<FilePath> folder = FilePath::fromShown(shown); folder && !folder->isEmpty())
            send(*folder);
    });
}

void Workspace::sendFiles(const CarriedFiles &files, const Sandbox &sandbox, const FilePath &folder)
{
    TransferQueue *queue = d->services.files.transfers;
    if (!queue)
        return;
    const FilePath target = folder.isEmpty() ? FilePath::fromBytes(".").value_or(folder) : folder;
    TransferWish wish = wishFor(files, {sandbox.id, sandbox.displayName(), target, sandbox.ssh.has_value()}, false);
    wish.hashes = d->services.files.choices && d->services.files.choices().hashes;
    // One connection for all of them; those that are over ask nothing.
    if (d->uploads.isEmpty()) {
        connect(queue, &TransferQueue::asked, this, [this, queue](qint64 id) {
            if (d->uploads.contains(id))
                (void)askAboutConflict(window(), queue, id);
        });
    }
    d->uploads.insert(queue->add(wish));
}

} // namespace Sandpiper
