#include "ui/portofferbar.h"

#include "ui/elidedline.h"
#include "ui/icons.h"
#include "ui/portwords.h"
#include "ui/sandboxtext.h"

#include <QAccessible>
#include <QHBoxLayout>
#include <QToolButton>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

PortOfferBar::PortOfferBar(PortOffers *offers, QWidget *parent)
    : QWidget(parent)
    , m_offers(offers)
    , m_text(new ElidedLine(this))
{
    setObjectName(u"portOffer"_s);
    QFont small = font();
    small.setPixelSize(small.pixelSize() - 1);
    setFont(small);
    m_text->setFont(small);
    m_text->setObjectName(u"portOfferText"_s);
    m_text->setIcon(icon(IconName::Forward, IconTone::Accent));
    auto *row = new QHBoxLayout(this);
    row->setContentsMargins(10, 0, 4, 0);
    row->setSpacing(2);
    row->addWidget(m_text, 1);
    row->addSpacing(4);
    const auto add = [&](PortOffers::Choice choice, const QString &text, const QString &tip, const QString &name) {
        auto *button = new QToolButton(this);
        button->setAutoRaise(true);
        button->setText(text);
        button->setToolTip(tip);
        button->setFont(small);
        button->setObjectName(name);
        button->setFocusPolicy(Qt::TabFocus); // a click leaves the keys to the shell
        connect(button, &QToolButton::clicked, this, [this, choice] {
            if (!m_offers->offers().isEmpty())
                m_offers->choose(m_offers->offers().constFirst(), choice);
        });
        row->addWidget(button);
        m_buttons.emplace_back(button, choice);
    };
    add(PortOffers::Choice::Forward, tr("Forward"), tr("Make it reachable from this computer"), u"portForward"_s);
    add(PortOffers::Choice::ForwardAndOpen, tr("Forward and open"), tr("Make it reachable, and open it in the browser"), u"portOpen"_s);
    add(PortOffers::Choice::Always, tr("Always"), tr("Make it reachable now, and whenever this sandbox begins to run"), u"portAlways"_s);
    add(PortOffers::Choice::Ignore, tr("Ignore"), tr("Do not offer this port of this sandbox again"), u"portIgnore"_s);
    connect(offers, &PortOffers::changed, this, &PortOfferBar::update);
    update();
}

QString PortOfferBar::text() const
{
    return m_text->text();
}

void PortOfferBar::update()
{
    const QList<PortOffer> &offers = m_offers->offers();
    if (offers.isEmpty()) {
        hide();
        m_text->setText({});
        return;
    }
    const PortOffer &offer = offers.constFirst();
    const QString text = offers.size() == 1 ? offerText(offer) : tr("%1 (and %L2 more)").arg(offerText(offer)).arg(offers.size() - 1);
    if (text == m_text->text())
        return;
    m_text->setText(text);
    setAccessibleName(text);
    for (const auto &[button, choice] : m_buttons)
        button->setAccessibleName(tr("%1: port %2 of %3").arg(button->text()).arg(offer.port.port).arg(tamed(offer.sandboxName, 60)));
    show();
    if (QAccessible::isActive()) {
        QAccessibleEvent event(this, QAccessible::Alert);
        QAccessible::updateAccessibility(&event);
    }
}

} // namespace Sandpiper
