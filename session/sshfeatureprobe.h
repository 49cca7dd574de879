// Asks the server of a link what it can do, one question after the other, in the thread of the link.
//
// It runs nothing of the user's and leaves nothing behind: a terminal that no shell is started on, an
// `echo`, the first word of SFTP, connections to a port and a socket where nobody is, and a listener that
// is given back at once. Channels are opened one at a time (an OpenSSH counts them), and each question has
// a deadline.
#pragma once

#include "session/latechannels.h"
#include "session/serverfeatures.h"
#include "session/sshhandles.h"

#include <libssh/callbacks.h>

#include <chrono>
#include <memory>
#include <optional>

namespace Sandpiper {

class SshFeatureProbe
{
public:
    // late outlives it.
    SshFeatureProbe(std::chrono::milliseconds patience, LateChannels &late);
    ~SshFeatureProbe(); // outside of libssh's callbacks only, and before ssh_disconnect()
    SshFeatureProbe(const SshFeatureProbe &) = delete;
    SshFeatureProbe &operator=(const SshFeatureProbe &) = delete;

    // What else goes on on this link.
    struct Around
    {
        bool hasSessions = false; // a refused session says nothing of what one could do
        bool awaitsLife = false;  // an answer to a keep-alive may be outstanding
        bool isAsking = false;    // somebody else waits for the answer to a global request
    };
    // Does what can be done now without waiting. Outside of libssh's callbacks only.
    void pump(ssh_session session, const Around &around);
    [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> nextDeadline() const { return isOver() ? std::nullopt : m_deadline; }
    // The library has one place for the answer to a global request: nobody else may ask meanwhile.
    [[nodiscard]] bool holdsGlobalRequests() const { return m_isGlobal; }
    [[nodiscard]] bool isOver() const { return m_question == Question::None; }
    // Of 127.0.0.1 there: it was asked for, and the answer may come yet. 0: none.
    [[nodiscard]] int portInDoubt() const { return m_portInDoubt; }
    // Once it is over; without version of the server and time.
    [[nodiscard]] const ServerFeatures &features() const { return m_features; }

private:
    class Channel;
    // Agent and Unix hold a session while they last: a server may have only one to give.
    enum class Question { Terminal, Exec, Sftp, Local, Agent, Unix, Remote, None };
    enum class Step { Wait, Again, Over }; // Over: with this question
    // Of opening a channel, or of a request on it.
    enum class Call { Wait, Granted, Refused };

    [[nodiscard]] Step ask(ssh_session session, const Around &around);
    [[nodiscard]] Step askTerminal(ssh_session session, const Around &around);
    [[nodiscard]] Step askExec(ssh_session session, const Around &around);
    [[nodiscard]] Step judgeExec();
    [[nodiscard]] Step askAgent(ssh_session session, const Around &around);
    [[nodiscard]] Step askSftp(ssh_session session, const Around &around);
    [[nodiscard]] Step judgeSftp();
    [[nodiscard]] Step askLocal(ssh_session session);
    [[nodiscard]] Step askUnix(ssh_session session);
    [[nodiscard]] Step askRemote(ssh_session session, const Around &around);
    // Of a session channel: Refused has answered `feature`.
    [[nodiscard]] Call openSession(ssh_session session, const Around &around, ServerFeature feature);
    [[nodiscard]] Call request(int code);
    [[nodiscard]] Step answer(ServerFeature feature, FeatureAnswer::Kind kind, const QString &words = {});
    // The line that our echo has written; none: not, or not yet.
    [[nodiscard]] std::optional<QString> echoed() const;
    void next();
    void giveUp();

    std::chrono::milliseconds m_patience;
    LateChannels &m_late;
    QByteArray m_mark; // what is echoed
    ServerFeatures m_features;
    Question m_question = Question::Terminal;
    int m_stage = 0; // of the question
    bool m_isSecondTry = false; // to open a session
    bool m_hadSession = false;
    int m_silences = 0; // questions in a row without an answer
    std::optional<std::chrono::steady_clock::time_point> m_deadline; // of the question, once it is begun
    std::unique_ptr<Channel> m_channel;
    std::unique_ptr<Channel> m_agentHolder; // keeps the agent's socket there, for Unix
    QString m_agentBefore; // SSH_AUTH_SOCK of those who have not asked for one
    QString m_agentSocket;
    bool m_isGlobal = false;
    bool m_isStale = false; // the next answer to a global request is not ours
    int m_port = 0;
    int m_portInDoubt = 0;
    int m_portsTried = 0;
};

} // namespace Sandpiper
