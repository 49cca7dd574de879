// SshThread's judgement of the host key that it is shown.
#include "session/sshthread.h"

#include <QLoggingCategory>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

static Q_LOGGING_CATEGORY(lcHostKeys, "sandpiper.session.sshthread", QtInfoMsg)

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
            qCWarning(lcHostKeys).noquote() << describe(kept.error());
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
