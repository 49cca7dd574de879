#include "session/forwardlistener.h"

#include "session/paths.h"
#include "session/socketaddress.h"

#include <QDir>
#include <QFile>

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr int kBacklog = 128;
constexpr int kMostFreePorts = 16; // tried, until one is free in all families
constexpr int kLockTries = 100;
constexpr int kLockPause = 10; // ms

QString systemText(int number)
{
    return QString::fromLocal8Bit(std::strerror(number));
}

Error bindError(int number, const QByteArray &address, quint16 port)
{
    switch (number) {
    case EADDRINUSE: return {ErrorKind::Conflict, Layer::Tcp, u"port %1 is in use on this computer"_s.arg(port), {}};
    case EACCES: return {ErrorKind::PermissionDenied, Layer::Tcp, u"port %1 is only for the administrator of this computer"_s.arg(port), {}};
    case EADDRNOTAVAIL:
        return {ErrorKind::InvalidInput, Layer::Tcp, u"%1 is no address of this computer"_s.arg(QString::fromLatin1(address)), {}};
    default: return {ErrorKind::Io, Layer::Tcp, u"nothing can listen at port %1: %2"_s.arg(port).arg(systemText(number)), {}};
    }
}

// A computer may be without one of the families.
bool isForWantOfAFamily(int number)
{
    return number == EAFNOSUPPORT || number == EADDRNOTAVAIL || number == EPROTONOSUPPORT;
}

// A socket of this user's that nobody listens at any more.
bool isOwnAndStale(const QByteArray &path)
{
    struct stat info = {};
    if (::lstat(path.constData(), &info) != 0 || !S_ISSOCK(info.st_mode) || info.st_uid != ::geteuid())
        return false;
    const FileDescriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const std::optional<SocketAddress> address = socketAddress(path);
    return probe.isValid() && address && ::connect(probe.get(), address->get(), address->size) != 0 && errno == ECONNREFUSED;
}

// Between bind() and listen() a socket looks stale, and between the look at a stale one and its removal somebody
// may have put theirs there: all programs of this user make theirs one after the other. Held for microseconds,
// except by one that is stopped just there. Without a folder for the lock it goes without.
Result<FileDescriptor> lockOfSockets()
{
    const QByteArray path = QFile::encodeName(runtimeFolder() + u"/forward-sockets.lock"_s);
    FileDescriptor lock(::open(path.constData(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    for (int tries = 0; lock.isValid() && ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0; ++tries) {
        if (tries == kLockTries)
            return failure(ErrorKind::Conflict, Layer::LocalDisk, u"another program is making one"_s);
        ::poll(nullptr, 0, kLockPause);
    }
    return lock;
}

// umask() would be for the whole process, and bind() has taken away what that forbids. The path may be anybody's
// by now. Nothing: it is, or the permissions cannot be given.
std::optional<struct stat> givePermissions(const QByteArray &path, mode_t permissions)
{
    struct stat info = {};
    const FileDescriptor file(::open(path.constData(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!file.isValid() || ::fstat(file.get(), &info) != 0 || !S_ISSOCK(info.st_mode) || info.st_uid != ::geteuid())
        return std::nullopt;
    // No other call changes a file without following what may be a link.
    const QByteArray itself = "/proc/self/fd/" + QByteArray::number(file.get());
    if ((info.st_mode & 07777) != permissions && ::chmod(itself.constData(), permissions) != 0)
        return std::nullopt;
    return info;
}

} // namespace

ForwardListener::ForwardListener(ForwardListener &&other) noexcept
    : m_sockets(std::move(other.m_sockets))
    , m_at(std::move(other.m_at))
    , m_path(std::exchange(other.m_path, {}))
    , m_device(other.m_device)
    , m_inode(other.m_inode)
{
}

ForwardListener::~ForwardListener()
{
    struct stat info = {};
    if (!m_path.isEmpty() && ::lstat(m_path.constData(), &info) == 0 && info.st_dev == m_device && info.st_ino == m_inode)
        ::unlink(m_path.constData());
}

Result<ForwardListener> ForwardListener::open(const ForwardSpec::End &wanted, const ForwardRules &rules)
{
    ForwardListener listener;
    listener.m_at = wanted;
    Done done;
    if (!wanted.path.isEmpty()) {
        done = listener.openUnix(rules);
    } else {
        const QString address = wanted.address.value_or(rules.gatewayPorts ? u"*"_s : u"localhost"_s);
        if (address == "localhost"_L1) {
            listener.m_at.address = u"127.0.0.1"_s;
            done = listener.openTcp({"127.0.0.1", "::1"}, wanted.port);
        } else if (address.isEmpty() || address == "*"_L1) {
            listener.m_at.address = u"*"_s;
            done = listener.openTcp({"0.0.0.0", "::"}, wanted.port);
        } else if (!socketAddress(QHostAddress(address), 0)) {
            done = failure(ErrorKind::InvalidInput, Layer::Tcp,
                           u"it can listen at an address, localhost or *, and not at '%1'"_s.arg(tamed(address, 80)));
        } else {
            listener.m_at.address = address;
            done = listener.openTcp({address.toLatin1()}, wanted.port);
        }
    }
    if (!done)
        return std::unexpected(done.error());
    return listener;
}

Done ForwardListener::openTcp(const QList<QByteArray> &addresses, quint16 port)
{
    for (int tries = 1;; ++tries) {
        m_sockets.clear();
        quint16 given = port;
        int wants = 0; // errno where no family is there
        std::optional<Error> error;
        for (const QByteArray &text : addresses) {
            const SocketAddress address = *socketAddress(QHostAddress(QString::fromLatin1(text)), given);
            FileDescriptor fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            const int on = 1;
            if (fd.isValid()) {
                ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
                if (address.storage.ss_family == AF_INET6)
                    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
            }
            if (!fd.isValid() || ::bind(fd.get(), address.get(), address.size) != 0 || ::listen(fd.get(), kBacklog) != 0) {
                const int number = errno;
                if (addresses.size() > 1 && isForWantOfAFamily(number)) {
                    wants = number;
                    continue;
                }
                error = bindError(number, text, given);
                break;
            }
            if (given == 0) {
                SocketAddress bound;
                ::getsockname(fd.get(), bound.get(), &bound.size);
                given = bound.port();
            }
            m_sockets.push_back(std::move(fd));
        }
        // What is free in one family may not be in the other.
        if (error && error->kind == ErrorKind::Conflict && port == 0 && tries < kMostFreePorts)
            continue;
        if (!error && m_sockets.empty())
            error = bindError(wants, addresses.constFirst(), given);
        if (error)
            return std::unexpected(*error);
        m_at.port = given;
        return {};
    }
}

Done ForwardListener::openUnix(const ForwardRules &rules)
{
    const QByteArray path = QFile::encodeName(m_at.path);
    const auto failed = [this](ErrorKind kind, const QString &why) {
        return failure(kind, Layer::LocalDisk, u"the socket %1 cannot be made: %2"_s.arg(tamed(m_at.path, 120), why));
    };
    const std::optional<SocketAddress> address = socketAddress(path);
    if (!address)
        return failed(ErrorKind::InvalidInput, u"its path is longer than %1 bytes"_s.arg(kMostSocketPath));
    FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const auto permissions = mode_t(0777 & ~rules.socketMask);
    // Linux makes the file with the permissions that the socket has, so that it never has more.
    if (!fd.isValid() || ::fchmod(fd.get(), permissions) != 0)
        return failed(ErrorKind::Io, systemText(errno));
    const Result<FileDescriptor> lock = lockOfSockets();
    if (!lock)
        return failed(lock.error().kind, lock.error().detail);
    const auto bindIt = [&] { return ::bind(fd.get(), address->get(), address->size) == 0; };
    bool isBound = bindIt();
    if (!isBound && errno == EADDRINUSE) {
        const bool isStale = isOwnAndStale(path);
        if (!isStale || !rules.unlinksSockets) {
            return failed(ErrorKind::Conflict, isStale ? u"an old one is there; remove it, or say StreamLocalBindUnlink yes for this host in your ssh_config"_s
                                                       : u"something of that name is there, and in use or no old socket of yours"_s);
        }
        ::unlink(path.constData());
        isBound = bindIt();
    }
    if (!isBound) {
        const int number = errno;
        const ErrorKind kind = number == EACCES || number == EROFS ? ErrorKind::PermissionDenied
                : number == ENOENT || number == ENOTDIR            ? ErrorKind::NotFound
                                                                   : ErrorKind::Io;
        return failed(kind, systemText(number));
    }
    const std::optional<struct stat> info = givePermissions(path, permissions);
    if (!info)
        return failed(ErrorKind::Io, u"its permissions cannot be set"_s);
    m_path = QFile::encodeName(QDir::current().absoluteFilePath(m_at.path));
    m_device = info->st_dev;
    m_inode = info->st_ino;
    if (::listen(fd.get(), kBacklog) != 0)
        return failed(ErrorKind::Io, systemText(errno));
    m_sockets.push_back(std::move(fd));
    return {};
}

std::optional<ForwardListener::Accepted> ForwardListener::accept(Shortage &shortage)
{
    shortage = Shortage::None;
    for (const FileDescriptor &socket : m_sockets) {
        SocketAddress from;
        Accepted accepted;
        accepted.stream = FileDescriptor(
                ::accept4(socket.get(), from.get(), &from.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!accepted.stream.isValid()) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                shortage = Shortage::Descriptors;
            continue; // also one that has left again meanwhile
        }
        accepted.originHost = u"127.0.0.1"_s;
        if (from.storage.ss_family == AF_INET || from.storage.ss_family == AF_INET6) {
            const int on = 1;
            ::setsockopt(accepted.stream.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            accepted.originHost = QHostAddress(from.get()).toString();
            accepted.originPort = from.port();
        }
        return accepted;
    }
    return std::nullopt;
}

} // namespace Sandpiper
