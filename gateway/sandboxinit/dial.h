// TCP from inside the sandbox.
#pragma once

#include "gateway/sandboxinit/descriptor.h"
#include "gateway/sandboxinit/wire.h"

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace Sandpiper {

struct Endpoint
{
    std::string host;
    std::uint16_t port = 0;
    std::uint32_t milliseconds = 0; // Dial: the caller's deadline

    [[nodiscard]] static bool read(Wire::Reader &reader, Endpoint &endpoint);
};

// A name may take seconds to resolve: a child of this process dials, answers on the connection, and
// ends. Returns its pid, or -1.
[[nodiscard]] pid_t dialInChild(const Endpoint &endpoint, int connection);

// Good: listener is valid and endpoint.port is the one it has.
[[nodiscard]] Wire::Status listenOn(Endpoint &endpoint, Descriptor &listener, std::string &text);

// One packet with descriptors. False where the other side is gone or does not take it at once.
bool sendReply(int connection, const std::string &bytes, const int *descriptors, int count);
bool sendFailure(int connection, Wire::Status status, const std::string &text);
[[nodiscard]] Wire::Status statusOf(int number);

} // namespace Sandpiper
