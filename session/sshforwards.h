// The port forwards of one link, in its thread: listeners here with a channel for each of their connections,
// and listeners on the server whose connections are made from here.
#pragma once

#include "session/forwarddial.h"
#include "session/forwardlistener.h"
#include "session/forwardsheld.h"
#include "session/sshtunnelchannel.h"

#include <deque>
#include <memory>
#include <vector>

namespace Sandpiper {

class SshForwards
{
public:
    // All three outlive it; woken is set when something wants a pump().
    SshForwards(LinkMail &mail, bool &woken, LateChannels &late);
    ~SshForwards(); // outside of libssh's callbacks only
    SshForwards(const SshForwards &) = delete;
    SshForwards &operator=(const SshForwards &) = delete;

    // At any time; from begin() on something comes of it.
    void add(int id, const ForwardSpec &spec);
    void stop(int id);
    void limit(int id, qint64 bytesPerSecond); // 0: as fast as it goes
    void closeConnection(int id, quint64 connection);
    // The link is Ready.
    void begin(const ForwardOwner &owner, const ForwardRules &rules);
    // Somebody else has asked the server to listen there and does not wait for the answer any more: where it
    // is yes, the port is given back.
    void giveBackLater(const QByteArray &address, int port);
    // Does what can be done now without waiting. Outside of libssh's callbacks only. awaitsLife: the library
    // may still have the answer to a keep-alive to give; false afterwards where it has given it.
    // mayAsk: nobody else waits for the answer to a global request.
    void pump(ssh_session session, ssh_event event, bool &awaitsLife, bool mayAsk);
    // The library has one place for the answer to a global request: nobody else may ask meanwhile.
    [[nodiscard]] bool holdsGlobalRequests() const { return m_asking.has_value(); }
    [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> nextDeadline() const;
    // A server's connection (forwarded-tcpip), inside the library's callback. Null: refused.
    [[nodiscard]] ssh_channel accept(ssh_session session, const QByteArray &address, int port, const QByteArray &origin, int originPort);
    // The connection is gone: each forward is lost, once.
    void lose(const Error &error);
    // Lets everything go, before the event and the session do. Nobody is told.
    void drop();

    // Of those of the configuration (ids below 0): all that have an answer, and the first that failed.
    [[nodiscard]] bool isSettled() const;
    [[nodiscard]] std::optional<Error> firstFailure() const { return m_firstFailure; }
    // Sentences for whoever sits at the terminal, about those of the configuration; each once.
    [[nodiscard]] QStringList takeNotices() { return std::exchange(m_notices, {}); }

private:
    // Somebody at a SOCKS listener, until they have said where to.
    class Client;
    struct Tunnel
    {
        std::unique_ptr<SshTunnelChannel> channel;
        quint64 call = 0; // of m_dial, where it waits for one
        bool hasMet = false;
        ForwardConnection told = {}; // with the id that it has, once it is the forward's
    };
    struct Forward;
    struct Asking
    {
        enum class What { Listen, Cancel };
        What what = What::Listen;
        int id = 0; // Listen
        QByteArray address;
        int port = 0;
        bool clears = false; // first the library is to give the answers that it has
        bool isOverdue = false; // nobody waits for its answer any more, and none after it can be asked
        std::chrono::steady_clock::time_point deadline;
    };

    void begin(Forward &forward, ssh_session session);
    void listenHere(Forward &forward);
    void pump(Forward &forward, ssh_session session);
    void acceptClients(Forward &forward);
    void greetClients(Forward &forward);
    void connectThrough(Forward &forward, const TunnelSpec &spec);
    void join(Forward &forward, Tunnel tunnel, const QString &from);
    // A connection from here. Nothing: it takes a moment, and tunnel.call is answered.
    [[nodiscard]] std::optional<Result<FileDescriptor>> dial(Tunnel &tunnel, const ForwardSpec::End &target);
    void noteTraffic(Forward &forward);
    void tellTraffic(Forward &forward);
    [[nodiscard]] bool hasRoom() const;
    void pumpAnswers();
    void pumpQuestions(ssh_session session, bool &awaitsLife, bool mayAsk);
    [[nodiscard]] std::optional<Asking> nextQuestion();
    void overdue(Asking &question);
    void answered(const Asking &question, bool isGranted);
    [[nodiscard]] Forward *find(int id);
    void setState(Forward &forward, ForwardStatus status);
    void listens(Forward &forward, const ForwardSpec::End &at);
    void fail(Forward &forward, const Error &error, bool isHeldElsewhere = false);
    void tellTrouble(Forward &forward, const std::optional<Error> &error);
    enum class Watched { No, Yes };
    void watch(int fd, Watched watched);
    void close(Forward &forward);

    LinkMail &m_mail;
    bool &m_woken;
    LateChannels &m_late;
    bool m_isReady = false;
    ForwardOwner m_owner;
    ForwardRules m_rules;
    std::vector<std::unique_ptr<Forward>> m_forwards;
    ForwardDial m_dial;
    quint64 m_lastCall = 0;
    // Came in callbacks since the last pump(), each for a forward.
    std::vector<std::pair<int, Tunnel>> m_accepted;
    std::optional<Asking> m_asking;
    std::deque<std::pair<QByteArray, int>> m_toCancel; // address and port
    std::vector<int> m_watched;
    ssh_event m_event = nullptr;
    std::optional<std::chrono::steady_clock::time_point> m_restsUntil; // short of descriptors
    QStringList m_notices;
    bool m_saidHeld = false;
    std::optional<Error> m_firstFailure;
};

} // namespace Sandpiper
