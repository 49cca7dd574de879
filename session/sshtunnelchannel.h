// The far end of one tunnel and the stream that it is joined to, in the thread of its link: one that we
// asked for (direct-tcpip, direct-streamlocal@openssh.com, a program's input and output), or one that the server
// opened to us.
#pragma once

#include "session/forwardrate.h"
#include "session/forwardspec.h"
#include "session/latechannels.h"
#include "session/socksserver.h"
#include "session/sshhandles.h"
#include "session/sshmessages.h"
#include "session/sshrefusal.h"

#include <libssh/callbacks.h>

#include <chrono>
#include <memory>
#include <optional>

namespace Sandpiper {

// At most 256 KiB wait here in each direction; what is more waits with its sender.
class SshTunnelChannel
{
public:
    using Clock = std::chrono::steady_clock;

    // All references outlive it; woken is set when its stream wants a pump(). id 0: nobody is told of it.
    SshTunnelChannel(int id, const TunnelSpec &spec, LinkMail &mail, bool &woken, LateChannels &late);
    // The server's: a fresh channel, which is accepted after this. Nobody is told of its end. Made in
    // libssh's callback. Without a stream it waits for answer(), at most the spec's patience;
    // where it asks by SOCKS, from takeWish() on.
    SshTunnelChannel(ssh_channel accepted, const TunnelSpec &spec, LinkMail &mail, bool &woken, LateChannels &late);
    ~SshTunnelChannel(); // outside of libssh's callbacks only, and before its event goes
    SshTunnelChannel(const SshTunnelChannel &) = delete;
    SshTunnelChannel &operator=(const SshTunnelChannel &) = delete;

    [[nodiscard]] int id() const { return m_id; }
    [[nodiscard]] ssh_channel channel() const { return m_channel; } // still ours
    // Does what can be done now without waiting. Outside of libssh's callbacks only.
    void pump(ssh_session session, ssh_event event);
    [[nodiscard]] bool isOver() const { return m_stage == Stage::Over; }
    [[nodiscard]] std::optional<Clock::time_point> nextDeadline() const;
    // The stream of one that waits for it, non-blocking; or why there is none. Not in libssh's callbacks.
    void answer(Result<FileDescriptor> stream);
    // Where a server's channel that asks by SOCKS is to lead; once.
    [[nodiscard]] std::optional<ForwardSpec::End> takeWish() { return std::exchange(m_wish, std::nullopt); }
    // Borrowed, outlives it.
    void setRate(ForwardRate *rate) { m_rate = rate; }
    // Both ends see it end.
    void close() { end({ErrorKind::Cancelled, Layer::Ssh, {}, {}}, ShellEnd::Kind::Lost); }
    [[nodiscard]] qint64 sent() const { return m_sent; }         // bytes that went from the stream to the channel
    [[nodiscard]] qint64 received() const { return m_received; } // and from the channel to the stream
    // Where it leads, as far as that is known.
    [[nodiscard]] QString place() const;
    // The connection is gone.
    void lose(const Error &error);
    // Over: why both ends never met. Nothing: they had.
    [[nodiscard]] const std::optional<Error> &neverMet() const { return m_neverMet; }
    [[nodiscard]] bool hasMet() const { return m_stage == Stage::Running; }

private:
    // Refusing: whoever asked by SOCKS is told before it ends.
    enum class Stage { Opening, Greeting, Joining, Refusing, Running, Over };

    [[nodiscard]] bool listen();
    void join(FileDescriptor stream);
    void refuse(const Error &error);
    void open(ssh_session session);
    void greet(ssh_session session);
    [[nodiscard]] int request();
    void serve(ssh_session session);
    void drainBacklog();
    [[nodiscard]] bool writeStream(); // false: nobody is there any more
    [[nodiscard]] bool writeChannel(ssh_session session);
    void readStream(ssh_session session);
    void watch(ssh_event event, short what);
    void end(const Error &error, ShellEnd::Kind kind);
    int take(const void *data, quint32 size);

    int m_id;
    TunnelSpec m_spec;
    LinkMail &m_mail;
    bool &m_woken;
    LateChannels &m_late;
    Stage m_stage = Stage::Opening;
    ssh_channel m_channel = nullptr; // freed by us, or by ssh_disconnect()
    ssh_channel_callbacks_struct m_callbacks = {};
    LateChannels::Opening m_opening = LateChannels::Opening::Settled;
    ssh_event m_event = nullptr; // where the stream is watched
    short m_watched = 0;

    QByteArray m_toStream;
    qint64 m_backlog = 0; // for the stream, still inside the library
    bool m_draining = false;
    bool m_isSession = false; // open, for a program
    QByteArray m_toChannel;
    bool m_streamEnded = false;
    bool m_saidStreamEnded = false;
    bool m_remoteEof = false;
    bool m_shutStream = false;
    bool m_remoteClosed = false;
    std::optional<Clock::time_point> m_patience; // until both ends are there
    std::optional<Error> m_neverMet;
    std::optional<OpeningRefusal> m_refusal; // by the server
    std::unique_ptr<SocksServer> m_socks;    // of a server's channel that asks by it
    std::optional<ForwardSpec::End> m_wish;
    Error m_refusedBecause;

    ForwardRate *m_rate = nullptr;
    bool m_waitsToSend = false; // for the rate
    bool m_waitsToReceive = false;
    qint64 m_sent = 0;
    qint64 m_received = 0;
};

} // namespace Sandpiper
