// Which keys stay with the program while a terminal has the focus. Pure.
#pragma once

#include <Qt>

namespace Sandpiper {

// Ctrl+Shift+…, Alt+1…9, Ctrl+Tab, F11. All else goes to the shell.
[[nodiscard]] bool belongsToProgram(int key, Qt::KeyboardModifiers modifiers);
// Those of them that must not reach the shell either where no action has them: Ctrl+Shift+C without
// an action is no Ctrl+C.
[[nodiscard]] bool neverForShell(int key, Qt::KeyboardModifiers modifiers);

} // namespace Sandpiper
