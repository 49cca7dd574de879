// A claim that an input breaks.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace Sandpiper {

#define must(claim) ((claim) ? void() : Sandpiper::claimBroken(#claim, __FILE__, __LINE__))

[[noreturn]] inline void claimBroken(const char *claim, const char *file, int line)
{
    std::fprintf(stderr, "%s:%d: not so: %s\n", file, line, claim);
    std::abort();
}

} // namespace Sandpiper
