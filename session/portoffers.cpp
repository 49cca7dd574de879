#include "session/portoffers.h"

#include "session/localurl.h"

#include <QLoggingCategory>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

static Q_LOGGING_CATEGORY(lcOffers, "sandpiper.session.portoffers", QtInfoMsg)

namespace {

SandboxPort asWished(const PortOffer &offer)
{
    return {offer.sandbox, offer.sandboxName, offer.port.port, offer.port.host, offer.port.process};
}

} // namespace

PortOffers::PortOffers(const Parts &parts, QObject *parent)
    : QObject(parent)
    , m_parts(parts)
{
    connect(parts.radar, &PortRadar::began, this, &PortOffers::take);
    connect(parts.radar, &PortRadar::changed, this, &PortOffers::withdraw);
    connect(parts.forwards, &ForwardManager::listChanged, this, &PortOffers::withdraw);
}

QList<PortOffer> PortOffers::known(const SandboxId &sandbox) const
{
    QList<PortOffer> offers;
    for (const FoundPort &port : m_parts.radar->ports(sandbox))
        offers.append({sandbox, nameOf(sandbox), port});
    return offers;
}

QString PortOffers::nameOf(const SandboxId &sandbox) const
{
    const std::optional<Sandbox> there = m_parts.registry ? m_parts.registry->sandbox(sandbox) : std::nullopt;
    return there ? there->displayName() : sandbox.id;
}

void PortOffers::take(const SandboxId &sandbox, const FoundPort &port)
{
    const PortOffer offer{sandbox, nameOf(sandbox), port};
    if (isIgnored(offer) || isForwarded(offer))
        return;
    remove(offer);
    m_offers.prepend(offer);
    while (m_offers.size() > mostOffers)
        m_offers.removeLast();
    emit changed();
}

void PortOffers::remove(const PortOffer &offer)
{
    m_offers.removeIf([&](const PortOffer &one) { return one.sandbox == offer.sandbox && one.port.port == offer.port.port; });
}

// What is not there any more, or is reachable by now; the others as they are now.
void PortOffers::withdraw()
{
    QList<PortOffer> still;
    for (PortOffer offer : std::as_const(m_offers)) {
        const QList<FoundPort> ports = m_parts.radar->ports(offer.sandbox);
        const auto there = std::ranges::find(ports, offer.port.port, &FoundPort::port);
        if (there == ports.end() || isForwarded(offer))
            continue;
        offer.port = *there;
        still.append(offer);
    }
    m_offers = still;
    emit changed();
}

void PortOffers::choose(const PortOffer &offer, Choice choice)
{
    const PortOffer chosen = offer; // it may be one of ours
    if (choice == Choice::Ignore || choice == Choice::Heed) {
        if (const Done kept = m_parts.ignored->setIgnored(chosen.sandbox, chosen.port.port, choice == Choice::Ignore); !kept)
            qCWarning(lcOffers).noquote() << "an ignored port is not remembered:" << describe(kept.error());
    } else {
        const auto keep = choice == Choice::Always ? PortForwarder::Keep::WithSandbox : PortForwarder::Keep::AsItIs;
        m_parts.forwarder->forward(asWished(chosen), keep).then(this, [this, chosen, choice](const Result<ForwardSpec::End> &at) { made(chosen, choice, at); });
    }
    remove(chosen);
    emit changed();
}

void PortOffers::made(const PortOffer &offer, Choice choice, const Result<ForwardSpec::End> &at)
{
    if (!at) {
        if (at.error().kind != ErrorKind::Cancelled)
            emit failed(offer, at.error());
        return;
    }
    const QUrl page = offer.port.url.isEmpty() ? QUrl(u"http://localhost/"_s) : offer.port.url;
    if (choice == Choice::ForwardAndOpen)
        emit openWanted(localUrlAt(page, at->port));
    else if (at->port != offer.port.port)
        emit moved(offer, at->port);
}

QFuture<Result<QUrl>> PortOffers::reach(const SandboxId &sandbox, const QUrl &url)
{
    PortOffer offer{sandbox, nameOf(sandbox), {}};
    offer.port.port = portOfLocalUrl(url);
    for (const FoundPort &known : m_parts.radar->ports(sandbox)) {
        if (known.port == offer.port.port)
            offer.port = known;
    }
    return m_parts.forwarder->forward(asWished(offer), PortForwarder::Keep::AsItIs).then([url](const Result<ForwardSpec::End> &at) -> Result<QUrl> {
        if (!at)
            return std::unexpected(at.error());
        return localUrlAt(url, at->port);
    });
}

} // namespace Sandpiper
