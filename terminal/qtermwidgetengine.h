// QTermWidget, in teletype mode and with its traps closed. Private to terminalview.cpp.
// What it has to say comes out when it is no longer on the stack, so that a receiver may even delete
// the view. Facts and traps were measured with 2.1.0; where a later version lacks a private slot, the
// same bytes go through its pseudo terminal.
#pragma once

#include <QByteArray>
#include <QColor>
#include <QMetaMethod>
#include <QObject>
#include <QPointer>
#include <QRect>
#include <QUrl>

class QLineEdit;
class QScrollBar;
class QSocketNotifier;
class QTermWidget;

namespace Sandpiper {

struct TerminalScheme;

class QTermWidgetEngine : public QObject
{
    Q_OBJECT
public:
    enum class Route { Best, PseudoTerminal }; // the second where the first is not to be had, and in tests
    explicit QTermWidgetEngine(QWidget *parentWidget, Route route = Route::Best);
    ~QTermWidgetEngine() override;

    [[nodiscard]] QWidget *widget() const;
    [[nodiscard]] QWidget *display() const { return m_display; } // gets the events
    [[nodiscard]] QScrollBar *scrollBar() const { return m_scrollBar; }
    [[nodiscard]] bool isDirect() const { return m_receive.isValid(); }

    void write(QByteArrayView bytes);
    [[nodiscard]] qint64 backlog() const { return m_backlog.size(); } // 0 where isDirect()
    // Has the display handle an event.
    void deliver(QEvent *event);
    // Input that is not from the engine, in its place among what is.
    void say(const QByteArray &bytes);

    // While one of these lives, what the engine says is kept; at the end of the last it comes out.
    class Quiet
    {
    public:
        explicit Quiet(QTermWidgetEngine &engine);
        ~Quiet();
        Q_DISABLE_COPY_MOVE(Quiet)

    private:
        QPointer<QTermWidgetEngine> m_engine;
    };

    void setFont(const QFont &font);
    void setScheme(const TerminalScheme &scheme);
    void setHistoryLines(int lines);
    void setPadding(int pixels);
    void setBlinkingCursor(bool blinking);

    [[nodiscard]] QSize grid() const;       // columns × lines
    [[nodiscard]] QSize cell() const;       // pixels
    [[nodiscard]] QPoint cellAt(QPoint displayPosition) const; // from 0, clamped to the grid
    [[nodiscard]] QPoint gridOrigin() const; // of the first cell, in the display
    // How far the view is scrolled away from the end, in lines.
    [[nodiscard]] int scrolledBack() const;
    [[nodiscard]] bool hasHistory() const;

    // As of the last look; 2.1.0 says nothing when it changes.
    [[nodiscard]] bool hasSelection() const { return m_hasSelection; }
    bool lookForSelection(); // looks again, and tells
    void clearSelection();
    [[nodiscard]] QString selectedText() const;
    void selectAll();
    [[nodiscard]] bool find(const QString &text, bool backwards);
    [[nodiscard]] QByteArray visibleText();
    void scrollToEnd();
    // Paints now instead of after the engine's own 10 ms; loses the selection.
    void showNow();

signals:
    void input(const QByteArray &bytes); // never empty, ≤ 16 KiB
    void gridChanged();
    void selectionChanged(bool any);
    void linkActivated(const QUrl &url);
    void backlogDrained();

private:
    void findParts(Route route);
    void prepareTeletype();
    void takeInput(const char *bytes, int length);
    void flushInput();
    void drain();

    QPointer<QTermWidget> m_widget;
    QWidget *m_display = nullptr;
    QScrollBar *m_scrollBar = nullptr;
    QObject *m_session = nullptr;
    QMetaMethod m_receive; // Konsole::Session::onReceiveBlock(const char*,int)
    QSocketNotifier *m_writable = nullptr;
    int m_slave = -1;
    QByteArray m_backlog; // for the pseudo terminal, where it is needed
    QByteArray m_input;   // said while on the stack
    int m_depth = 0;
    int m_padding = 0;
    bool m_hasSelection = false;
};

} // namespace Sandpiper
