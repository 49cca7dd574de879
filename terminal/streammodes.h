// The DEC private modes that are known here: which of them the engine is told of, which are ours.
#pragma once

#include <cstddef>
#include <span>

namespace Sandpiper {

enum class StreamMode : std::size_t {
    ApplicationCursor,
    ReverseVideo,
    Origin,
    AutoWrap,
    MousePress,
    CursorVisible,
    AlternateScreen, // ?47, ?1047 and ?1049 are three doors to one room
    MouseButtons,
    MouseDrag,
    MouseMotion,
    FocusReports,
    MouseUtf8,
    MouseSgr,
    AlternateScroll,
    MouseUrxvt,
    MouseSgrPixels,
    BracketedPaste,
    SynchronizedUpdate,
    Count
};

enum class ModeOwner {
    Engine, // passed on, and remembered
    Us,     // remembered only: the engine would do it wrongly, or twice
};

struct StreamModeRow
{
    int number;
    StreamMode mode;
    ModeOwner owner;
    bool initial;
};

[[nodiscard]] std::span<const StreamModeRow> streamModes();
[[nodiscard]] const StreamModeRow *streamMode(int number); // nullptr: unknown

} // namespace Sandpiper
