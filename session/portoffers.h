// What is offered of the ports that PortRadar finds, and what becomes of it: a forward, or never again. No widgets.
// GUI thread.
#pragma once

#include "session/ignoredports.h"
#include "session/portforwarder.h"
#include "session/portradar.h"

namespace Sandpiper {

struct PortOffer
{
    SandboxId sandbox;
    QString sandboxName;
    FoundPort port;

    friend bool operator==(const PortOffer &, const PortOffer &) = default;
};

class PortOffers : public QObject
{
    Q_OBJECT
public:
    static constexpr qsizetype mostOffers = 8; // the oldest go

    struct Parts // borrowed; they outlive it
    {
        PortRadar *radar = nullptr;
        PortForwarder *forwarder = nullptr;
        ForwardManager *forwards = nullptr;
        IgnoredPorts *ignored = nullptr;
        QPointer<SandboxRegistry> registry; // for names; may be null
    };
    explicit PortOffers(const Parts &parts, QObject *parent = nullptr);

    // The latest first: nobody has decided about them, they are still there, and no forward leads to them.
    [[nodiscard]] const QList<PortOffer> &offers() const { return m_offers; }
    // Of all ports that are known there, whatever was decided.
    [[nodiscard]] QList<PortOffer> known(const SandboxId &sandbox) const;
    [[nodiscard]] bool isForwarded(const PortOffer &offer) const { return m_parts.forwarder->isForwarded(offer.sandbox, offer.port.port); }
    [[nodiscard]] bool isIgnored(const PortOffer &offer) const { return m_parts.ignored->contains(offer.sandbox, offer.port.port); }

    enum class Choice { Forward, ForwardAndOpen, Always, Ignore, Heed }; // Heed: takes an Ignore back
    void choose(const PortOffer &offer, Choice choice);
    // A local address as somebody met it in that sandbox (see isLocalUrl()): opened through a forward, which is made
    // where there is none. Answers with what to open.
    [[nodiscard]] QFuture<Result<QUrl>> reach(const SandboxId &sandbox, const QUrl &url);

signals:
    void changed(); // offers(), or what is known of a sandbox
    void openWanted(const QUrl &url);
    // It is reachable here, at another port than there.
    void moved(const Sandpiper::PortOffer &offer, quint16 here);
    void failed(const Sandpiper::PortOffer &offer, const Sandpiper::Error &error);

private:
    void take(const SandboxId &sandbox, const FoundPort &port);
    void withdraw();
    void remove(const PortOffer &offer);
    void made(const PortOffer &offer, Choice choice, const Result<ForwardSpec::End> &at);
    [[nodiscard]] QString nameOf(const SandboxId &sandbox) const;

    Parts m_parts;
    QList<PortOffer> m_offers;
};

} // namespace Sandpiper

Q_DECLARE_METATYPE(Sandpiper::PortOffer)
