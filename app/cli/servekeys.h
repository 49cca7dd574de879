// Whose keys `serve` lets in. Blocks on the disk and the agent: for a pool thread.
#pragma once

#include "session/error.h"

#include <QByteArray>
#include <QList>
#include <QStringList>

namespace Sandpiper {

struct ServeKeys
{
    QList<QByteArray> blobs; // base64 of the wire form, each once
    QStringList sources;     // where they come from, for a person
    QStringList notes;       // what was left out, a sentence each
};

// Pure. The lines of an authorized_keys file. A line with options is left out, because what it
// restricts would not be restricted here.
[[nodiscard]] ServeKeys authorizedKeys(const QByteArray &content, const QString &name);
// InvalidInput where the file cannot be read or holds no key that can be used.
[[nodiscard]] Result<ServeKeys> keysOfFile(const QString &file);
// ~/.ssh/id_*.pub and the keys of the agent at that socket, where there is one. NotFound: none at all.
[[nodiscard]] Result<ServeKeys> keysOfUser(const QByteArray &agentSocket);

} // namespace Sandpiper
