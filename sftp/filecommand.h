// Commands beside files, for what can be done without the bytes coming here. GUI thread.
#pragma once

#include "session/provider.h"

#include <functional>
#include <memory>
#include <optional>

namespace Sandpiper {

// One command where the files are. Fails with the reason where none can be run.
using FileCommandMaker = std::function<Result<std::unique_ptr<RemoteCommand>>(const CommandSpec &spec)>;

// What a command is told is text. Nothing: these bytes are none.
[[nodiscard]] std::optional<QString> commandWord(const QByteArray &bytes);

// Asks it to end, and gives it a moment to tidy up. Nothing is heard of it any more.
void letEnd(std::unique_ptr<RemoteCommand> command);

} // namespace Sandpiper
