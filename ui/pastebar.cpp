#include "ui/pastebar.h"

#include "session/error.h"
#include "ui/overlay.h"
#include "ui/theme.h"

#include <QFontDatabase>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

namespace {

bool isInvisible(char32_t c)
{
    switch (QChar::category(c)) {
    case QChar::Other_Control:
    case QChar::Other_Format:
    case QChar::Separator_Line:
    case QChar::Separator_Paragraph:
    case QChar::Other_Surrogate:
        return true;
    default:
        return false;
    }
}

} // namespace

QString visiblePaste(const QString &text, qsizetype maxChars)
{
    constexpr char32_t pictures = 0x2400; // Unicode's pictures of the control characters
    const QList<uint> points = text.first(std::min(text.size(), maxChars)).toUcs4();
    QString shown;
    shown.reserve(points.size());
    for (qsizetype i = 0; i < points.size(); ++i) {
        const char32_t c = points.at(i);
        const bool beforeNewline = i + 1 < points.size() && points.at(i + 1) == u'\n';
        if (c == u'\n' || c == u'\t')
            shown += QChar(char16_t(c));
        else if (c == u'\r')
            shown += beforeNewline ? QString() : u"\n"_s;
        else if (c < 0x20)
            shown += QChar(char16_t(pictures + c));
        else if (c == 0x7f)
            shown += QChar(0x2421);
        else if (isInvisible(c))
            shown += u"‹U+%1›"_s.arg(QString::number(c, 16).toUpper(), 4, u'0');
        else
            shown += QString::fromUcs4(&c, 1);
    }
    if (text.size() > maxChars)
        shown += u'\n' + PasteBar::tr("… and %1 characters more").arg(text.size() - maxChars);
    return shown;
}

PasteBar::PasteBar(QWidget *parent)
    : QWidget(parent)
    , m_question(new QLabel(this))
    , m_preview(new QPlainTextEdit(this))
    , m_paste(new QPushButton(tr("Paste"), this))
{
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(12, 10, 12, 10);
    column->setSpacing(2 * Metrics::unit);
    m_question->setTextFormat(Qt::PlainText);
    m_question->setWordWrap(true);
    m_preview->setReadOnly(true);
    m_preview->setLineWrapMode(QPlainTextEdit::NoWrap);
    m_preview->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    m_preview->setAccessibleName(tr("Text to be pasted"));
    m_preview->setTabChangesFocus(true);
    column->addWidget(m_question);
    column->addWidget(m_preview);
    auto *row = new QHBoxLayout;
    row->addStretch();
    auto *cancel = new QPushButton(tr("Do not paste"), this);
    row->addWidget(cancel);
    row->addWidget(m_paste);
    column->addLayout(row);
    m_paste->setAutoDefault(true);
    cancel->setAutoDefault(true);
    connect(m_paste, &QPushButton::clicked, this, [this] { answer(true); });
    connect(cancel, &QPushButton::clicked, this, [this] { answer(false); });
    hide();
}

void PasteBar::ask(const QString &text, int lines, const QString &target)
{
    m_text = text;
    const QString name = tamed(target, 60);
    m_question->setText(lines > 1 ? tr("Paste %n lines into “%1”?", nullptr, lines).arg(name)
                                  : tr("Paste this into “%1”?").arg(name));
    setAccessibleName(m_question->text());
    m_preview->setPlainText(visiblePaste(text));
    const int shown = qBound(2, m_preview->document()->blockCount(), 8);
    m_preview->setFixedHeight(shown * m_preview->fontMetrics().lineSpacing() + 4 * Metrics::unit);
    show();
    raise();
    m_paste->setFocus();
}

void PasteBar::withdraw()
{
    if (!isAsking())
        return;
    m_text.clear();
    m_preview->clear();
    hide();
    emit closed();
}

QString PasteBar::preview() const
{
    return m_preview->toPlainText();
}

void PasteBar::answer(bool paste)
{
    const QString text = std::exchange(m_text, {});
    m_preview->clear();
    hide();
    emit closed();
    if (paste && !text.isEmpty())
        emit agreed(text);
}

void PasteBar::keyPressEvent(QKeyEvent *event)
{
    if (event->key() == Qt::Key_Escape)
        answer(false);
    else
        QWidget::keyPressEvent(event);
}

void PasteBar::paintEvent(QPaintEvent *)
{
    paintCard(this);
}

} // namespace Sandpiper
