// SshThread's way from nothing to a connection that is verified and let in.
#include "session/sshalgorithms.h"
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
    const QStringList files = m_options.knownHostsFiles.isEmpty() ? defaultKnownHostsFiles() : m_options.knownHostsFiles;
    if (m_options.endpoint.hostKey.isEmpty()) {
        Result<QList<KnownHostsFile>> known = readKnownHosts(files);
        if (!known)
            return std::unexpected(known.error());
        m_knownHosts = std::move(*known);
    }
    m_auth.emplace(m_options);
    for (int connection = 1;; ++connection) {
        if (const Done connected = connectSession(); !connected)
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
        // What waits for Ready goes on waiting.
        auto channels = std::exchange(m_channels, {});
        auto tunnels = std::exchange(m_tunnels, {});
        dropSession();
        m_channels = std::move(channels);
        m_tunnels = std::move(tunnels);
        m_lastWords.clear();
    }
}

Done SshThread::configure(ssh_session session, const QList<QByteArray> &firstTypes)
{
    const auto chosen = [](const QByteArray &said, AlgorithmList list) { return said.isEmpty() ? usualAlgorithms(list) : said; };
    const bool no = false;
    const int noNagle = 1;
    const long timeout = long(m_options.connectTimeout.count());
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
            && (!m_options.compression || set(SSH_OPTIONS_COMPRESSION, "yes")) && set(SSH_OPTIONS_FD, &m_librarySocket);
    if (!isSet)
        return failure(ErrorKind::InvalidInput, Layer::Ssh, tamed(QString::fromUtf8(ssh_get_error(session))));
    return {};
}

Done SshThread::connectSession()
{
    Deadline deadline = Clock::now() + m_options.connectTimeout;
    QList<QByteArray> firstTypes = knownKeyTypes(m_knownHosts, QString::fromLatin1(m_host), m_options.endpoint.port);
    if (m_accepted) {
        firstTypes = {m_accepted->type};
    } else if (!m_options.endpoint.hostKey.isEmpty()) {
        const std::optional<HostKey> pinned = hostKeyFromLine(m_options.endpoint.hostKey);
        if (!pinned)
            return failure(ErrorKind::InvalidInput, Layer::Ssh, u"the host key that was given for this server is none"_s);
        firstTypes = {pinned->type};
    }
    if (const Done open = openWay(deadline); !open)
        return open;
    // The wait for other links, and for their users, has its own deadlines.
    if (std::holds_alternative<JumpTransport>(m_options.transport))
        deadline = Clock::now() + m_options.connectTimeout;
    m_librarySocket = ::fcntl(m_way.descriptor.get(), F_DUPFD_CLOEXEC, 0);
    m_session.reset(ssh_new());
    m_event.reset(ssh_event_new());
    if (m_librarySocket < 0 || !m_session || !m_event)
        return failure(ErrorKind::Io, Layer::Ssh, QString::fromLocal8Bit(std::strerror(errno)));
    if (const Done configured = configure(m_session.get(), firstTypes); !configured)
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
    if (code != SSH_OK) {
        const Error loss = lossOfConnection();
        return std::unexpected(m_explanation ? loss : handshakeError(loss));
    }
    // ssh_connect() makes the socket block again (measured).
    const int flags = ::fcntl(m_librarySocket, F_GETFL);
    if (flags < 0 || ::fcntl(m_librarySocket, F_SETFL, flags | O_NONBLOCK) != 0)
        return failure(ErrorKind::Io, Layer::Ssh, QString::fromLocal8Bit(std::strerror(errno)));
    return {};
}

Error SshThread::changedHostKey(const HostKey &offered, const HostKey &known, const QString &where) const
{
    const QString from = where.isEmpty() ? QString() : u" (%1)"_s.arg(where);
    return {ErrorKind::HostKeyChanged, Layer::Ssh,
            u"the server shows %1 %2, known is %3 %4%5"_s.arg(QString::fromLatin1(offered.type), fingerprintOf(offered),
                                                             QString::fromLatin1(known.type), fingerprintOf(known), from),
            {}};
}

Done SshThread::verifyHost()
{
    ssh_key raw = nullptr;
    char *encoded = nullptr;
    const bool known = ssh_get_server_publickey(m_session.get(), &raw) == SSH_OK;
    const SshKeyHandle key(raw);
    const bool exported = known && ssh_pki_export_pubkey_base64(key.get(), &encoded) == SSH_OK;
    const SshTextHandle text(encoded);
    const std::optional<HostKey> offered = exported ? hostKeyFromBlob(QByteArray::fromBase64(encoded)) : std::nullopt;
    if (!offered)
        return failure(ErrorKind::Protocol, Layer::Ssh, u"the server's host key cannot be read"_s);
    const char *version = ssh_get_serverbanner(m_session.get());
    m_mail->events.put(FromLink::ServerMet{tamed(QString::fromUtf8(version), 255), fingerprintOf(*offered)});

    if (m_accepted)
        return *m_accepted == *offered ? Done() : std::unexpected(changedHostKey(*offered, *m_accepted, {}));
    if (!m_options.endpoint.hostKey.isEmpty()) {
        const std::optional<HostKey> pinned = hostKeyFromLine(m_options.endpoint.hostKey);
        if (!pinned || *pinned != *offered)
            return std::unexpected(changedHostKey(*offered, pinned.value_or(HostKey()), {}));
        m_accepted = offered;
        return {};
    }
    const HostKeyDecision decision = decideHostKey(m_knownHosts, QString::fromLatin1(m_host), m_options.endpoint.port, *offered);
    const Done confirmed = confirmHost(*offered, decision);
    if (confirmed)
        m_accepted = offered;
    return confirmed;
}

Done SshThread::confirmHost(const HostKey &offered, const HostKeyDecision &decision)
{
    Prompt prompt;
    prompt.target = m_subject;
    prompt.keyType = QString::fromLatin1(offered.type);
    prompt.fingerprint = fingerprintOf(offered);
    switch (decision.verdict) {
    case HostKeyDecision::Verdict::Match:
        return {};
    case HostKeyDecision::Verdict::Revoked:
        return failure(ErrorKind::HostKeyRefused, Layer::Ssh,
                       u"%1 is marked as revoked in %2"_s.arg(prompt.fingerprint, decision.where));
    case HostKeyDecision::Verdict::Changed: {
        prompt.kind = Prompt::Kind::ChangedHostKey;
        prompt.knownFingerprint = fingerprintOf(decision.known);
        prompt.knownWhere = decision.where;
        // Whoever this is gets nothing more from us, not even our time: it is shown afterwards.
        dropSession();
        m_lastWords.clear();
        const Result<std::shared_ptr<PromptAnswer>> seen = ask(prompt);
        if (!seen)
            return std::unexpected(seen.error());
        return std::unexpected(changedHostKey(offered, decision.known, decision.where));
    }
    case HostKeyDecision::Verdict::Unknown:
        break;
    }
    prompt.kind = Prompt::Kind::UnknownHostKey;
    if (decision.hasCertificateAuthority)
        prompt.text = u"A certificate authority is known for this host, but Sandpiper cannot check host certificates."_s;
    const Result<std::shared_ptr<PromptAnswer>> answer = ask(prompt);
    if (!answer)
        return std::unexpected(answer.error());
    switch ((*answer)->kind) {
    case PromptAnswer::Kind::Accepted: {
        const QStringList files = m_options.knownHostsFiles.isEmpty() ? defaultKnownHostsFiles() : m_options.knownHostsFiles;
        // Not written is not a reason to refuse what the user has just accepted: it is asked again next time.
        if (const Done kept = rememberHostKey(files.front(), QString::fromLatin1(m_host), m_options.endpoint.port, offered); !kept) {
            qCWarning(lcEstablish).noquote() << describe(kept.error());
            tell(u"The host key could not be written to %1: %2"_s.arg(files.front(), kept.error().detail));
        }
        return {};
    }
    case PromptAnswer::Kind::JustOnce:
        return {};
    case PromptAnswer::Kind::Cancelled:
        return failure(ErrorKind::Cancelled, Layer::Ssh);
    case PromptAnswer::Kind::Refused:
        return failure(ErrorKind::HostKeyRefused, Layer::Ssh, u"%1 %2 is not known"_s.arg(prompt.keyType, prompt.fingerprint));
    }
    Q_UNREACHABLE_RETURN({});
}

} // namespace Sandpiper
