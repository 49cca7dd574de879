// A connection's questions, asked on the terminal.
#pragma once

#include "session/prompt.h"

namespace Sandpiper {

// Main thread. Where nobody is there, every question is refused; a changed host key always is.
class ConsolePrompts : public PromptHandler
{
public:
    [[nodiscard]] QFuture<std::shared_ptr<PromptAnswer>> ask(const Prompt &prompt) override;
};

} // namespace Sandpiper
