#include "app/singleinstance.h"

#include "session/socketaddress.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLocalServer>
#include <QLocalSocket>
#include <QLoggingCategory>
#include <QTimer>

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

Q_LOGGING_CATEGORY(lcInstance, "sandpiper.app.instance", QtInfoMsg)

constexpr auto peerDeadline = 5s; // a peer says all it has to say within it
constexpr qsizetype maxArguments = 64;
constexpr qsizetype maxArgument = 4096;
constexpr QByteArrayView taken = "taken\n";

Error ioError(const QString &what, const QString &subject)
{
    return {ErrorKind::Io, Layer::LocalDisk, what + u": "_s + QString::fromLocal8Bit(std::strerror(errno)), subject};
}

bool isOurs(int descriptor)
{
    ucred peer = {};
    socklen_t size = sizeof peer;
    return ::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && size == sizeof peer
        && peer.uid == ::geteuid();
}

class Descriptor
{
public:
    explicit Descriptor(int fd) : m_fd(fd) {}
    ~Descriptor() { if (m_fd >= 0) ::close(m_fd); }
    Q_DISABLE_COPY_MOVE(Descriptor)
    [[nodiscard]] int get() const { return m_fd; }
    [[nodiscard]] int release() { return std::exchange(m_fd, -1); }

private:
    int m_fd;
};

bool waitFor(int fd, short events, Clock::time_point until)
{
    while (true) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
        if (left <= 0ms)
            return false;
        pollfd waiting{fd, events, 0};
        const int ready = ::poll(&waiting, 1, int(left.count()));
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return false;
    }
}

// None where nobody listens, yet or any more. There is no event loop yet, so it is done by hand.
Result<int> connectTo(const QString &socketPath)
{
    const std::optional<SocketAddress> address = socketAddress(QFile::encodeName(socketPath));
    if (!address)
        return failure(ErrorKind::Io, Layer::LocalDisk, u"the path of the socket is too long"_s, socketPath);
    Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (fd.get() < 0)
        return std::unexpected(ioError(u"no socket"_s, socketPath));
    if (::connect(fd.get(), address->get(), address->size) == 0)
        return fd.release();
    if (errno == EACCES || errno == EPERM)
        return failure(ErrorKind::PermissionDenied, Layer::LocalDisk, u"it may not be asked"_s, socketPath);
    return failure(ErrorKind::ConnectionRefused, Layer::LocalDisk, u"it does not listen"_s, socketPath);
}

// Said once: a request that was sent twice would be done twice.
Done handOver(int descriptor, const QString &socketPath, const QByteArray &message, Clock::time_point until)
{
    const Descriptor fd(descriptor);
    if (!isOurs(fd.get()))
        return failure(ErrorKind::PermissionDenied, Layer::LocalDisk, u"it belongs to another user"_s, socketPath);
    qsizetype sent = 0;
    while (sent < message.size()) {
        const ssize_t n = ::send(fd.get(), message.constData() + sent, size_t(message.size() - sent), MSG_NOSIGNAL);
        if (n > 0)
            sent += n;
        else if (n < 0 && errno != EAGAIN && errno != EINTR)
            return failure(ErrorKind::ConnectionLost, Layer::LocalDisk, u"it went away"_s, socketPath);
        else if (!waitFor(fd.get(), POLLOUT, until))
            return failure(ErrorKind::Timeout, Layer::LocalDisk, u"it does not read"_s, socketPath);
    }
    std::array<char, 16> answer = {};
    size_t got = 0;
    while (got < size_t(taken.size())) {
        if (!waitFor(fd.get(), POLLIN, until))
            return failure(ErrorKind::Timeout, Layer::LocalDisk, u"it does not answer"_s, socketPath);
        const ssize_t n = ::recv(fd.get(), answer.data() + got, answer.size() - got, 0);
        if (n == 0)
            return failure(ErrorKind::ConnectionLost, Layer::LocalDisk, u"it closed without an answer"_s, socketPath);
        if (n > 0)
            got += size_t(n);
        else if (errno != EAGAIN && errno != EINTR)
            return failure(ErrorKind::ConnectionLost, Layer::LocalDisk, u"it went away"_s, socketPath);
    }
    if (QByteArrayView(answer.data(), taken.size()) != taken)
        return failure(ErrorKind::Protocol, Layer::LocalDisk, u"its answer makes no sense"_s, socketPath);
    return {};
}

} // namespace

QByteArray encoded(const StartRequest &request)
{
    QJsonArray arguments;
    for (const QString &argument : request.arguments.first(std::min(maxArguments, request.arguments.size())))
        arguments.append(argument.left(maxArgument));
    return QJsonDocument(QJsonObject{{u"version"_s, 1},
                                     {u"arguments"_s, arguments},
                                     {u"activationToken"_s, request.activationToken.left(maxArgument)}})
               .toJson(QJsonDocument::Compact)
        + '\n';
}

Result<StartRequest> decodeStartRequest(QByteArrayView line)
{
    const auto nonsense = [](const QString &why) {
        return failure(ErrorKind::Protocol, Layer::LocalDisk, why);
    };
    if (line.size() > SingleInstance::maxMessage)
        return failure(ErrorKind::TooLarge, Layer::LocalDisk);
    QJsonParseError parsed;
    const QJsonObject json = QJsonDocument::fromJson(line.toByteArray(), &parsed).object();
    if (parsed.error != QJsonParseError::NoError || json.value("version"_L1).toInt() != 1)
        return nonsense(u"not a request"_s);
    const QJsonArray arguments = json.value("arguments"_L1).toArray();
    if (arguments.size() > maxArguments)
        return nonsense(u"too many arguments"_s);
    StartRequest request;
    for (const QJsonValue &argument : arguments) {
        if (!argument.isString() || argument.toString().size() > maxArgument)
            return nonsense(u"an argument that is none"_s);
        request.arguments << argument.toString();
    }
    request.activationToken = tamed(json.value("activationToken"_L1).toString(), maxArgument);
    return request;
}

SingleInstance::SingleInstance() = default;

SingleInstance::~SingleInstance()
{
    if (m_server) {
        m_server->close();
        // Still under the lock, so it is ours that goes and nobody else's.
        ::unlink(QFile::encodeName(m_socketPath).constData());
    }
    if (m_lock >= 0)
        ::close(m_lock);
}

Result<std::unique_ptr<SingleInstance>> SingleInstance::claim(const QString &folder,
                                                              const StartRequest &request,
                                                              std::chrono::milliseconds deadline)
{
    if (folder.isEmpty())
        return failure(ErrorKind::Io, Layer::LocalDisk, u"there is no folder for the lock"_s);
    const Clock::time_point until = Clock::now() + deadline;
    const QString lockPath = folder + u"/sandpiper.lock"_s;
    const QString socketPath = folder + u"/sandpiper.sock"_s;
    Descriptor lock(::open(QFile::encodeName(lockPath).constData(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (lock.get() < 0)
        return std::unexpected(ioError(u"no lock"_s, lockPath));
    std::unique_ptr<SingleInstance> self(new SingleInstance);
    while (true) {
        if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) {
            self->m_lock = lock.release();
            if (const Done done = self->listen(socketPath); !done)
                return std::unexpected(done.error());
            return self;
        }
        if (errno != EWOULDBLOCK && errno != EINTR)
            return std::unexpected(ioError(u"no lock"_s, lockPath));
        const Result<int> fd = connectTo(socketPath);
        if (fd) {
            const Done done = handOver(*fd, socketPath, encoded(request), until);
            if (done)
                return self;
            // Only where it went without a word it cannot have acted; it is likely on its way out.
            if (done.error().kind != ErrorKind::ConnectionLost)
                return std::unexpected(done.error());
        } else if (fd.error().kind != ErrorKind::ConnectionRefused) {
            return std::unexpected(fd.error());
        }
        if (Clock::now() >= until)
            return failure(ErrorKind::Timeout, Layer::LocalDisk, u"it does not listen"_s, socketPath);
        // It is about to listen, or to let go of the lock: then we are the first.
        ::poll(nullptr, 0, 20);
    }
}

Done SingleInstance::listen(const QString &socketPath)
{
    const std::optional<SocketAddress> address = socketAddress(QFile::encodeName(socketPath));
    if (!address)
        return failure(ErrorKind::Io, Layer::LocalDisk, u"the path of the socket is too long"_s, socketPath);
    // We hold the lock: whatever lies there was left behind.
    ::unlink(QFile::encodeName(socketPath).constData());
    Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (fd.get() < 0)
        return std::unexpected(ioError(u"no socket"_s, socketPath));
    // The mode is set before it has a name, and the folder is ours alone anyway.
    if (::fchmod(fd.get(), 0600) != 0
        || ::bind(fd.get(), address->get(), address->size) != 0
        || ::chmod(QFile::encodeName(socketPath).constData(), 0600) != 0
        || ::listen(fd.get(), maxPeers) != 0)
        return std::unexpected(ioError(u"no socket"_s, socketPath));
    auto server = std::make_unique<QLocalServer>();
    if (!server->listen(qintptr(fd.get())))
        return failure(ErrorKind::Io, Layer::LocalDisk, server->errorString(), socketPath);
    (void)fd.release(); // the server's now
    m_socketPath = socketPath;
    m_server = std::move(server);
    connect(m_server.get(), &QLocalServer::newConnection, this, &SingleInstance::accept);
    return {};
}

void SingleInstance::accept()
{
    while (QLocalSocket *peer = m_server->nextPendingConnection()) {
        if (m_peers >= maxPeers || !isOurs(int(peer->socketDescriptor()))) {
            qCWarning(lcInstance) << "refused a peer";
            peer->abort();
            peer->deleteLater();
            continue;
        }
        ++m_peers;
        peer->setReadBufferSize(maxMessage + 1);
        connect(peer, &QObject::destroyed, this, [this] { --m_peers; });
        connect(peer, &QLocalSocket::disconnected, peer, &QObject::deleteLater);
        connect(peer, &QLocalSocket::readyRead, this, [this, peer] { read(peer); });
        QTimer::singleShot(peerDeadline, peer, [peer] { peer->abort(); peer->deleteLater(); });
        if (peer->bytesAvailable() > 0)
            read(peer);
    }
}

void SingleInstance::read(QLocalSocket *peer)
{
    if (!peer->canReadLine()) {
        if (peer->bytesAvailable() > maxMessage)
            peer->abort();
        return;
    }
    const Result<StartRequest> request = decodeStartRequest(peer->readLine(maxMessage + 2));
    // One request each; what follows is not looked at.
    disconnect(peer, &QLocalSocket::readyRead, this, nullptr);
    if (!request) {
        qCWarning(lcInstance).noquote() << "refused a request:" << describe(request.error());
        peer->abort();
        return;
    }
    peer->write(taken.data(), taken.size());
    peer->disconnectFromServer();
    emit requested(*request);
}

} // namespace Sandpiper
