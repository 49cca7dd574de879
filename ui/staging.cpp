#include "ui/staging.h"

#include "session/paths.h"

#include <QDir>
#include <QFile>
#include <QThreadPool>
#include <QUuid>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

// Trees may be large: not in the GUI thread.
void removeSoon(const QString &folder)
{
    QThreadPool::globalInstance()->start([folder] { (void)QDir(folder).removeRecursively(); });
}

} // namespace

Staging::Staging(TransferQueue *queue, const CarriedFiles &files, const QString &folder, QObject *parent)
    : QObject(parent)
    , m_queue(queue)
    , m_wanted(files)
    , m_folder(folder + u'/' + QUuid::createUuid().toString(QUuid::Id128))
{
}

Staging::~Staging()
{
    if (m_queue && m_id != 0) {
        m_queue->disconnect(this);
        if (!isOver(m_queue->progress(m_id).state)) {
            // It is over in a moment, or at once, with what it had begun; then it goes from the list, and the folder with it.
            auto *end = new QObject(m_queue);
            connect(m_queue, &TransferQueue::finished, end, [end, queue = m_queue.get(), id = m_id, folder = m_folder](qint64 over) {
                if (over != id)
                    return;
                end->deleteLater();
                QMetaObject::invokeMethod(queue, [queue, id] { queue->remove(id); }, Qt::QueuedConnection);
                removeSoon(folder);
            });
            m_queue->cancel(m_id);
            return;
        }
        m_queue->remove(m_id);
    }
    if (!m_isHandedOver)
        removeSoon(m_folder);
}

void Staging::start()
{
    if (!m_queue)
        return emit failed({ErrorKind::Unsupported, Layer::Sftp, {}, {}});
    const Result<FilePath> folder = FilePath::fromBytes(QFile::encodeName(m_folder));
    if (const Done made = makePrivateFolder(m_folder); !made || !folder)
        return emit failed(made ? folder.error() : made.error());
    TransferWish wish = wishFor(m_wanted, {{}, {}, *folder, false}, false);
    wish.onConflict = OnConflict::Rename; // two of one name, from two folders
    connect(m_queue, &TransferQueue::changed, this, [this](qint64 id) {
        if (id == m_id)
            emit progressed();
    });
    connect(m_queue, &TransferQueue::finished, this, [this](qint64 id) {
        if (id == m_id)
            look();
    });
    m_id = m_queue->add(wish);
    m_queue->moveTo(m_id, 0); // somebody holds a button down
}

void Staging::look()
{
    const TransferProgress progress = m_queue->progress(m_id);
    if (progress.state == TransferState::Finished && progress.failures.isEmpty()) {
        m_isReady = true;
        return emit ready();
    }
    emit failed(progress.error ? *progress.error : !progress.failures.isEmpty() ? progress.failures.constFirst().error : Error{ErrorKind::Cancelled, Layer::Sftp, {}, {}});
}

double Staging::fraction() const
{
    if (m_isReady || !m_queue || m_id == 0)
        return m_isReady ? 1 : 0;
    const TransferProgress progress = m_queue->progress(m_id);
    return progress.bytes == 0 ? 0 : std::clamp(double(progress.bytesMoved) / double(progress.bytes), 0.0, 1.0);
}

CarriedFiles Staging::files() const
{
    CarriedFiles here;
    const QStringList names = QDir(m_folder).entryList(QDir::AllEntries | QDir::NoDotAndDotDot | QDir::Hidden | QDir::System);
    for (const QString &name : names) {
        if (const Result<FilePath> path = FilePath::fromBytes(QFile::encodeName(m_folder + u'/' + name)))
            here.paths.append(*path);
    }
    return here;
}

void Staging::clean(const QString &folder)
{
    removeSoon(folder);
}

} // namespace Sandpiper
