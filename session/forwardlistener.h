// Where a forward listens on this computer: TCP on loopback unless more was asked for, or a UNIX socket.
// One thread; never blocks.
#pragma once

#include "session/filedescriptor.h"
#include "session/forwardspec.h"

#include <QByteArray>

#include <vector>

namespace Sandpiper {

class ForwardListener
{
public:
    // Conflict: in use, or something of that name is there. PermissionDenied, NotFound (the socket's folder),
    // InvalidInput (no address of this computer), Io. The detail is a clause.
    [[nodiscard]] static Result<ForwardListener> open(const ForwardSpec::End &wanted, const ForwardRules &rules);
    ForwardListener(ForwardListener &&other) noexcept;
    ForwardListener &operator=(ForwardListener &&) = delete;
    ~ForwardListener(); // a socket's file goes too, where it is still ours

    struct Accepted
    {
        FileDescriptor stream; // non-blocking
        QString originHost;    // "127.0.0.1" for a UNIX socket
        quint16 originPort = 0;
        // "127.0.0.1:51234"; empty of a UNIX socket, where there is nobody to name.
        [[nodiscard]] QString originText() const { return originPort == 0 ? QString() : originHost + QLatin1Char(':') + QString::number(originPort); }
    };
    enum class Shortage { None, Descriptors }; // of descriptors: later it will do
    // The next that waits, of any of its sockets. Nothing: none does.
    [[nodiscard]] std::optional<Accepted> accept(Shortage &shortage);
    // One for each family of addresses. Listening, non-blocking.
    [[nodiscard]] const std::vector<FileDescriptor> &sockets() const { return m_sockets; }
    // With the port that was given; "127.0.0.1" for loopback, "*" for every interface.
    [[nodiscard]] const ForwardSpec::End &at() const { return m_at; }

private:
    ForwardListener() = default;
    [[nodiscard]] Done openTcp(const QList<QByteArray> &addresses, quint16 port);
    [[nodiscard]] Done openUnix(const ForwardRules &rules);

    std::vector<FileDescriptor> m_sockets;
    ForwardSpec::End m_at;
    QByteArray m_path; // of the socket that we made; empty: none
    quint64 m_device = 0;
    quint64 m_inode = 0;
};

} // namespace Sandpiper
