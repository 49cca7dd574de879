// Tells what a terminal says by itself from what a person types. Pure; any thread.
#pragma once

#include <QByteArrayView>

namespace Sandpiper {

// Whether all of it is answers to questions that programs ask a terminal: who it is, where the cursor
// is, its colours (device attributes, status, cursor and mode reports, DCS and OSC replies).
// When old output is shown again, so are its questions, and nobody waits for these answers any more:
// they would appear as typed at the prompt.
[[nodiscard]] bool isTerminalAnswer(QByteArrayView bytes);

} // namespace Sandpiper
