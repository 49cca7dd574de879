#include "app/cli/servekeys.h"

#include "session/paths.h"
#include "session/sshagent.h"

#include <QDir>

#include <chrono>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {
namespace {

constexpr qint64 maxKeyFile = 1 << 20;
constexpr auto agentPatience = 2s;

// Base64 of the key in "TYPE BASE64 …"; empty where it is none.
QByteArray blobOfLine(const QByteArray &line)
{
    const QList<QByteArray> words = line.simplified().split(' ');
    if (words.size() < 2)
        return {};
    const auto decoded = QByteArray::fromBase64Encoding(words.at(1), QByteArray::AbortOnBase64DecodingErrors);
    // RFC 4253 section 6.6: the blob begins with its type's length and the type.
    if (!decoded || decoded.decoded.size() < 4 + words.at(0).size() || decoded.decoded.sliced(4, words.at(0).size()) != words.at(0))
        return {};
    return decoded.decoded.toBase64();
}

void add(ServeKeys &keys, const QByteArray &blob)
{
    if (!keys.blobs.contains(blob))
        keys.blobs.append(blob);
}

} // namespace

ServeKeys authorizedKeys(const QByteArray &content, const QString &name)
{
    ServeKeys keys;
    int number = 0;
    for (const QByteArray &raw : content.split('\n')) {
        ++number;
        const QByteArray line = raw.trimmed();
        if (line.isEmpty() || line.startsWith('#'))
            continue;
        if (const QByteArray blob = blobOfLine(line); !blob.isEmpty())
            add(keys, blob);
        else
            keys.notes.append(u"%1, line %2 is left out: it is no public key, or has options."_s.arg(name).arg(number));
    }
    if (!keys.blobs.isEmpty())
        keys.sources.append(name);
    return keys;
}

Result<ServeKeys> keysOfFile(const QString &file)
{
    const Result<QByteArray> content = readFile(file, maxKeyFile);
    if (!content)
        return failure(ErrorKind::InvalidInput, Layer::LocalDisk, u"it cannot be read: "_s + content.error().detail, file);
    ServeKeys keys = authorizedKeys(*content, file);
    if (keys.blobs.isEmpty())
        return failure(ErrorKind::InvalidInput, Layer::LocalDisk, u"it holds no public key without options"_s, file);
    return keys;
}

Result<ServeKeys> keysOfUser(const QByteArray &agentSocket)
{
    ServeKeys keys;
    const QDir folder(QDir::homePath() + u"/.ssh"_s);
    for (const QString &name : folder.entryList({u"id_*.pub"_s}, QDir::Files, QDir::Name)) {
        const Result<QByteArray> content = readFile(folder.filePath(name), maxKeyFile);
        const QByteArray blob = content ? blobOfLine(*content) : QByteArray();
        if (blob.isEmpty())
            continue;
        add(keys, blob);
        keys.sources.append(folder.filePath(name));
    }
    if (!agentSocket.isEmpty()) {
        const auto deadline = std::chrono::steady_clock::now() + agentPatience;
        const Result<QList<AgentKey>> offered = listAgentKeys(agentSocket, deadline, -1, [] { return false; });
        if (offered && !offered->isEmpty()) {
            for (const AgentKey &key : *offered)
                add(keys, key.blob.toBase64());
            keys.sources.append(u"the agent (%1)"_s.arg(offered->size()));
        } else if (!offered) {
            keys.notes.append(u"The agent was not asked: %1."_s.arg(describe(offered.error())));
        }
    }
    if (keys.blobs.isEmpty())
        return failure(ErrorKind::NotFound, Layer::Auth, u"there is no key to let in: ~/.ssh has no id_*.pub and no agent offers one"_s);
    return keys;
}

} // namespace Sandpiper
