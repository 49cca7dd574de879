#include "ui/dialogkit.h"

#include "session/errortext.h"
#include "ui/style.h"
#include "ui/theme.h"

#include <QDialogButtonBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QPushButton>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

QLabel *makeLabel(const QString &text, QWidget *parent, int delta, QFont::Weight weight)
{
    auto *label = new QLabel(text, parent);
    label->setTextFormat(Qt::PlainText);
    label->setWordWrap(true);
    if (delta != 0 || weight != QFont::Normal) {
        QFont font = label->font();
        font.setPixelSize(font.pixelSize() + delta);
        font.setWeight(weight);
        label->setFont(font);
    }
    return label;
}

} // namespace

QLabel *makeHeading(const QString &text, QWidget *parent)
{
    return makeLabel(text, parent, 7, QFont::DemiBold);
}

QLabel *makeTitle(const QString &text, QWidget *parent)
{
    return makeLabel(text, parent, 2, QFont::DemiBold);
}

QLabel *makeText(const QString &text, TextTone tone, QWidget *parent)
{
    QLabel *label = makeLabel(text, parent, 0, QFont::Normal);
    switch (tone) {
    case TextTone::Plain:
        break;
    case TextTone::Muted:
        label->setForegroundRole(QPalette::PlaceholderText);
        break;
    case TextTone::Danger:
        label->setForegroundRole(QPalette::BrightText);
        break;
    }
    return label;
}

QHBoxLayout *makePanelHead(const QString &title, const QList<QToolButton *> &buttons, QWidget *panel)
{
    QLabel *label = makeText(title, TextTone::Plain, panel);
    QFont bold = label->font();
    bold.setWeight(QFont::DemiBold);
    label->setFont(bold);
    auto *head = new QHBoxLayout;
    head->setContentsMargins(12, 2, 6, 2);
    head->setSpacing(2);
    head->addWidget(label, 1);
    for (QToolButton *button : buttons)
        head->addWidget(button);
    return head;
}

QLabel *makePanelText(const QString &text, QWidget *panel)
{
    QLabel *label = makeText(text, TextTone::Muted, panel);
    label->setAlignment(Qt::AlignCenter);
    label->setMargin(16);
    return label;
}

QToolButton *makeStatusButton(const QString &tip, QWidget *parent)
{
    auto *button = new QToolButton(parent);
    button->setAutoRaise(true);
    button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    button->setToolTip(tip);
    QFont font = button->font();
    font.setPixelSize(font.pixelSize() - 1);
    button->setFont(font);
    auto *row = new QHBoxLayout(parent);
    row->setContentsMargins(0, 0, 0, 0);
    row->addWidget(button);
    return button;
}

QString problemText(const Error &error)
{
    return error.kind == ErrorKind::InvalidInput ? error.detail : errorText(error).sentence;
}

void dressTable(QTableView *table)
{
    table->setSelectionBehavior(QAbstractItemView::SelectRows);
    table->setShowGrid(false);
    table->setWordWrap(false);
    table->setTabKeyNavigation(false);
    table->setTextElideMode(Qt::ElideMiddle);
    table->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    table->verticalHeader()->hide();
    table->verticalHeader()->setDefaultSectionSize(Metrics::rowHeight + 4);
    table->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    table->horizontalHeader()->setHighlightSections(false);
    table->horizontalHeader()->setMinimumSectionSize(60);
}

QToolButton *makeToolButton(IconName name, const QString &text, QWidget *parent)
{
    auto *button = new QToolButton(parent);
    button->setIcon(icon(name));
    button->setAutoRaise(true);
    button->setToolTip(text);
    button->setAccessibleName(text);
    button->setFocusPolicy(Qt::TabFocus);
    return button;
}

void confirm(QWidget *parent, const Confirmation &confirmation, std::function<void()> agreed)
{
    auto *dialog = new QDialog(parent);
    dialog->setObjectName(u"confirmDialog"_s);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(confirmation.question);
    auto *layout = new QVBoxLayout(dialog);
    layout->setContentsMargins(24, 20, 24, 20);
    layout->setSpacing(8);
    layout->addWidget(makeTitle(confirmation.question, dialog));
    layout->addWidget(makeText(confirmation.text, TextTone::Muted, dialog));
    layout->addSpacing(12);
    auto *buttons = new QHBoxLayout;
    buttons->addStretch();
    auto *keep = new QPushButton(confirmation.keep, dialog);
    auto *verb = new QPushButton(confirmation.verb, dialog);
    verb->setObjectName(u"confirmVerb"_s);
    if (confirmation.isDestructive)
        setDanger(verb);
    verb->setAutoDefault(false);
    keep->setDefault(false);
    keep->setFocus();
    buttons->addWidget(keep);
    buttons->addWidget(verb);
    layout->addLayout(buttons);
    dialog->setFixedWidth(420);
    QObject::connect(keep, &QPushButton::clicked, dialog, &QDialog::reject);
    QObject::connect(verb, &QPushButton::clicked, dialog, [dialog, agreed = std::move(agreed)] {
        dialog->accept();
        agreed();
    });
    dialog->open();
}

NoticeBar::NoticeBar(QWidget *parent)
    : QFrame(parent)
    , m_icon(new QLabel(this))
    , m_text(makeText({}, TextTone::Plain, this))
    , m_action(new QPushButton(this))
{
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::Base);
    auto *layout = new QHBoxLayout(this);
    layout->setContentsMargins(12, 6, 6, 6);
    layout->setSpacing(8);
    m_icon->setFixedSize(16, 28); // in the middle of the first line, as high as the buttons
    setQuiet(m_action);
    QFont small = m_text->font();
    small.setPixelSize(small.pixelSize() - 1);
    m_text->setFont(small);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    layout->addWidget(m_icon, 0, Qt::AlignTop);
    layout->addWidget(m_text, 1);
    layout->addWidget(m_action, 0, Qt::AlignTop);
    QToolButton *close = makeToolButton(IconName::Close, tr("Dismiss"), this);
    layout->addWidget(close, 0, Qt::AlignTop);
    connect(close, &QToolButton::clicked, this, &NoticeBar::dismiss);
    connect(m_action, &QPushButton::clicked, this, [this] {
        const auto run = m_onAction;
        dismiss();
        if (run)
            run();
    });
    hide();
}

void NoticeBar::tell(Tone tone, const QString &text, const QString &action, std::function<void()> onAction)
{
    const bool trouble = tone == Tone::Trouble;
    m_icon->setPixmap(icon(trouble ? IconName::Error : IconName::Info, trouble ? IconTone::Danger : IconTone::Accent)
                              .pixmap(QSize(16, 16), devicePixelRatioF()));
    m_text->setText(text);
    m_action->setText(action);
    m_action->setVisible(!action.isEmpty());
    m_onAction = std::move(onAction);
    setAccessibleName(text);
    show();
}

void NoticeBar::dismiss()
{
    m_onAction = {};
    hide();
}

} // namespace Sandpiper
