// Forwards over SSH, and over a bridge on the same connection what SSH cannot carry or the server does not allow. GUI
// thread.
#pragma once

#include "session/bridgeforwardlink.h"
#include "session/forwardlink.h"
#include "session/serverfeatures.h"
#include "session/sshlink.h"

#include <map>

namespace Sandpiper {

class BridgingForwardLink : public ForwardLink
{
    Q_OBJECT
public:
    enum class Bridges { WhereNeeded, Everything };
    // known: what the server was found to be able to do; what it cannot goes over the bridge at once, the rest where it
    // is refused. prompts is borrowed and must outlive the link.
    BridgingForwardLink(const LinkOptions &options, PromptHandler *prompts, Bridges bridges, const std::optional<ServerFeatures> &known = {},
                        QObject *parent = nullptr);
    ~BridgingForwardLink() override;

    void connectToHost() override { m_link.connectToHost(); }
    void close() override { m_link.close(); }
    void probe() override { m_link.probe(); }
    [[nodiscard]] bool isReady() const override { return m_isReady; }
    [[nodiscard]] int addForward(const ForwardSpec &spec) override;
    void stopForward(int id) override;
    void limitForward(int id, qint64 bytesPerSecond) override;
    void closeConnection(int id, quint64 connection) override;

private:
    enum class Over { Ssh, Leaving, Bridge }; // Leaving: SSH lets go of its listener first
    struct Forward
    {
        ForwardSpec spec;
        Over over = Over::Ssh;
        int inside = 0; // its id at SSH's link or at the bridge
        std::optional<Error> why; // SSH did not carry it
        qint64 bytesPerSecond = 0;
    };
    void trafficOf(Over over, int inside, const ForwardTraffic &traffic);
    void reportOfSsh(const ForwardReport &report);
    void reportOfBridge(const ForwardReport &report);
    void closed(const Error &error);
    void bridgeClosed(const Error &error);
    void startBridge();
    void toBridge(Forward &forward);
    void addToBridge(Forward &forward);
    void tell(int id, const ForwardStatus &status, const std::optional<Error> &trouble = {});
    [[nodiscard]] bool needsBridge(const ForwardSpec &spec) const;

    LinkOptions m_options;
    SshLink m_link;
    Bridges m_bridges;
    std::optional<ServerFeatures> m_known;
    std::unique_ptr<BridgeForwardLink> m_bridge;
    std::map<int, Forward> m_forwards;
    int m_lastId = 0;
    bool m_isReady = false;
};

} // namespace Sandpiper
