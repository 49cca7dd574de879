// The inside of TerminalView. Included by terminalview.cpp alone.
#pragma once

#include "terminal/bellflash.h"
#include "terminal/feedpump.h"
#include "terminal/qtermwidgetengine.h"
#include "terminal/streamfilter.h"
#include "terminal/terminalinput.h"
#include "terminal/terminalview.h"

#include <QElapsedTimer>
#include <QTimer>

#include <deque>
#include <optional>

namespace Sandpiper {

// No Q_OBJECT: a nested class has no meta-object, and needs none to be a receiver.
class TerminalView::Private final : public QObject, public StreamFilter::Sink, public FeedPump::Client
{
public:
    Private(TerminalView &view, const TerminalOptions &options);
    ~Private() override;

    // FeedPump::Client
    [[nodiscard]] bool hasWork() const override;
    [[nodiscard]] bool isInFront() const override;
    void takeSlice(qint64 maxBytes) override;

    // StreamFilter::Sink, all from within takeSlice() or release()
    void text(QByteArrayView bytes) override;
    void reply(const QByteArray &bytes) override;
    void title(const QString &title) override;
    void workingDirectory(const QString &path) override;
    void bell() override;

    bool eventFilter(QObject *watched, QEvent *event) override; // of the view

    void applyFont();
    void applyScheme();
    void applyOptions(const TerminalOptions &before);
    void updateFacts();
    void noteGrid();
    void announceGrid();
    void release();
    void tellEvents();
    void showEcho(qint64 fedBytes);
    void ring();
    void pasteAsking(const QString &text);
    void send(const QString &text);
    void openLink(const QUrl &url);
    void copySelection();
    void styleScrollBar();
    void updateScrollBar();

    TerminalView &q;
    TerminalOptions options;
    QTermWidgetEngine engine;
    StreamFilter filter;
    TerminalInput input;
    BellFlash *flash = nullptr; // child of the view
    std::deque<QByteArray> queue;
    qsizetype queueOffset = 0; // into the first of it
    qint64 queued = 0;
    int zoomSteps = 0;
    QSize grid;
    QSize announced{0, 0};
    bool mayMeasure = false; // laid out for real, or told to take a size
    bool found = false;
    bool scrollBarShown = true;
    QTimer gridTimer;
    QTimer holdTimer;
    QElapsedTimer sinceBell;
    QElapsedTimer sinceActivity;
    // What a slice has brought, told when the slice is over.
    std::optional<QString> newTitle;
    std::optional<QString> newDirectory;
    bool rang = false;
};

} // namespace Sandpiper
