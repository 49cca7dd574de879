// Stands between the person and the engine: keys that are ours, mouse reports, pasting by the middle
// button, links, the wheel, drops. An event filter of the engine's display.
#pragma once

#include "terminal/streamfilter.h"

#include <QElapsedTimer>
#include <QObject>
#include <QPoint>

class QDropEvent;
class QKeyEvent;
class QMimeData;
class QMouseEvent;
class QWheelEvent;

namespace Sandpiper {

class QTermWidgetEngine;
struct MouseReport;

class TerminalInput : public QObject
{
    Q_OBJECT
public:
    // Both outlive this.
    TerminalInput(QTermWidgetEngine &engine, const StreamFilter &filter);

    void setReadOnly(bool readOnly) { m_readOnly = readOnly; }
    void setMiddleClickPastes(bool pastes) { m_middleClickPastes = pastes; }
    [[nodiscard]] bool isReadOnly() const { return m_readOnly; }
    // True for a moment after a key: an echo is expected.
    [[nodiscard]] bool typedJustNow() const;
    [[nodiscard]] bool isSelecting() const { return m_leftDown; }
    // The last press on the grid was one that may open a link.
    [[nodiscard]] bool mayOpenLink() const { return m_mayOpenLink; }
    void noteTyping() { m_typed.start(); }

    bool eventFilter(QObject *watched, QEvent *event) override;

signals:
    void pastePrimaryWanted(); // middle button, Shift+Insert
    void contextMenuWanted(const QPoint &globalPos);
    void textDropped(const QString &text);
    void zoomWanted(int steps);
    void selectionMade(); // the person has let go of the button

private:
    bool keyPress(QKeyEvent *event);
    bool mousePress(QMouseEvent *event);
    bool mouseRelease(QMouseEvent *event);
    bool mouseMove(QMouseEvent *event);
    bool wheel(QWheelEvent *event);
    bool drag(QDropEvent *event);
    bool drop(QDropEvent *event);
    void focusChanged(bool in);
    [[nodiscard]] bool isReporting(Qt::KeyboardModifiers modifiers) const;
    [[nodiscard]] MouseReport reportAt(QPoint position) const;

    QTermWidgetEngine &m_engine;
    const StreamFilter &m_filter;
    QElapsedTimer m_typed;
    Qt::MouseButtons m_reported; // pressed, and told the far side
    QPoint m_lastMove{-1, -1};
    int m_wheelRest = 0; // of 120ths of a notch
    int m_zoomRest = 0;
    bool m_readOnly = false;
    bool m_middleClickPastes = true;
    bool m_leftDown = false;
    bool m_mayOpenLink = false;
};

} // namespace Sandpiper
