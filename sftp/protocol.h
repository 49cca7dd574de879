// One SFTP connection as bytes in and bytes out: it reads and writes nothing itself, and is told the time.
// Used by one thread.
#pragma once

#include "sftp/packet.h"
#include "sftp/sftpserver.h"

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <unordered_map>

namespace Sandpiper {

struct SftpPatience
{
    // With a request while nothing at all is heard and nothing can be sent…
    std::chrono::milliseconds silence{60'000};
    // …and however much else goes on.
    std::chrono::milliseconds longest{600'000};
};

class SftpProtocol
{
public:
    using Time = std::chrono::steady_clock::time_point;
    // Once for each request, from receive(), expire() or fail(), and not from request(). The bytes of an answer
    // live as long as the call. Timeout: the server may still do it.
    using Answer = std::function<void(const Result<SftpReply> &)>;
    struct Events
    {
        std::function<void()> known; // server() has changed: at first, when it has said its version and extensions
        std::function<void(const Error &)> broken; // once; nothing goes on after that
    };

    SftpProtocol(const SftpPatience &patience, Events events);
    SftpProtocol(const SftpProtocol &) = delete;
    SftpProtocol &operator=(const SftpProtocol &) = delete;

    // The channel is there. The first word is ours.
    void open(const QByteArray &serverBanner, Time now);
    // Of any size. Everything is taken: what may come is bounded by what was asked for.
    void receive(QByteArrayView bytes, Time now);
    // Whoever waits for longer than he may gets a Timeout.
    void expire(Time now);
    [[nodiscard]] std::optional<Time> nextDeadline() const;
    // It cannot go on: every request ends with this, and broken() says so.
    void fail(const Error &error);

    // Ready only. owner: for abandon().
    void request(SftpRequest request, int owner, Time now, Answer answer);
    // The answers to these are not wanted; a handle that still comes is closed. Nothing is called.
    void abandon(int owner, Time now);

    // What is to be sent next, in pieces of any size; empty: nothing.
    [[nodiscard]] QByteArrayView output() const;
    void sent(qsizetype bytes, Time now);
    [[nodiscard]] qsizetype unsent() const { return m_unsent; }

    [[nodiscard]] bool isReady() const { return m_isReady && !m_isBroken; }
    [[nodiscard]] const SftpServer &server() const { return m_server; }
    [[nodiscard]] size_t inFlight() const { return m_pending.size(); }
    // It was offered and is not there.
    void withdraw(SftpExtension extension);

private:
    struct Pending
    {
        int owner = 0;
        bool opensHandle = false;
        Time since;
        Answer answer; // none: it was abandoned
    };

    [[nodiscard]] bool take(QByteArrayView packet, Time now);
    [[nodiscard]] bool takeVersion(QByteArrayView packet, Time now);
    void askLimits(Time now);
    void send(QByteArray packet);
    void settle(quint32 id, const Result<SftpReply> &reply, Time now);
    [[nodiscard]] Time deadlineOf(const Pending &pending) const;

    SftpPatience m_patience;
    Events m_events;
    SftpServer m_server;
    SftpFramer m_framer;
    std::deque<QByteArray> m_output;
    qsizetype m_outputSent = 0; // of the first
    qsizetype m_unsent = 0;
    // By id, which is by age: ids only grow, and their wrapping takes more requests than a connection has.
    std::map<quint32, Pending> m_pending;
    size_t m_abandoned = 0; // among them
    quint32 m_lastId = 0;
    Time m_opened;
    Time m_lastProgress;
    bool m_isOpen = false;
    bool m_isReady = false;
    bool m_isBroken = false;
};

// The error that a status is, about a path.
[[nodiscard]] Error errorOf(const SftpStatus &status, const QString &subject);

} // namespace Sandpiper
