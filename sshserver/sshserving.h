// The work of one SSH connection: key exchange, login, channels, forwards. Lives and dies on the
// connection's thread. Messages are taken from libssh's queue, not by its server callbacks: those
// answer at once, and a connection to be dialled can only be answered later.
#pragma once

#include "sshserver/sshconnection.h"
#include "sshserver/sshhost.h"

#include <chrono>
#include <list>
#include <memory>

namespace Sandpiper {

class SshServing
{
public:
    SshServing(SshConnection &connection, SshConnection::Setup &setup);
    ~SshServing();
    SshServing(const SshServing &) = delete;
    SshServing &operator=(const SshServing &) = delete;

    void run();

private:
    using Clock = std::chrono::steady_clock;
    struct Dial
    {
        ssh_message message = nullptr;
        std::unique_ptr<SshDial> way;
    };
    struct Listener
    {
        FileDescriptor fd;
        QByteArray address; // as the client named it: it is told the same again
        quint16 port = 0;
    };
    // A channel that we open, and the socket it is for.
    struct Opening
    {
        enum class Kind { Forwarded, Agent };
        Kind kind = Kind::Forwarded;
        ssh_channel channel = nullptr;
        FileDescriptor socket;
        QByteArray address;
        quint16 port = 0;
        QByteArray origin;
        quint16 originPort = 0;
    };

    bool exchangeKeys();
    void wait();
    void pumpSession();
    enum class Handled { Nothing, Some };
    Handled handleMessages();
    void handleAuth(ssh_message message);
    void handleKey(ssh_message message);
    void handleChannelRequest(ssh_message message);
    void handleChannelOpen(ssh_message message);
    void dial(ssh_message message);
    void finishDials();
    void handleGlobalRequest(ssh_message message);
    void listenFor(ssh_message message);
    void acceptForwarded();
    void openPending();
    void stepWorks();
    void checkDeadlines();
    void endWith(const QString &text);
    void flush();
    void sayGoodbye();
    [[nodiscard]] bool isOver() const;
    [[nodiscard]] SshChannelWork::SessionRoom room() const;
    [[nodiscard]] int waitMilliseconds() const;

    SshConnection &m_connection;
    SshConnection::Setup &m_setup;
    ssh_bind m_bind = nullptr;
    ssh_session m_session = nullptr;
    ssh_event m_event = nullptr;
    Clock::time_point m_began = Clock::now();
    Clock::time_point m_deniedAt = {};
    std::unique_ptr<SshHost> m_host;
    std::list<std::unique_ptr<SshChannelWork>> m_works;
    std::list<Dial> m_dials;
    std::list<Listener> m_listeners;
    std::list<Opening> m_openings;
    bool m_isBehind = false; // there may be more to do at once
    QString m_goodbye;
    int m_denials = 0;
    bool m_loggedIn = false;
    bool m_bannerSent = false;
    bool m_failed = false;
};

} // namespace Sandpiper
