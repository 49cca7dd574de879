#include "session/availablekeys.h"

#include "session/background.h"

#include <QFile>

namespace Sandpiper {
namespace {

constexpr std::chrono::seconds kAgentPatience{10};

struct Found
{
    QString agentSocket;
    QList<KeyFile> files;
    Result<QList<AgentKey>> agentKeys;
};

Found look(const QString &folder, const QString &agentSocket)
{
    Found found{agentSocket, keyFilesIn(folder), QList<AgentKey>()};
    if (!agentSocket.isEmpty()) {
        found.agentKeys = listAgentKeys(QFile::encodeName(agentSocket), std::chrono::steady_clock::now() + kAgentPatience, -1,
                                        [] { return false; });
    }
    return found;
}

} // namespace

AvailableKeys::AvailableKeys(const QString &folder, const QString &agentSocket, QObject *parent)
    : QObject(parent)
    , m_folder(folder)
    , m_agentSocket(agentSocket)
{
}

void AvailableKeys::setAgentSocket(const QString &socket)
{
    m_agentSocket = socket;
    refresh();
}

void AvailableKeys::refresh()
{
    inBackground(this, [folder = m_folder, socket = m_agentSocket] { return look(folder, socket); }, [this](const Found &found) {
        if (found.agentSocket != m_agentSocket) // another one was chosen meanwhile
            return;
        m_isKnown = true;
        m_files = found.files;
        m_agentKeys = found.agentKeys.value_or(QList<AgentKey>());
        m_agentError = found.agentKeys ? std::nullopt : std::optional(found.agentKeys.error());
        emit changed();
    });
}

QHash<QString, QString> AvailableKeys::usable() const
{
    QHash<QString, QString> keys;
    for (const AgentKey &key : m_agentKeys)
        keys.insert(fingerprintOfBlob(key.plainBlob()), QString());
    for (const KeyFile &file : m_files) {
        if (file.form != KeyFile::Form::PublicOnly && !file.isOpenToOthers && !file.isOnSecurityKey() && !file.key.fingerprint.isEmpty())
            keys.insert(file.key.fingerprint, file.file);
    }
    return keys;
}

} // namespace Sandpiper
