// `<port>-<id>`: an SSH server that the sandbox's owner runs inside it, reached through the gateway.
// The gateway logs in there with the installation's own key and relays session channels.
#pragma once

#include "gateway/sandboxstore.h"
#include "gateway/sshbridge.h"
#include "session/lentsocket.h"

namespace Sandpiper {

// The gateway's connection to that server. Lives on the outer connection's thread.
class SshInner
{
public:
    // Waits at most about 15 s. The error's detail is the whole sentence for the client: nothing
    // listens, what listens does not speak SSH, or it does not take the key.
    [[nodiscard]] static Result<std::unique_ptr<SshInner>> connectTo(const LocalSandbox &sandbox, quint16 port, const QString &keyFile);
    ~SshInner();
    SshInner(const SshInner &) = delete;
    SshInner &operator=(const SshInner &) = delete;

    [[nodiscard]] pollfd poll() const;
    // False: it is gone.
    [[nodiscard]] bool pump();
    // An open session channel, or null. Waits for the server.
    [[nodiscard]] ssh_channel openSession();

    // While one lives, calls on this session wait for the server (at most 10 s): the steps of
    // starting a program, whose order matters more than a few milliseconds.
    class Waiting
    {
    public:
        explicit Waiting(SshInner *inner);
        ~Waiting();
        Waiting(const Waiting &) = delete;
        Waiting &operator=(const Waiting &) = delete;

    private:
        SshInner *m_inner;
    };

private:
    SshInner() = default;
    [[nodiscard]] QString logIn(const QString &where, const QString &keyFile);
    LentSocket m_socket; // goes after the session
    ssh_session m_session = nullptr;
    ssh_event m_event = nullptr;
};

// One session channel of the client joined to one of the inner server.
class SshRelay : public SshChannelWork
{
public:
    // Takes the channel over; inner is borrowed and outlives it.
    SshRelay(ssh_channel outer, SshInner *inner);
    ~SshRelay() override;

    [[nodiscard]] ssh_channel channel() const override { return m_outer; }
    [[nodiscard]] bool request(ssh_message message) override;
    void addPolls(std::vector<pollfd> &polls, SessionRoom room) const override;
    void step(SessionRoom room) override;
    [[nodiscard]] bool isDone() const override { return m_done; }
    void abandonChannel() override;

private:
    void setCallbacks();
    void setInnerCallbacks();
    int takeData(const void *data, uint32_t size);
    void pumpOutward(int isError);
    void pumpInward();
    void finishWhenOver();

    ssh_channel m_outer;
    SshInner *m_inner;
    ssh_channel m_far;
    ssh_channel_callbacks_struct m_outerCallbacks = {};
    ssh_channel_callbacks_struct m_farCallbacks = {};
    QByteArray m_toFar;
    std::optional<int> m_exitStatus;
    QByteArray m_exitSignal;
    bool m_eofPassed = false;
    bool m_outerEof = false;
    bool m_outerClosed = false;
    bool m_done = false;
};

} // namespace Sandpiper
