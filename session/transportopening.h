// Opens what SSH runs over, all kinds but jumps, which need other links (session/sshjump). Blocks; for
// the thread of a link.
#pragma once

#include "session/mailbox.h"
#include "session/sshconnect.h"
#include "session/transport.h"

#include <QByteArrayList>

#include <memory>

namespace Sandpiper {

// Why a transport ended, said by whoever is behind it before its stream ends or soon after. At most one.
using TransportWords = Mailbox<Error>;

struct OpenTransport
{
    FileDescriptor descriptor; // a stream socket, non-blocking
    std::shared_ptr<TransportWords> words; // null: nobody knows more than the socket does
    std::shared_ptr<void> behind;          // what carries the bytes; ends when it is let go
};

// Both ends of a stream between two threads, non-blocking.
struct SocketPair
{
    FileDescriptor ours;
    FileDescriptor theirs;
};
[[nodiscard]] Result<SocketPair> makeSocketPair();

// environment: "NAME=value", for programs and for the name of the user's shell and proxy.
// Errors as connectTcp() and the proxies have them; NotFound where a program is not there.
[[nodiscard]] Result<OpenTransport> openTransport(const TransportWish &wish, TcpTarget target, const QByteArrayList &environment,
                                                  const Waiting &waiting);

// The last words, waited for a moment where they may still be on their way.
[[nodiscard]] std::optional<Error> lastWords(const std::shared_ptr<TransportWords> &words, std::chrono::milliseconds patience);

// "NAME=value" of this process. For the main thread, which alone may change it.
[[nodiscard]] QByteArrayList ownEnvironment();
// Empty where it is not set.
[[nodiscard]] QByteArray variableOf(const QByteArrayList &environment, QByteArrayView name);

} // namespace Sandpiper
