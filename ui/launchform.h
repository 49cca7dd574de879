// The words of "New terminal with…" and what they mean. Pure.
#pragma once

#include "ui/launchmemory.h"

namespace Sandpiper {

// Fields as a person types them.
struct LaunchForm
{
    ShellRoute route = ShellRoute::Pty;
    QString command = {};     // one program; empty: the login shell
    QString arguments = {};   // words, quoted as a POSIX shell would; nothing is expanded
    QString environment = {}; // NAME=value, one a line; empty lines are nothing
    QString directory = {};   // empty: /workspace where it exists, else home
    QString term = {};

    friend bool operator==(const LaunchForm &, const LaunchForm &) = default;
};

enum class LaunchField { None, Command, Arguments, Environment, Directory, Term };

struct LaunchProblem
{
    LaunchField field = LaunchField::None;
    QString sentence; // what is wrong with it
};

// /bin/bash -l, xterm-256color.
[[nodiscard]] Launch defaultLaunch(ShellRoute route);
[[nodiscard]] LaunchForm formFor(const Launch &launch);
[[nodiscard]] std::expected<Launch, LaunchProblem> launchFrom(const LaunchForm &form);

} // namespace Sandpiper
