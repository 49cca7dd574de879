#include "ui/portwords.h"

#include "session/errortext.h"

#include <QCoreApplication>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

class PortWords
{
    Q_DECLARE_TR_FUNCTIONS(Sandpiper::Ports)
};

QString shortName(const QString &sandboxName)
{
    return tamed(sandboxName, 60);
}

} // namespace

QString offerText(const PortOffer &offer)
{
    const QString name = shortName(offer.sandboxName);
    if (!offer.port.isSeen)
        return PortWords::tr("A terminal of %1 names its port %2").arg(name).arg(offer.port.port);
    if (offer.port.process.isEmpty())
        return PortWords::tr("Port %1 of %2 is listened at").arg(offer.port.port).arg(name);
    return PortWords::tr("%1 listens at port %2 in %3").arg(offer.port.process).arg(offer.port.port).arg(name);
}

QString portText(const FoundPort &port)
{
    const QString number = QString::number(port.port);
    return port.process.isEmpty() ? number : number + u' ' + port.process;
}

QString portsText(const QString &sandboxName, const QList<FoundPort> &ports)
{
    QStringList texts;
    for (const FoundPort &port : ports)
        texts.append(portText(port));
    return PortWords::tr("Ports in %1: %2").arg(shortName(sandboxName), texts.join(u", "_s));
}

QString onItsWayText(const PortOffer &offer)
{
    return PortWords::tr("Making port %1 of %2 reachable from here…").arg(offer.port.port).arg(shortName(offer.sandboxName));
}

QString unreachableText(const PortOffer &offer, const Error &error)
{
    return PortWords::tr("Port %1 of %2 cannot be reached. %3").arg(offer.port.port).arg(shortName(offer.sandboxName), errorText(error).sentence);
}

QString movedText(const PortOffer &offer, quint16 here)
{
    return PortWords::tr("Port %1 of %2 is localhost:%3 here: %1 is in use on this computer.").arg(offer.port.port).arg(shortName(offer.sandboxName)).arg(here);
}

} // namespace Sandpiper
