// What a program that asked for the mouse is told. Pure. Source: xterm's ctlseqs, "Mouse Tracking".
#pragma once

#include "terminal/streamfilter.h"

#include <QPoint>
#include <Qt>

namespace Sandpiper {

struct MouseReport
{
    enum class Kind { Press, Release, Move, WheelUp, WheelDown, WheelLeft, WheelRight };
    Kind kind = Kind::Press;
    Qt::MouseButton button = Qt::NoButton; // the one that changed; Move: one that is held, or none
    Qt::KeyboardModifiers modifiers;
    QPoint cell;  // from 0
    QPoint pixel; // from 0, inside the grid
};

// Empty where the mode does not ask for it, or its encoding cannot say it.
[[nodiscard]] QByteArray mouseReport(const MouseReport &report, const TerminalModes &modes);
// What the wheel sends in an alternate screen that did not ask for the mouse.
[[nodiscard]] QByteArray wheelKeys(int lines, const TerminalModes &modes); // > 0: up

} // namespace Sandpiper
