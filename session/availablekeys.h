// The keys that this user can sign in with from here: files in ~/.ssh, and what the chosen agent holds.
// GUI thread; the reading is done on another one.
#pragma once

#include "session/sshkeyfile.h"

#include <QHash>
#include <QObject>

#include <optional>

namespace Sandpiper {

class AvailableKeys : public QObject
{
    Q_OBJECT
public:
    // folder: ~/.ssh, or a test's. agentSocket empty: no agent.
    AvailableKeys(const QString &folder, const QString &agentSocket, QObject *parent = nullptr);

    [[nodiscard]] QString folder() const { return m_folder; }
    [[nodiscard]] QString agentSocket() const { return m_agentSocket; }
    // Another agent is asked from now on; refreshes.
    void setAgentSocket(const QString &socket);
    void refresh();
    [[nodiscard]] bool isKnown() const { return m_isKnown; } // read once
    [[nodiscard]] const QList<KeyFile> &files() const { return m_files; }
    [[nodiscard]] const QList<AgentKey> &agentKeys() const { return m_agentKeys; }
    [[nodiscard]] std::optional<Error> agentError() const { return m_agentError; }
    // Fingerprint → the file of its private half; empty where only the agent has it. What cannot sign
    // is left out.
    [[nodiscard]] QHash<QString, QString> usable() const;

signals:
    void changed();

private:
    QString m_folder;
    QString m_agentSocket;
    bool m_isKnown = false;
    QList<KeyFile> m_files;
    QList<AgentKey> m_agentKeys;
    std::optional<Error> m_agentError;
};

} // namespace Sandpiper
