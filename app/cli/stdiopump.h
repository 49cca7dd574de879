// Joins standard input and output, which may be two pipes, to one socket, on a thread of its own.
#pragma once

#include "session/error.h"
#include "session/filedescriptor.h"

#include <functional>
#include <memory>
#include <thread>

namespace Sandpiper {

class StdioPump
{
public:
    // `over` is called on the thread, last, when the socket's other end has gone or nobody reads.
    // Borrows the two descriptors.
    [[nodiscard]] static Result<std::unique_ptr<StdioPump>> make(int input, int output, std::function<void()> over);
    ~StdioPump(); // stops and joins

    // The socket's other end, once.
    [[nodiscard]] FileDescriptor takeSocket() { return std::move(m_far); }

private:
    StdioPump() = default;
    void run();

    int m_input = -1;
    int m_output = -1;
    FileDescriptor m_near;
    FileDescriptor m_far;
    FileDescriptor m_stop; // eventfd
    std::function<void()> m_over;
    std::thread m_thread;
};

} // namespace Sandpiper
