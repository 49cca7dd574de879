// One command over an SSH channel, without a terminal: output and error output apart.
#pragma once

#include "session/bulkpacer.h"
#include "session/provider.h"
#include "session/sshchannel.h"

#include <memory>

namespace Sandpiper {

class SshCommand : public RemoteCommand
{
    Q_OBJECT
public:
    enum class Around { AsConfigured, Nothing }; // Nothing: see ChannelSpec::isBare
    explicit SshCommand(SshLinkCore *link, const CommandSpec &spec, Around around = Around::AsConfigured);
    // With a link of its own, which start() connects. prompts is borrowed and must outlive it.
    SshCommand(const LinkOptions &options, PromptHandler *prompts, const CommandSpec &spec);
    ~SshCommand() override;

    void start() override;
    // Before start() is too early: dropped.
    void writeInput(QByteArrayView bytes) override;
    void closeInput() override;
    // SSH knows signals by name; numbers without one are ignored.
    void sendSignal(int number) override;
    void consumed(qint64 bytes) override;
    [[nodiscard]] qint64 pendingInput() const override;

private:
    void passInput(qint64 bytes);
    void finish(const ShellEnd &end);

    LinkOptions m_options;
    PromptHandler *m_prompts = nullptr;
    CommandSpec m_spec;
    Around m_around = Around::AsConfigured;
    std::unique_ptr<SshLinkCore> m_ownLink;
    QPointer<SshLinkCore> m_link;
    std::unique_ptr<SshChannel> m_channel;
    // What was consumed and what is to be written, while somebody types elsewhere.
    PacedBulk m_output{[this](qint64 bytes) {
        if (m_channel)
            m_channel->consumed(bytes);
    }};
    PacedBulk m_input{[this](qint64 bytes) { passInput(bytes); }};
    QByteArray m_heldInput; // as long as what waits in m_input
    bool m_closesInput = false;
    bool m_hasOwnLink = false;
    bool m_isStarted = false;
    bool m_isEnded = false;
};

} // namespace Sandpiper
