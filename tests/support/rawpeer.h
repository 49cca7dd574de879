// Blocking sockets for tests that move bytes while a link's own thread does its work. Nothing waits for longer
// than a minute.
#pragma once

#include "session/filedescriptor.h"

#include <QByteArray>
#include <QFile>

#include <cerrno>
#include <cstring>
#include <optional>
#include <thread>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

namespace Sandpiper {

class RawPeer
{
public:
    explicit RawPeer(int fd)
        : m_fd(fd)
    {
        const timeval minute = {60, 0};
        ::setsockopt(m_fd.get(), SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof minute);
        ::setsockopt(m_fd.get(), SOL_SOCKET, SO_SNDTIMEO, &minute, sizeof minute);
    }
    // Of 127.0.0.1; not valid where nobody listens.
    static RawPeer tcp(quint16 port)
    {
        RawPeer peer(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(peer.m_fd.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0)
            peer.m_fd.reset();
        return peer;
    }
    static RawPeer unixSocket(const QString &path)
    {
        RawPeer peer(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, QFile::encodeName(path).constData(), sizeof address.sun_path - 1);
        if (::connect(peer.m_fd.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0)
            peer.m_fd.reset();
        return peer;
    }
    [[nodiscard]] bool isValid() const { return m_fd.isValid(); }
    bool send(QByteArrayView bytes)
    {
        while (!bytes.isEmpty()) {
            const ssize_t sent = ::send(m_fd.get(), bytes.data(), size_t(bytes.size()), MSG_NOSIGNAL);
            if (sent <= 0)
                return false;
            bytes = bytes.sliced(sent);
        }
        return true;
    }
    // So many bytes, or those that came before the end.
    QByteArray receive(qsizetype size)
    {
        QByteArray bytes;
        char piece[65536];
        while (bytes.size() < size) {
            const ssize_t got = ::recv(m_fd.get(), piece, size_t(std::min<qsizetype>(sizeof piece, size - bytes.size())), 0);
            if (got <= 0) {
                m_isOver = got == 0 || errno == ECONNRESET;
                break;
            }
            bytes.append(piece, got);
        }
        return bytes;
    }
    QByteArray receiveAll() { return receive(1 << 30); }
    // receive() has met the end; a time-out is none.
    [[nodiscard]] bool isOver() const { return m_isOver; }
    void closeWrite() { ::shutdown(m_fd.get(), SHUT_WR); }
    void close() { m_fd.reset(); }
    // Writes until nothing was taken for a second: how much it was.
    qint64 flood(qint64 most)
    {
        const QByteArray piece(65536, 'f');
        qint64 taken = 0;
        pollfd writable = {m_fd.get(), POLLOUT, 0};
        while (taken < most && ::poll(&writable, 1, 1000) > 0) {
            const ssize_t sent = ::send(m_fd.get(), piece.constData(), size_t(piece.size()), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent < 0 && errno != EAGAIN)
                break;
            taken += std::max<ssize_t>(0, sent);
        }
        return taken;
    }
    // Sends all, ends its half, and takes what comes back meanwhile, to its end.
    QByteArray exchange(const QByteArray &bytes)
    {
        std::thread sender([&] {
            send(bytes);
            closeWrite();
        });
        const QByteArray back = receiveAll();
        sender.join();
        return back;
    }

private:
    FileDescriptor m_fd;
    bool m_isOver = false;
};

// Gives back what comes, and "bye" after its end.
inline void serveEcho(int socket)
{
    RawPeer peer(socket);
    char piece[65536];
    ssize_t got = 0;
    while ((got = ::recv(socket, piece, sizeof piece, 0)) > 0 && peer.send(QByteArrayView(piece, got))) { }
    if (got == 0)
        peer.send("bye");
}

} // namespace Sandpiper
