#include "session/proxyhandshake.h"

#include "session/secret.h"

#include <QRegularExpression>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype kLargestHead = 16 << 10;
constexpr qsizetype kLargestBody = 4 << 10;
constexpr std::chrono::milliseconds kPatienceWithBody{2000}; // of a refusal: it only explains

QString nameOfProxy(const ProxySetting &proxy)
{
    return u"%1:%2"_s.arg(tamed(proxy.host, 100)).arg(proxy.port);
}

// Writing and reading with one deadline.
class Dialogue
{
public:
    Dialogue(int fd, const QString &name, const Waiting &waiting)
        : m_fd(fd)
        , m_name(name)
        , m_waiting(waiting)
    {
    }

    [[nodiscard]] Done write(QByteArrayView bytes)
    {
        while (!bytes.isEmpty()) {
            const ssize_t sent = ::send(m_fd, bytes.data(), size_t(bytes.size()), MSG_NOSIGNAL);
            if (sent > 0)
                bytes = bytes.sliced(sent);
            else if (const Done ready = waitFor(POLLOUT); !ready)
                return ready;
        }
        return {};
    }
    [[nodiscard]] Result<QByteArray> read(qsizetype size)
    {
        QByteArray bytes;
        while (bytes.size() < size) {
            if (const Done more = readMore(bytes, size - bytes.size()); !more)
                return std::unexpected(more.error());
        }
        return bytes;
    }
    // To the end of the stream, or the bound, or the deadline: whatever there was.
    [[nodiscard]] QByteArray readRest(qsizetype bound)
    {
        QByteArray bytes;
        while (bytes.size() < bound && readMore(bytes, bound - bytes.size())) { }
        return bytes;
    }
    // With the mark at its end. TooLarge.
    [[nodiscard]] Result<QByteArray> readUntil(QByteArrayView mark, qsizetype bound)
    {
        QByteArray bytes;
        // One at a time: what follows the mark is not for us.
        while (!bytes.endsWith(mark)) {
            if (bytes.size() >= bound)
                return broken(u"an answer without end"_s);
            if (const Done more = readMore(bytes, 1); !more)
                return std::unexpected(more.error());
        }
        return bytes;
    }
    [[nodiscard]] std::unexpected<Error> broken(const QString &why) const { return refused(ErrorKind::Protocol, why); }
    [[nodiscard]] std::unexpected<Error> refused(ErrorKind kind, const QString &why) const
    {
        return failure(kind, Layer::Tcp, tamed(u"the proxy %1: %2"_s.arg(m_name, why), 400));
    }

private:
    [[nodiscard]] Done readMore(QByteArray &into, qsizetype atMost)
    {
        char buffer[1024];
        const ssize_t got = ::recv(m_fd, buffer, size_t(std::min<qsizetype>(atMost, sizeof buffer)), 0);
        if (got > 0) {
            into.append(buffer, got);
            return {};
        }
        if (got == 0)
            return refused(ErrorKind::ConnectionLost, u"it closed the connection instead of answering"_s);
        return waitFor(POLLIN);
    }
    [[nodiscard]] Done waitFor(short what)
    {
        if (errno != EAGAIN && errno != EINTR)
            return refused(ErrorKind::ConnectionLost, QString::fromLocal8Bit(std::strerror(errno)));
        if (m_waiting.cancelled())
            return failure(ErrorKind::Cancelled, Layer::Tcp);
        const int left = millisecondsUntil(m_waiting.deadline);
        if (left == 0)
            return refused(ErrorKind::Timeout, u"no answer in time"_s);
        pollfd waiting[] = {{m_fd, what, 0}, {m_waiting.wakeDescriptor, POLLIN, 0}};
        ::poll(waiting, 2, left);
        return {};
    }

    int m_fd;
    QString m_name;
    const Waiting &m_waiting;
};

std::unexpected<Error> socksRefusal(const Dialogue &dialogue, int code)
{
    switch (code) {
    case 1: return dialogue.refused(ErrorKind::ServerError, u"it failed"_s);
    case 2: return dialogue.refused(ErrorKind::PermissionDenied, u"its rules do not allow this connection"_s);
    case 3: return dialogue.refused(ErrorKind::HostUnreachable, u"the network cannot be reached"_s);
    case 4: return dialogue.refused(ErrorKind::HostUnreachable, u"the host cannot be reached"_s);
    case 5: return dialogue.refused(ErrorKind::ConnectionRefused, u"the host refused the connection"_s);
    case 6: return dialogue.refused(ErrorKind::Timeout, u"the host did not answer it"_s);
    case 7:
    case 8: return dialogue.refused(ErrorKind::Unsupported, u"it cannot make such a connection"_s);
    default: return dialogue.broken(u"a refusal with code %1"_s.arg(code));
    }
}

QByteArray socksAddress(const QByteArray &host)
{
    QByteArray bytes(16, '\0');
    if (::inet_pton(AF_INET, host.constData(), bytes.data()) == 1)
        return '\x01' + bytes.first(4);
    if (::inet_pton(AF_INET6, host.constData(), bytes.data()) == 1)
        return '\x04' + bytes;
    return QByteArray("\x03") + char(host.size()) + host;
}

Done signInToSocks(Dialogue &dialogue, const ProxySetting &proxy)
{
    QByteArray user = proxy.user.toUtf8();
    const QByteArrayView password = proxy.password ? proxy.password->reveal() : QByteArrayView();
    if (user.size() > 255 || password.size() > 255)
        return dialogue.refused(ErrorKind::InvalidInput, u"its user name or password is too long"_s);
    QByteArray message = QByteArray("\x01") + char(user.size()) + user + char(password.size());
    message.append(password);
    const Done sent = dialogue.write(message);
    wipe(message);
    if (!sent)
        return sent;
    const Result<QByteArray> answer = dialogue.read(2);
    if (!answer)
        return std::unexpected(answer.error());
    if (answer->at(1) != 0)
        return dialogue.refused(ErrorKind::AuthRejected, u"it does not accept the user name and password"_s);
    return {};
}

Done askSocks(Dialogue &dialogue, const ProxySetting &proxy, const TcpTarget &target)
{
    const bool canSignIn = !proxy.user.isEmpty();
    if (const Done sent = dialogue.write(canSignIn ? QByteArray("\x05\x02\x00\x02", 4) : QByteArray("\x05\x01\x00", 3)); !sent)
        return sent;
    Result<QByteArray> answer = dialogue.read(2);
    if (!answer)
        return std::unexpected(answer.error());
    if (answer->at(0) != 5)
        return dialogue.broken(u"it does not speak SOCKS5"_s);
    if (const auto method = quint8(answer->at(1)); method == 2 && canSignIn) {
        if (const Done in = signInToSocks(dialogue, proxy); !in)
            return in;
    } else if (method != 0) {
        return dialogue.refused(ErrorKind::AuthRejected, canSignIn ? u"it wants another way to sign in"_s : u"it wants a user name and password"_s);
    }
    QByteArray port;
    port.append(char(target.port >> 8)).append(char(target.port & 0xff));
    if (const Done sent = dialogue.write(QByteArray("\x05\x01\x00", 3) + socksAddress(target.host) + port); !sent)
        return sent;
    answer = dialogue.read(4);
    if (!answer)
        return std::unexpected(answer.error());
    if (answer->at(0) != 5)
        return dialogue.broken(u"it does not speak SOCKS5"_s);
    if (answer->at(1) != 0)
        return socksRefusal(dialogue, quint8(answer->at(1)));
    // Where it connected from: of no use, but before the first byte of the server.
    qsizetype size = 0;
    switch (answer->at(3)) {
    case 1: size = 4; break;
    case 4: size = 16; break;
    case 3: {
        const Result<QByteArray> length = dialogue.read(1);
        if (!length)
            return std::unexpected(length.error());
        size = quint8(length->at(0));
        break;
    }
    default: return dialogue.broken(u"an address of no known kind"_s);
    }
    const Result<QByteArray> rest = dialogue.read(size + 2);
    return rest ? Done() : std::unexpected(rest.error());
}

// A page in words: proxies answer with HTML.
QString textOfPage(const QByteArray &body)
{
    QString text = QString::fromUtf8(body);
    static const QRegularExpression unseen(u"<(style|script|title)[^>]{0,200}>.*?</\\1>"_s,
                                           QRegularExpression::CaseInsensitiveOption | QRegularExpression::DotMatchesEverythingOption);
    static const QRegularExpression tags(u"<[^>]{0,1000}>"_s);
    text.replace(unseen, u" "_s).replace(tags, u" "_s);
    return tamed(text.simplified(), 200);
}

qsizetype sizeOfBody(const QByteArray &head)
{
    static const QByteArray name = "\r\ncontent-length:";
    const qsizetype at = head.toLower().indexOf(name);
    if (at < 0)
        return kLargestBody;
    const qsizetype begin = at + name.size();
    return std::clamp<qsizetype>(head.mid(begin, head.indexOf('\r', begin) - begin).trimmed().toLongLong(), 0, kLargestBody);
}

Done askHttp(Dialogue &dialogue, const ProxySetting &proxy, const TcpTarget &target, const Waiting &waiting, int fd)
{
    const QByteArray host = target.host.contains(':') ? '[' + target.host + ']' : target.host;
    const QByteArray authority = host + ':' + QByteArray::number(target.port);
    QByteArray request = "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\nUser-Agent: Sandpiper\r\n";
    if (!proxy.user.isEmpty()) {
        QByteArray credentials = proxy.user.toUtf8() + ':';
        if (proxy.password)
            credentials.append(proxy.password->reveal());
        QByteArray encoded = credentials.toBase64();
        request += "Proxy-Authorization: Basic " + encoded + "\r\n";
        wipe(encoded);
        wipe(credentials);
    }
    request += "\r\n";
    const Done sent = dialogue.write(request);
    wipe(request);
    if (!sent)
        return sent;
    const Result<QByteArray> start = dialogue.read(5);
    if (!start)
        return std::unexpected(start.error());
    if (*start != "HTTP/")
        return dialogue.broken(u"it does not speak HTTP"_s);
    const Result<QByteArray> head = dialogue.readUntil("\r\n\r\n", kLargestHead);
    if (!head)
        return std::unexpected(head.error());
    const QByteArray line = head->first(head->indexOf("\r\n"));
    const int status = line.mid(line.indexOf(' ') + 1, 3).toInt();
    if (status >= 200 && status < 300)
        return {};
    Waiting brief = waiting;
    brief.deadline = std::min(waiting.deadline, std::chrono::steady_clock::now() + kPatienceWithBody);
    const QString page = textOfPage(Dialogue(fd, {}, brief).readRest(sizeOfBody(*head)));
    QString why = u"it answered "_s + tamed(QString::fromUtf8(line.mid(line.indexOf(' ') + 1)), 80);
    if (!page.isEmpty())
        why += u", "_s + page;
    switch (status) {
    case 407:
        return dialogue.refused(ErrorKind::AuthRejected,
                                (proxy.user.isEmpty() ? u"it wants a user name and password; "_s : u"it does not accept the user name and password; "_s) + why);
    case 403:
    case 405: return dialogue.refused(ErrorKind::PermissionDenied, why);
    case 502:
    case 503: return dialogue.refused(ErrorKind::HostUnreachable, why);
    case 504: return dialogue.refused(ErrorKind::Timeout, why);
    default: return dialogue.refused(status >= 500 ? ErrorKind::ServerError : ErrorKind::Protocol, why);
    }
}

} // namespace

Result<FileDescriptor> connectThrough(const ProxySetting &proxy, const TcpTarget &target, const Waiting &waiting)
{
    if (target.host.isEmpty() || target.host.size() > 255)
        return failure(ErrorKind::InvalidInput, Layer::Dns, u"this is no host name"_s);
    const Result<QByteArray> host = hostForLookup(proxy.host);
    if (!host)
        return failure(ErrorKind::InvalidInput, Layer::Tcp, u"the address of the proxy is none"_s, tamed(proxy.host, 100));
    TcpTarget there = target;
    there.host = *host;
    there.port = proxy.port;
    Result<FileDescriptor> socket = connectTcp(there, waiting);
    if (!socket) {
        Error error = socket.error();
        if (error.kind != ErrorKind::Cancelled)
            error.detail = tamed(u"the proxy %1: %2"_s.arg(nameOfProxy(proxy), error.detail), 400);
        return std::unexpected(error);
    }
    Dialogue dialogue(socket->get(), nameOfProxy(proxy), waiting);
    const Done agreed = proxy.kind == ProxySetting::Kind::Socks5 ? askSocks(dialogue, proxy, target)
                                                                 : askHttp(dialogue, proxy, target, waiting, socket->get());
    if (!agreed)
        return std::unexpected(agreed.error());
    return socket;
}

} // namespace Sandpiper
