// Forwards over a program in the sandbox that joins connections to its input and output: for a server that runs
// commands and forwards nothing, and for a vendor that has no more than that. GUI thread; the bytes are in the I/O
// thread.
#pragma once

#include "session/streamforwardlink.h"

#include <vector>

namespace Sandpiper {

// A command that runs in the sandbox, whose input and output are a stream of ours. Deleting it ends it. GUI thread.
class BridgePipe : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;

signals:
    // Once, not from inside the call that made it: it could not be run, or has ended. The stream has been closed.
    void ended(const Sandpiper::Error &why);
};
// Runs a command line of a POSIX shell; the stream is non-blocking, and the pipe's from here on.
using BridgePipeMaker = std::function<std::unique_ptr<BridgePipe>(const QByteArray &commandLine, FileDescriptor stream)>;

class BridgeForwardLink : public StreamForwardLink
{
    Q_OBJECT
public:
    // make: as long as it lives.
    BridgeForwardLink(const ForwardOwner &owner, const ForwardRules &rules, BridgePipeMaker make, QObject *parent = nullptr);
    ~BridgeForwardLink() override;

    void probe() override {} // whoever carries the pipe is asked

private:
    [[nodiscard]] SideMaker sideMaker() override;
    // Our end of its stream.
    [[nodiscard]] Result<FileDescriptor> run(const QByteArray &commandLine, std::function<void(const Error &)> ended);
    void dial(quint64 call, const QByteArray &commandLine);

    BridgePipeMaker m_make;
    std::vector<std::unique_ptr<BridgePipe>> m_pipes;
};

} // namespace Sandpiper
