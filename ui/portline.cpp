#include "ui/portline.h"

#include "ui/elidedline.h"
#include "ui/icons.h"
#include "ui/portwords.h"

#include <QHBoxLayout>
#include <QMenu>
#include <QToolButton>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

PortLine::PortLine(PortOffers *offers, std::function<SandboxId()> current, QWidget *parent)
    : QWidget(parent)
    , m_offers(offers)
    , m_current(std::move(current))
    , m_text(new ElidedLine(this))
    , m_button(new QToolButton(this))
{
    setObjectName(u"portLine"_s);
    m_text->setObjectName(u"portLineText"_s);
    m_text->setForegroundRole(QPalette::PlaceholderText);
    m_button->setObjectName(u"portLineButton"_s);
    m_button->setAutoRaise(true);
    m_button->setText(tr("Forward…"));
    m_button->setIcon(icon(IconName::Forward));
    m_button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_button->setToolTip(tr("Choose a port of it"));
    m_button->setPopupMode(QToolButton::InstantPopup);
    m_button->setFocusPolicy(Qt::TabFocus);
    auto *menu = new QMenu(m_button);
    m_button->setMenu(menu);
    connect(menu, &QMenu::aboutToShow, this, [this, menu] { fillMenu(menu); });
    auto *row = new QHBoxLayout(this);
    row->setContentsMargins(12, 2, 6, 2);
    row->addWidget(m_text, 1);
    row->addWidget(m_button);
    connect(offers, &PortOffers::changed, this, &PortLine::refresh);
    refresh();
}

QString PortLine::text() const
{
    return m_text->text();
}

void PortLine::refresh()
{
    const SandboxId sandbox = m_current();
    m_known = sandbox.isEmpty() ? QList<PortOffer>() : m_offers->known(sandbox);
    QList<FoundPort> ports;
    for (const PortOffer &offer : std::as_const(m_known))
        ports.append(offer.port);
    m_text->setText(m_known.isEmpty() ? QString() : portsText(m_known.constFirst().sandboxName, ports));
    setVisible(!m_known.isEmpty());
}

void PortLine::fillMenu(QMenu *menu)
{
    using Choice = PortOffers::Choice;
    menu->clear();
    for (const PortOffer &offer : std::as_const(m_known)) {
        QMenu *one = menu->addMenu(portText(offer.port));
        const auto add = [&](const QString &text, Choice choice) {
            one->addAction(text, this, [this, offer, choice] { m_offers->choose(offer, choice); });
        };
        if (m_offers->isForwarded(offer)) {
            one->setIcon(icon(IconName::Check, IconTone::Running));
            add(tr("Open in the browser"), Choice::ForwardAndOpen);
        } else {
            add(tr("Forward"), Choice::Forward);
            add(tr("Forward and open"), Choice::ForwardAndOpen);
        }
        add(tr("Always forward it"), Choice::Always);
        one->addSeparator();
        if (m_offers->isIgnored(offer))
            add(tr("Offer it again"), Choice::Heed);
        else
            add(tr("Do not offer it"), Choice::Ignore);
    }
}

} // namespace Sandpiper
