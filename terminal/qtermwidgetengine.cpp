#include "terminal/qtermwidgetengine.h"

#include "terminal/terminalscheme.h"

#include <QAction>
#include <QFont>
#include <QLineEdit>
#include <QLoggingCategory>
#include <QScrollBar>
#include <QSignalBlocker>
#include <QSocketNotifier>

#include <qtermwidget6/qtermwidget.h>

#include <cerrno>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

namespace Sandpiper {

using namespace Qt::StringLiterals;

static Q_LOGGING_CATEGORY(lcEngine, "sandpiper.terminal.engine", QtInfoMsg)

static constexpr qsizetype kMaxPiece = 16 << 10;

QTermWidgetEngine::Quiet::Quiet(QTermWidgetEngine &engine)
    : m_engine(&engine)
{
    ++engine.m_depth;
}

QTermWidgetEngine::Quiet::~Quiet()
{
    if (m_engine && --m_engine->m_depth == 0)
        m_engine->flushInput();
}

QTermWidgetEngine::QTermWidgetEngine(QWidget *parentWidget, Route route)
    : m_widget(new QTermWidget(0, parentWidget)) // 0: no shell of this computer
{
    findParts(route);
    m_widget->setTerminalSizeHint(false);
    m_widget->setFlowControlEnabled(false);
    // Never initialised by 2.1.0; its own pasting is not used, but a drop may come by it.
    m_widget->setConfirmMultilinePaste(false);
    m_widget->setTrimPastedTrailingNewlines(false);
    m_widget->setBidiEnabled(false); // it turns whole rows round, frames included
    m_widget->setBoldIntense(true); // it means that bold is drawn bold at all
    // Its own line drawing goes astray behind wide characters; good fonts join their lines.
    m_widget->setDrawLineChars(false);
    m_widget->setScrollBarPosition(QTermWidgetInterface::ScrollBarRight);
    // The name is put behind the engine's own folder, or behind nothing where that is missing. Of its
    // own tables only "linux" has a Backspace that is DEL.
    const QString keys = keyTableFile();
    m_widget->setKeyBindings(keys.isEmpty() ? u"linux"_s
                                            : u"../"_s.repeated(32) + keys.sliced(1).chopped(qsizetype(qstrlen(".keytab"))));
    connect(m_widget, &QTermWidget::sendData, this, &QTermWidgetEngine::takeInput);
    // Comes from inside a mouse press.
    connect(m_widget, &QTermWidget::urlActivated, this, [this](const QUrl &url) { emit linkActivated(url); },
            Qt::QueuedConnection);
    prepareTeletype();
}

QTermWidgetEngine::~QTermWidgetEngine()
{
    delete m_writable; // before its descriptor goes
    if (!m_widget)
        return;
    m_widget->disconnect(this);
    if (m_depth == 0) {
        delete m_widget;
        return;
    }
    // Somebody ended us from inside the engine: it must outlive its own functions.
    m_widget->hide();
    m_widget->setParent(nullptr);
    m_widget->deleteLater();
}

void QTermWidgetEngine::findParts(Route route)
{
    const auto children = m_widget->findChildren<QObject *>();
    for (QObject *child : children) {
        const QByteArrayView name(child->metaObject()->className());
        if (name == "Konsole::TerminalDisplay")
            m_display = qobject_cast<QWidget *>(child);
        else if (name == "Konsole::Session")
            m_session = child;
    }
    if (m_session && route == Route::Best) {
        const int slot = m_session->metaObject()->indexOfMethod("onReceiveBlock(const char*,int)");
        if (slot >= 0)
            m_receive = m_session->metaObject()->method(slot);
    }
    if (!m_receive.isValid() && route == Route::Best)
        qCWarning(lcEngine) << "This QTermWidget has no onReceiveBlock: its pseudo terminal is used";
    if (!m_display) {
        // The focus proxy is the display in every version so far.
        m_display = m_widget->focusProxy() ? m_widget->focusProxy() : m_widget.data();
        qCWarning(lcEngine) << "This QTermWidget has no TerminalDisplay";
    }
    m_scrollBar = m_display->findChild<QScrollBar *>();
    const int sized = m_display->metaObject()->indexOfSignal("changedContentSizeSignal(int,int)");
    if (sized >= 0)
        connect(m_display, m_display->metaObject()->method(sized), this,
                QMetaMethod::fromSignal(&QTermWidgetEngine::gridChanged));
}

void QTermWidgetEngine::prepareTeletype()
{
    m_widget->startTerminalTeletype(); // once: a second call doubles every key
    m_slave = m_widget->getPtySlaveFd(); // stays the engine's own
    if (m_slave < 0)
        return;
    termios settings{};
    if (tcgetattr(m_slave, &settings) == 0) {
        cfmakeraw(&settings);
        settings.c_iflag &= ~tcflag_t(IXON | IXOFF | IUTF8); // cfmakeraw leaves two of them
        tcsetattr(m_slave, TCSANOW, &settings);
    }
    if (isDirect())
        return;
    fcntl(m_slave, F_SETFL, fcntl(m_slave, F_GETFL) | O_NONBLOCK);
    m_writable = new QSocketNotifier(m_slave, QSocketNotifier::Write, this);
    m_writable->setEnabled(false);
    connect(m_writable, &QSocketNotifier::activated, this, &QTermWidgetEngine::drain);
}

QWidget *QTermWidgetEngine::widget() const
{
    return m_widget;
}

void QTermWidgetEngine::write(QByteArrayView bytes)
{
    if (!isDirect()) {
        m_backlog.append(bytes);
        drain();
        return;
    }
    const Quiet guard(*this);
    m_receive.invoke(m_session, Qt::DirectConnection, Q_ARG(const char *, bytes.data()), Q_ARG(int, int(bytes.size())));
}

void QTermWidgetEngine::drain()
{
    qsizetype done = 0;
    while (done < m_backlog.size()) {
        const ssize_t n = ::write(m_slave, m_backlog.constData() + done, std::size_t(m_backlog.size() - done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            done = m_backlog.size(); // the terminal is gone, and so is who would read this
        if (n <= 0)
            break;
        done += n;
    }
    m_backlog.remove(0, done);
    if (m_writable)
        m_writable->setEnabled(!m_backlog.isEmpty());
    if (done > 0 && m_backlog.isEmpty())
        emit backlogDrained();
}

void QTermWidgetEngine::deliver(QEvent *event)
{
    const Quiet guard(*this);
    static_cast<QObject *>(m_display)->event(event);
}

void QTermWidgetEngine::say(const QByteArray &bytes)
{
    takeInput(bytes.constData(), int(bytes.size()));
}

void QTermWidgetEngine::takeInput(const char *bytes, int length)
{
    if (length <= 0) // a modifier key alone
        return;
    m_input.append(bytes, length);
    if (m_depth == 0)
        QMetaObject::invokeMethod(this, &QTermWidgetEngine::flushInput, Qt::QueuedConnection);
}

void QTermWidgetEngine::flushInput()
{
    const QPointer<QTermWidgetEngine> self(this);
    while (self && !m_input.isEmpty()) {
        const QByteArray piece = m_input.first(qMin(kMaxPiece, m_input.size()));
        m_input.remove(0, piece.size());
        emit input(piece);
    }
}

bool QTermWidgetEngine::lookForSelection()
{
    const bool any = !m_widget->selectedText(true).isEmpty();
    if (std::exchange(m_hasSelection, any) != any)
        QMetaObject::invokeMethod(this, [this, any] { emit selectionChanged(any); }, Qt::QueuedConnection);
    return any;
}

void QTermWidgetEngine::clearSelection()
{
    showNow();
    lookForSelection();
}

void QTermWidgetEngine::setFont(const QFont &font)
{
    const Quiet guard(*this);
    m_widget->setTerminalFont(font);
}

void QTermWidgetEngine::setScheme(const TerminalScheme &scheme)
{
    m_widget->setColorScheme(scheme.file);
}

void QTermWidgetEngine::setHistoryLines(int lines)
{
    const Quiet guard(*this);
    m_widget->setHistorySize(lines);
}

void QTermWidgetEngine::setPadding(int pixels)
{
    m_padding = pixels;
    m_widget->setMargin(pixels);
}

void QTermWidgetEngine::setBlinkingCursor(bool blinking)
{
    m_widget->setBlinkingCursor(blinking);
}

QSize QTermWidgetEngine::grid() const
{
    return {m_widget->screenColumnsCount(), m_widget->screenLinesCount()};
}

QSize QTermWidgetEngine::cell() const
{
    const QRect cursor = m_display->inputMethodQuery(Qt::ImCursorRectangle).toRect();
    return {qMax(1, cursor.width()), qMax(1, cursor.height())};
}

QPoint QTermWidgetEngine::gridOrigin() const
{
    return m_display->contentsRect().topLeft() + QPoint(m_padding, m_padding);
}

QPoint QTermWidgetEngine::cellAt(QPoint displayPosition) const
{
    const QPoint at = displayPosition - gridOrigin();
    const QSize size = cell();
    const QSize last = grid() - QSize(1, 1);
    return {qBound(0, at.x() / size.width(), qMax(0, last.width())),
            qBound(0, at.y() / size.height(), qMax(0, last.height()))};
}

int QTermWidgetEngine::scrolledBack() const
{
    return m_scrollBar ? m_scrollBar->maximum() - m_scrollBar->value() : 0;
}

bool QTermWidgetEngine::hasHistory() const
{
    return m_widget->historyLinesCount() > 0;
}

QString QTermWidgetEngine::selectedText() const
{
    return m_widget->selectedText(true);
}

void QTermWidgetEngine::selectAll()
{
    const Quiet guard(*this);
    m_widget->setSelectionStart(0, 0);
    m_widget->setSelectionEnd(m_widget->historyLinesCount() + m_widget->screenLinesCount() - 1,
                              m_widget->screenColumnsCount() - 1);
    lookForSelection();
    m_display->update();
}

// The engine's search works through its own search bar, which stays hidden and only lends its field.
bool QTermWidgetEngine::find(const QString &text, bool backwards)
{
    auto *field = m_widget->findChild<QLineEdit *>(u"searchTextEdit"_s);
    if (!field || text.isEmpty())
        return false;
    const bool exact = text != text.toLower();
    QWidget *bar = field->parentWidget();
    // Its menu has match case, regular expression, and highlighting, in this order.
    const QList<QAction *> options = bar->findChildren<QAction *>();
    int checkable = 0;
    for (QAction *option : options) {
        if (!option->isCheckable())
            continue;
        const QSignalBlocker quiet(option);
        if (checkable == 0)
            option->setChecked(exact);
        else if (checkable == 1)
            option->setChecked(false);
        ++checkable;
    }
    {
        const QSignalBlocker quiet(field);
        field->setText(text);
    }
    const Quiet guard(*this);
    const char *slot = backwards ? "findPrevious" : "findNext";
    if (!QMetaObject::invokeMethod(m_widget, slot, Qt::DirectConnection))
        return false;
    return lookForSelection(); // what was found is selected; nothing is where nothing was
}

QByteArray QTermWidgetEngine::visibleText()
{
    const QSize size = grid();
    const int first = m_scrollBar ? m_scrollBar->value() : m_widget->historyLinesCount();
    int fromRow = 0;
    int fromColumn = 0;
    int toRow = 0;
    int toColumn = 0;
    const bool had = lookForSelection();
    if (had) {
        m_widget->getSelectionStart(fromRow, fromColumn);
        m_widget->getSelectionEnd(toRow, toColumn);
    }
    m_widget->setSelectionStart(first, 0);
    m_widget->setSelectionEnd(first + size.height() - 1, size.width() - 1);
    const QString text = m_widget->selectedText(true);
    if (had) {
        m_widget->setSelectionStart(fromRow, fromColumn);
        m_widget->setSelectionEnd(toRow, toColumn);
    } else {
        showNow();
    }
    return text.toUtf8();
}

void QTermWidgetEngine::scrollToEnd()
{
    m_widget->scrollToEnd();
}

void QTermWidgetEngine::showNow()
{
    const Quiet guard(*this);
    m_widget->setHistorySize(m_widget->historySize());
}

} // namespace Sandpiper
