#include "tests/support/fakeptyserver.h"

#include <QElapsedTimer>
#include <QSocketNotifier>
#include <QTimer>
#include <QWebSocket>
#include <QtEndian>

#include <deque>
#include <vector>

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

namespace {

constexpr qint64 clientBacklog = 256 * 1024;
constexpr qsizetype chunk = 4096;

winsize toWinsize(TerminalSize size)
{
    return {quint16(size.rows), quint16(size.columns), 0, 0};
}

} // namespace

struct FakePtyServer::Session
{
    struct Client
    {
        QWebSocket *socket;
        bool isReady = false;
    };
    QString id;
    Secret token;
    pid_t pid = -1;
    int fd = -1;
    std::unique_ptr<QSocketNotifier> readable;
    std::unique_ptr<QSocketNotifier> writable;
    QByteArray toPty;
    std::deque<QByteArray> history;
    qint64 historySize = 0;
    std::vector<Client> clients;
    std::optional<int> exitCode;
    bool wasKilled = false;
    QElapsedTimer second;
    qint64 inputThisSecond = 0;
};

FakePtyServer::FakePtyServer(QObject *parent)
    : QObject(parent)
    , m_server(u"fake"_s, QWebSocketServer::NonSecureMode)
{
    connect(&m_server, &QWebSocketServer::newConnection, this, [this] { accept(); });


    if (!m_server.listen(QHostAddress::LocalHost))
        qFatal("no port for the PTY server: %s", qPrintable(m_server.errorString()));
}

FakePtyServer::~FakePtyServer()
{
    for (const auto &session : std::as_const(m_sessions)) {
        for (const auto &client : session->clients)
            client.socket->disconnect(this);
        session->readable.reset();
        session->writable.reset();
        if (!session->exitCode) {
            ::kill(session->pid, SIGKILL);
            waitpid(session->pid, nullptr, 0);
        }
        ::close(session->fd);
    }
}

PtyEndpoint FakePtyServer::endpoint(const ShellSpec &spec, quint16 viaPort)
{
    PtyEndpoint endpoint;
    endpoint.subject = u"fake"_s;
    endpoint.request = [viaPort](const PtyHandle &handle) {
        WebSocketRequest request;
        request.url = QUrl(u"ws://127.0.0.1:%1/api/v1/pty/%2/ws"_s.arg(viaPort).arg(handle.sessionId));
        request.secretHeaders.emplaceBack("X-PTY-Token"_ba, handle.token);
        return request;
    };
    endpoint.create = [this, spec](TerminalSize size) { return QtFuture::makeReadyValueFuture(create(spec, size)); };
    endpoint.kill = [this](const QString &id) { return QtFuture::makeReadyValueFuture(kill(id)); };
    return endpoint;
}

Result<PtyHandle> FakePtyServer::create(const ShellSpec &spec, TerminalSize size)
{
    auto session = std::make_shared<Session>();
    session->id = u"session-%1"_s.arg(++m_made);
    session->token = Secret::randomHex(32);
    const winsize window = toWinsize(size);
    const QByteArray command = spec.command.isEmpty() ? "/bin/bash"_ba : spec.command.toLocal8Bit();
    QByteArrayList arguments{command};
    for (const QString &argument : spec.arguments)
        arguments += argument.toLocal8Bit();
    std::vector<char *> argv;
    for (QByteArray &argument : arguments)
        argv.push_back(argument.data());
    argv.push_back(nullptr);

    session->pid = forkpty(&session->fd, nullptr, nullptr, &window);
    if (session->pid < 0)
        return failure(ErrorKind::ServerError, Layer::Provider, u"no terminal"_s);
    if (session->pid == 0) {
        setenv("TERM", "xterm-256color", 1);
        for (int signalNumber : {SIGINT, SIGQUIT, SIGPIPE, SIGHUP})
            signal(signalNumber, SIG_DFL);
        execvp(argv[0], argv.data());
        _exit(127);
    }
    fcntl(session->fd, F_SETFL, O_NONBLOCK);
    fcntl(session->fd, F_SETFD, FD_CLOEXEC);
    Session *raw = session.get();
    session->readable = std::make_unique<QSocketNotifier>(session->fd, QSocketNotifier::Read);
    session->writable = std::make_unique<QSocketNotifier>(session->fd, QSocketNotifier::Write);
    session->writable->setEnabled(false);
    connect(session->readable.get(), &QSocketNotifier::activated, this, [this, raw] { readPty(*raw); });
    connect(session->writable.get(), &QSocketNotifier::activated, this, [this, raw] { writePty(*raw); });
    m_sessions.insert(session->id, session);
    return PtyHandle{session->id, std::make_shared<Secret>(session->token.clone())};
}

Done FakePtyServer::kill(const QString &id)
{
    const auto session = m_sessions.value(id);
    if (!session)
        return failure(ErrorKind::NotFound, Layer::Http, u"HTTP 404 NOT_FOUND"_s);
    session->wasKilled = true;
    if (!session->exitCode)
        ::kill(session->pid, SIGKILL);
    return {};
}

Done FakePtyServer::resize(const QString &id, TerminalSize size)
{
    const auto session = m_sessions.value(id);
    if (!session)
        return failure(ErrorKind::NotFound, Layer::Http, u"HTTP 404 NOT_FOUND"_s);
    const winsize window = toWinsize(size);
    ioctl(session->fd, TIOCSWINSZ, &window);
    return {};
}

bool FakePtyServer::isAlive(const QString &id) const
{
    const auto session = m_sessions.value(id);
    return session && !session->exitCode;
}

int FakePtyServer::clients(const QString &id) const
{
    const auto session = m_sessions.value(id);
    return session ? int(session->clients.size()) : 0;
}

void FakePtyServer::inject(const QString &id, const QByteArray &bytes)
{
    if (const auto session = m_sessions.value(id)) {
        for (qsizetype at = 0; at < bytes.size(); at += chunk)
            output(*session, bytes.sliced(at, qMin(chunk, bytes.size() - at)));
    }
}

void FakePtyServer::closeClients(const QString &id, int code, const QString &reason)
{
    if (const auto session = m_sessions.value(id)) {
        for (const auto &client : std::vector(session->clients))
            client.socket->close(QWebSocketProtocol::CloseCode(code), reason);
    }
}

void FakePtyServer::accept()
{
    while (QWebSocket *socket = m_server.nextPendingConnection()) {
        connect(socket, &QWebSocket::disconnected, socket, &QObject::deleteLater);
        socket->setParent(this);
        const QNetworkRequest request = socket->request();
        const auto session = m_sessions.value(socket->requestUrl().path().section(u'/', -2, -2));
        if (!session || !session->token.equals(request.rawHeader("X-PTY-Token"))) {
            socket->abort();
            continue;
        }
        lastUrl = socket->requestUrl();
        lastHeaders.clear();
        for (const QByteArray &name : request.rawHeaderList())
            lastHeaders += name + ": " + request.rawHeader(name);
        socket->setMaxAllowedIncomingMessageSize(64 * 1024);
        session->clients.push_back({socket});
        Session *raw = session.get();
        connect(socket, &QWebSocket::binaryMessageReceived, this,
                [this, raw, socket](const QByteArray &message) { received(*raw, socket, message); });
        connect(socket, &QWebSocket::bytesWritten, this, [raw] { raw->readable->setEnabled(!raw->exitCode); });
        connect(socket, &QWebSocket::disconnected, this, [raw, socket] {
            std::erase_if(raw->clients, [socket](const Session::Client &c) { return c.socket == socket; });
            raw->readable->setEnabled(!raw->exitCode);
        });
    }
}

void FakePtyServer::received(Session &session, QWebSocket *client, const QByteArray &message)
{
    const auto it = std::find_if(session.clients.begin(), session.clients.end(),
                                 [client](const Session::Client &c) { return c.socket == client; });
    if (it == session.clients.end() || message.isEmpty())
        return;
    switch (message.at(0)) {
    case 0:
        input(session, client, QByteArrayView(message).sliced(1));
        break;
    case 1:
        if (message.size() == 5)
            (void)resize(session.id, {qFromBigEndian<quint16>(message.constData() + 1),
                                      qFromBigEndian<quint16>(message.constData() + 3)});
        break;
    case 2:
        it->isReady = true;
        for (const QByteArray &part : session.history)
            client->sendBinaryMessage(char(0) + part);
        if (session.exitCode)
            client->close(QWebSocketProtocol::CloseCodeNormal, u"exit:%1"_s.arg(*session.exitCode));
        break;
    default:
        break;
    }
}

void FakePtyServer::input(Session &session, QWebSocket *client, QByteArrayView bytes)
{
    if (!session.second.isValid() || session.second.elapsed() >= 1000) {
        session.second.start();
        session.inputThisSecond = 0;
    }
    session.inputThisSecond += bytes.size();
    if (session.inputThisSecond > inputPerSecond)
        return client->close(QWebSocketProtocol::CloseCodePolicyViolated, u"input rate limit exceeded"_s);
    session.toPty.append(bytes);
    writePty(session);
}

void FakePtyServer::writePty(Session &session)
{
    while (!session.toPty.isEmpty()) {
        const ssize_t n = ::write(session.fd, session.toPty.constData(), size_t(session.toPty.size()));
        if (n <= 0)
            break;
        session.toPty.remove(0, n);
    }
    session.writable->setEnabled(!session.toPty.isEmpty() && !session.exitCode);
}

void FakePtyServer::readPty(Session &session)
{
    for (const auto &client : session.clients) {
        if (client.isReady && client.socket->bytesToWrite() > clientBacklog)
            return session.readable->setEnabled(false);
    }
    QByteArray bytes(chunk, Qt::Uninitialized);
    const ssize_t n = ::read(session.fd, bytes.data(), size_t(bytes.size()));
    if (n > 0)
        return output(session, bytes.first(n));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    session.readable->setEnabled(false);
    reap(session);
}

void FakePtyServer::output(Session &session, const QByteArray &bytes)
{
    session.history.push_back(bytes);
    session.historySize += bytes.size();
    while (session.historySize > historyLimit) {
        session.historySize -= session.history.front().size();
        session.history.pop_front();
    }
    for (const auto &client : session.clients) {
        if (client.isReady)
            client.socket->sendBinaryMessage(char(0) + bytes);
    }
}

void FakePtyServer::reap(Session &session)
{
    int status = 0;
    if (waitpid(session.pid, &status, WNOHANG) == 0) {
        // The terminal hangs up a moment before its process can be waited for.
        QTimer::singleShot(5, this, [this, raw = &session] { reap(*raw); });
        return;
    }
    session.exitCode = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    session.writable->setEnabled(false);
    QByteArray message(5, Qt::Uninitialized);
    message[0] = 3;
    qToBigEndian(qint32(*session.exitCode), message.data() + 1);
    for (const auto &client : std::vector(session.clients)) {
        if (session.wasKilled) {
            client.socket->close(QWebSocketProtocol::CloseCodeGoingAway, u"session terminated"_s);
            continue;
        }
        if (sendsExitMessage)
            client.socket->sendBinaryMessage(message);
        client.socket->close(QWebSocketProtocol::CloseCodeNormal, u"exit:%1"_s.arg(*session.exitCode));
    }
}

} // namespace Sandpiper
