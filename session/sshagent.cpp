#include "session/sshagent.h"

#include <QtEndian>

#include <cerrno>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr char kFailure = 5;
constexpr char kRequestIdentities = 11;
constexpr char kIdentitiesAnswer = 12;
constexpr char kSignRequest = 13;
constexpr qsizetype kLongestMessage = 256 << 10;
constexpr quint32 kMostKeys = 256;

QByteArray number(quint32 value)
{
    QByteArray bytes(4, Qt::Uninitialized);
    qToBigEndian(value, bytes.data());
    return bytes;
}

QByteArray string(const QByteArray &value)
{
    return number(quint32(value.size())) + value;
}

// Takes one length-prefixed string off the front; false where there is none.
bool takeString(QByteArrayView &rest, QByteArray &value)
{
    if (rest.size() < 4)
        return false;
    const quint32 size = qFromBigEndian<quint32>(rest.data());
    if (qsizetype(size) > rest.size() - 4)
        return false;
    value = rest.sliced(4, size).toByteArray();
    rest = rest.sliced(4 + qsizetype(size));
    return true;
}

FileDescriptor connectUnix(const QByteArray &path)
{
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (path.isEmpty() || path.size() >= qsizetype(sizeof address.sun_path))
        return {};
    std::memcpy(address.sun_path, path.constData(), size_t(path.size()));
    FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.isValid() || ::connect(fd.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0)
        return {};
    return fd;
}

enum class Ready { Yes, Stop };
using WaitFor = std::function<Ready(int fd, short events)>;

bool sendAll(int fd, QByteArrayView bytes, const WaitFor &waitFor)
{
    while (!bytes.isEmpty()) {
        const ssize_t sent = ::send(fd, bytes.data(), size_t(bytes.size()), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0)
            bytes = bytes.sliced(sent);
        else if ((errno != EAGAIN && errno != EINTR) || waitFor(fd, POLLOUT) == Ready::Stop)
            return false;
    }
    return true;
}

bool receiveAll(int fd, char *into, qsizetype size, const WaitFor &waitFor)
{
    while (size > 0) {
        const ssize_t got = ::recv(fd, into, size_t(size), MSG_DONTWAIT);
        if (got > 0) {
            into += got;
            size -= got;
        } else if (got == 0 || (errno != EAGAIN && errno != EINTR) || waitFor(fd, POLLIN) == Ready::Stop) {
            return false;
        }
    }
    return true;
}

// The payload of one message; empty where none came whole.
QByteArray receiveMessage(int fd, const WaitFor &waitFor)
{
    char head[4];
    if (!receiveAll(fd, head, sizeof head, waitFor))
        return {};
    const quint32 size = qFromBigEndian<quint32>(head);
    if (size == 0 || size > kLongestMessage)
        return {};
    QByteArray body(size, Qt::Uninitialized);
    return receiveAll(fd, body.data(), body.size(), waitFor) ? body : QByteArray();
}

} // namespace

Result<QList<AgentKey>> listAgentKeys(const QByteArray &socketPath, Deadline deadline, int wakeDescriptor,
                                      const std::function<bool()> &cancelled)
{
    const FileDescriptor fd = connectUnix(socketPath);
    if (!fd.isValid())
        return failure(ErrorKind::NotFound, Layer::Auth, u"no ssh-agent answers"_s);
    const WaitFor waitFor = [&](int on, short events) {
        pollfd waiting[] = {{on, events, 0}, {wakeDescriptor, POLLIN, 0}};
        if (cancelled() || millisecondsUntil(deadline) == 0)
            return Ready::Stop;
        ::poll(waiting, 2, millisecondsUntil(deadline));
        return Ready::Yes;
    };
    if (!sendAll(fd.get(), string(QByteArray(1, kRequestIdentities)), waitFor))
        return failure(ErrorKind::Protocol, Layer::Auth, u"the ssh-agent hung up"_s);
    const QByteArray answer = receiveMessage(fd.get(), waitFor);
    if (answer.isEmpty()) {
        if (cancelled())
            return failure(ErrorKind::Cancelled, Layer::Auth);
        if (millisecondsUntil(deadline) == 0)
            return failure(ErrorKind::Timeout, Layer::Auth, u"the ssh-agent did not answer"_s);
    }
    if (answer.size() < 5 || answer.front() != kIdentitiesAnswer)
        return failure(ErrorKind::Protocol, Layer::Auth, u"the ssh-agent refused to list its keys"_s);
    const quint32 count = qFromBigEndian<quint32>(answer.constData() + 1);
    QByteArrayView rest = QByteArrayView(answer).sliced(5);
    QList<AgentKey> keys;
    for (quint32 i = 0; i < qMin(count, kMostKeys); ++i) {
        AgentKey key;
        if (!takeString(rest, key.blob) || !takeString(rest, key.comment))
            return failure(ErrorKind::Protocol, Layer::Auth, u"the ssh-agent sent a broken list"_s);
        keys.append(key);
    }
    return keys;
}

AgentBridge::AgentBridge(const QByteArray &socketPath)
    : m_socketPath(socketPath)
{
    int pair[2];
    int stop[2];
    if (::pipe2(stop, O_CLOEXEC) != 0)
        return;
    m_stop = FileDescriptor(stop[0]);
    m_stopper = FileDescriptor(stop[1]);
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return;
    m_forLibrary = FileDescriptor(pair[0]);
    m_ours = FileDescriptor(pair[1]);
    try {
        m_thread = std::thread([this] { run(); });
    } catch (const std::system_error &) {
        m_forLibrary.reset(); // takeDescriptor() says so
    }
}

AgentBridge::~AgentBridge()
{
    abort();
    if (m_thread.joinable())
        m_thread.join();
}

void AgentBridge::offerOnly(const AgentKey &key)
{
    const std::lock_guard guard(m_mutex);
    m_key = key;
}

void AgentBridge::abort()
{
    const std::lock_guard guard(m_mutex);
    m_stopper.reset(); // the reading end becomes readable
}

void AgentBridge::run()
{
    const WaitFor waitFor = [this](int on, short events) {
        pollfd waiting[] = {{on, events, 0}, {m_stop.get(), POLLIN, 0}};
        ::poll(waiting, 2, -1);
        return waiting[1].revents != 0 ? Ready::Stop : Ready::Yes;
    };
    for (;;) {
        const QByteArray request = receiveMessage(m_ours.get(), waitFor);
        if (request.isEmpty())
            break;
        QByteArray answer = answerTo(request);
        if (answer.isEmpty()) { // to be asked of the agent itself
            const FileDescriptor agent = connectUnix(m_socketPath);
            if (agent.isValid() && sendAll(agent.get(), string(request), waitFor))
                answer = receiveMessage(agent.get(), waitFor);
            if (answer.isEmpty())
                answer = QByteArray(1, kFailure);
        }
        if (!sendAll(m_ours.get(), string(answer), waitFor))
            break;
    }
    ::shutdown(m_ours.get(), SHUT_RDWR); // releases whoever reads at the other end
}

QByteArray AgentBridge::answerTo(const QByteArray &request)
{
    const std::lock_guard guard(m_mutex);
    if (request.front() == kRequestIdentities) {
        return kIdentitiesAnswer + number(1) + string(m_key.blob) + string(m_key.comment);
    }
    QByteArray blob;
    QByteArrayView rest = QByteArrayView(request).sliced(1);
    if (request.front() == kSignRequest && takeString(rest, blob) && blob == m_key.blob)
        return {};
    return QByteArray(1, kFailure);
}

} // namespace Sandpiper
