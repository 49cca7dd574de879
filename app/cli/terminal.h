// The terminal that sandpiper-cli itself runs in. Main thread.
#pragma once

#include "app/cli/clierror.h"
#include "session/secret.h"
#include "session/shell.h"

#include <QObject>
#include <QSocketNotifier>

#include <termios.h>

#include <chrono>
#include <functional>
#include <optional>

namespace Sandpiper {

[[nodiscard]] bool isTerminal(int descriptor);
[[nodiscard]] TerminalSize localTerminalSize();

// Asks on /dev/tty without echo; where standard input is no terminal, its first line is the secret.
// Waits for the person: only for commands that have nothing else to do meanwhile.
[[nodiscard]] Result<Secret> readSecret(const QString &label);
// As above with echo. InvalidInput where nobody is there to ask.
[[nodiscard]] Result<QString> readAnswer(const QString &question);

// Raw mode from construction to destruction, also when the program ends by exit().
class RawMode
{
public:
    RawMode();
    ~RawMode();
    RawMode(const RawMode &) = delete;
    RawMode &operator=(const RawMode &) = delete;
};

// Standard input as it comes. Stops reading while paused.
class InputReader : public QObject
{
    Q_OBJECT
public:
    explicit InputReader(QObject *parent = nullptr);
    void setPaused(bool paused);

signals:
    void received(const QByteArray &bytes); // never empty
    void ended();
    void failed(int reason); // an errno; to whom it makes no difference, it is an end

private:
    void read();
    QSocketNotifier m_readable;
    bool m_ended = false;
};

// Turns SIGINT, SIGTERM, SIGHUP and SIGWINCH into calls in the event loop.
class SignalWatch : public QObject
{
    Q_OBJECT
public:
    explicit SignalWatch(QObject *parent);

signals:
    void raised(int number);
};
// The one of this process; made at the first call, after the application.
[[nodiscard]] SignalWatch &signalWatch();

// The keys that let go of a shell without ending it. Pure: whoever uses it brings the time.
class DetachKeys
{
public:
    using Time = std::chrono::steady_clock::time_point;
    // How long a beginning of the sequence waits for the rest of it.
    static constexpr std::chrono::milliseconds patience{1000};
    static constexpr qsizetype mostKeys = 16;

    // "ctrl-]", "ctrl-p,ctrl-q", "a"; "none" switches it off.
    [[nodiscard]] static CliResult<DetachKeys> parse(const QString &text);
    // Returns what goes to the shell. Keys that might begin the sequence are held until the next one
    // decides or until deadline(); matched is set when it is complete, and what follows is dropped.
    [[nodiscard]] QByteArray filter(QByteArrayView typed, Time now);
    // What was held and has waited long enough: it goes to the shell.
    [[nodiscard]] QByteArray expired(Time now);
    [[nodiscard]] std::optional<Time> deadline() const { return m_held > 0 && !m_matched ? std::optional(m_deadline) : std::nullopt; }
    [[nodiscard]] bool matched() const { return m_matched; }

private:
    QByteArray m_sequence;
    qsizetype m_held = 0;
    Time m_deadline;
    bool m_matched = false;
};

} // namespace Sandpiper
