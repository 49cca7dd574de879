// What is at the far end of forwards whose connections are streams of ours. In the I/O thread.
#pragma once

#include "session/farstream.h"
#include "session/forwardspec.h"

#include <memory>

namespace Sandpiper {

// One link has at most so many connections, of all its forwards; who comes later waits in the system's queue.
inline constexpr size_t kMostStreams = 512;

class FarSide : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;

    // Why such a forward cannot be.
    [[nodiscard]] virtual std::optional<Error> refusal(const ForwardSpec &spec) const = 0;
    // A connection from there to target, not started; or why there can be none.
    [[nodiscard]] virtual Result<std::unique_ptr<FarStream>> reach(const ForwardSpec::End &target) = 0;
    [[nodiscard]] virtual size_t mostStreams() const { return kMostStreams; } // at once
    // Has it listen there until unlisten(); listens() or cannotListen() answers, and came() brings connections.
    virtual void listen(int id, const ForwardSpec::End &at);
    virtual void unlisten(int) {}

signals:
    void listens(int id, const Sandpiper::ForwardSpec::End &at);
    void cannotListen(int id, const Sandpiper::Error &why);
    // The receiver's, who starts it, or deletes it as a refusal.
    void came(int id, Sandpiper::FarStream *stream);
};

} // namespace Sandpiper
