#include "ui/pathbar.h"

#include "ui/icons.h"
#include "ui/theme.h"

#include <QCompleter>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLineEdit>
#include <QMenu>
#include <QPainter>
#include <QStackedLayout>
#include <QStringListModel>
#include <QToolButton>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kMostCrumbWidth = 180;

} // namespace

PathBar::PathBar(QWidget *parent)
    : QWidget(parent)
    , m_stack(new QStackedLayout(this))
    , m_crumbs(new QWidget(this))
    , m_row(new QHBoxLayout(m_crumbs))
    , m_more(new QToolButton(m_crumbs))
    , m_edit(new QLineEdit(this))
    , m_words(new QStringListModel(this))
    , m_completer(new QCompleter(m_words, this))
{
    setFixedHeight(Metrics::rowHeight + 2);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Path"));
    setToolTip(tr("Click beside the folders, or press Ctrl+L, to type a path"));
    m_row->setContentsMargins(4, 2, 4, 2);
    m_row->setSpacing(0);
    m_more->setAutoRaise(true);
    m_more->setText(u"…"_s);
    m_more->setAccessibleName(tr("Folders above"));
    m_more->setPopupMode(QToolButton::InstantPopup);
    m_more->setMenu(new QMenu(m_more));
    m_more->setFocusPolicy(Qt::NoFocus);
    m_edit->setObjectName(u"pathEdit"_s);
    m_edit->setAccessibleName(tr("Path"));
    m_edit->setCompleter(m_completer);
    m_completer->setCompletionMode(QCompleter::PopupCompletion);
    m_completer->setCaseSensitivity(Qt::CaseSensitive);
    m_completer->setMaxVisibleItems(12);
    m_edit->installEventFilter(this);
    m_stack->addWidget(m_crumbs);
    m_stack->addWidget(m_edit);
    connect(m_edit, &QLineEdit::textEdited, this, &PathBar::typed);
    connect(m_edit, &QLineEdit::returnPressed, this, &PathBar::choose);
}

bool PathBar::isEditing() const
{
    return m_stack->currentWidget() == m_edit;
}

void PathBar::setPath(const FilePath &path)
{
    m_path = path;
    rebuild();
}

void PathBar::edit()
{
    m_edit->setText(m_path.shown());
    m_completing = {};
    m_words->setStringList(m_history);
    m_stack->setCurrentWidget(m_edit);
    m_edit->setFocus(Qt::ShortcutFocusReason);
    m_edit->selectAll();
}

void PathBar::stopEditing()
{
    if (isEditing())
        m_stack->setCurrentWidget(m_crumbs);
}

void PathBar::rebuild()
{
    for (QToolButton *button : std::as_const(m_buttons))
        button->deleteLater();
    m_buttons.clear();
    while (QLayoutItem *item = m_row->takeAt(0)) {
        if (QWidget *widget = item->widget())
            widget->hide();
        delete item;
    }
    QList<FilePath> paths;
    FilePath at = m_path;
    while (!at.isEmpty()) {
        paths.prepend(at);
        if (at.parent() == at || !at.isAbsolute())
            break;
        at = at.parent();
    }
    m_row->addWidget(m_more);
    m_more->hide();
    for (const FilePath &path : std::as_const(paths)) {
        auto *button = new QToolButton(m_crumbs);
        const QString name = path.name().isEmpty() ? u"/"_s : shownBytes(path.name());
        button->setAutoRaise(true);
        button->setFocusPolicy(Qt::NoFocus);
        button->setProperty("whole", name);
        button->setAccessibleName(tr("Go to %1").arg(path.shown()));
        button->setToolTip(path.shown().left(400).toHtmlEscaped());
        if (path == m_path) {
            QFont bold = button->font();
            bold.setWeight(QFont::DemiBold);
            button->setFont(bold);
        }
        if (!m_buttons.isEmpty()) {
            button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
            button->setIcon(icon(IconName::ChevronRight));
            button->setIconSize({10, 10});
        }
        connect(button, &QToolButton::clicked, this, [this, path] { emit pathChosen(path); });
        m_row->addWidget(button);
        m_buttons.append(button);
    }
    m_row->addStretch(1);
    arrange();
}

// The last folders are what matters; those that have no room are in the menu in front.
void PathBar::arrange()
{
    int room = width() - 16;
    bool isFull = false;
    m_more->menu()->clear();
    for (qsizetype i = m_buttons.size() - 1; i >= 0; --i) {
        QToolButton *button = m_buttons[i];
        const QString whole = button->property("whole").toString();
        const int most = i + 1 == m_buttons.size() ? std::max(60, std::min(room - 60, 2 * kMostCrumbWidth)) : kMostCrumbWidth;
        button->setText(QFontMetrics(button->font()).elidedText(whole, Qt::ElideMiddle, most).replace(u'&', u"&&"_s));
        const int wanted = button->sizeHint().width();
        isFull = isFull || (i + 1 < m_buttons.size() && wanted > room - (i > 0 ? 32 : 0));
        button->setVisible(!isFull);
        room -= wanted;
        if (isFull) {
            QAction *action = m_more->menu()->addAction(QString(whole).replace(u'&', u"&&"_s));
            connect(action, &QAction::triggered, button, &QToolButton::click);
        }
    }
    m_more->setVisible(isFull);
}

void PathBar::typed(const QString &text)
{
    const Result<FilePath> path = FilePath::fromShown(text);
    const FilePath parent = !path ? FilePath() : text.endsWith(u'/') ? m_path.joined(*path) : m_path.joined(*path).parent();
    if (parent.isEmpty() || parent == m_completing)
        return;
    m_completing = parent;
    emit completionsWanted(parent);
}

void PathBar::setCompletions(const FilePath &parent, const QStringList &shownPaths)
{
    if (parent != m_completing || !isEditing())
        return;
    m_words->setStringList(shownPaths);
    m_completer->setCompletionPrefix(m_edit->text());
    if (m_edit->hasFocus())
        m_completer->complete();
}

void PathBar::choose()
{
    const QString text = m_edit->text().trimmed();
    const Result<FilePath> path = FilePath::fromShown(text);
    if (!path)
        return emit refused(path.error().detail);
    stopEditing();
    if (!path->isEmpty())
        emit pathChosen(m_path.joined(*path));
    emit left();
}

bool PathBar::eventFilter(QObject *watched, QEvent *event)
{
    if (watched == m_edit && event->type() == QEvent::ShortcutOverride && static_cast<QKeyEvent *>(event)->key() == Qt::Key_Escape) {
        event->accept();
        return true;
    }
    if (watched == m_edit && event->type() == QEvent::KeyPress && static_cast<QKeyEvent *>(event)->key() == Qt::Key_Escape) {
        stopEditing();
        emit left();
        return true;
    }
    if (watched == m_edit && event->type() == QEvent::FocusOut && static_cast<QFocusEvent *>(event)->reason() != Qt::PopupFocusReason
        && static_cast<QFocusEvent *>(event)->reason() != Qt::ActiveWindowFocusReason)
        stopEditing();
    return QWidget::eventFilter(watched, event);
}

void PathBar::resizeEvent(QResizeEvent *event)
{
    QWidget::resizeEvent(event);
    arrange();
}

void PathBar::changeEvent(QEvent *event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::FontChange)
        arrange();
}

void PathBar::mousePressEvent(QMouseEvent *)
{
    edit();
}

void PathBar::paintEvent(QPaintEvent *)
{
    if (isEditing())
        return;
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(themeColors().border);
    painter.setBrush(themeColors().raised);
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), Metrics::radius, Metrics::radius);
}

QSize PathBar::minimumSizeHint() const
{
    return {120, Metrics::rowHeight + 2};
}

} // namespace Sandpiper
