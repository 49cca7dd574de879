#include "session/sshagent.h"

#include "session/quietthread.h"
#include "session/socketaddress.h"
#include "session/sshpublickey.h"
#include "session/sshwire.h"

#include <QtEndian>

#include <cerrno>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

using SshWire::number;
using SshWire::string;
using SshWire::takeString;

namespace {

constexpr char kFailure = 5;
constexpr char kRequestIdentities = 11;
constexpr char kIdentitiesAnswer = 12;
constexpr char kSignRequest = 13;
constexpr char kSuccess = 6;
constexpr char kAddIdentity = 17;
constexpr char kRemoveIdentity = 18;
constexpr char kAddConstrained = 25;
constexpr char kConstrainLifetime = 1;
constexpr char kConstrainConfirm = 2;
constexpr qsizetype kLongestMessage = 256 << 10;
constexpr quint32 kMostKeys = 256;
// A person may have to find the security key, or to confirm.
constexpr std::chrono::seconds kSignaturePatience{120};

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

FileDescriptor connectToAgent(const QByteArray &socketPath)
{
    const std::optional<SocketAddress> address = socketAddress(socketPath);
    if (!address)
        return {};
    FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.isValid() || ::connect(fd.get(), address->get(), address->size) != 0)
        return {};
    return fd;
}

// One request and its answer, which is not empty.
static Result<QByteArray> askAgentOnce(const QByteArray &socketPath, QByteArrayView request, Deadline deadline, int wakeDescriptor,
                                       const std::function<bool()> &cancelled)
{
    const FileDescriptor fd = connectToAgent(socketPath);
    if (!fd.isValid())
        return failure(ErrorKind::NotFound, Layer::Auth, u"no ssh-agent answers"_s);
    const WaitFor waitFor = [&](int on, short events) {
        pollfd waiting[] = {{on, events, 0}, {wakeDescriptor, POLLIN, 0}};
        if (cancelled() || millisecondsUntil(deadline) == 0)
            return Ready::Stop;
        ::poll(waiting, 2, millisecondsUntil(deadline));
        return Ready::Yes;
    };
    if (!sendAll(fd.get(), number(quint32(request.size())), waitFor) || !sendAll(fd.get(), request, waitFor))
        return failure(ErrorKind::Protocol, Layer::Auth, u"the ssh-agent hung up"_s);
    QByteArray answer = receiveMessage(fd.get(), waitFor);
    if (!answer.isEmpty())
        return answer;
    if (cancelled())
        return failure(ErrorKind::Cancelled, Layer::Auth);
    if (millisecondsUntil(deadline) == 0)
        return failure(ErrorKind::Timeout, Layer::Auth, u"the ssh-agent did not answer"_s);
    return failure(ErrorKind::Protocol, Layer::Auth, u"what answers as the ssh-agent is none"_s);
}

Result<QList<AgentKey>> listAgentKeys(const QByteArray &socketPath, Deadline deadline, int wakeDescriptor,
                                      const std::function<bool()> &cancelled)
{
    const Result<QByteArray> given = askAgentOnce(socketPath, QByteArray(1, kRequestIdentities), deadline, wakeDescriptor, cancelled);
    if (!given)
        return std::unexpected(given.error());
    const QByteArray &answer = *given;
    if (answer.size() < 5 || answer.front() != kIdentitiesAnswer)
        return failure(ErrorKind::Protocol, Layer::Auth, u"the ssh-agent refused to list its keys"_s);
    const quint32 count = qFromBigEndian<quint32>(answer.constData() + 1);
    QByteArrayView rest = QByteArrayView(answer).sliced(5);
    QList<AgentKey> keys;
    for (quint32 i = 0; i < qMin(count, kMostKeys); ++i) {
        QByteArrayView blob;
        QByteArrayView comment;
        if (!takeString(rest, blob) || !takeString(rest, comment))
            return failure(ErrorKind::Protocol, Layer::Auth, u"the ssh-agent sent a broken list"_s);
        keys.append({blob.toByteArray(), comment.toByteArray()});
    }
    return keys;
}

static Done tellAgent(const QByteArray &socketPath, QByteArrayView request, Deadline deadline)
{
    const Result<QByteArray> answer = askAgentOnce(socketPath, request, deadline, -1, [] { return false; });
    if (!answer)
        return std::unexpected(answer.error());
    if (answer->front() != kSuccess)
        return failure(ErrorKind::PermissionDenied, Layer::Auth, u"the ssh-agent refused"_s);
    return {};
}

Done addToAgent(const QByteArray &socketPath, const Secret &privateKey, const AgentConstraints &constraints, Deadline deadline)
{
    const bool isConstrained = constraints.asksEachTime || constraints.lifetime.count() > 0;
    QByteArray request;
    request.reserve(privateKey.reveal().size() + 16); // no copy of a part is left behind
    request += isConstrained ? kAddConstrained : kAddIdentity;
    request += privateKey.reveal();
    if (constraints.lifetime.count() > 0)
        request += kConstrainLifetime + number(quint32(constraints.lifetime.count()));
    if (constraints.asksEachTime)
        request += kConstrainConfirm;
    const Done done = tellAgent(socketPath, request, deadline);
    wipe(request);
    return done;
}

Done removeFromAgent(const QByteArray &socketPath, const QByteArray &blob, Deadline deadline)
{
    return tellAgent(socketPath, kRemoveIdentity + string(blob), deadline);
}

QByteArray AgentKey::plainBlob() const
{
    const std::optional<CertificateFacts> certificate = certificateFromBlob(blob);
    return certificate ? certificate->plainBlob : blob;
}

bool AgentKey::isCertificate() const
{
    return typeFromBlob(blob).endsWith("-cert-v01@openssh.com");
}

bool AgentKey::needsTouch() const
{
    return typeFromBlob(blob).startsWith("sk-");
}

AgentBridge::AgentBridge(const QByteArray &socketPath, std::function<void(bool)> onSigning)
    : m_socketPath(socketPath)
    , m_onSigning(std::move(onSigning))
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
        m_thread = quietThread([this] { run(); });
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

void AgentBridge::offerOnly(const AgentKey &key, const QByteArray &signAs)
{
    const std::lock_guard guard(m_mutex);
    m_key = key;
    m_signAs = signAs.isEmpty() ? key.blob : signAs;
}

void AgentBridge::abort()
{
    const std::lock_guard guard(m_mutex);
    m_stopper.reset(); // the reading end becomes readable
}

bool AgentBridge::wasAborted()
{
    const std::lock_guard guard(m_mutex);
    return !m_stopper.isValid();
}

void AgentBridge::run()
{
    const WaitFor waitFor = [this](int on, short events) {
        pollfd waiting[] = {{on, events, 0}, {m_stop.get(), POLLIN, 0}};
        ::poll(waiting, 2, -1);
        return waiting[1].revents != 0 ? Ready::Stop : Ready::Yes;
    };
    for (;;) {
        QByteArray request = receiveMessage(m_ours.get(), waitFor);
        if (request.isEmpty())
            break;
        QByteArray answer = answerTo(request);
        if (answer.isEmpty())
            answer = askAgent(request);
        if (!sendAll(m_ours.get(), string(answer), waitFor))
            break;
    }
    ::shutdown(m_ours.get(), SHUT_RDWR); // releases whoever reads at the other end
}

QByteArray AgentBridge::askAgent(const QByteArray &request)
{
    const Deadline deadline = std::chrono::steady_clock::now() + kSignaturePatience;
    const WaitFor waitFor = [this, deadline](int on, short events) {
        pollfd waiting[] = {{on, events, 0}, {m_stop.get(), POLLIN, 0}};
        ::poll(waiting, 2, millisecondsUntil(deadline));
        return waiting[1].revents != 0 || millisecondsUntil(deadline) == 0 ? Ready::Stop : Ready::Yes;
    };
    if (m_onSigning)
        m_onSigning(true);
    const FileDescriptor agent = connectToAgent(m_socketPath);
    QByteArray answer;
    if (agent.isValid() && sendAll(agent.get(), string(request), waitFor))
        answer = receiveMessage(agent.get(), waitFor);
    if (m_onSigning)
        m_onSigning(false);
    return answer.isEmpty() ? QByteArray(1, kFailure) : answer;
}

// Empty: the agent itself is to be asked, with the request as it then is.
QByteArray AgentBridge::answerTo(QByteArray &request)
{
    const std::lock_guard guard(m_mutex);
    if (request.front() == kRequestIdentities) {
        return kIdentitiesAnswer + number(1) + string(m_key.blob) + string(m_key.comment);
    }
    QByteArrayView blob;
    QByteArrayView rest = QByteArrayView(request).sliced(1);
    if (request.front() == kSignRequest && takeString(rest, blob) && blob == m_key.blob) {
        request = kSignRequest + string(m_signAs) + rest.toByteArray();
        return {};
    }
    return QByteArray(1, kFailure);
}

} // namespace Sandpiper
