// SshThread's judgement of the host key that it is shown.
#include "session/sshthread.h"

#include "session/netproxy.h"
#include "session/sandboxhostkeys.h"
#include "session/systemssh.h"

#include <QLoggingCategory>
#include <QStandardPaths>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

static Q_LOGGING_CATEGORY(lcHostKeys, "sandpiper.session.sshthread", QtInfoMsg)

namespace {

QStringList usersFiles(const LinkOptions &options)
{
    return options.knownHostsFiles.isEmpty() ? defaultKnownHostsFiles() : options.knownHostsFiles;
}

QString sandboxFile(const LinkOptions &options)
{
    return options.sandboxHostsFile.isEmpty() ? sandboxHostsFile() : options.sandboxHostsFile;
}

// Under which name and port known_hosts has the host: an alias stands for every port.
std::pair<QString, quint16> nameInFiles(const LinkOptions &options, const QByteArray &host)
{
    if (!options.hostKeyAlias.isEmpty())
        return {options.hostKeyAlias, quint16(22)};
    return {QString::fromLatin1(host), options.endpoint.port};
}

QString afterColon(const QString &why)
{
    return why.isEmpty() ? QString() : u": "_s + tamed(why, 300);
}

Prompt promptFor(const LinkOptions &options, const HostKey &offered)
{
    Prompt prompt;
    prompt.keyType = QString::fromLatin1(offered.type);
    prompt.fingerprint = fingerprintOf(offered);
    prompt.randomart = randomartOf(offered);
    prompt.isSandbox = isVendorsSandbox(options.sandbox);
    prompt.address = u"%1:%2"_s.arg(options.endpoint.host).arg(options.endpoint.port);
    return prompt;
}

} // namespace

Done SshThread::readKnownKeys()
{
    if (!m_options.endpoint.hostKey.isEmpty())
        return {};
    Result<QList<KnownHostsFile>> known = readKnownHosts(usersFiles(m_options));
    if (!known)
        return std::unexpected(known.error());
    m_knownHosts = std::move(*known);
    if (isVendorsSandbox(m_options.sandbox)) {
        Result<QList<KnownHostsFile>> ours = readSandboxHosts(sandboxFile(m_options));
        if (!ours)
            return std::unexpected(ours.error());
        m_knownSandboxes = std::move(*ours);
    }
    return {};
}

Result<QList<QByteArray>> SshThread::keyTypesToAskFor() const
{
    if (m_accepted)
        return QList{m_accepted->type};
    if (!m_options.endpoint.hostKey.isEmpty()) {
        const std::optional<HostKey> pinned = hostKeyFromLine(m_options.endpoint.hostKey);
        if (!pinned)
            return failure(ErrorKind::InvalidInput, Layer::Ssh, u"the host key that was given for this server is none"_s);
        return QList{pinned->type};
    }
    if (isVendorsSandbox(m_options.sandbox))
        return knownSandboxKeyTypes(m_knownSandboxes, m_options.sandbox);
    const auto [name, port] = nameInFiles(m_options, m_host);
    return knownKeyTypes(m_knownHosts, name, port);
}

HostKeyDecision SshThread::decide(const HostKey &offered) const
{
    const auto [name, port] = nameInFiles(m_options, m_host);
    if (!isVendorsSandbox(m_options.sandbox))
        return decideHostKey(m_knownHosts, name, port, offered);
    // What the user has revoked is revoked wherever it turns up; of the rest, an address says nothing.
    if (const QString where = revokedWhere(m_knownHosts, name, port, offered); !where.isEmpty())
        return {HostKeyDecision::Verdict::Revoked, {}, where, false};
    return decideSandboxKey(m_knownSandboxes, m_options.sandbox, offered);
}

void SshThread::takeSystemSshWhereNeeded()
{
    if (!m_options.endpoint.hostKey.isEmpty() || isVendorsSandbox(m_options.sandbox))
        return;
    const auto [name, port] = nameInFiles(m_options, m_host);
    if (!decideHostKey(m_knownHosts, name, port, {}).hasCertificateAuthority || !knownKeyTypes(m_knownHosts, name, port).isEmpty())
        return;
    // It knows nothing of our proxy and must not go around it.
    if (std::holds_alternative<TcpTransport>(m_options.transport)
        && sshProxyFrom(m_environment, QString::fromLatin1(m_host), m_options.endpoint.port).kind != ProxySetting::Kind::None) {
        m_whyNotCertified = u"it does not know the proxy on the way"_s;
        return;
    }
    const QStringList folders = QString::fromLocal8Bit(variableOf(m_environment, "PATH")).split(u':', Qt::SkipEmptyParts);
    const QStringList argv = systemSshCommand(folders.isEmpty() ? QString() : QStandardPaths::findExecutable(u"ssh"_s, folders), m_options);
    if (!argv.isEmpty())
        m_direct = std::exchange(m_options.transport, ProcessTransport{argv, {}});
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
    if (m_direct) {
        tell(u"The host certificate of %1 was checked by the system's ssh, which carries this connection."_s.arg(m_subject));
        m_accepted = offered;
        return {};
    }
    if (!m_options.endpoint.hostKey.isEmpty()) {
        const std::optional<HostKey> pinned = hostKeyFromLine(m_options.endpoint.hostKey);
        if (!pinned || *pinned != *offered)
            return std::unexpected(changedHostKey(*offered, pinned.value_or(HostKey()), {}));
        m_accepted = offered;
        return {};
    }
    const Done confirmed = confirmHost(*offered, decide(*offered));
    if (confirmed)
        m_accepted = offered;
    return confirmed;
}

Error SshThread::changedHostKey(const HostKey &offered, const HostKey &known, const QString &where) const
{
    const QString from = where.isEmpty() ? QString() : u" (%1)"_s.arg(where);
    return {ErrorKind::HostKeyChanged, Layer::Ssh,
            u"the server shows %1 %2, known is %3 %4%5"_s.arg(QString::fromLatin1(offered.type), fingerprintOf(offered),
                                                             QString::fromLatin1(known.type), fingerprintOf(known), from),
            {}};
}

Done SshThread::confirmHost(const HostKey &offered, const HostKeyDecision &decision)
{
    Prompt prompt = promptFor(m_options, offered);
    prompt.target = m_subject;
    switch (decision.verdict) {
    case HostKeyDecision::Verdict::Match:
        return {};
    case HostKeyDecision::Verdict::Revoked:
        return failure(ErrorKind::HostKeyRefused, Layer::Ssh,
                       u"%1 is marked as revoked in %2"_s.arg(prompt.fingerprint, decision.where));
    case HostKeyDecision::Verdict::Changed: {
        prompt.kind = Prompt::Kind::ChangedHostKey;
        prompt.knownKeyType = QString::fromLatin1(decision.known.type);
        prompt.knownFingerprint = fingerprintOf(decision.known);
        prompt.knownRandomart = randomartOf(decision.known);
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
    switch (m_options.hostChecking) {
    case SshHostChecking::Strict:
        return failure(ErrorKind::HostKeyRefused, Layer::Ssh,
                       decision.hasCertificateAuthority
                           ? u"only a certificate authority is known for this host, and the system's ssh could not check its certificate"_s + afterColon(m_whyNotCertified)
                           : u"StrictHostKeyChecking allows only known hosts; %1 %2 is not known"_s.arg(prompt.keyType, prompt.fingerprint));
    case SshHostChecking::AcceptNew:
        keepHost(offered);
        tell(u"The host key %1 of %2 was not known and is remembered now."_s.arg(prompt.fingerprint, m_subject));
        return {};
    case SshHostChecking::Off:
        return {};
    case SshHostChecking::Ask:
        break;
    }
    prompt.kind = Prompt::Kind::UnknownHostKey;
    if (decision.hasCertificateAuthority)
        prompt.text = u"Your known_hosts trusts a certificate authority for this host. Host certificates are checked by the system's ssh, "
                      "which could not get there%1. What you see below is the server's plain key, which nobody vouches for."_s.arg(afterColon(m_whyNotCertified));
    const Result<std::shared_ptr<PromptAnswer>> answer = ask(prompt);
    if (!answer)
        return std::unexpected(answer.error());
    switch ((*answer)->kind) {
    case PromptAnswer::Kind::Accepted:
        keepHost(offered);
        return {};
    case PromptAnswer::Kind::JustOnce:
        return {};
    case PromptAnswer::Kind::Cancelled:
        return failure(ErrorKind::Cancelled, Layer::Ssh);
    case PromptAnswer::Kind::Refused:
        return failure(ErrorKind::HostKeyRefused, Layer::Ssh, u"%1 %2 is not known"_s.arg(prompt.keyType, prompt.fingerprint));
    }
    Q_UNREACHABLE_RETURN({});
}

Done SshThread::rememberHost(const HostKey &key)
{
    if (isVendorsSandbox(m_options.sandbox))
        return rememberSandboxKey(sandboxFile(m_options), m_options.sandbox, m_options.displayName, key);
    const auto [name, port] = nameInFiles(m_options, m_host);
    return rememberHostKey(usersFiles(m_options).front(), name, port, key);
}

void SshThread::keepHost(const HostKey &key)
{
    // Not written is not a reason to refuse what was accepted: it is asked again next time.
    if (const Done kept = rememberHost(key); !kept) {
        qCWarning(lcHostKeys).noquote() << describe(kept.error());
        tell(u"The host key could not be written to %1: %2"_s.arg(kept.error().subject, kept.error().detail));
    }
}

} // namespace Sandpiper
