// Joins a standing shell to the terminal that sandpiper-cli runs in.
#pragma once

#include "app/cli/directory.h"
#include "app/cli/terminal.h"
#include "session/standingshell.h"

#include <QObject>
#include <QTimer>

#include <memory>
#include <optional>

namespace Sandpiper {

class ShellRunner : public QObject
{
    Q_OBJECT
public:
    struct Wish
    {
        Target target;
        ShellRoute route = ShellRoute::Pty;
        ShellSpec spec;
        QString ptySession; // an existing one
        DetachKeys detachKeys;
    };

    ShellRunner(Directory *directory, Wish wish);
    ~ShellRunner() override;
    void start();
    // Lets go of it where it lives on, else hangs it up.
    void leave();

signals:
    // The shell's own status, or one of ExitStatus.
    void finished(int status);

private:
    void typed(const QByteArray &bytes);
    void onStatus(const StandingShell::Status &status);
    void tell(const QString &line);
    void finish(int status);
    [[nodiscard]] int statusOf(const ShellEnd &end) const;

    Wish m_wish;
    std::unique_ptr<PromptHandler> m_prompts;
    std::unique_ptr<StandingShell> m_shell;
    std::unique_ptr<InputReader> m_input;
    std::optional<RawMode> m_raw;
    QTimer m_heldKeys; // until keys that might have been the detach keys go to the shell
    StandingShell::State m_state = StandingShell::State::Idle;
    bool m_finished = false;
};

// --via, or what the sandbox can best. Unsupported with the reason.
[[nodiscard]] Result<ShellRoute> chooseRoute(const Sandbox &sandbox, const QString &via);

} // namespace Sandpiper
