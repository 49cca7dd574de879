// A shell over an SSH channel.
//
// The size is part of the request for the terminal, so it is known before the far side starts. Without
// command, folder and refused variables the server starts the login shell itself, as for `ssh host`.
// Otherwise we ask for `cd FOLDER && exec env NAME=VALUE … PROGRAM`, in words of sh: the program, or
// the login shell by "$SHELL" -l. Variables are first offered in the protocol's own way, which most
// servers refuse for all but a few names; those that are refused take the way above.
#pragma once

#include "session/shell.h"
#include "session/sshchannel.h"

#include <functional>
#include <memory>
#include <vector>

namespace Sandpiper {

class SshShell : public Shell
{
    Q_OBJECT
public:
    // A channel of that link. The link may go first.
    SshShell(SshLinkCore *link, const ShellSpec &spec);
    // With a link of its own, which open() connects. prompts is borrowed and must outlive it.
    SshShell(const LinkOptions &options, PromptHandler *prompts, const ShellSpec &spec);
    ~SshShell() override;

    [[nodiscard]] ShellState state() const override { return m_state; }
    // SSH ends what runs on a channel together with the channel.
    [[nodiscard]] bool canReattach() const override { return false; }
    void open(TerminalSize size) override;
    void attach(TerminalSize size) override;
    void write(QByteArrayView bytes) override;
    void resize(TerminalSize size) override;
    void detach() override;
    void kill() override;
    void consumed(qint64 bytes) override;
    [[nodiscard]] qint64 pendingInput() const override;
    void probe() override;

private:
    void start(TerminalSize size);
    void setState(ShellState state);
    void finish(ShellEnd end);
    // Signals never come from inside a call: they are kept in order and sent from the event loop.
    void later(std::function<void()> notify);
    void notifyNow();
    void letGo();

    LinkOptions m_options;
    PromptHandler *m_prompts = nullptr;
    ShellSpec m_spec;
    ShellState m_state = ShellState::Idle;
    std::unique_ptr<SshLinkCore> m_ownLink;
    QPointer<SshLinkCore> m_link;
    std::unique_ptr<SshChannel> m_channel;
    bool m_hasOwnLink = false;
    bool m_isKilled = false;
    std::vector<std::function<void()>> m_notices;
};

} // namespace Sandpiper
