// The ports that are listened at in one sandbox, in one line under the list of forwards, with what can be done with
// each. Not there while none is known. GUI thread.
#pragma once

#include "session/portoffers.h"

#include <QWidget>

#include <functional>

class QMenu;
class QToolButton;

namespace Sandpiper {

class ElidedLine;

class PortLine : public QWidget
{
    Q_OBJECT
public:
    // offers: borrowed, outlives it. current: whose ports are shown; asked with each refresh().
    PortLine(PortOffers *offers, std::function<SandboxId()> current, QWidget *parent = nullptr);
    void refresh();
    [[nodiscard]] QString text() const;
    // A menu for each port.
    void fillMenu(QMenu *menu);

private:
    PortOffers *m_offers;
    std::function<SandboxId()> m_current;
    QList<PortOffer> m_known;
    ElidedLine *m_text;
    QToolButton *m_button;
};

} // namespace Sandpiper
