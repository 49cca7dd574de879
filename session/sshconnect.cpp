#include "session/sshconnect.h"

#include "session/mailbox.h"
#include "session/quietthread.h"
#include "session/socketaddress.h"

#include <QUrl>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

using Clock = std::chrono::steady_clock;

// RFC 8305 section 5: the next address is tried while the one before has not answered yet.
constexpr std::chrono::milliseconds kStagger{250};
constexpr size_t kMostAddresses = 16;

struct Lookup
{
    int status = 0; // of getaddrinfo
    int number = 0; // errno where that says EAI_SYSTEM
    std::vector<SocketAddress> addresses;
};

int familyOf(SshAddressFamily family)
{
    switch (family) {
    case SshAddressFamily::Any: return AF_UNSPEC;
    case SshAddressFamily::Inet: return AF_INET;
    case SshAddressFamily::Inet6: return AF_INET6;
    }
    Q_UNREACHABLE_RETURN(AF_UNSPEC);
}

Lookup lookUp(const QByteArray &host, quint16 port, int family, int flags)
{
    addrinfo hints = {};
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV | flags;
    addrinfo *list = nullptr;
    Lookup lookup;
    lookup.status = ::getaddrinfo(host.constData(), QByteArray::number(port).constData(), &hints, &list);
    lookup.number = errno;
    for (const addrinfo *info = list; info && lookup.addresses.size() < kMostAddresses; info = info->ai_next) {
        SocketAddress address;
        address.size = info->ai_addrlen;
        if (address.size > sizeof address.storage)
            continue;
        std::memcpy(&address.storage, info->ai_addr, address.size);
        lookup.addresses.push_back(address);
    }
    if (list)
        ::freeaddrinfo(list);
    return lookup;
}

// The families take turns, so that one that leads nowhere does not hold the other up.
std::vector<SocketAddress> takingTurns(std::vector<SocketAddress> addresses)
{
    if (addresses.empty())
        return addresses;
    const auto firstFamily = addresses.front().storage.ss_family;
    std::vector<SocketAddress> ours;
    std::vector<SocketAddress> others;
    for (const SocketAddress &address : addresses)
        (address.storage.ss_family == firstFamily ? ours : others).push_back(address);
    std::vector<SocketAddress> turns;
    for (size_t i = 0; i < std::max(ours.size(), others.size()); ++i) {
        if (i < ours.size())
            turns.push_back(ours[i]);
        if (i < others.size())
            turns.push_back(others[i]);
    }
    return turns;
}

std::unexpected<Error> cancelledError()
{
    return failure(ErrorKind::Cancelled, Layer::Tcp);
}

Result<std::vector<SocketAddress>> resolve(const TcpTarget &target, const Waiting &waiting)
{
    const int family = familyOf(target.family);
    Lookup lookup = lookUp(target.host, target.port, family, AI_NUMERICHOST);
    if (lookup.status == EAI_NONAME) {
        // getaddrinfo() cannot be stopped: its thread owns the box together with us, and is left
        // behind where it takes longer than we wait.
        const auto box = std::make_shared<Mailbox<Lookup>>();
        if (!box->isUsable())
            return failure(ErrorKind::Io, Layer::Dns, u"no file descriptors are left"_s);
        try {
            quietThread([box, family, host = target.host, port = target.port] {
                box->put(lookUp(host, port, family, AI_ADDRCONFIG));
            }).detach();
        } catch (const std::system_error &error) {
            return failure(ErrorKind::Io, Layer::Dns, QString::fromLocal8Bit(error.what()));
        }
        std::vector<Lookup> found;
        while (found.empty()) {
            if (waiting.cancelled())
                return cancelledError();
            const int wait = millisecondsUntil(waiting.deadline);
            if (wait == 0)
                return failure(ErrorKind::Timeout, Layer::Dns, u"the name lookup took too long"_s);
            pollfd polled[] = {{box->descriptor(), POLLIN, 0}, {waiting.wakeDescriptor, POLLIN, 0}};
            ::poll(polled, 2, wait);
            if (polled[0].revents != 0)
                found = box->takeAll();
        }
        lookup = std::move(found.front());
    }
    if (lookup.status == 0 && !lookup.addresses.empty())
        return takingTurns(std::move(lookup.addresses));
    const char *why = lookup.status == EAI_SYSTEM ? std::strerror(lookup.number)
            : lookup.status == 0                  ? "no address"
                                                  : ::gai_strerror(lookup.status);
    return failure(ErrorKind::HostNotFound, Layer::Dns, QString::fromLocal8Bit(why));
}

Error tcpError(int number)
{
    ErrorKind kind = ErrorKind::HostUnreachable;
    switch (number) {
    case ECONNREFUSED:
    case ECONNRESET:
        kind = ErrorKind::ConnectionRefused;
        break;
    case ETIMEDOUT:
        kind = ErrorKind::Timeout;
        break;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        kind = ErrorKind::Io;
        break;
    default:
        break;
    }
    return {kind, Layer::Tcp, QString::fromLocal8Bit(std::strerror(number)), {}};
}

// Which of two failures says more: a refusal is an answer, silence is the least.
int weightOf(ErrorKind kind)
{
    if (kind == ErrorKind::ConnectionRefused)
        return 3;
    if (kind == ErrorKind::Io)
        return 2;
    return kind == ErrorKind::Timeout ? 0 : 1;
}

class Race
{
public:
    Race(std::vector<SocketAddress> addresses, const std::optional<SocketAddress> &from, const TcpTarget &target)
        : m_addresses(std::move(addresses))
        , m_from(from)
        , m_ackTimeout(target.ackTimeout)
    {
    }

    Result<FileDescriptor> run(const Waiting &waiting)
    {
        for (;;) {
            if (waiting.cancelled())
                return cancelledError();
            if (millisecondsUntil(waiting.deadline) == 0)
                return std::unexpected(m_error.value_or(Error{ErrorKind::Timeout, Layer::Tcp, u"no answer"_s, {}}));
            if (m_next < m_addresses.size() && (m_tries.empty() || Clock::now() >= m_nextStart))
                start();
            if (m_tries.empty()) {
                if (m_next < m_addresses.size())
                    continue;
                return std::unexpected(*m_error);
            }
            if (const int winner = wait(waiting.deadline, waiting.wakeDescriptor); winner >= 0)
                return std::move(m_tries[size_t(winner)]);
        }
    }

private:
    void note(int number)
    {
        const Error error = tcpError(number);
        if (!m_error || weightOf(error.kind) > weightOf(m_error->kind))
            m_error = error;
    }

    void start()
    {
        const SocketAddress &address = m_addresses[m_next++];
        m_nextStart = Clock::now() + kStagger;
        FileDescriptor fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        if (!fd.isValid()) {
            note(errno);
            return;
        }
        const int on = 1;
        const auto ack = static_cast<unsigned int>(m_ackTimeout.count());
        // Without the first a key press waits for a delayed acknowledgement (43 ms measured); without
        // the second a dead network is noticed after many minutes only. Neither is worth failing for.
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &ack, sizeof ack);
        if (m_from && ::bind(fd.get(), m_from->get(), m_from->size) != 0) {
            note(errno);
            return;
        }
        if (::connect(fd.get(), address.get(), address.size) != 0
            && errno != EINPROGRESS) {
            note(errno);
            return;
        }
        m_tries.push_back(std::move(fd));
    }

    // The index of the socket that is connected, or -1.
    int wait(Deadline deadline, int wakeDescriptor)
    {
        std::vector<pollfd> waiting;
        for (const FileDescriptor &fd : m_tries)
            waiting.push_back({fd.get(), POLLOUT, 0});
        waiting.push_back({wakeDescriptor, POLLIN, 0});
        int timeout = millisecondsUntil(deadline);
        if (m_next < m_addresses.size())
            timeout = std::min(timeout, millisecondsUntil(m_nextStart));
        if (::poll(waiting.data(), waiting.size(), timeout) <= 0)
            return -1;
        for (size_t i = m_tries.size(); i-- > 0;) {
            if (waiting[i].revents == 0)
                continue;
            int number = 0;
            socklen_t size = sizeof number;
            if (::getsockopt(m_tries[i].get(), SOL_SOCKET, SO_ERROR, &number, &size) != 0)
                number = errno;
            if (number == 0)
                return int(i);
            note(number);
            m_tries.erase(m_tries.begin() + std::ptrdiff_t(i));
            m_nextStart = Clock::now(); // a refusal need not be waited out
        }
        return -1;
    }

    std::vector<SocketAddress> m_addresses;
    std::optional<SocketAddress> m_from;
    std::chrono::milliseconds m_ackTimeout;
    size_t m_next = 0;
    Clock::time_point m_nextStart;
    std::vector<FileDescriptor> m_tries;
    std::optional<Error> m_error;
};

} // namespace

int millisecondsUntil(Deadline deadline)
{
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    return int(std::clamp<qint64>(left, 0, 24 * 3600 * 1000));
}

Result<QByteArray> hostForLookup(const QString &host)
{
    QString name = host.trimmed();
    if (name.startsWith(u'[') && name.endsWith(u']'))
        name = name.sliced(1, name.size() - 2);
    const bool ascii = std::all_of(name.cbegin(), name.cend(), [](QChar c) { return c.unicode() < 0x80; });
    const QByteArray ace = ascii ? name.toLatin1() : QUrl::toAce(name);
    const bool possible = !ace.isEmpty() && ace.size() <= 255 && !ace.startsWith('-')
            && std::all_of(ace.cbegin(), ace.cend(), [](char c) {
                   return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.'
                           || c == '-' || c == '_' || c == ':' || c == '%';
               });
    if (!possible)
        return failure(ErrorKind::InvalidInput, Layer::Dns, u"this is no host name"_s, tamed(host));
    return ace;
}

Result<FileDescriptor> connectTcp(const TcpTarget &target, const Waiting &waiting)
{
    std::optional<SocketAddress> from;
    TcpTarget wanted = target;
    if (!target.bindAddress.isEmpty()) {
        Lookup lookup = lookUp(target.bindAddress, 0, familyOf(target.family), AI_NUMERICHOST);
        if (lookup.addresses.empty())
            return failure(ErrorKind::InvalidInput, Layer::Tcp, u"the address to connect from is none of this kind"_s,
                           tamed(QString::fromLatin1(target.bindAddress), 100));
        from = lookup.addresses.front();
        // From an address of one family no way leads to one of the other.
        wanted.family = from->storage.ss_family == AF_INET ? SshAddressFamily::Inet : SshAddressFamily::Inet6;
    }
    Result<std::vector<SocketAddress>> addresses = resolve(wanted, waiting);
    if (!addresses)
        return std::unexpected(addresses.error());
    return Race(std::move(*addresses), from, wanted).run(waiting);
}

} // namespace Sandpiper
