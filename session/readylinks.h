// The SSH connections of this program that are Ready, by the sandbox they lead to: whoever wants a short command there
// and must not make a connection for it is lent a channel. A connection stays its owner's. GUI thread.
#pragma once

#include "session/provider.h"

#include <QHash>
#include <QList>
#include <QObject>

#include <memory>

namespace Sandpiper {

class SshLinkCore;

class ReadyLinks : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;

    [[nodiscard]] bool has(const SandboxId &sandbox) const { return m_links.contains(sandbox); }
    // Null: no connection there has a channel to spare. It may end at any moment, together with its connection. The
    // user's agent is not forwarded to it, nor is anything else that the configuration says for every channel.
    [[nodiscard]] std::unique_ptr<RemoteCommand> makeCommand(const SandboxId &sandbox, const CommandSpec &spec);

    // From a link with LinkOptions::lends that has become Ready. Its end is noticed.
    void join(const SandboxId &sandbox, SshLinkCore *link);

signals:
    void changed(const Sandpiper::SandboxId &sandbox); // has() is another

private:
    void leave(const SandboxId &sandbox, const SshLinkCore *link);
    QHash<SandboxId, QList<SshLinkCore *>> m_links; // no list is empty
};

} // namespace Sandpiper
