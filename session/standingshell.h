// A tab's shell as a standing wish: it opens, breaks, waits, comes back, and says at every moment
// what it is waiting for. No widgets. GUI thread.
#pragma once

#include "session/keychain.h"
#include "session/networkwatch.h"
#include "session/prompt.h"
#include "session/provider.h"
#include "session/shell.h"

#include <QDateTime>
#include <QJsonObject>
#include <QPointer>

#include <chrono>
#include <functional>
#include <optional>

namespace Sandpiper {

enum class ShellRoute { Pty, Ssh };

// What is written down of a tab, so that it comes back after a restart. No secret is in it.
struct ShellRecord
{
    SandboxId sandbox;
    QString sandboxName; // as last seen, for the time before the vendor answers
    ShellRoute route = ShellRoute::Pty;
    ShellSpec spec;
    QString ptySession; // empty: none yet

    [[nodiscard]] QJsonObject toJson() const;
    [[nodiscard]] static std::optional<ShellRecord> fromJson(const QJsonObject &json);
    friend bool operator==(const ShellRecord &, const ShellRecord &) = default;
};

class StandingShell : public QObject
{
    Q_OBJECT
public:
    enum class State {
        Idle,      // open() has not been called
        Opening,   // first time, or coming back
        Open,
        Waiting,   // lost; the next try is at Status::retryAt
        Suspended, // the sandbox sleeps; resumeSandbox() wakes it (and costs)
        Stopped,   // the user stopped the trying; retryNow() goes on
        Gone,      // sandbox or session is not there any more; startNew() is what is left
        Ended,     // the shell ended by itself, see Status::end
        Failed,    // cannot work without the user: refused key, wrong credentials
        Detached,
    };
    struct Status
    {
        State state = State::Idle;
        Error error;       // Waiting, Gone, Failed: why
        QDateTime retryAt; // Waiting
        int attempt = 0;   // Waiting, Opening: how many tries since it was last Open
        ShellEnd end;      // Ended
    };
    // Everything from outside, so that tests bring their own.
    struct Services
    {
        QPointer<SandboxProvider> provider; // may become null: then Failed, unless there is a plainHost
        // A machine of no vendor, which nobody can be asked about: it is taken to be as it says here.
        std::optional<Sandbox> plainHost;
        QPointer<Keychain> keychain;
        // Where set: after a change an open shell asks whether its far side is still there, and one
        // that waits tries at once.
        QPointer<NetworkWatch> network;
        // Makes an SSH shell for the sandbox as it is now; null where it has no SSH.
        std::function<std::unique_ptr<Shell>(const Sandbox &, const ShellSpec &)> makeSshShell;
        // 0..1, for the jitter of the back-off; tests give a constant.
        std::function<double()> random;
        // Runs fn after delay unless context dies or the returned call cancels it.
        std::function<std::function<void()>(std::chrono::milliseconds delay, QObject *context, std::function<void()> fn)> after;
    };

    StandingShell(const ShellRecord &record, Services services, QObject *parent = nullptr);
    ~StandingShell() override;

    [[nodiscard]] const ShellRecord &record() const;
    [[nodiscard]] Status status() const;
    // Where a PTY session and its token are known, reattaches; else starts a new shell.
    void open(TerminalSize size);
    void write(QByteArrayView bytes); // dropped unless Open: input is never sent later by surprise
    void resize(TerminalSize size);
    void consumed(qint64 bytes);
    // Whether somebody looks at it. What is looked at comes back first: it tries at once when it comes to be
    // shown, and while it is not, its tries stand back behind those of others. At first it is.
    void setShown(bool shown);
    void retryNow();
    void stop();          // stop trying
    void resumeSandbox(); // Suspended, Failed
    void startNew();      // Gone, Ended, Stopped, Failed
    void detach();        // closing the tab: lives on there where it can
    void endShell();      // ends it there

signals:
    void statusChanged(const Sandpiper::StandingShell::Status &status);
    void recordChanged(const Sandpiper::ShellRecord &record);
    void outputReceived(const QByteArray &bytes);
    // The replay did not match what was shown: what follows is a screen from the start.
    void screenReset();
    // One line to show as ours: "A new shell was started", "About 2 MB of output was missed".
    void noticeReceived(const QString &text);

private:
    class Private;
    std::unique_ptr<Private> d;
};

} // namespace Sandpiper
