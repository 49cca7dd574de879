#include "terminal/streammodes.h"

#include <algorithm>

namespace Sandpiper {
namespace {

// Not here on purpose: 2 (VT52, from which no reset leads back), 3 and 40 (132 columns: our size is
// the window's), 1048 (no state of its own, see StreamFilter::setModes).
constexpr StreamModeRow kModes[] = {
    {1, StreamMode::ApplicationCursor, ModeOwner::Engine, false},
    {5, StreamMode::ReverseVideo, ModeOwner::Engine, false},
    {6, StreamMode::Origin, ModeOwner::Engine, false},
    {7, StreamMode::AutoWrap, ModeOwner::Engine, true},
    {9, StreamMode::MousePress, ModeOwner::Us, false},
    {25, StreamMode::CursorVisible, ModeOwner::Engine, true},
    {47, StreamMode::AlternateScreen, ModeOwner::Engine, false},
    {1000, StreamMode::MouseButtons, ModeOwner::Us, false},
    {1002, StreamMode::MouseDrag, ModeOwner::Us, false},
    {1003, StreamMode::MouseMotion, ModeOwner::Us, false},
    {1004, StreamMode::FocusReports, ModeOwner::Us, false},
    {1005, StreamMode::MouseUtf8, ModeOwner::Us, false},
    {1006, StreamMode::MouseSgr, ModeOwner::Us, false},
    {1007, StreamMode::AlternateScroll, ModeOwner::Us, true},
    {1015, StreamMode::MouseUrxvt, ModeOwner::Us, false},
    {1016, StreamMode::MouseSgrPixels, ModeOwner::Us, false},
    {1047, StreamMode::AlternateScreen, ModeOwner::Engine, false},
    {1049, StreamMode::AlternateScreen, ModeOwner::Engine, false},
    {2004, StreamMode::BracketedPaste, ModeOwner::Us, false},
    {2026, StreamMode::SynchronizedUpdate, ModeOwner::Us, false},
};

} // namespace

std::span<const StreamModeRow> streamModes()
{
    return kModes;
}

const StreamModeRow *streamMode(int number)
{
    const auto *row = std::ranges::find(kModes, number, &StreamModeRow::number);
    return row == std::end(kModes) ? nullptr : row;
}

} // namespace Sandpiper
