#include "ui/dragout.h"

#include "ui/dialogkit.h"
#include "ui/sandboxtext.h"
#include "ui/theme.h"

#include <QApplication>
#include <QDrag>
#include <QToolTip>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr auto kLook = 100ms;
constexpr int kLooksOutside = 3; // in a row: it is not only on its way past a border

} // namespace

DragOut::DragOut(QWidget *source, const CarriedFiles &files, TransferQueue *queue, const QString &stagingFolder)
    : m_source(source)
    , m_files(files)
    , m_queue(queue)
    , m_stagingFolder(stagingFolder)
{
    m_timer.setInterval(kLook);
    connect(&m_timer, &QTimer::timeout, this, &DragOut::look);
}

Qt::DropAction DragOut::drag(const CarriedFiles &files, Qt::DropActions actions)
{
    if (!m_source)
        return Qt::IgnoreAction;
    auto *drag = new QDrag(m_source); // which takes it over
    drag->setMimeData(mimeFor(files).release());
    drag->setPixmap(icon(files.paths.size() == 1 ? IconName::File : IconName::Files, IconTone::Accent).pixmap(QSize(24, 24), m_source->devicePixelRatioF()));
    drag->setHotSpot({-8, -8});
    return drag->exec(actions, Qt::CopyAction);
}

void DragOut::run(Qt::DropActions actions)
{
    // Where other programs' windows are is told by X11 alone.
    if (!m_files.isLocal() && m_queue && !m_stagingFolder.isEmpty() && QGuiApplication::platformName() == "xcb"_L1)
        m_timer.start();
    (void)drag(m_files, actions);
    m_timer.stop();
    if (m_beginsAnew) {
        const CarriedFiles here = m_staging->files();
        // The taker copies them when it likes: they lie there until the next start.
        if (!here.paths.isEmpty() && drag(here, Qt::CopyAction) != Qt::IgnoreAction)
            m_staging->handOver();
    }
    QToolTip::hideText();
    deleteLater();
}

void DragOut::look()
{
    const QPoint at = QCursor::pos();
    m_outside = QApplication::topLevelAt(at) ? 0 : m_outside + 1;
    if (m_outside < kLooksOutside)
        return;
    if (!m_staging && m_trouble.isEmpty()) {
        m_staging = std::make_unique<Staging>(m_queue, m_files, m_stagingFolder);
        connect(m_staging.get(), &Staging::failed, this, [this](const Error &error) {
            m_trouble = problemText(error);
            m_staging.release()->deleteLater(); // it is what speaks
        });
        m_staging->start();
    }
    if (m_staging && m_staging->isReady()) {
        // What a drag carries cannot change under way; another one takes its place, under the same button.
        m_beginsAnew = true;
        return QDrag::cancel();
    }
    const QString words = m_staging ? tr("Fetching %1: %2 %. Keep the button down.").arg(namesOf(m_files)).arg(int(m_staging->fraction() * 100))
                                    : tr("It cannot be had on the desktop: %1").arg(m_trouble);
    QToolTip::showText(at, plainTip(words));
}

} // namespace Sandpiper
