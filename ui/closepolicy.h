// What closing a tab and quitting do to shells, and whether a question comes first. Pure.
#pragma once

#include "session/standingshell.h"

#include <QCoreApplication>
#include <QList>

#include <chrono>
#include <optional>

namespace Sandpiper {

// Remembered answers; the preferences show the same three switches.
struct CloseChoices
{
    bool askBeforeDetaching = true; // closing a tab whose shell lives on
    bool askBeforeEnding = true;    // closing a tab whose shell ends with it
    bool askBeforeQuitting = true;  // quitting with shells open

    friend bool operator==(const CloseChoices &, const CloseChoices &) = default;
};

// What the decision looks at, for one tab.
struct ClosingShell
{
    ShellRoute route = ShellRoute::Pty;
    StandingShell::State state = StandingShell::State::Idle;
    QString sandboxName;
    // How long the vendor keeps a shell that nobody is attached to; none: without limit, or not said.
    std::optional<std::chrono::seconds> keptFor;
};

// What becomes of the shell there when its tab goes.
enum class ShellFate {
    LivesOn,     // detached; can be attached again
    EndsWithTab, // an SSH shell gets a hang-up
    Nothing,     // there is no shell there any more, or none yet
};
[[nodiscard]] ShellFate fateOf(const ClosingShell &shell);

struct CloseQuestion
{
    bool ask = false; // false: go ahead
    QString sentence = {}; // one, whole
    QString agree = {};    // the verb on the button
    // The switch that "Do not ask again" turns off.
    bool CloseChoices::*remembered = nullptr;
};
// now: local time, for "until 19:07".
[[nodiscard]] CloseQuestion questionForTab(const ClosingShell &shell, const CloseChoices &choices,
                                           const QDateTime &now);
// "End shell": ends it there, also where closing the tab would not.
[[nodiscard]] CloseQuestion questionForEnding(const ClosingShell &shell, const CloseChoices &choices);
[[nodiscard]] CloseQuestion questionForQuit(const QList<ClosingShell> &shells,
                                            const CloseChoices &choices, const QDateTime &now);

} // namespace Sandpiper
