// Connections from here to where a remote forward leads. For the thread of a link, which never waits: what
// cannot be told at once is done by a thread for each connection.
#pragma once

#include "session/forwardspec.h"
#include "session/filedescriptor.h"
#include "session/mailbox.h"

#include <chrono>
#include <memory>

namespace Sandpiper {

class ForwardDial
{
public:
    struct Answer
    {
        quint64 call = 0;
        Result<FileDescriptor> stream; // non-blocking
    };

    ForwardDial();
    ~ForwardDial(); // calls that are under way are left behind; they end soon
    ForwardDial(const ForwardDial &) = delete;
    ForwardDial &operator=(const ForwardDial &) = delete;

    // A UNIX socket or an address of this computer, of which the system knows at once: connected, or the error.
    // Nothing: it takes a moment.
    [[nodiscard]] static std::optional<Result<FileDescriptor>> atOnce(const ForwardSpec::End &target);
    // takeAnswers() has the answer later. Io where there are too many under way.
    [[nodiscard]] Done call(quint64 call, const ForwardSpec::End &target, std::chrono::milliseconds patience);
    // Readable when there are answers.
    [[nodiscard]] int descriptor() const { return m_shared->answers.descriptor(); }
    [[nodiscard]] std::vector<Answer> takeAnswers();

private:
    struct Shared // with the threads, which may outlive us
    {
        Mailbox<Answer> answers;
        FileDescriptor stop; // readable: nobody waits any more
    };
    std::shared_ptr<Shared> m_shared;
    int m_underWay = 0;
};

} // namespace Sandpiper
