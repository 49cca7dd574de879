// SshAuth: which keys there are to offer, and in what order.
#include "session/sshauth.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// An agent that wants its user to unlock it first does not get for ever.
constexpr std::chrono::seconds kAgentPatience{10};

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

Done SshAuth::collectKeys(AuthContext &context)
{
    QList<AgentKey> agentKeys;
    const QByteArray socket = QFile::encodeName(m_options.agentSocket);
    if (m_options.useAgent && !socket.isEmpty()) {
        Result<QList<AgentKey>> listed = listAgentKeys(socket, std::chrono::steady_clock::now() + kAgentPatience,
                                                       context.wakeDescriptor(), [&] { return context.isCancelled(); });
        if (listed)
            agentKeys = std::move(*listed);
        else if (listed.error().kind == ErrorKind::Cancelled)
            return std::unexpected(listed.error());
        else
            m_notes.append(listed.error().detail);
    }
    const QStringList &chosen = m_options.endpoint.identityFiles;
    for (const QString &file : chosen)
        addFile(expandedHome(file), agentKeys);
    if (chosen.isEmpty()) {
        const bool takesAll = !m_options.identitiesOnly || m_options.identityFiles.isEmpty();
        for (const QString &file : m_options.identityFiles)
            addFile(file, agentKeys);
        for (const AgentKey &key : takesAll ? agentKeys : QList<AgentKey>()) {
            if (std::ranges::none_of(m_keys, [&](const Candidate &other) { return other.blob == key.blob; }))
                m_keys.push_back({key.blob, key, {}, true});
        }
        if (m_options.useDefaultKeys) {
            for (const QString &name : {u"id_ed25519"_s, u"id_ecdsa"_s, u"id_rsa"_s}) {
                const QString file = QDir::homePath() + u"/.ssh/"_s + name;
                if (QFileInfo::exists(file))
                    addFile(file, agentKeys);
            }
        }
    }
    m_collected = true;
    return {};
}

void SshAuth::addFile(const QString &file, const QList<AgentKey> &agentKeys)
{
    if (!QFileInfo(file).isReadable() && !QFileInfo::exists(file + u".pub"_s)) {
        m_notes.append(u"the key file %1 cannot be read"_s.arg(file));
        return;
    }
    Candidate candidate;
    candidate.blob = publicBlobOf(file);
    candidate.file = file;
    for (const AgentKey &key : agentKeys) {
        if (!candidate.blob.isEmpty() && key.blob == candidate.blob) {
            candidate.agentKey = key;
            candidate.isInAgent = true;
        }
    }
    for (Candidate &other : m_keys) {
        if (!candidate.blob.isEmpty() && other.blob == candidate.blob) {
            if (other.file.isEmpty())
                other.file = file; // should the agent not sign
            return;
        }
    }
    m_keys.push_back(std::move(candidate));
}

} // namespace Sandpiper
