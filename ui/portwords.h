// Ports of sandboxes in plain words. Pure; GUI thread (translations).
#pragma once

#include "session/portoffers.h"

namespace Sandpiper {

// "node listens at port 3000 in my-env".
[[nodiscard]] QString offerText(const PortOffer &offer);
// "3000 node", "3000".
[[nodiscard]] QString portText(const FoundPort &port);
// "Ports in my-env: 3000 node, 5432 postgres".
[[nodiscard]] QString portsText(const QString &sandboxName, const QList<FoundPort> &ports);
// While it is being made reachable.
[[nodiscard]] QString onItsWayText(const PortOffer &offer);
// Why it is not reachable.
[[nodiscard]] QString unreachableText(const PortOffer &offer, const Error &error);
// "Port 3000 of my-env is localhost:3001 here: 3000 is in use on this computer."
[[nodiscard]] QString movedText(const PortOffer &offer, quint16 here);

} // namespace Sandpiper
