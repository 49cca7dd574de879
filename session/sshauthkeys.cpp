// SshAuth: which keys there are to offer, and in what order.
#include "session/sshauth.h"

#include "session/paths.h"
#include "session/sshpublickey.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qint64 kLargestCertificate = 64 << 10;

QByteArray blobOf(ssh_key key)
{
    char *encoded = nullptr;
    if (ssh_pki_export_pubkey_base64(key, &encoded) != SSH_OK)
        return {};
    const SshTextHandle owner(encoded);
    return QByteArray::fromBase64(encoded);
}

// The public half, which OpenSSH's own format shows without the passphrase, else FILE.pub.
QByteArray publicBlobOf(const QString &file)
{
    for (const QString &path : {file, file + u".pub"_s}) {
        ssh_key raw = nullptr;
        const int code = ssh_pki_import_pubkey_file(QFile::encodeName(path).constData(), &raw);
        const SshKeyHandle key(raw);
        if (code == SSH_OK && key)
            return blobOf(key.get());
    }
    return {};
}

QString expandedHome(const QString &path)
{
    return path.startsWith(u"~/") ? QDir::homePath() + path.sliced(1) : path;
}

} // namespace

Result<QList<AgentKey>> SshAuth::keysOfAgent(AuthContext &context)
{
    const QByteArray socket = QFile::encodeName(m_options.agentSocket);
    if (!m_options.useAgent || socket.isEmpty())
        return QList<AgentKey>();
    // An agent that wants its user to unlock it first does not get for ever.
    Result<QList<AgentKey>> listed = listAgentKeys(socket, std::chrono::steady_clock::now() + m_options.agentPatience,
                                                   context.wakeDescriptor(), [&] { return context.isCancelled(); });
    if (!listed && listed.error().kind != ErrorKind::Cancelled) {
        m_notes.append(listed.error().detail);
        return QList<AgentKey>();
    }
    return listed;
}

Done SshAuth::collectKeys(AuthContext &context)
{
    const Result<QList<AgentKey>> agentKeys = keysOfAgent(context);
    if (!agentKeys)
        return std::unexpected(agentKeys.error());
    const QStringList &chosen = m_options.endpoint.identityFiles;
    for (const QString &file : chosen)
        addFile(expandedHome(file), *agentKeys, WhenMissing::Tell);
    if (chosen.isEmpty())
        collectOwn(*agentKeys);
    offerCertificates();
    offerPreferredFirst();
    m_collected = true;
    return {};
}

// As ssh does: keys of the agent that are named by a file, the agent's other keys, the other files.
void SshAuth::collectOwn(const QList<AgentKey> &agentKeys)
{
    if (!m_options.preferredKey.isEmpty() && !isKeyFingerprint(m_options.preferredKey))
        addFile(expandedHome(m_options.preferredKey), agentKeys, WhenMissing::Tell);
    for (const QString &file : m_options.identityFiles)
        addFile(expandedHome(file), agentKeys, WhenMissing::Tell);
    if (m_options.identityFiles.isEmpty() && m_options.useDefaultKeys && !isOnlyThePreferred()) {
        for (const QString &name : {u"id_ed25519"_s, u"id_ecdsa"_s, u"id_rsa"_s})
            addFile(QDir::homePath() + u"/.ssh/"_s + name, agentKeys, WhenMissing::LeaveOut);
    }
    auto others = std::stable_partition(m_keys.begin(), m_keys.end(), [](const Candidate &key) { return key.isInAgent; });
    for (const AgentKey &key : agentKeys) {
        const QByteArray plain = key.plainBlob();
        const bool isThere = std::ranges::any_of(m_keys, [&](const Candidate &other) { return other.blob == key.blob; });
        const bool isNamed = std::ranges::any_of(m_keys, [&](const Candidate &other) { return other.plain == plain; });
        Candidate candidate{key.blob, plain, key, {}, {}, true};
        if (isThere || (m_options.identitiesOnly && !isNamed && !(isOnlyThePreferred() && isPreferred(candidate))))
            continue;
        others = m_keys.insert(others, std::move(candidate)) + 1;
    }
}

void SshAuth::addFile(const QString &file, const QList<AgentKey> &agentKeys, WhenMissing whenMissing)
{
    if (!QFileInfo(file).isReadable() && !QFileInfo::exists(file + u".pub"_s)) {
        if (whenMissing == WhenMissing::Tell || QFileInfo::exists(file))
            m_notes.append(u"the key file %1 cannot be read"_s.arg(file));
        return;
    }
    Candidate candidate;
    candidate.blob = publicBlobOf(file);
    candidate.plain = candidate.blob;
    candidate.file = file;
    if (!candidate.blob.isEmpty()) {
        const auto inAgent = std::ranges::find(agentKeys, candidate.blob, &AgentKey::blob);
        if (inAgent != agentKeys.cend()) {
            candidate.agentKey = *inAgent;
            candidate.isInAgent = true;
        }
        if (std::ranges::any_of(m_keys, [&](const Candidate &other) { return other.blob == candidate.blob; }))
            return;
    }
    m_keys.push_back(std::move(candidate));
}

// Each before the key that it is for. A certificate that the agent holds stands in its list already.
void SshAuth::offerCertificates()
{
    std::vector<Candidate> all;
    const auto add = [&](const Candidate &key, const QString &file, WhenMissing whenMissing) {
        const Result<QByteArray> line = readFile(file, kLargestCertificate);
        const QByteArray blob = line ? blobFromLine(*line) : QByteArray();
        const std::optional<CertificateFacts> facts = certificateFromBlob(blob);
        const bool isUsable = facts && facts->isForUser;
        if (!isUsable && (line || whenMissing == WhenMissing::Tell))
            m_notes.append(u"%1 is no user certificate that can be read"_s.arg(file));
        if (!isUsable || (!key.plain.isEmpty() && facts->plainBlob != key.plain))
            return;
        if (!facts->isValidAt(QDateTime::currentDateTimeUtc()))
            m_notes.append(u"the certificate %1 is not valid at this time"_s.arg(file));
        Candidate certified = key;
        certified.blob = blob;
        certified.plain = facts->plainBlob;
        certified.certificateFile = file;
        if (std::ranges::none_of(m_keys, [&](const Candidate &other) { return other.blob == blob; })
            && std::ranges::none_of(all, [&](const Candidate &other) { return other.blob == blob; }))
            all.push_back(std::move(certified));
    };
    for (const Candidate &key : m_keys) {
        if (!key.plain.isEmpty()) {
            for (const QString &file : m_options.certificateFiles)
                add(key, expandedHome(file), WhenMissing::Tell);
        }
        if (!key.file.isEmpty())
            add(key, key.file + u"-cert.pub"_s, WhenMissing::LeaveOut);
        all.push_back(key);
    }
    m_keys = std::move(all);
    m_notes.removeDuplicates();
}

bool SshAuth::isOnlyThePreferred() const
{
    return m_options.identitiesOnly && m_options.identityFiles.isEmpty() && !m_options.preferredKey.isEmpty();
}

bool SshAuth::isPreferred(const Candidate &key) const
{
    if (isKeyFingerprint(m_options.preferredKey))
        return !key.plain.isEmpty() && fingerprintOfBlob(key.plain) == m_options.preferredKey;
    return !key.file.isEmpty() && key.file == expandedHome(m_options.preferredKey);
}

void SshAuth::offerPreferredFirst()
{
    if (!m_options.preferredKey.isEmpty())
        std::stable_partition(m_keys.begin(), m_keys.end(), [this](const Candidate &key) { return isPreferred(key); });
}

} // namespace Sandpiper
