#include "ui/fileediting.h"

#include "session/errortext.h"
#include "ui/filewords.h"

#include <QFile>

namespace Sandpiper {

namespace {

// A slip of the finger over a whole folder must not start a hundred editors.
constexpr qsizetype kMostAtOnce = 20;

} // namespace

FileEditing::FileEditing(const FileServices &services, QWidget *window)
    : QObject(window)
    , m_services(services)
    , m_window(window)
{
    if (!m_services.launch)
        m_services.launch = startApart;
    if (!m_services.edits)
        return;
    connect(m_services.edits, &FileEdits::opened, this, &FileEditing::opened);
    connect(m_services.edits, &FileEdits::changed, this, &FileEditing::changed);
}

QString FileEditing::reasonAgainst(const FilePane *pane, const QList<int> &rows) const
{
    if (const QString reason = pane->reasonAgainst(FileAction::Read); !reason.isEmpty())
        return reason;
    if (const QString reason = pane->reasonAgainst(FileAction::Write); !reason.isEmpty())
        return reason;
    if (!pane->isLocal() && !m_services.edits)
        return tr("Files of sandboxes are not edited here.");
    for (const int row : rows) {
        if (pane->model()->entry(row).attributes.isFolder())
            return tr("Folders are not edited.");
    }
    return rows.size() > kMostAtOnce ? tr("At most %L1 files at once.").arg(kMostAtOnce) : QString();
}

void FileEditing::open(FilePane *pane, const QList<int> &rows, FileOpening how)
{
    if (const QString reason = reasonAgainst(pane, rows); !reason.isEmpty())
        return pane->notices()->tell(NoticeBar::Tone::Trouble, reason);
    for (const int row : rows) {
        const FilePath path = pane->model()->path(row);
        if (!pane->isLocal()) {
            const QString id = m_services.edits->edit(pane->sandbox(), pane->displayName(), path);
            m_wishes.insert(id, {how, pane});
            m_asked.remove(id); // who said no once may say yes now
            changed(id);
            continue;
        }
        const QString file = QFile::decodeName(path.bytes());
        if (QFile::encodeName(file) != path.bytes())
            pane->notices()->tell(NoticeBar::Tone::Trouble, tr("“%1” cannot be handed to a program: its name is no text.").arg(shownBytes(path.name())));
        else
            start(file, how, pane);
    }
}

void FileEditing::start(const QString &file, FileOpening how, FilePane *pane)
{
    const Result<ToolLaunch> launch = editorLaunch(how == FileOpening::Open ? QString() : choices().editor, file);
    QString problem;
    if (!launch)
        problem = launch.error().detail;
    else if (!m_services.launch(*launch))
        problem = launch->program.isEmpty() ? tr("The desktop has no program for “%1”. An editor can be chosen in Preferences, Files.").arg(tamed(file.section(u'/', -1), 100))
                                            : tr("“%1” could not be started.").arg(tamed(launch->program, 200));
    if (!problem.isEmpty() && pane)
        pane->notices()->tell(NoticeBar::Tone::Trouble, problem);
}

void FileEditing::opened(const QString &id)
{
    const EditSession *session = m_services.edits->session(id);
    if (!session || !m_wishes.contains(id))
        return;
    const Wish wish = m_wishes.take(id);
    start(session->localFile(), wish.how, wish.pane);
}

void FileEditing::openAgain(const QString &id)
{
    if (const EditSession *session = m_services.edits ? m_services.edits->session(id) : nullptr; session && session->record().isFetched)
        start(session->localFile(), FileOpening::Edit, m_window->findChild<FilePane *>());
}

void FileEditing::changed(const QString &id)
{
    const EditSession *session = m_services.edits->session(id);
    if (!session || !m_wishes.contains(id))
        return;
    const EditStatus status = session->status();
    const QString name = shownBytes(session->record().path.name()).left(120);
    if (status.state == EditState::AsksSize && !m_asked.contains(id)) {
        m_asked.insert(id);
        Confirmation question;
        question.question = tr("Fetch “%1” to edit it?").arg(name);
        question.text = tr("It has %1.").arg(sizeText(status.size.value_or(0)));
        question.verb = tr("Fetch");
        question.keep = tr("Cancel");
        question.isDestructive = false;
        confirm(m_window->window(), question, [id, edits = m_services.edits] {
            if (EditSession *large = edits ? edits->session(id) : nullptr)
                large->fetchAnyway();
        });
    } else if (status.state == EditState::Failed && !session->record().isFetched && status.error) {
        // Nothing of it is here: a row that says so would only lie about.
        const Wish wish = m_wishes.take(id);
        if (wish.pane)
            wish.pane->tell(*status.error);
        QMetaObject::invokeMethod(m_services.edits, [id, edits = m_services.edits] { (void)edits->stop(id); }, Qt::QueuedConnection);
    }
}

} // namespace Sandpiper
