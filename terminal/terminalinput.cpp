#include "terminal/terminalinput.h"

#include "terminal/appkeys.h"
#include "terminal/mousereport.h"
#include "terminal/pasteguard.h"
#include "terminal/qtermwidgetengine.h"

#include <QContextMenuEvent>
#include <QDragMoveEvent>
#include <QKeyEvent>
#include <QMimeData>
#include <QMouseEvent>
#include <QUrl>
#include <QWheelEvent>
#include <QWidget>

namespace Sandpiper {
namespace {

constexpr qint64 kEchoMs = 100;
constexpr int kNotch = 120; // QWheelEvent's unit
constexpr int kLinesPerNotch = 3;

// Scrolling is reading, and so allowed where nothing may be typed.
bool isScrollKey(const QKeyEvent &event)
{
    if ((event.modifiers() & ~Qt::KeypadModifier) != Qt::ShiftModifier)
        return false;
    switch (event.key()) {
    case Qt::Key_PageUp:
    case Qt::Key_PageDown:
    case Qt::Key_Home:
    case Qt::Key_End:
        return true;
    default:
        return false;
    }
}

Qt::MouseButton heldButton(Qt::MouseButtons buttons)
{
    for (const Qt::MouseButton button : {Qt::LeftButton, Qt::MiddleButton, Qt::RightButton}) {
        if (buttons.testFlag(button))
            return button;
    }
    return Qt::NoButton;
}

} // namespace

TerminalInput::TerminalInput(QTermWidgetEngine &engine, const StreamFilter &filter)
    : m_engine(engine)
    , m_filter(filter)
{
    engine.display()->installEventFilter(this);
}

bool TerminalInput::typedJustNow() const
{
    return m_typed.isValid() && m_typed.elapsed() < kEchoMs;
}

bool TerminalInput::eventFilter(QObject *watched, QEvent *event)
{
    if (watched != m_engine.display())
        return false;
    switch (event->type()) {
    case QEvent::ShortcutOverride: {
        const auto *key = static_cast<QKeyEvent *>(event);
        // Accepted: it is no shortcut of anybody's, it comes back as a key press.
        event->setAccepted(!belongsToProgram(key->key(), key->modifiers()));
        return true;
    }
    case QEvent::KeyPress:
        return keyPress(static_cast<QKeyEvent *>(event));
    case QEvent::InputMethod:
        noteTyping();
        if (!m_readOnly)
            m_engine.deliver(event);
        return true;
    case QEvent::MouseButtonPress:
        return mousePress(static_cast<QMouseEvent *>(event));
    case QEvent::MouseButtonDblClick:
        return mousePress(static_cast<QMouseEvent *>(event));
    case QEvent::MouseButtonRelease:
        return mouseRelease(static_cast<QMouseEvent *>(event));
    case QEvent::MouseMove:
        return mouseMove(static_cast<QMouseEvent *>(event));
    case QEvent::Wheel:
        return wheel(static_cast<QWheelEvent *>(event));
    case QEvent::ContextMenu: {
        const auto *menu = static_cast<QContextMenuEvent *>(event);
        event->accept();
        if (menu->reason() == QContextMenuEvent::Keyboard)
            emit contextMenuWanted(menu->globalPos());
        return true; // a press of the right button has been handled as one
    }
    case QEvent::DragEnter:
    case QEvent::DragMove:
        return drag(static_cast<QDropEvent *>(event));
    case QEvent::Drop:
        return drop(static_cast<QDropEvent *>(event));
    case QEvent::FocusIn:
        focusChanged(true);
        return false;
    case QEvent::FocusOut:
        focusChanged(false);
        return false;
    default:
        return false;
    }
}

bool TerminalInput::keyPress(QKeyEvent *event)
{
    event->accept();
    if (neverForShell(event->key(), event->modifiers()))
        return true;
    if (m_readOnly && !isScrollKey(*event))
        return true;
    if (event->key() == Qt::Key_Insert && event->modifiers() == Qt::ShiftModifier) {
        emit pastePrimaryWanted();
        return true;
    }
    noteTyping();
    if (event->key() == Qt::Key_Space && event->modifiers().testFlag(Qt::ControlModifier)) {
        // The engine's key tables cannot hold a NUL.
        const QTermWidgetEngine::Quiet guard(m_engine);
        m_engine.say(event->modifiers().testFlag(Qt::AltModifier) ? QByteArray("\x1b\0", 2) : QByteArray(1, '\0'));
        return true;
    }
    m_engine.deliver(event);
    return true;
}

// Shift is the person's way to select where a program has taken the mouse.
bool TerminalInput::isReporting(Qt::KeyboardModifiers modifiers) const
{
    return m_filter.modes().mouse != MouseReports::Off && !modifiers.testFlag(Qt::ShiftModifier) && !m_readOnly
        && m_engine.scrolledBack() == 0;
}

MouseReport TerminalInput::reportAt(QPoint position) const
{
    MouseReport report;
    report.cell = m_engine.cellAt(position);
    const QPoint pixel = position - m_engine.gridOrigin();
    report.pixel = {qMax(0, pixel.x()), qMax(0, pixel.y())};
    return report;
}

bool TerminalInput::mousePress(QMouseEvent *event)
{
    event->accept();
    const QPoint position = event->position().toPoint();
    if (isReporting(event->modifiers())) {
        m_reported |= event->button();
        m_lastMove = m_engine.cellAt(position);
        MouseReport report = reportAt(position);
        report.kind = MouseReport::Kind::Press;
        report.button = event->button();
        report.modifiers = event->modifiers();
        const QTermWidgetEngine::Quiet guard(m_engine);
        m_engine.say(mouseReport(report, m_filter.modes()));
        return true;
    }
    switch (event->button()) {
    case Qt::LeftButton:
        m_leftDown = true;
        m_mayOpenLink = event->modifiers().testFlag(Qt::ControlModifier);
        // A press on selected text would drag it, in an event loop of the engine's own.
        if (event->type() == QEvent::MouseButtonPress && m_engine.lookForSelection())
            m_engine.clearSelection();
        m_engine.deliver(event);
        return true;
    case Qt::MiddleButton:
        if (m_middleClickPastes && !m_readOnly)
            emit pastePrimaryWanted();
        return true;
    case Qt::RightButton:
        emit contextMenuWanted(event->globalPosition().toPoint());
        return true;
    default:
        return true;
    }
}

bool TerminalInput::mouseRelease(QMouseEvent *event)
{
    event->accept();
    if (m_reported.testFlag(event->button())) {
        m_reported.setFlag(event->button(), false);
        MouseReport report = reportAt(event->position().toPoint());
        report.kind = MouseReport::Kind::Release;
        report.button = event->button();
        report.modifiers = event->modifiers();
        const QTermWidgetEngine::Quiet guard(m_engine);
        m_engine.say(mouseReport(report, m_filter.modes()));
        return true;
    }
    if (event->button() != Qt::LeftButton)
        return true;
    const bool selecting = std::exchange(m_leftDown, false);
    const QPointer<TerminalInput> self(this);
    m_engine.deliver(event);
    if (!self || !selecting)
        return true;
    m_engine.lookForSelection();
    emit selectionMade();
    return true;
}

bool TerminalInput::mouseMove(QMouseEvent *event)
{
    event->accept();
    if (m_leftDown || !isReporting(event->modifiers() & ~(m_reported ? Qt::ShiftModifier : Qt::NoModifier))) {
        m_engine.deliver(event);
        return true;
    }
    MouseReport report = reportAt(event->position().toPoint());
    const TerminalModes modes = m_filter.modes();
    const QPoint at = modes.mouseEncoding == MouseEncoding::SgrPixels ? report.pixel : report.cell;
    if (at == m_lastMove)
        return true;
    m_lastMove = at;
    report.kind = MouseReport::Kind::Move;
    report.button = heldButton(event->buttons() & m_reported);
    report.modifiers = event->modifiers();
    const QTermWidgetEngine::Quiet guard(m_engine);
    m_engine.say(mouseReport(report, modes));
    return true;
}

bool TerminalInput::wheel(QWheelEvent *event)
{
    event->accept();
    const int delta = event->angleDelta().y();
    if (event->modifiers().testFlag(Qt::ControlModifier)) {
        m_zoomRest += delta;
        const int steps = m_zoomRest / kNotch;
        m_zoomRest -= steps * kNotch;
        if (steps != 0)
            emit zoomWanted(steps);
        return true;
    }
    const TerminalModes modes = m_filter.modes();
    const bool reporting = isReporting(event->modifiers());
    if (!reporting && !modes.alternateScreen) {
        // Without a scrollback the engine would send cursor keys, and walk the shell's history.
        if (m_engine.hasHistory())
            m_engine.deliver(event);
        return true;
    }
    if ((delta > 0) != (m_wheelRest > 0))
        m_wheelRest = 0; // the other way round begins anew
    const int perStep = reporting ? kNotch : kNotch / kLinesPerNotch;
    m_wheelRest += delta;
    const int steps = m_wheelRest / perStep;
    m_wheelRest -= steps * perStep;
    if (steps == 0)
        return true;
    const QTermWidgetEngine::Quiet guard(m_engine);
    if (!reporting) {
        if (modes.alternateScroll && !m_readOnly)
            m_engine.say(wheelKeys(steps, modes));
        return true;
    }
    MouseReport report = reportAt(event->position().toPoint());
    report.kind = steps > 0 ? MouseReport::Kind::WheelUp : MouseReport::Kind::WheelDown;
    report.modifiers = event->modifiers();
    m_engine.say(mouseReport(report, modes).repeated(qMin(qAbs(steps), 20)));
    return true;
}

bool TerminalInput::drag(QDropEvent *event)
{
    const QMimeData *data = event->mimeData();
    if (m_readOnly || (!data->hasUrls() && !data->hasText())) {
        event->ignore();
        return true;
    }
    event->setDropAction(Qt::CopyAction);
    event->accept();
    return true;
}

bool TerminalInput::drop(QDropEvent *event)
{
    if (!drag(event) || !event->isAccepted())
        return true;
    const QMimeData *data = event->mimeData();
    QString text;
    const QList<QUrl> urls = data->urls();
    for (const QUrl &url : urls) {
        if (url.isLocalFile())
            text += shellQuoted(url.toLocalFile()) + u' ';
    }
    if (text.isEmpty())
        text = data->text();
    if (!text.isEmpty())
        emit textDropped(text);
    return true;
}

void TerminalInput::focusChanged(bool in)
{
    if (!m_filter.modes().focusReports)
        return;
    const QTermWidgetEngine::Quiet guard(m_engine);
    m_engine.say(in ? "\x1b[I" : "\x1b[O");
}

} // namespace Sandpiper
