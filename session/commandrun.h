// One command in one sandbox, with its output kept as text: what a window shows of it. GUI thread.
#pragma once

#include "session/plainoutput.h"
#include "session/provider.h"

#include <QCryptographicHash>
#include <QTimer>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>

namespace Sandpiper {

struct CommandPiece
{
    enum class Stream { Output, ErrorOutput };
    Stream stream = Stream::Output;
    QString text; // may begin and end within a line
};

class CommandRun : public QObject
{
    Q_OBJECT
public:
    enum class State {
        Waiting, // not started
        Connecting,
        Running,
        Exited,    // with exitCode()
        Signalled, // by signalName()
        Failed,    // see error()
        Stopped,   // by stop()
    };
    struct Services
    {
        std::function<Result<std::unique_ptr<RemoteCommand>>()> make;
        std::function<std::chrono::steady_clock::time_point()> now; // unset: the steady clock
        qsizetype mostCharacters = 4 << 20; // kept of the output; older ones are dropped
        std::chrono::milliseconds stopPatience{2000}; // between asking it to end and hanging up
    };
    CommandRun(const Sandbox &sandbox, Services services, QObject *parent = nullptr);
    ~CommandRun() override; // what still runs there gets a hang-up

    void start();
    // Asks it to end, then hangs up; at once where it is asked a second time. Waiting: it never starts.
    void stop();

    [[nodiscard]] const Sandbox &sandbox() const { return m_sandbox; }
    [[nodiscard]] State state() const { return m_state; }
    [[nodiscard]] bool isOver() const { return m_state >= State::Exited; }
    [[nodiscard]] bool hasSucceeded() const { return m_state == State::Exited && m_exitCode == 0; }
    [[nodiscard]] int exitCode() const { return m_exitCode; }
    [[nodiscard]] QString signalName() const { return m_signalName; }
    [[nodiscard]] const Error &error() const { return m_error; }
    [[nodiscard]] std::chrono::milliseconds elapsed() const; // since start(), until its end
    [[nodiscard]] const std::deque<CommandPiece> &pieces() const { return m_pieces; }
    [[nodiscard]] QString text() const; // both streams, as they came
    [[nodiscard]] qint64 droppedCharacters() const { return m_dropped; }
    [[nodiscard]] QString lastLine() const; // that is not empty; at most 200 characters
    // Equal where both streams and the way it ended are. Empty until it is over.
    [[nodiscard]] QByteArray fingerprint() const;

signals:
    void changed(); // state, in the order of State
    void appended(const Sandpiper::CommandPiece &piece);

private:
    void setState(State state);
    void take(CommandPiece::Stream stream, const QByteArray &bytes);
    void onEnded(const ShellEnd &end);
    void fail(const Error &error);

    Sandbox m_sandbox;
    Services m_services;
    std::unique_ptr<RemoteCommand> m_remote;
    State m_state = State::Waiting;
    int m_exitCode = 0;
    QString m_signalName;
    Error m_error;
    std::chrono::steady_clock::time_point m_startedAt;
    std::chrono::steady_clock::time_point m_endedAt;
    PlainOutput m_plain[2];
    QCryptographicHash m_hashes[2];
    std::deque<CommandPiece> m_pieces;
    qsizetype m_characters = 0;
    qint64 m_dropped = 0;
    bool m_isStopping = false;
    QTimer m_patience;
};

} // namespace Sandpiper
