#include "terminal/appkeys.h"

namespace Sandpiper {

bool belongsToProgram(int key, Qt::KeyboardModifiers modifiers)
{
    const Qt::KeyboardModifiers held = modifiers & ~(Qt::KeypadModifier | Qt::GroupSwitchModifier);
    if (held.testFlags(Qt::ControlModifier | Qt::ShiftModifier))
        return true;
    if (held == Qt::AltModifier)
        return key >= Qt::Key_1 && key <= Qt::Key_9 && !modifiers.testFlag(Qt::KeypadModifier);
    if (held == Qt::ControlModifier)
        return key == Qt::Key_Tab || key == Qt::Key_Backtab;
    return held == Qt::NoModifier && key == Qt::Key_F11;
}

bool neverForShell(int key, Qt::KeyboardModifiers modifiers)
{
    if (!belongsToProgram(key, modifiers))
        return false;
    if (!modifiers.testFlags(Qt::ControlModifier | Qt::ShiftModifier))
        return key == Qt::Key_Tab || key == Qt::Key_Backtab;
    // Ctrl+_, Ctrl+^ and Ctrl+@ need Shift on many keyboards.
    return (key >= Qt::Key_A && key <= Qt::Key_Z) || key == Qt::Key_Tab || key == Qt::Key_Backtab;
}

} // namespace Sandpiper
