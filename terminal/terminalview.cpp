#include "terminal/terminalview.h"

#include "terminal/pasteguard.h"
#include "terminal/terminalfont.h"
#include "terminal/terminalscheme.h"
#include "terminal/terminalviewprivate.h"

#include <QClipboard>
#include <QCoreApplication>
#include <QGuiApplication>
#include <QMimeData>
#include <QResizeEvent>
#include <QScrollBar>
#include <QVBoxLayout>

#include <malloc.h>

namespace Sandpiper {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr qint64 kHighWater = 64 << 10;
constexpr qint64 kEchoBytes = 4 << 10; // more than that is no echo
constexpr qint64 kBellMs = 250;
constexpr qint64 kActivityMs = 250;

// The scrollback of a closed terminal is many small blocks, which the allocator keeps for itself.
void trimMemorySoon()
{
    static QPointer<QTimer> timer;
    if (!timer) {
        if (!QCoreApplication::instance())
            return;
        timer = new QTimer(QCoreApplication::instance());
        timer->setSingleShot(true);
        timer->setInterval(1s);
        QObject::connect(timer, &QTimer::timeout, timer, [] { malloc_trim(0); });
    }
    timer->start();
}

QString cssColor(QColor color, float alpha)
{
    color.setAlphaF(alpha);
    return u"rgba(%1,%2,%3,%4)"_s.arg(color.red()).arg(color.green()).arg(color.blue()).arg(color.alpha());
}

} // namespace

TerminalView::Private::Private(TerminalView &view, const TerminalOptions &wanted)
    : q(view)
    , options(wanted)
    , engine(&view)
    , input(engine, filter)
{
    gridTimer.setSingleShot(true);
    gridTimer.setInterval(50ms);
    holdTimer.setSingleShot(true);
    holdTimer.setInterval(StreamFilter::holdTime);
    connect(&gridTimer, &QTimer::timeout, this, &Private::announceGrid);
    connect(&holdTimer, &QTimer::timeout, this, &Private::release);
    connect(&engine, &QTermWidgetEngine::input, &view, &TerminalView::input);
    connect(&engine, &QTermWidgetEngine::gridChanged, this, &Private::noteGrid);
    connect(&engine, &QTermWidgetEngine::selectionChanged, &view, &TerminalView::selectionChanged);
    connect(&engine, &QTermWidgetEngine::linkActivated, this, &Private::openLink);
    connect(&engine, &QTermWidgetEngine::backlogDrained, this, [] { FeedPump::shared().wake(); });
    connect(&input, &TerminalInput::contextMenuWanted, &view, &TerminalView::contextMenuWanted);
    connect(&input, &TerminalInput::textDropped, this, &Private::pasteAsking);
    connect(&input, &TerminalInput::zoomWanted, &view, &TerminalView::zoom);
    connect(&input, &TerminalInput::selectionMade, this, &Private::copySelection);
    connect(&input, &TerminalInput::pastePrimaryWanted, this, [this] {
        const QClipboard *clipboard = QGuiApplication::clipboard();
        const bool hasPrimary = clipboard->supportsSelection();
        pasteAsking(clipboard->text(hasPrimary ? QClipboard::Selection : QClipboard::Clipboard));
    });
    view.installEventFilter(this);
    FeedPump::shared().add(this);
}

TerminalView::Private::~Private()
{
    FeedPump::shared().remove(this);
    trimMemorySoon();
}

bool TerminalView::Private::eventFilter(QObject *watched, QEvent *event)
{
    // Before it is shown the engine has twelve columns, and never wraps anew what was drawn in them.
    if (watched == &q && event->type() == QEvent::Show && !mayMeasure) {
        mayMeasure = true;
        QMetaObject::invokeMethod(this, &Private::noteGrid, Qt::QueuedConnection);
    }
    return false;
}

bool TerminalView::Private::hasWork() const
{
    return queued > 0 && !announced.isEmpty() && engine.backlog() < kHighWater;
}

bool TerminalView::Private::isInFront() const
{
    return q.isVisible();
}

void TerminalView::Private::takeSlice(qint64 maxBytes)
{
    const QPointer<Private> self(this);
    qint64 took = 0;
    {
        // Whoever hears of it may end this view, so nothing is told while the filter is at work.
        const QTermWidgetEngine::Quiet quiet(engine);
        while (took < maxBytes && queued > 0) {
            const QByteArrayView first = QByteArrayView(queue.front()).sliced(queueOffset);
            const QByteArrayView part = first.first(qMin(first.size(), qsizetype(maxBytes - took)));
            filter.process(part, StreamFilter::Clock::now(), *this);
            took += part.size();
            queued -= part.size();
            queueOffset += part.size();
            if (queueOffset == queue.front().size()) {
                queue.pop_front();
                queueOffset = 0;
            }
        }
        if (filter.holding() && !holdTimer.isActive())
            holdTimer.start();
        showEcho(took);
    }
    if (!self)
        return;
    emit q.taken(took);
    if (!self)
        return;
    tellEvents();
    if (self && (!sinceActivity.isValid() || sinceActivity.hasExpired(kActivityMs))) {
        sinceActivity.start();
        if (engine.hasSelection()) // output ends a selection that it draws over
            engine.lookForSelection();
        emit q.activity();
    }
}

// The engine waits 10 ms for more output before it paints. For the echo of a key that is all there
// is, and the person sees it. The way to hurry it loses a selection.
void TerminalView::Private::showEcho(qint64 fedBytes)
{
    if (fedBytes <= kEchoBytes && queued == 0 && !filter.holding() && input.typedJustNow() && !input.isSelecting()
        && engine.isDirect() && isInFront() && !engine.lookForSelection())
        engine.showNow();
}

void TerminalView::Private::release()
{
    const QPointer<Private> self(this);
    {
        const QTermWidgetEngine::Quiet quiet(engine);
        filter.release(*this);
    }
    if (self)
        tellEvents();
}

void TerminalView::Private::text(QByteArrayView bytes)
{
    engine.write(bytes);
}

void TerminalView::Private::reply(const QByteArray &bytes)
{
    engine.say(bytes);
}

void TerminalView::Private::title(const QString &title)
{
    newTitle = title;
}

void TerminalView::Private::workingDirectory(const QString &path)
{
    newDirectory = path;
}

void TerminalView::Private::bell()
{
    rang = true;
}

void TerminalView::Private::tellEvents()
{
    const QPointer<Private> self(this);
    if (const auto title = std::exchange(newTitle, std::nullopt))
        emit q.titleChanged(*title);
    if (!self)
        return;
    if (const auto path = std::exchange(newDirectory, std::nullopt))
        emit q.workingDirectoryChanged(*path);
    if (self && std::exchange(rang, false))
        ring();
}

void TerminalView::Private::ring()
{
    if (sinceBell.isValid() && !sinceBell.hasExpired(kBellMs))
        return;
    sinceBell.start();
    if (options.visualBell && isInFront()) {
        if (!flash)
            flash = new BellFlash(&q);
        flash->flash(filter.facts().foreground);
    }
    emit q.bell();
}

void TerminalView::Private::noteGrid()
{
    if (!mayMeasure)
        return;
    const QSize now = engine.grid();
    if (now.isEmpty())
        return;
    grid = now;
    updateFacts();
    if (grid != announced)
        gridTimer.start();
    else
        gridTimer.stop();
}

void TerminalView::Private::announceGrid()
{
    if (grid == announced)
        return;
    announced = grid;
    FeedPump::shared().wake();
    emit q.gridResized(grid.width(), grid.height());
}

void TerminalView::Private::updateFacts()
{
    const TerminalScheme &scheme = terminalScheme(options.colorScheme);
    StreamFilter::Facts facts;
    if (!grid.isEmpty()) {
        facts.columns = grid.width();
        facts.lines = grid.height();
    }
    const QSize cell = engine.cell();
    facts.cellWidth = cell.width();
    facts.cellHeight = cell.height();
    facts.foreground = facts.cursor = scheme.foreground;
    facts.background = scheme.background;
    filter.setFacts(facts);
}

void TerminalView::Private::applyFont()
{
    QFont font = terminalFont(options.font);
    font.setPointSizeF(qBound(minTerminalPointSize, font.pointSizeF() + zoomSteps, maxTerminalPointSize));
    engine.setFont(font);
    noteGrid();
}

void TerminalView::Private::applyScheme()
{
    const TerminalScheme &scheme = terminalScheme(options.colorScheme);
    engine.setScheme(scheme);
    // What shows before the first paint and beside the last whole cell is the terminal's colour too.
    QPalette palette = q.palette();
    palette.setColor(QPalette::Window, scheme.background);
    q.setPalette(palette);
    styleScrollBar();
    updateFacts();
}

void TerminalView::Private::applyOptions(const TerminalOptions &before)
{
    if (before.font != options.font) {
        zoomSteps = 0;
        applyFont();
    }
    if (before.colorScheme != options.colorScheme)
        applyScheme();
    if (before.historyLines != options.historyLines)
        engine.setHistoryLines(qBound(0, options.historyLines, 1'000'000));
    if (before.blinkingCursor != options.blinkingCursor)
        engine.setBlinkingCursor(options.blinkingCursor);
    if (before.paddingPx != options.paddingPx) {
        engine.setPadding(qBound(0, options.paddingPx, 64));
        noteGrid();
    }
    input.setMiddleClickPastes(options.middleClickPastes);
}

// A thin handle on the terminal's own ground; none while there is nothing to scroll to.
void TerminalView::Private::styleScrollBar()
{
    QScrollBar *bar = engine.scrollBar();
    if (!bar)
        return;
    const TerminalScheme &scheme = terminalScheme(options.colorScheme);
    const bool shown = bar->maximum() > bar->minimum();
    scrollBarShown = shown;
    const auto tone = [&](float alpha) { return cssColor(scheme.foreground, shown ? alpha : 0.F); };
    bar->setStyleSheet(u"QScrollBar:vertical { background: %1; width: 12px; margin: 0; border: none; }"
                       "QScrollBar::handle:vertical { background: %2; min-height: 32px; border-radius: 3px;"
                       " margin: 2px 3px 2px 3px; }"
                       "QScrollBar::handle:vertical:hover { background: %3; border-radius: 4px; margin: 2px; }"
                       "QScrollBar::handle:vertical:pressed { background: %4; border-radius: 4px; margin: 2px; }"
                       "QScrollBar::add-line:vertical, QScrollBar::sub-line:vertical { height: 0; border: none; }"
                       "QScrollBar::add-page:vertical, QScrollBar::sub-page:vertical { background: transparent; }"_s
                           .arg(scheme.background.name(), tone(0.28F), tone(0.45F), tone(0.6F)));
}

void TerminalView::Private::updateScrollBar()
{
    const QScrollBar *bar = engine.scrollBar();
    if (bar && scrollBarShown != (bar->maximum() > bar->minimum()))
        styleScrollBar();
}

void TerminalView::Private::pasteAsking(const QString &text)
{
    if (input.isReadOnly() || harmlessText(text).isEmpty())
        return;
    const PasteMode mode = filter.modes().bracketedPaste ? PasteMode::Bracketed : PasteMode::Plain;
    if (options.confirmMultilinePaste && pasteNeedsQuestion(text, mode))
        emit q.pasteConfirmationNeeded(text, pasteLineCount(text));
    else
        send(text);
}

void TerminalView::Private::send(const QString &text)
{
    if (input.isReadOnly())
        return;
    input.noteTyping();
    engine.scrollToEnd();
    const PasteMode mode = filter.modes().bracketedPaste ? PasteMode::Bracketed : PasteMode::Plain;
    const QPointer<Private> self(this);
    const QList<QByteArray> pieces = pastePieces(text, mode);
    for (const QByteArray &piece : pieces) {
        if (!self)
            return;
        emit q.input(piece);
    }
}

void TerminalView::Private::openLink(const QUrl &url)
{
    static const QStringList schemes{u"http"_s, u"https"_s, u"mailto"_s};
    if (input.mayOpenLink() && url.isValid() && schemes.contains(url.scheme().toLower()))
        emit q.linkActivated(url);
}

void TerminalView::Private::copySelection()
{
    if (options.copyOnSelect)
        q.copy();
}

TerminalView::TerminalView(const TerminalOptions &options, QWidget *parent)
    : QWidget(parent)
    , d(std::make_unique<Private>(*this, options))
{
    setAutoFillBackground(true);
    setAccessibleName(tr("Terminal"));
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(d->engine.widget());
    setFocusProxy(d->engine.display());
    if (QScrollBar *bar = d->engine.scrollBar())
        connect(bar, &QScrollBar::rangeChanged, d.get(), &Private::updateScrollBar);
    d->engine.setHistoryLines(qBound(0, options.historyLines, 1'000'000));
    d->engine.setPadding(qBound(0, options.paddingPx, 64));
    d->engine.setBlinkingCursor(options.blinkingCursor);
    d->input.setMiddleClickPastes(options.middleClickPastes);
    d->applyFont();
    d->applyScheme();
}

TerminalView::~TerminalView() = default;

QStringList TerminalView::colorSchemes()
{
    QStringList names;
    for (const TerminalScheme &scheme : terminalSchemes())
        names.append(scheme.name);
    return names;
}

void TerminalView::setOptions(const TerminalOptions &options)
{
    d->applyOptions(std::exchange(d->options, options));
}

void TerminalView::feed(const QByteArray &bytes)
{
    if (bytes.isEmpty())
        return;
    d->queue.push_back(bytes);
    d->queued += bytes.size();
    FeedPump::shared().wake();
}

qint64 TerminalView::pending() const
{
    return d->queued;
}

void TerminalView::reset()
{
    const qint64 dropped = std::exchange(d->queued, 0);
    d->queue.clear();
    d->queueOffset = 0;
    d->filter.reset();
    d->holdTimer.stop();
    // Ends a string, leaves VT52 mode, resets: RIS alone is swallowed by the first and ignored in the second.
    d->engine.write("\x1b\\\x1b<\x1b" "c");
    if (std::exchange(d->found, false))
        emit findClosed();
    if (dropped > 0)
        QMetaObject::invokeMethod(this, [this, dropped] { emit taken(dropped); }, Qt::QueuedConnection);
}

void TerminalView::clearScrollback()
{
    d->engine.write("\x1b[3J");
    if (std::exchange(d->found, false))
        emit findClosed();
}

void TerminalView::layOutHidden(const QSize &pixels)
{
    if (isVisible() || pixels.isEmpty())
        return;
    resize(pixels);
    // Qt puts resizing off for what is hidden; the engine's widget and its display are told now.
    for (QWidget *widget : {d->engine.widget(), d->engine.display()}) {
        widget->resize(pixels);
        QResizeEvent event(pixels, QSize());
        QCoreApplication::sendEvent(widget, &event);
    }
    d->mayMeasure = true;
    d->noteGrid();
}

QSize TerminalView::gridSize() const
{
    return d->announced;
}

QString TerminalView::selectedText() const
{
    return d->engine.selectedText();
}

void TerminalView::copy()
{
    const QString text = d->engine.selectedText();
    if (!text.isEmpty())
        QGuiApplication::clipboard()->setText(text);
}

void TerminalView::paste()
{
    d->pasteAsking(QGuiApplication::clipboard()->text());
}

void TerminalView::pasteText(const QString &text)
{
    d->send(text);
}

void TerminalView::selectAll()
{
    d->engine.selectAll();
}

void TerminalView::setReadOnly(bool readOnly)
{
    d->input.setReadOnly(readOnly);
}

void TerminalView::zoom(int steps)
{
    const double base = terminalFont(d->options.font).pointSizeF();
    if (steps == 0)
        d->zoomSteps = 0;
    else // never further than the bounds: the way back starts at once
        d->zoomSteps = qBound(int(minTerminalPointSize - base), d->zoomSteps + steps, int(maxTerminalPointSize - base));
    d->applyFont();
}

bool TerminalView::find(const QString &text, bool backwards)
{
    d->found = d->engine.find(text, backwards);
    return d->found;
}

void TerminalView::scrollToBottom()
{
    d->engine.scrollToEnd();
}

QByteArray TerminalView::visibleText() const
{
    return d->engine.visibleText();
}

} // namespace Sandpiper
