// Forwards over an SSH connection of their own. GUI thread.
#pragma once

#include "session/forwardlink.h"
#include "session/sshlink.h"

namespace Sandpiper {

class SshForwardLink : public ForwardLink
{
    Q_OBJECT
public:
    // prompts is borrowed and must outlive the link.
    SshForwardLink(const LinkOptions &options, PromptHandler *prompts, QObject *parent = nullptr);

    void connectToHost() override { m_link.connectToHost(); }
    void close() override { m_link.close(); }
    void probe() override { m_link.probe(); }
    [[nodiscard]] bool isReady() const override { return m_link.state() == LinkState::Ready; }
    [[nodiscard]] int addForward(const ForwardSpec &spec) override { return m_link.addForward(spec); }
    void stopForward(int id) override { m_link.stopForward(id); }
    void limitForward(int id, qint64 bytesPerSecond) override { m_link.limitForward(id, bytesPerSecond); }
    void closeConnection(int id, quint64 connection) override { m_link.closeForwardConnection(id, connection); }

private:
    SshLink m_link;
};

} // namespace Sandpiper
