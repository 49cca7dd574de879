#include "session/portlook.h"

#include "session/error.h"

#include <QHash>
#include <QHostAddress>
#include <QMap>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype kMostKnownSockets = 256; // as many as head lets through below
constexpr qsizetype kMostOfAProcess = 40;

// One line, in words of sh, so that a login shell that is none passes it on. $1: " inode inode ".
// The tables have a line for each connection too, so they are narrowed down before a shell reads them. A process is
// asked for its name (comm), which a thread may have changed, and for its program.
constexpr QLatin1StringView kLook(
        "exec 2>/dev/null; export LC_ALL=C; echo sandpiper ports; echo user `id -u`; echo range `cat /proc/sys/net/ipv4/ip_local_port_range`; "
        "l=`grep -h \" 0A \" /proc/net/tcp /proc/net/tcp6 | head -n 256`; echo \"$l\"; n=; "
        "for i in `echo \"$l\" | while read a b c d e f g h i j k; do echo $j; done`; do "
        "case \"$1\" in *\" $i \"*) ;; *) n=\"$n|$i\";; esac; done; "
        "if [ -n \"$n\" ]; then ls -ln /proc/[0-9]*/fd | grep -E \"^/proc/|socket:.(0$n).$\" | while read -r l; do case \"$l\" in "
        "/proc/*) p=${l#/proc/}; p=${p%%/*};; "
        "*) s=${l##*socket:?}; s=${s%?}; c=; read -r c < /proc/$p/comm; e=`readlink /proc/$p/exe`; echo \"owner $s $c/${e##*/}\";; "
        "esac; done; fi; echo end");

// proc(5): the words of an address are as they lie in memory, and every machine that is met has the low byte first.
QHostAddress addressOf(QByteArrayView hex)
{
    QByteArray bytes = QByteArray::fromHex(hex.toByteArray());
    if (bytes.size() * 2 != hex.size() || (bytes.size() != 4 && bytes.size() != 16))
        return {};
    for (qsizetype word = 0; word < bytes.size(); word += 4)
        std::reverse(bytes.begin() + word, bytes.begin() + word + 4);
    if (bytes.size() == 16)
        return QHostAddress(reinterpret_cast<const quint8 *>(bytes.constData()));
    return QHostAddress(QHostAddress(quint32(quint8(bytes[0])) << 24 | quint32(quint8(bytes[1])) << 16 | quint32(quint8(bytes[2])) << 8 | quint8(bytes[3])));
}

QString hostFor(const QHostAddress &address)
{
    bool isV4 = false;
    const QHostAddress v4(address.toIPv4Address(&isV4));
    const QHostAddress plain = isV4 ? v4 : address;
    const bool isUsual = plain == QHostAddress::LocalHost || plain == QHostAddress::LocalHostIPv6 || plain == QHostAddress::AnyIPv4
            || plain == QHostAddress::AnyIPv6;
    return isUsual ? u"localhost"_s : plain.toString();
}

// sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …
std::optional<ListeningPort> listenerOf(const QByteArray &line)
{
    const QByteArrayList words = line.simplified().split(' ');
    if (words.size() < 10 || words.at(3) != "0A")
        return std::nullopt;
    const qsizetype colon = words.at(1).indexOf(':');
    const QHostAddress address = addressOf(QByteArrayView(words.at(1)).first(qMax<qsizetype>(0, colon)));
    bool isPort = false;
    bool isUser = false;
    bool isSocket = false;
    ListeningPort found;
    const uint port = words.at(1).mid(colon + 1).toUInt(&isPort, 16);
    found.user = words.at(7).toUInt(&isUser);
    found.socket = words.at(9).toULongLong(&isSocket);
    if (address.isNull() || !isPort || port == 0 || port > 0xffff || !isUser || !isSocket)
        return std::nullopt;
    found.port = quint16(port);
    found.host = hostFor(address);
    return found;
}

// "node/node", "MainThread/node", "jupyter-lab/python3.11".
QString processOf(QByteArrayView owner)
{
    const qsizetype slash = owner.lastIndexOf('/');
    const QByteArrayView name = owner.first(qMax<qsizetype>(0, slash)).trimmed();
    const QByteArrayView program = owner.sliced(slash + 1).trimmed();
    const bool saysNothing = name.isEmpty() || name.endsWith("MainThread");
    return tamed(QString::fromUtf8(saysNothing ? program : name), kMostOfAProcess);
}

} // namespace

QStringList portLookCommand(const QSet<quint64> &known)
{
    QString sockets = u" "_s;
    qsizetype count = 0;
    for (const quint64 socket : known) {
        if (++count > kMostKnownSockets)
            break;
        sockets += QString::number(socket) + u' ';
    }
    return {u"sh"_s, u"-c"_s, QString(kLook), u"sh"_s, sockets};
}

std::optional<PortLook> readPortLook(QByteArrayView output)
{
    if (output.size() > kMostOfAPortLook)
        return std::nullopt;
    const QByteArrayList lines = output.toByteArray().split('\n');
    const qsizetype first = lines.indexOf("sandpiper ports"); // a login may greet
    const qsizetype last = lines.lastIndexOf("end");
    if (first < 0 || last < first)
        return std::nullopt;
    PortLook look;
    QMap<quint16, ListeningPort> ports;
    QHash<quint64, QString> processes;
    for (const QByteArray &line : lines.sliced(first + 1, last - first - 1)) {
        const QByteArrayList words = line.simplified().split(' ');
        if (words.constFirst() == "user" && words.size() == 2) {
            bool isNumber = false;
            const uint user = words.at(1).toUInt(&isNumber);
            look.user = isNumber ? qint64(user) : -1;
        } else if (words.constFirst() == "range" && words.size() == 3) {
            const ushort from = words.at(1).toUShort();
            const ushort to = words.at(2).toUShort();
            if (from > 0 && to >= from) {
                look.firstFleeting = from;
                look.lastFleeting = to;
            }
        } else if (words.constFirst() == "owner" && words.size() > 2) {
            const QByteArrayView owner = QByteArrayView(line).sliced(line.indexOf(words.at(1)) + words.at(1).size());
            if (const quint64 socket = words.at(1).toULongLong(); socket > 0 && !processes.contains(socket))
                processes.insert(socket, processOf(owner.trimmed()));
        } else if (const std::optional<ListeningPort> found = listenerOf(line)) {
            // One server listens for IPv4 and IPv6 apart; what it can be reached at by name goes first.
            const auto there = ports.constFind(found->port);
            if (there == ports.cend() || (there->host != "localhost"_L1 && found->host == "localhost"_L1))
                ports.insert(found->port, *found);
        }
    }
    for (ListeningPort &port : ports) {
        port.process = processes.value(port.socket);
        look.ports.append(port);
    }
    return look;
}

} // namespace Sandpiper
