// SshThread's way from nothing to a connection that is verified and let in.
#include "session/sshalgorithms.h"
#include "session/sshthread.h"
#include "session/strictkexwatch.h"

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

// RFC 4253 section 4.2 lets a server say what it likes before it greets, and the library listens for ever.
constexpr quint64 kMostBeforeGreeting = 256 << 10;

Error noGreeting()
{
    return {ErrorKind::Protocol, Layer::Ssh, u"what answers there does not greet as an SSH server does"_s, {}};
}

// Empty: what was agreed on stands without strict key exchange.
QString brokenByTerrapin(ssh_session session)
{
    const auto text = [](const char *name) { return QByteArray(name ? name : ""); };
    const QByteArray in = text(ssh_get_cipher_in(session));
    const QByteArray out = text(ssh_get_cipher_out(session));
    if (needsStrictKex(in, text(ssh_get_hmac_in(session))))
        return QString::fromLatin1(in);
    return needsStrictKex(out, text(ssh_get_hmac_out(session))) ? QString::fromLatin1(out) : QString();
}

// What the library says of a handshake that went wrong, as what it means.
Error handshakeError(Error error)
{
    const auto says = [&](QLatin1StringView words) { return error.detail.contains(words, Qt::CaseInsensitive); };
    if (says("no match for method"_L1)) {
        error.kind = ErrorKind::Unsupported; // it is an SSH server, only one that we share no algorithm with
    } else if (says("callback_receive_banner"_L1) || says("banner"_L1)) {
        return noGreeting();
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
    if (const Done read = readKnownKeys(); !read)
        return read;
    m_auth.emplace(m_options);
    takeSystemSshWhereNeeded();
    for (int connection = 1;; ++connection) {
        Done connected = connectSession();
        if (!connected && goDirect(connected.error()))
            connected = connectSession();
        if (!connected)
            return connected;
        setState(LinkState::Verifying);
        if (const Done verified = verifyHost(); !verified)
            return verified;
        setState(LinkState::Authenticating);
        const Done done = m_auth->authenticate(m_session.get(), *this);
        if (done || m_closing)
            return done;
        const bool moreMayHelp = !isConnected() && m_auth->hasUntriedKeys()
                && (done.error().kind == ErrorKind::KeyNotRegistered
                    || done.error().detail.contains("too many authentication failures"_L1, Qt::CaseInsensitive));
        if (!moreMayHelp || connection == kMostConnections)
            return done;
        qCInfo(lcEstablish) << "the server allows no more keys in one connection; trying the others in another";
        startOver();
    }
}

void SshThread::startOver()
{
    auto channels = std::exchange(m_channels, {});
    auto tunnels = std::exchange(m_tunnels, {});
    dropSession();
    m_channels = std::move(channels);
    m_tunnels = std::move(tunnels);
    m_lastWords.clear();
}

// The system's ssh did not get there: its user may still know the plain key.
bool SshThread::goDirect(const Error &why)
{
    if (!m_direct || m_closing)
        return false;
    qCInfo(lcEstablish).noquote() << "the system's ssh cannot vouch for" << m_subject << ":" << why.detail;
    m_whyNotCertified = why.detail;
    m_options.transport = *std::exchange(m_direct, std::nullopt);
    startOver();
    return true;
}

Done SshThread::configure(ssh_session session, const QList<QByteArray> &firstTypes)
{
    const auto chosen = [](const QByteArray &said, AlgorithmList list) { return said.isEmpty() ? usualAlgorithms(list) : said; };
    const bool no = false;
    const socket_t descriptor = m_socket.lent();
    const int noNagle = 1;
    const long timeout = long(m_options.connectTimeout.count());
    const uint64_t rekeyBytes = m_options.rekeyBytes;
    const auto rekeySeconds = uint32_t(std::clamp<qint64>(m_options.rekeyTime.count(), 0, 1 << 30));
    const QString user = m_options.endpoint.user.isEmpty() ? ownUserName() : m_options.endpoint.user;
    const QByteArray ciphers = chosen(m_options.ciphers, AlgorithmList::Ciphers);
    const QByteArray keyExchange = chosen(m_options.keyExchange, AlgorithmList::KeyExchange);
    const QByteArray macs = chosen(m_options.macs, AlgorithmList::Macs);
    const QByteArray hostKeys = withTypesFirst(chosen(m_options.hostKeyAlgorithms, AlgorithmList::HostKeys), firstTypes);
    const auto set = [session](ssh_options_e option, const auto *value) { return ssh_options_set(session, option, value) == SSH_OK; };
    const bool isSet = set(SSH_OPTIONS_PROCESS_CONFIG, &no)
            // The name is for files that are switched off here, and for no lookup: the socket is given.
            && set(SSH_OPTIONS_HOST, "localhost") && set(SSH_OPTIONS_KNOWNHOSTS, "/dev/null")
            && set(SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null") && set(SSH_OPTIONS_USER, user.toUtf8().constData())
            && set(SSH_OPTIONS_TIMEOUT, &timeout) && set(SSH_OPTIONS_NODELAY, &noNagle)
            && set(SSH_OPTIONS_CIPHERS_C_S, ciphers.constData()) && set(SSH_OPTIONS_CIPHERS_S_C, ciphers.constData())
            && set(SSH_OPTIONS_KEY_EXCHANGE, keyExchange.constData()) && set(SSH_OPTIONS_HMAC_C_S, macs.constData())
            && set(SSH_OPTIONS_HMAC_S_C, macs.constData()) && set(SSH_OPTIONS_HOSTKEYS, hostKeys.constData())
            && (m_options.publicKeyAlgorithms.isEmpty()
                || set(SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, m_options.publicKeyAlgorithms.constData()))
            && (m_options.rekeyBytes == 0 || set(SSH_OPTIONS_REKEY_DATA, &rekeyBytes)) && set(SSH_OPTIONS_REKEY_TIME, &rekeySeconds)
            && (!m_options.compression || set(SSH_OPTIONS_COMPRESSION, "yes")) && set(SSH_OPTIONS_FD, &descriptor);
    if (!isSet)
        return failure(ErrorKind::InvalidInput, Layer::Ssh, tamed(QString::fromUtf8(ssh_get_error(session))));
    return {};
}

Done SshThread::connectSession()
{
    Deadline deadline = Clock::now() + m_options.connectTimeout;
    const Result<QList<QByteArray>> firstTypes = keyTypesToAskFor();
    if (!firstTypes)
        return std::unexpected(firstTypes.error());
    if (const Done open = openWay(deadline); !open)
        return open;
    // The wait for other links, and for their users, has its own deadlines.
    if (std::holds_alternative<JumpTransport>(m_options.transport))
        deadline = Clock::now() + m_options.connectTimeout;
    m_socket = LentSocket(std::move(m_way.descriptor));
    m_session.reset(ssh_new());
    m_event.reset(ssh_event_new());
    if (!m_socket.isValid() || !m_session || !m_event)
        return failure(ErrorKind::Io, Layer::Ssh, QString::fromLocal8Bit(std::strerror(errno)));
    if (const Done configured = configure(m_session.get(), *firstTypes); !configured)
        return configured;
    m_packets = {};
    m_bytes = {};
    ssh_set_counters(m_session.get(), &m_bytes, &m_packets);
    ssh_set_blocking(m_session.get(), 0);
    refuseRequests();

    const StrictKexWatch strictness;
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
        if (packetsReceived() == 0 && m_bytes.in_bytes > kMostBeforeGreeting)
            return std::unexpected(noGreeting());
        code = ssh_connect(m_session.get());
    }
    if (code != SSH_OK) {
        const Error loss = lossOfConnection();
        return std::unexpected(m_explanation ? loss : handshakeError(loss));
    }
    if (const QString broken = brokenByTerrapin(m_session.get()); !strictness.isStrict() && !broken.isEmpty()) {
        return failure(ErrorKind::Unsupported, Layer::Ssh,
                       u"the server wants %1 and does not know strict key exchange: somebody on the way could leave out "
                       "the first packets unnoticed (Terrapin, CVE-2023-48795)"_s.arg(broken));
    }
    // ssh_connect() makes the socket block again (measured).
    const int flags = ::fcntl(m_socket.lent(), F_GETFL);
    if (flags < 0 || ::fcntl(m_socket.lent(), F_SETFL, flags | O_NONBLOCK) != 0)
        return failure(ErrorKind::Io, Layer::Ssh, QString::fromLocal8Bit(std::strerror(errno)));
    return {};
}

} // namespace Sandpiper
