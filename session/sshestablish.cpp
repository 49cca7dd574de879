// SshThread's way from nothing to a connection that is verified and let in.
#include "session/sshthread.h"

#include <QLoggingCategory>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <sys/stat.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

static Q_LOGGING_CATEGORY(lcEstablish, "sandpiper.session.sshthread", QtInfoMsg)

namespace {

// Connections made to get all keys tried at a server that allows only some of them in each.
constexpr int kMostConnections = 3;

// AES-GCM first: the library's own first choice is three times slower with hardware AES.
constexpr char kCiphers[] = "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,"
                            "aes256-ctr,aes192-ctr,aes128-ctr";
constexpr char kKeyExchange[] = "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,"
                                "ecdh-sha2-nistp521,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,"
                                "diffie-hellman-group-exchange-sha256,diffie-hellman-group14-sha256";

// Signature algorithms for host keys, each with the type of key that it needs. No certificates: asking
// for them makes ssh_connect() fail.
constexpr std::pair<const char *, const char *> kHostKeyAlgorithms[] = {
    {"ssh-ed25519", "ssh-ed25519"},
    {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"},
    {"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"},
    {"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"},
    {"rsa-sha2-512", "ssh-rsa"},
    {"rsa-sha2-256", "ssh-rsa"},
};

// Types that are known for the host come first, so that a server with several keys shows the one that
// can be compared.
QByteArray hostKeyAlgorithms(const QList<QByteArray> &firstTypes)
{
    QByteArrayList first;
    QByteArrayList rest;
    for (const auto &[algorithm, type] : kHostKeyAlgorithms)
        (firstTypes.contains(type) ? first : rest).append(algorithm);
    return (first + rest).join(',');
}

// What the library says of a handshake that went wrong, as what it means.
Error handshakeError(Error error)
{
    const auto says = [&](QLatin1StringView words) { return error.detail.contains(words, Qt::CaseInsensitive); };
    if (says("no match for method"_L1)) {
        error.kind = ErrorKind::Unsupported; // it is an SSH server, only one that we share no algorithm with
    } else if (says("callback_receive_banner"_L1) || says("banner"_L1)) {
        error.kind = ErrorKind::Protocol;
        error.detail = u"what answers there does not greet as an SSH server does"_s;
    } else if (says("packet"_L1) || says("kex error"_L1) || says("version"_L1)) {
        error.kind = ErrorKind::Protocol;
    }
    return error;
}

QString ownUserName()
{
    const passwd *entry = ::getpwuid(::geteuid());
    return entry ? QString::fromLocal8Bit(entry->pw_name) : QString();
}

} // namespace

Done checkSshLibrary()
{
    if (ssh_version(SSH_VERSION_INT(0, 11, 5)))
        return {};
    return failure(ErrorKind::Unsupported, Layer::Ssh,
                   u"libssh 0.11.5 or newer is needed, this is %1"_s.arg(QString::fromLatin1(ssh_version(0))));
}

Done SshThread::establish()
{
    if (const Done usable = checkSshLibrary(); !usable)
        return usable;
    setState(LinkState::Connecting);
    Result<QByteArray> host = hostForLookup(m_options.endpoint.host);
    if (!host)
        return std::unexpected(host.error());
    m_host = std::move(*host);
    if (const Done read = readKnownKeys(); !read)
        return read;
    for (int connection = 1;; ++connection) {
        if (const Done connected = connectSession(); !connected)
            return connected;
        setState(LinkState::Verifying);
        if (const Done verified = verifyHost(); !verified)
            return verified;
        setState(LinkState::Authenticating);
        const Done done = m_auth.authenticate(m_session.get(), *this);
        if (done || m_closing)
            return done;
        const bool moreMayHelp = !isConnected() && m_auth.hasUntriedKeys()
                && (done.error().kind == ErrorKind::KeyNotRegistered
                    || done.error().detail.contains("too many authentication failures"_L1, Qt::CaseInsensitive));
        if (!moreMayHelp || connection == kMostConnections)
            return done;
        qCInfo(lcEstablish) << "the server allows no more keys in one connection; trying the others in another";
        dropSession();
        m_lastWords.clear();
    }
}

Done SshThread::configure(ssh_session session, const QList<QByteArray> &firstTypes)
{
    const bool no = false;
    const int noNagle = 1;
    const long timeout = long(m_options.connectTimeout.count());
    const QString user = m_options.endpoint.user.isEmpty() ? ownUserName() : m_options.endpoint.user;
    const QByteArray algorithms = hostKeyAlgorithms(firstTypes);
    const bool set = ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &no) == SSH_OK
            // The name is for files that are switched off here, and for no lookup: the socket is given.
            && ssh_options_set(session, SSH_OPTIONS_HOST, "localhost") == SSH_OK
            && ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, "/dev/null") == SSH_OK
            && ssh_options_set(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null") == SSH_OK
            && ssh_options_set(session, SSH_OPTIONS_USER, user.toUtf8().constData()) == SSH_OK
            && ssh_options_set(session, SSH_OPTIONS_TIMEOUT, &timeout) == SSH_OK
            && ssh_options_set(session, SSH_OPTIONS_NODELAY, &noNagle) == SSH_OK
            && ssh_options_set(session, SSH_OPTIONS_CIPHERS_C_S, kCiphers) == SSH_OK
            && ssh_options_set(session, SSH_OPTIONS_CIPHERS_S_C, kCiphers) == SSH_OK
            && ssh_options_set(session, SSH_OPTIONS_KEY_EXCHANGE, kKeyExchange) == SSH_OK
            && ssh_options_set(session, SSH_OPTIONS_HOSTKEYS, algorithms.constData()) == SSH_OK
            && ssh_options_set(session, SSH_OPTIONS_FD, &m_librarySocket) == SSH_OK;
    if (!set)
        return failure(ErrorKind::InvalidInput, Layer::Ssh, tamed(QString::fromUtf8(ssh_get_error(session))));
    return {};
}

Done SshThread::connectSession()
{
    const Deadline deadline = Clock::now() + m_options.connectTimeout;
    const Result<QList<QByteArray>> firstTypes = keyTypesToAskFor();
    if (!firstTypes)
        return std::unexpected(firstTypes.error());
    Result<FileDescriptor> socket = connectTcp({m_host, m_options.endpoint.port, m_options.keepAlive * 3}, deadline,
                                               wakeDescriptor(), [this] { return isCancelled(); });
    if (!socket)
        return std::unexpected(socket.error());
    m_socket = std::move(*socket);
    m_librarySocket = ::fcntl(m_socket.get(), F_DUPFD_CLOEXEC, 0);
    m_session.reset(ssh_new());
    m_event.reset(ssh_event_new());
    if (m_librarySocket < 0 || !m_session || !m_event)
        return failure(ErrorKind::Io, Layer::Ssh, QString::fromLocal8Bit(std::strerror(errno)));
    if (const Done configured = configure(m_session.get(), *firstTypes); !configured)
        return configured;
    m_packets = {};
    ssh_set_counters(m_session.get(), nullptr, &m_packets);
    ssh_set_blocking(m_session.get(), 0);

    int code = ssh_connect(m_session.get());
    const auto onWake = [](socket_t, int, void *self) {
        auto *thread = static_cast<SshThread *>(self);
        thread->m_mail->commands.silence();
        thread->m_woken = true;
        return 0;
    };
    if (ssh_event_add_fd(m_event.get(), wakeDescriptor(), POLLIN, onWake, this) != SSH_OK
        || ssh_event_add_session(m_event.get(), m_session.get()) != SSH_OK)
        return failure(ErrorKind::Io, Layer::Ssh, u"the event loop cannot be set up"_s);
    while (code == SSH_AGAIN) {
        const int left = millisecondsUntil(deadline);
        if (left == 0)
            return failure(ErrorKind::Timeout, Layer::Ssh, u"something took the connection, but it does not speak SSH in time"_s);
        if (!waitFor(left) && m_closing)
            return failure(ErrorKind::Cancelled, Layer::Ssh);
        code = ssh_connect(m_session.get());
    }
    if (code != SSH_OK)
        return std::unexpected(handshakeError(lossOfConnection()));
    // ssh_connect() makes the socket block again (measured).
    const int flags = ::fcntl(m_librarySocket, F_GETFL);
    if (flags < 0 || ::fcntl(m_librarySocket, F_SETFL, flags | O_NONBLOCK) != 0)
        return failure(ErrorKind::Io, Layer::Ssh, QString::fromLocal8Bit(std::strerror(errno)));
    return {};
}

} // namespace Sandpiper
