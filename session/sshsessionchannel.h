// The far end of one shell or command, in the thread of its link.
#pragma once

#include "session/latechannels.h"
#include "session/sshhandles.h"
#include "session/sshmessages.h"

#include <libssh/callbacks.h>

#include <chrono>
#include <optional>

namespace Sandpiper {

class SshSessionChannel
{
public:
    // mail and late outlive it. Nothing is sent before the first pump().
    SshSessionChannel(int id, const ChannelSpec &spec, LinkMail &mail, LateChannels &late);
    ~SshSessionChannel(); // closes the channel where it is open; only outside of libssh's callbacks
    SshSessionChannel(const SshSessionChannel &) = delete;
    SshSessionChannel &operator=(const SshSessionChannel &) = delete;

    [[nodiscard]] int id() const { return m_id; }
    // Once, before the first pump(): what the options of the link say of every channel.
    void complete(const LinkOptions &options);
    void write(const QByteArray &bytes);
    void closeInput();
    void resize(TerminalSize size);
    void sendSignal(const QByteArray &name);
    void consumed(qint64 bytes);
    void hangUp();

    // Does what can be done now without waiting. Outside of libssh's callbacks only.
    void pump(ssh_session session);
    // Its end has been told; it can be deleted.
    [[nodiscard]] bool isOver() const { return m_stage == Stage::Over; }
    // When pump() is wanted again though nothing arrived.
    [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> nextDeadline() const;
    // The connection is gone.
    void lose(const Error &error);

private:
    enum class Stage { Opening, Terminal, Environment, Starting, Running, Over };
    // More of the same step, on with the next, or not now.
    enum class Step { Next, Again, Failed };

    void advance(ssh_session session);
    [[nodiscard]] Step open(ssh_session session);
    [[nodiscard]] Step requestTerminal();
    [[nodiscard]] Step requestEnvironment();
    [[nodiscard]] Step start();
    void serve(ssh_session session);
    void drainBacklog();
    void sendInput(ssh_session session);
    void sendSpoken(ssh_session session);
    void postOutput();
    void handlePatience();
    void end(const ShellEnd &end);
    [[nodiscard]] ShellEnd ending() const;
    int take(const void *data, quint32 size, SshStream stream);

    int m_id;
    ChannelSpec m_spec;
    LinkMail &m_mail;
    LateChannels &m_late;
    Stage m_stage = Stage::Opening;
    ssh_channel m_channel = nullptr; // freed by us, or by ssh_disconnect(): see lose()
    ssh_channel_callbacks_struct m_callbacks = {};
    LateChannels::Opening m_opening = LateChannels::Opening::Settled;

    QMap<QString, QString> m_refusedEnvironment;
    TerminalSize m_sizeThere;
    QByteArray m_commandLine;

    QByteArray m_input;
    qsizetype m_inputSent = 0;
    bool m_forwardsAgent = false; // and it has not been asked for yet
    bool m_wantsEof = false;
    bool m_sentEof = false;

    struct Arrived
    {
        QByteArray bytes; // taken from the library and not yet posted
        qint64 backlog = 0; // still inside the library
    };
    Arrived m_arrived[2];
    qint64 m_unconsumed = 0;
    bool m_draining = false;

    std::optional<int> m_exitCode;
    QString m_exitSignal;
    bool m_remoteClosed = false;
    bool m_remoteEof = false;
    bool m_eofTold = false;
    bool m_hangingUp = false;
    bool m_closedByUs = false;
    std::optional<std::chrono::steady_clock::time_point> m_patience; // with the server's answers, later with the end
};

} // namespace Sandpiper
