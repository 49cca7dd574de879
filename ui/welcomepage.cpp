#include "ui/welcomepage.h"

#include "ui/dialogkit.h"
#include "ui/sandboxdelegate.h"
#include "ui/sandboxtext.h"
#include "ui/style.h"
#include "ui/theme.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QPushButton>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int columnWidth = 440;

// A sandbox as a wide button: mark, name, second line.
class RecentButton : public QPushButton
{
public:
    RecentButton(const Sandbox &sandbox, const QString &account, QWidget *parent)
        : QPushButton(parent)
        , m_sandbox(sandbox)
        , m_account(account)
    {
        setQuiet(this);
        setAutoDefault(false);
        setFixedHeight(Metrics::twoLineRowHeight);
        setAccessibleName(spokenRow(sandbox, 0, QDateTime::currentDateTimeUtc()));
        setCursor(Qt::PointingHandCursor);
    }

protected:
    void paintEvent(QPaintEvent *event) override
    {
        QPushButton::paintEvent(event);
        const ThemeColors &c = themeColors();
        QPainter painter(this);
        paintStateMark(&painter, QRect(12, 9, 10, 10), m_sandbox.state);
        QFont small = font();
        small.setPixelSize(small.pixelSize() - 2);
        const int width = this->width() - 32 - 12;
        const int nameHeight = fontMetrics().height();
        const int top = (height() - nameHeight - QFontMetrics(small).height()) / 2;
        painter.setPen(c.text);
        painter.drawText(QRect(32, top, width, nameHeight), Qt::AlignLeft | Qt::AlignVCenter,
                         fontMetrics().elidedText(m_sandbox.displayName(), Qt::ElideRight, width));
        painter.setPen(c.muted);
        painter.setFont(small);
        const QString detail = m_account + u" · "_s + secondLine(m_sandbox, QDateTime::currentDateTimeUtc());
        painter.drawText(QRect(32, top + nameHeight, width, QFontMetrics(small).height()), Qt::AlignLeft | Qt::AlignVCenter,
                         QFontMetrics(small).elidedText(detail, Qt::ElideRight, width));
    }

private:
    Sandbox m_sandbox;
    QString m_account;
};

} // namespace

WelcomePage::WelcomePage(SandboxCommands *commands, AccountHub *hub, SandboxRegistry *registry, Actions *actions, QWidget *parent)
    : QWidget(parent)
    , m_commands(commands)
    , m_hub(hub)
    , m_create(new QPushButton(icon(IconName::Computer, IconTone::OnAccent), tr("New sandbox on this computer"), this))
    , m_status(makeText({}, TextTone::Muted, this))
    , m_found(makeText({}, TextTone::Muted, this))
    , m_recentBox(new QWidget(this))
    , m_recent(new QVBoxLayout(m_recentBox))
{
    setObjectName(u"welcomePage"_s);
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::Window);

    auto *picture = new QLabel(this);
    picture->setPixmap(applicationIcon().pixmap(QSize(56, 56), devicePixelRatioF()));
    picture->setAccessibleName(tr("Sandpiper"));
    m_create->setObjectName(u"welcomeCreate"_s);
    m_create->setDefault(true);
    m_create->setMinimumHeight(36);
    auto *account = new QPushButton(icon(IconName::Cloud), tr("Add an account…"), this);
    account->setObjectName(u"welcomeAccount"_s);
    account->setMinimumHeight(36);
    account->setAutoDefault(false);
    m_status->setObjectName(u"welcomeStatus"_s);

    auto *column = new QVBoxLayout;
    column->setSpacing(8);
    column->addStretch(2);
    column->addWidget(picture);
    column->addSpacing(8);
    column->addWidget(makeHeading(tr("Your sandboxes, one window"), this));
    column->addWidget(makeText(tr("Open a terminal in a sandbox at a vendor, or in one on this computer: it needs no account and no network."),
                               TextTone::Muted, this));
    column->addSpacing(12);
    auto *buttons = new QHBoxLayout;
    buttons->setSpacing(8);
    buttons->addWidget(m_create);
    buttons->addWidget(account);
    buttons->addStretch();
    column->addLayout(buttons);
    column->addWidget(m_status);
    column->addWidget(m_found);
    m_recent->setContentsMargins(0, 16, 0, 0);
    m_recent->setSpacing(0);
    column->addWidget(m_recentBox);
    column->addStretch(3);
    const QString palette = actions->action(ActionId::CommandPalette)->shortcut().toString(QKeySequence::NativeText);
    const QString quick = actions->action(ActionId::QuickOpen)->shortcut().toString(QKeySequence::NativeText);
    QLabel *hint = makeText(tr("%1 for every command · %2 to go to a sandbox").arg(palette, quick), TextTone::Muted, this);
    column->addWidget(hint);
    column->addSpacing(16);

    auto *inside = new QWidget(this);
    inside->setLayout(column);
    inside->setMaximumWidth(columnWidth);
    auto *layout = new QHBoxLayout(this);
    layout->setContentsMargins(24, 8, 24, 8);
    layout->addStretch(1);
    layout->addWidget(inside, 100);
    layout->addStretch(1);

    connect(m_create, &QPushButton::clicked, this, &WelcomePage::createLocal);
    connect(account, &QPushButton::clicked, this, &WelcomePage::accountWanted);
    connect(hub, &AccountHub::entriesChanged, this, &WelcomePage::fillFound);
    connect(registry, &SandboxRegistry::sandboxesChanged, this, &WelcomePage::schedule);
    connect(registry, &SandboxRegistry::accountRemoved, this, &WelcomePage::schedule);
    connect(commands, &SandboxCommands::openWanted, this, &WelcomePage::schedule);
    connect(commands, &SandboxCommands::working, m_status, &QLabel::setText);
    connect(commands, &SandboxCommands::done, m_status, &QLabel::clear);
    connect(commands, &SandboxCommands::failed, m_status, &QLabel::setText);
    const auto enable = [this] { m_create->setEnabled(true); };
    connect(commands, &SandboxCommands::done, this, enable);
    connect(commands, &SandboxCommands::failed, this, enable);
    fillFound();
    fillRecent();
}

void WelcomePage::createLocal()
{
    m_create->setEnabled(false);
    CreateRequest request;
    request.name = m_commands->freeName(m_hub->localId());
    m_commands->create(m_hub->localId(), request, SandboxCommands::Then::OpenTerminal);
}

void WelcomePage::fillFound()
{
    QStringList names;
    for (const AccountHub::Entry &entry : m_hub->entries()) {
        if (entry.account.fromEnvironment)
            names.append(entry.account.name);
    }
    m_found->setVisible(!names.isEmpty());
    m_found->setText(tr("Found in the environment and shown in the sidebar: %1.").arg(names.join(u", "_s)));
}

void WelcomePage::schedule()
{
    // A registry of many accounts speaks often; once per turn is enough.
    if (std::exchange(m_scheduled, true))
        return;
    QMetaObject::invokeMethod(this, [this] {
        m_scheduled = false;
        fillRecent();
    }, Qt::QueuedConnection);
}

void WelcomePage::fillRecent()
{
    const QList<Sandbox> recent = m_commands->recent();
    QLayoutItem *item = nullptr;
    while ((item = m_recent->takeAt(0))) {
        if (item->widget())
            item->widget()->deleteLater();
        delete item;
    }
    m_recentBox->setVisible(!recent.isEmpty());
    if (recent.isEmpty())
        return;
    m_recent->addWidget(makeText(tr("Recent"), TextTone::Muted, m_recentBox));
    m_recent->addSpacing(4);
    for (const Sandbox &sandbox : recent.first(qMin<qsizetype>(5, recent.size()))) {
        const AccountHub::Entry *entry = m_hub->entry(sandbox.id.account);
        auto *button = new RecentButton(sandbox, entry ? entry->account.name : QString(), m_recentBox);
        connect(button, &QPushButton::clicked, this, [this, sandbox] { m_commands->open(sandbox); });
        m_recent->addWidget(button);
    }
}

} // namespace Sandpiper
