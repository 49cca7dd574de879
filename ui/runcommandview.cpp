#include "ui/runcommandview.h"

#include "ui/theme.h"

#include <QFontDatabase>
#include <QFontInfo>
#include <QPainter>
#include <QScrollBar>
#include <QTextBlock>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int linesShown = 20000;
// State of a text block that holds error output; -1 is Qt's for none.
constexpr int errorBlock = 1;
constexpr int barWidth = 3;

} // namespace

RunCommandView::RunCommandView(QWidget *parent)
    : QPlainTextEdit(parent)
{
    setObjectName(u"runOutput"_s);
    setAccessibleName(tr("Output"));
    setReadOnly(true);
    setUndoRedoEnabled(false);
    setMaximumBlockCount(linesShown);
    setLineWrapMode(NoWrap);
    setTabChangesFocus(true);
    setPlaceholderText(tr("What the command writes is shown here."));
    document()->setDocumentMargin(10);
    QFont font = QFontDatabase::systemFont(QFontDatabase::FixedFont);
    font.setFamilies({u"JetBrains Mono"_s, font.family()});
    font.setPixelSize(QFontInfo(this->font()).pixelSize());
    setFont(font);
}

void RunCommandView::show(const CommandRun *run)
{
    m_run = run;
    clear();
    if (!run)
        return;
    setUpdatesEnabled(false);
    for (const CommandPiece &piece : run->pieces())
        insert(piece);
    setUpdatesEnabled(true);
    verticalScrollBar()->setValue(verticalScrollBar()->maximum());
}

void RunCommandView::add(const CommandPiece &piece)
{
    // Whoever has scrolled up is reading.
    const bool follows = verticalScrollBar()->value() == verticalScrollBar()->maximum();
    insert(piece);
    if (follows)
        verticalScrollBar()->setValue(verticalScrollBar()->maximum());
}

void RunCommandView::insert(const CommandPiece &piece)
{
    QTextCursor cursor(document());
    cursor.movePosition(QTextCursor::End);
    const bool isError = piece.stream == CommandPiece::Stream::ErrorOutput;
    QTextCharFormat format;
    format.setForeground(isError ? themeColors().danger : themeColors().text);
    const int first = cursor.blockNumber();
    cursor.insertText(piece.text, format);
    if (!isError)
        return;
    // The line after a last line's end is not written to yet.
    const bool endsLine = piece.text.endsWith(u'\n');
    for (QTextBlock block = document()->findBlockByNumber(qMin(first, document()->blockCount() - 1)); block.isValid(); block = block.next()) {
        if (block.next().isValid() || !endsLine)
            block.setUserState(errorBlock);
    }
}

void RunCommandView::paintEvent(QPaintEvent *event)
{
    QPlainTextEdit::paintEvent(event);
    QPainter painter(viewport());
    for (QTextBlock block = firstVisibleBlock(); block.isValid(); block = block.next()) {
        const QRectF box = blockBoundingGeometry(block).translated(contentOffset());
        if (box.top() > event->rect().bottom())
            break;
        if (block.userState() == errorBlock)
            painter.fillRect(QRectF(0, box.top(), barWidth, box.height()), themeColors().danger);
    }
}

void RunCommandView::changeEvent(QEvent *event)
{
    QPlainTextEdit::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && m_run)
        show(m_run);
}

} // namespace Sandpiper
