// What a tab shows of its terminal: words and one mark. Pure; translated.
#pragma once

#include "session/standingshell.h"

namespace Sandpiper {

// One mark at a time, the most urgent; each has its own shape, none is told by colour alone.
enum class TabMark {
    None,
    Activity, // new output since it was looked at
    Bell,
    Busy,    // connecting
    Waiting, // lost, suspended or stopped: comes back
    Ended,
    Problem, // gone, failed
};

struct TabFace
{
    QString name;    // of the sandbox, or what the user called the tab
    QString program; // what the program says it is; may be empty
    QString tip;     // details, several lines, plain text
    QString spoken;  // accessible name: name, program, mark in words
    TabMark mark = TabMark::None;

    friend bool operator==(const TabFace &, const TabFace &) = default;
};

struct TabSubject
{
    QString sandboxName;
    QString customTitle;  // given by the user; empty: none
    QString programTitle; // from the terminal: foreign text
    QString directory;    // from the terminal: foreign text, unproven
    QString accountName;
    ShellRoute route = ShellRoute::Pty;
    StandingShell::Status status;
    bool accountMissing = false;
    bool activity = false;
    bool bell = false;
};

[[nodiscard]] TabFace tabFaceFor(const TabSubject &subject);
[[nodiscard]] QString wordFor(TabMark mark); // empty for None
[[nodiscard]] QString wordFor(StandingShell::State state);
[[nodiscard]] QString wordFor(ShellRoute route);
// "box-1 — vim", for the window's title.
[[nodiscard]] QString oneLine(const TabFace &face);

} // namespace Sandpiper
