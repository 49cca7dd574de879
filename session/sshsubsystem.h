// What speaks on the channel of a subsystem, in the thread of the link.
#pragma once

#include <QByteArrayView>

#include <chrono>
#include <optional>

namespace Sandpiper {

// Bytes in, bytes out: it knows neither libssh nor the channel. Made by whoever wishes for the channel and
// handed over with ChannelSpec; from there on the link's thread alone uses it, and destroys it with the channel.
// With its maker it speaks through a Mailbox of their own; SshChannel::wake() has it look there.
class SshSubsystem
{
public:
    virtual ~SshSubsystem() = default;

    // Once, before everything but received(). banner: of the SSH server, "SSH-2.0-…".
    virtual void opened(const QByteArray &banner) = 0;
    // Takes all of it; what may come is bounded by what it asks for. Called within libssh.
    virtual void received(QByteArrayView bytes) = 0;
    // In every turn of the thread, after the network and before the wait.
    virtual void pump() = 0;
    // What is to be sent next; empty: nothing. It stays as it is until sent(), whatever arrives meanwhile.
    [[nodiscard]] virtual QByteArrayView output() const = 0;
    virtual void sent(qint64 bytes) = 0;
    // When pump() is wanted though nothing arrives.
    [[nodiscard]] virtual std::optional<std::chrono::steady_clock::time_point> nextDeadline() const = 0;
};

} // namespace Sandpiper
