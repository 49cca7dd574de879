// The inside of StandingShell. See there.
#pragma once

#include "session/comeback.h"
#include "session/outputledger.h"
#include "session/ptyshell.h"
#include "session/replaysplice.h"
#include "session/standingshell.h"

namespace Sandpiper {

class StandingShell::Private
{
public:
    Private(StandingShell *owner, const ShellRecord &wanted, Services given);
    ~Private();

    // --- the way there: find() → connect → open, each step void once `turn` has moved on
    void begin();               // decides between reattach and a new shell
    void readToken();
    void look();                // asks where the sandbox is, and goes on from the answer
    void found(const Result<Sandbox> &result);
    void follow(const Decision &decision);
    void connectShell();
    [[nodiscard]] std::unique_ptr<Shell> makeShell();
    void watchResume(); // after resumeSandbox()
    void settled();     // open for a while
    void wait(const Error &why);
    void waitFor(std::chrono::milliseconds delay, const Error &why);
    [[nodiscard]] double chance() const { return services.random ? services.random() : 0.5; }
    void networkChanged();

    // --- what the shell says
    void shellStateChanged(ShellState state);
    void sessionKnown(const PtyHandle &handle);
    void shellEnded(const ShellEnd &end);
    void shellOutput(const QByteArray &bytes);
    void show(const ReplaySplice::Output &output, OutputLedger::Owed owed);
    void replaying(bool active);
    void watchReplay();

    // --- keeping
    [[nodiscard]] QString tokenKey() const;
    void forgetSession();
    void noteName(const QString &name);

    void setStatus(State state, const Error &error = {});
    void emitStatus();
    // Ends whatever is under way. What answers afterwards is not heard.
    void interrupt();
    void dropShell();
    void later(std::chrono::milliseconds delay, void (Private::*step)());
    [[nodiscard]] bool isReattaching() const { return record.route == ShellRoute::Pty && token; }

    // One call at a time: its answer is heard only if nothing else has begun since.
    template <typename T, typename Fn>
    void await(QFuture<T> future, Fn fn)
    {
        const quint64 of = turn;
        cancelCall = [future]() mutable { future.cancel(); };
        future.then(q, [this, of, fn](const T &result) {
                  if (of != turn)
                      return;
                  cancelCall = nullptr;
                  fn(result);
              })
                .onCanceled(q, [this, of, fn] {
                    if (of != turn)
                        return;
                    cancelCall = nullptr;
                    fn(T(failure(ErrorKind::ConnectionLost, Layer::Provider)));
                });
    }

    StandingShell *const q;
    ShellRecord record;
    Services services;
    Status status;
    TerminalSize size;
    Sandbox sandbox; // as it was last found
    std::shared_ptr<Secret> token; // of record.ptySession

    std::unique_ptr<Shell> shell;
    ReplaySplice splice{ptyReplayLimit};
    OutputLedger ledger;
    bool isShown = true;
    bool isReplaying = false;   // as the shell says
    bool replayIsWhole = false; // and it is shown from its start
    bool replayStirred = false; // output came since watchReplay() looked last
    bool saysNewShell = false;  // the next shell is another one than the screen shows
    bool afterLoss = false;
    int resumeLooks = 0; // left

    quint64 turn = 0;
    std::function<void()> cancelTimer;
    std::function<void()> cancelCall;
};

} // namespace Sandpiper
