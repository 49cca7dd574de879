// Hosts out of what other programs have saved: PuTTY, WinSCP, FileZilla. Pure; any thread.
#pragma once

#include "session/ownhosts.h"

#include <QByteArrayView>

namespace Sandpiper {

struct ImportedHosts
{
    QList<OwnHost> hosts; // without ids, each passed by checkOwnHost()
    int passwords = 0;    // stored ones that were seen and left where they are
    int otherKinds = 0;   // entries that do not go by SSH
    int unusable = 0;     // entries that cannot be a host, or come after the most that are taken
};

constexpr qint64 maxImportBytes = 4 << 20;

// Each gives what it understands of anything; nothing is an error.
// One file of ~/.putty/sessions; its name is the session's, percent-escaped.
[[nodiscard]] ImportedHosts importPuttySession(const QByteArray &fileName, const QByteArray &content);
// What regedit exports of PuTTY's sessions: UTF-16 or one byte a character.
[[nodiscard]] ImportedHosts importPuttyRegistry(const QByteArray &content);
[[nodiscard]] ImportedHosts importWinScp(const QByteArray &content);    // WinSCP.ini
[[nodiscard]] ImportedHosts importFileZilla(const QByteArray &content); // sitemanager.xml
// Every file of that folder, ~/.putty/sessions. Blocks: not for the GUI thread.
[[nodiscard]] ImportedHosts importPuttyFolder(const QString &folder);

} // namespace Sandpiper
