#include "session/portowner.h"

#include "session/error.h"

#include <QByteArrayView>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QHash>

#include <limits>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qint64 kMostOfATable = 16 << 20;
constexpr quint16 kFirstUnprivileged = 1024;

// proc(5), /proc/net/tcp: sl local_address rem_address st … inode; the state 0A is LISTEN.
QHash<quint16, QByteArray> listenersOf(const QString &root)
{
    QHash<quint16, QByteArray> inodes;
    for (const QString &table : {u"proc/net/tcp"_s, u"proc/net/tcp6"_s}) {
        QFile file(root + table);
        if (!file.open(QIODevice::ReadOnly))
            continue;
        for (const QByteArray &line : file.read(kMostOfATable).split('\n')) {
            const QByteArrayList words = line.simplified().split(' ');
            if (words.size() < 10 || words.at(3) != "0A")
                continue;
            bool isNumber = false;
            const uint port = words.at(1).mid(words.at(1).lastIndexOf(':') + 1).toUInt(&isNumber, 16);
            if (isNumber && port > 0 && port <= 0xffff)
                inodes.insert(quint16(port), words.at(9));
        }
    }
    return inodes;
}

} // namespace

std::optional<PortOwner> portOwner(quint16 port, const QString &root)
{
    const QHash<quint16, QByteArray> listeners = listenersOf(root);
    const auto inode = listeners.constFind(port);
    if (inode == listeners.cend())
        return std::nullopt;
    const QString wanted = u"socket:[%1]"_s.arg(QLatin1StringView(*inode));
    const QDir processes(root + u"proc"_s);
    for (const QString &name : processes.entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
        bool isNumber = false;
        const qint64 process = name.toLongLong(&isNumber);
        if (!isNumber)
            continue;
        const QDir open(processes.filePath(name + u"/fd"_s));
        for (const QString &fd : open.entryList(QDir::Files | QDir::System | QDir::NoDotAndDotDot)) {
            if (QFileInfo(open.filePath(fd)).readSymLink() != wanted)
                continue;
            QFile comm(processes.filePath(name + u"/comm"_s));
            const QByteArray program = comm.open(QIODevice::ReadOnly) ? comm.read(64).trimmed() : QByteArray();
            return PortOwner{process, tamed(QString::fromUtf8(program), 40)};
        }
    }
    return PortOwner{};
}

quint16 freePortFrom(quint16 port, const QString &root)
{
    const QHash<quint16, QByteArray> listeners = listenersOf(root);
    for (quint32 next = port; next <= std::numeric_limits<quint16>::max(); ++next) {
        if (next > 0 && !listeners.contains(quint16(next)))
            return quint16(next);
    }
    for (quint16 next = kFirstUnprivileged; next < port; ++next) {
        if (!listeners.contains(next))
            return next;
    }
    return 0;
}

} // namespace Sandpiper
