// A port that begins to be listened at in a sandbox, offered in the status bar: it takes no focus and moves nothing.
// GUI thread.
#pragma once

#include "session/portoffers.h"

#include <QWidget>

#include <vector>

class QToolButton;

namespace Sandpiper {

class ElidedLine;

class PortOfferBar : public QWidget
{
    Q_OBJECT
public:
    explicit PortOfferBar(PortOffers *offers, QWidget *parent = nullptr); // borrowed, outlives it
    [[nodiscard]] QString text() const;

private:
    void update();
    PortOffers *m_offers;
    ElidedLine *m_text;
    std::vector<std::pair<QToolButton *, PortOffers::Choice>> m_buttons;
};

} // namespace Sandpiper
