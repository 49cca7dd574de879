#include "ui/findbar.h"

#include "session/error.h"
#include "ui/overlay.h"
#include "ui/style.h"
#include "ui/theme.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QToolButton>

namespace Sandpiper {

namespace {

constexpr int maxPattern = 200;

QToolButton *button(QWidget *parent, Qt::ArrowType arrow, const QString &name)
{
    auto *result = new QToolButton(parent);
    result->setArrowType(arrow);
    result->setAutoRaise(true);
    result->setToolTip(name);
    result->setAccessibleName(name);
    return result;
}

} // namespace

FindBar::FindBar(QWidget *parent)
    : QWidget(parent)
    , m_edit(new QLineEdit(this))
    , m_answer(new QLabel(this))
{
    auto *row = new QHBoxLayout(this);
    row->setContentsMargins(6, 6, 6, 6);
    row->setSpacing(Metrics::unit);
    m_edit->setPlaceholderText(tr("Find in this terminal"));
    m_edit->setAccessibleName(tr("Find in this terminal"));
    m_edit->setMaxLength(maxPattern);
    m_edit->setMinimumWidth(180);
    m_answer->setMinimumWidth(fontMetrics().horizontalAdvance(tr("Not found")));
    m_answer->setForegroundRole(QPalette::PlaceholderText);
    auto *earlier = button(this, Qt::UpArrow, tr("Earlier match (Enter)"));
    auto *later = button(this, Qt::DownArrow, tr("Later match (Shift+Enter)"));
    auto *close = new CrossButton(tr("Close (Escape)"), this);
    row->addWidget(m_edit, 1);
    row->addWidget(m_answer);
    row->addWidget(earlier);
    row->addWidget(later);
    row->addWidget(close);
    connect(earlier, &QToolButton::clicked, this, [this] { search(true); });
    connect(later, &QToolButton::clicked, this, [this] { search(false); });
    connect(close, &CrossButton::clicked, this, &FindBar::finish);
    connect(m_edit, &QLineEdit::textEdited, this, [this] { m_answer->clear(); });
    hide();
}

void FindBar::open(const QString &text)
{
    const QString line = tamed(text.section(u'\n', 0, 0), maxPattern);
    if (!line.isEmpty())
        m_edit->setText(line);
    m_answer->clear();
    show();
    raise();
    m_edit->selectAll();
    m_edit->setFocus();
}

void FindBar::setFound(bool found)
{
    m_answer->setText(found ? QString() : tr("Not found"));
}

QString FindBar::pattern() const
{
    return m_edit->text();
}

void FindBar::finish()
{
    hide();
    emit closed();
}

void FindBar::search(bool backwards)
{
    if (!m_edit->text().isEmpty())
        emit findWanted(m_edit->text(), backwards);
}

void FindBar::keyPressEvent(QKeyEvent *event)
{
    switch (event->key()) {
    case Qt::Key_Escape:
        finish();
        return;
    case Qt::Key_Return:
    case Qt::Key_Enter:
        // What one looks for in a terminal lies above.
        search(!event->modifiers().testFlag(Qt::ShiftModifier));
        return;
    default:
        QWidget::keyPressEvent(event);
    }
}

void FindBar::paintEvent(QPaintEvent *)
{
    paintCard(this);
}

} // namespace Sandpiper
