// One terminal: bytes in, keys out. The only file pair that knows QTermWidget; nothing in this header
// would change with another engine. GUI thread.
#pragma once

#include <QFont>
#include <QUrl>
#include <QWidget>

#include <memory>

namespace Sandpiper {

struct TerminalOptions
{
    QFont font;                  // invalid family: the best monospaced one installed
    QString colorScheme = QStringLiteral("Sandpiper Dark"); // one of TerminalView::colorSchemes()
    int historyLines = 5000;     // 0..1,000,000
    bool confirmMultilinePaste = true;
    bool copyOnSelect = false;
    bool middleClickPastes = true;
    bool blinkingCursor = false;
    bool visualBell = true;
    int paddingPx = 6;
    friend bool operator==(const TerminalOptions &, const TerminalOptions &) = default;
};

// A receiver may end the view in any of its signals, by delete too.
class TerminalView : public QWidget
{
    Q_OBJECT
public:
    explicit TerminalView(const TerminalOptions &options, QWidget *parent = nullptr);
    ~TerminalView() override;

    [[nodiscard]] static QStringList colorSchemes();
    void setOptions(const TerminalOptions &options);

    // Takes all of it. Where more than 64 KiB waits to be drawn the source should pause until taken()
    // has reported it: taken(n) tells how many of the fed bytes the screen has now.
    void feed(const QByteArray &bytes);
    [[nodiscard]] qint64 pending() const;
    void reset();           // a reset that truly resets, the stream filter's state too
    void clearScrollback();

    // For a terminal nobody has seen yet, a tab restored in the background: laid out as if it were
    // shown at this size, so that gridResized() comes and its shell may start.
    void layOutHidden(const QSize &pixels);
    [[nodiscard]] QSize gridSize() const; // columns × lines; (0, 0) until the first layout
    [[nodiscard]] QString selectedText() const;
    void copy();
    void paste();           // the clipboard, made safe; may ask, see pasteConfirmationNeeded
    void pasteText(const QString &text); // no question
    void selectAll();
    void setReadOnly(bool readOnly);
    void zoom(int steps);   // 6..40 pt; 0 goes back to the options' size
    // Next match in scrollback, case-insensitive unless the pattern has capitals; false: none.
    bool find(const QString &text, bool backwards);
    void scrollToBottom();
    [[nodiscard]] QByteArray visibleText() const; // UTF-8, for tests and accessibility

signals:
    void input(const QByteArray &bytes); // never empty, ≤ 16 KiB each
    void taken(qint64 bytes);
    // 50 ms debounced, only on change; the first one means: now the far side may start.
    void gridResized(int columns, int lines);
    void titleChanged(const QString &title); // tamed
    void bell();
    void activity();
    void selectionChanged(bool any);
    void pasteConfirmationNeeded(const QString &text, int lines); // answer with pasteText()
    void linkActivated(const QUrl &url); // http, https, mailto; Ctrl+click only
    void workingDirectoryChanged(const QString &path); // OSC 7, tamed, unproven
    void contextMenuWanted(const QPoint &globalPos);
    void findClosed(); // what find() showed is gone: a reset, a cleared scrollback

private:
    class Private;
    std::unique_ptr<Private> d;
};

} // namespace Sandpiper
