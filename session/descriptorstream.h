// The far end of a connection behind a stream of this computer: a socket whose other end somebody carries on. I/O
// thread.
#pragma once

#include "session/farstream.h"
#include "session/filedescriptor.h"

#include <QSocketNotifier>

#include <functional>
#include <memory>

namespace Sandpiper {

class DescriptorStream : public FarStream
{
    Q_OBJECT
public:
    // ask: called by start(), for whoever makes the stream; they call go() later.
    explicit DescriptorStream(std::function<void()> ask = {});
    ~DescriptorStream() override;

    // A non-blocking stream socket, or why there is none.
    void go(Result<FileDescriptor> stream);

    void start() override;
    void send(QByteArrayView bytes) override;
    [[nodiscard]] qint64 waiting() const override { return m_out.size(); }
    void grant(qint64 bytes) override;
    void endOutput() override;

private:
    void read();
    void write();
    void watch();
    void end(const std::optional<Error> &why);
    void close();

    std::function<void()> m_ask;
    FileDescriptor m_stream;
    std::unique_ptr<QSocketNotifier> m_readable;
    std::unique_ptr<QSocketNotifier> m_writable;
    QByteArray m_out;
    qint64 m_room = kMostWaitingFar;
    bool m_inputEnded = false;
    bool m_outputEnded = false;
    bool m_isShut = false;
    bool m_isOver = false;
};

} // namespace Sandpiper
