// One interactive terminal stream, whatever carries it: an SSH channel, a PTY WebSocket.
// Every implementation passes tests/session/shellparity, the contract below in executable form.
#pragma once

#include "session/error.h"

#include <QMap>
#include <QObject>
#include <QStringList>

namespace Sandpiper {

struct TerminalSize
{
    int columns = 80; // 1..1000
    int rows = 24;    // 1..500

    friend bool operator==(const TerminalSize &, const TerminalSize &) = default;
    [[nodiscard]] TerminalSize clamped() const
    {
        return {qBound(1, columns, 1000), qBound(1, rows, 500)};
    }
};

// What to run. Empty command: the login shell (SSH), or /bin/bash -l (PTY).
struct ShellSpec
{
    QString command;
    QStringList arguments;
    QMap<QString, QString> environment; // added to the sandbox's own
    // Empty: /workspace where it exists, else home (PTY); where the server's login lands (SSH).
    QString workingDirectory;
    QString term = QStringLiteral("xterm-256color");

    friend bool operator==(const ShellSpec &, const ShellSpec &) = default;
};

enum class ShellState {
    Idle,     // nothing has been tried
    Opening,  // on the way there
    Open,     // bytes flow
    Detached, // we let go; it lives on there
    Ended,    // see ShellEnd
};

struct ShellEnd
{
    enum class Kind {
        Exited,    // by itself, with exitCode
        Signalled, // by signalName
        Killed,    // somebody ended the session there
        Lost,      // the connection broke; whether it lives on is not known
        Failed,    // it never opened, see error
    };
    Kind kind = Kind::Lost;
    int exitCode = 0;
    QString signalName; // "TERM", without SIG; empty where the protocol does not say which
    Error error;        // for Lost and Failed

    friend bool operator==(const ShellEnd &, const ShellEnd &) = default;
};

// Life: open() → Opening → Open → (detach() → Detached → attach() → Opening → Open)* → Ended.
// After Ended with Lost, attach() is allowed where canReattach(). ended() comes exactly once for each
// open() or attach(), and never after detach(). No signal is emitted from inside one of these calls.
// Owned and used by one thread; the payload may cross others inside.
class Shell : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;

    [[nodiscard]] virtual ShellState state() const = 0;
    // True where the far side keeps the session without us, and we know how to find it again.
    [[nodiscard]] virtual bool canReattach() const = 0;

    // size is known before the far side starts, so that its first screen fits.
    virtual void open(TerminalSize size) = 0;
    virtual void attach(TerminalSize size) = 0;
    // Any amount: queued, cut into frames the far side takes, paced below its limits, in order.
    // Dropped when not Open or Opening.
    virtual void write(QByteArrayView bytes) = 0;
    virtual void resize(TerminalSize size) = 0;
    // Lets go; the session lives on where canReattach(), else it ends as a hang-up does.
    virtual void detach() = 0;
    // Ends the session there; ended(Killed or Exited or Signalled) follows.
    virtual void kill() = 0;

    // Output not yet reported by consumed() is bounded (256 KiB): past that the network waits, not
    // the memory. The receiver reports what it has taken in.
    virtual void consumed(qint64 bytes) = 0;
    // Input accepted by write() and not yet handed to the network.
    [[nodiscard]] virtual qint64 pendingInput() const = 0;
    // There is reason to doubt that the far side can still be reached (another network, the computer
    // has slept): asks it, and ends as Lost where no answer comes within some seconds. Open only.
    virtual void probe() = 0;

signals:
    void stateChanged(Sandpiper::ShellState state);
    void outputReceived(const QByteArray &bytes); // never empty
    // What the far side has sent since attach() and before live output may repeat what was shown.
    // replaying(true) comes before the first such byte. replaying(false) comes when it is taken to be
    // over: no protocol marks its end, so it is a guess from silence and from how much the far side
    // keeps, and none comes after detach(). Shells that never replay never emit it.
    void replaying(bool active);
    void inputDrained(); // pendingInput() reached 0
    // A line for the person, drawn by us and outside the grid: a server's banner, say.
    void noticeReceived(const QString &text);
    void ended(const Sandpiper::ShellEnd &end);
};

} // namespace Sandpiper

Q_DECLARE_METATYPE(Sandpiper::ShellEnd)
