#include "session/sshdestination.h"

#include <QUrl>

#include <algorithm>
#include <array>

#include <netdb.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype kMostHops = 16;

bool isControl(QChar c)
{
    return c.unicode() < 0x20 || c.unicode() == 0x7f;
}

} // namespace

std::optional<quint16> sshPort(const QString &text)
{
    bool ok = false;
    if (text.isEmpty() || text.startsWith(u'+') || text.size() > 64)
        return std::nullopt;
    if (const uint number = text.toUInt(&ok, 10); ok)
        return number >= 1 && number <= 65535 ? std::optional(quint16(number)) : std::nullopt;
    servent entry{};
    servent *found = nullptr;
    std::array<char, 4096> buffer{};
    if (::getservbyname_r(text.toLocal8Bit().constData(), "tcp", &entry, buffer.data(), buffer.size(), &found) != 0 || !found)
        return std::nullopt;
    return ntohs(quint16(found->s_port));
}

std::optional<SshJumpHop> sshDestination(const QString &text)
{
    SshJumpHop hop;
    QString rest = text;
    const bool isUrl = text.startsWith("ssh://"_L1, Qt::CaseInsensitive);
    if (isUrl) {
        rest = text.sliced(6);
        if (rest.endsWith(u'/'))
            rest.chop(1);
        if (rest.contains(u'/'))
            return std::nullopt;
    }
    // A user's name may hold an "@"; a host's may not.
    if (const qsizetype at = rest.lastIndexOf(u'@'); at >= 0) {
        hop.user = isUrl ? QUrl::fromPercentEncoding(rest.first(at).toUtf8()) : rest.first(at);
        if (hop.user.isEmpty() || (isUrl && hop.user.contains(u':')))
            return std::nullopt;
        rest = rest.sliced(at + 1);
    }
    QString port;
    if (rest.startsWith(u'[')) {
        const qsizetype close = rest.indexOf(u']');
        if (close < 0 || (close + 1 < rest.size() && rest[close + 1] != u':'))
            return std::nullopt;
        hop.host = rest.sliced(1, close - 1);
        if (close + 1 < rest.size())
            port = rest.sliced(close + 2);
        if (close + 1 < rest.size() && port.isEmpty())
            return std::nullopt;
    } else if (rest.count(u':') == 1) {
        hop.host = rest.section(u':', 0, 0);
        port = rest.section(u':', 1);
        if (port.isEmpty())
            return std::nullopt;
    } else {
        hop.host = rest; // several colons: an IPv6 address
    }
    if (hop.host.isEmpty() || hop.host.startsWith(u'-'))
        return std::nullopt;
    for (const QString &part : {hop.host, hop.user}) {
        for (const QChar c : part) {
            if (c.unicode() < 0x20 || c.unicode() == 0x7f)
                return std::nullopt;
        }
    }
    if (!port.isEmpty()) {
        const std::optional<quint16> number = sshPort(port);
        if (!number)
            return std::nullopt;
        hop.port = *number;
    }
    return hop;
}

std::optional<QList<SshJumpHop>> sshJumpHops(const QString &text)
{
    QList<SshJumpHop> hops;
    for (const QString &part : text.split(u',')) {
        const std::optional<SshJumpHop> hop = sshDestination(part);
        if (!hop || hops.size() >= kMostHops)
            return std::nullopt;
        hops.append(*hop);
    }
    return hops;
}

bool isSafeSshHost(const QString &host)
{
    constexpr QStringView kUnfit = u"'\"`$\\;&<>|(){} ,";
    return !host.isEmpty() && host.size() < 1024 && !host.startsWith(u'-')
            && std::none_of(host.cbegin(), host.cend(), [&](QChar c) { return isControl(c) || kUnfit.contains(c); });
}

bool isSafeSshUser(const QString &user)
{
    constexpr QStringView kUnfit = u"'`\";&<>|(){}$";
    return user.size() < 256 && !user.startsWith(u'-') && !user.endsWith(u'\\') && !user.contains(" -"_L1)
            && std::none_of(user.cbegin(), user.cend(), [&](QChar c) { return isControl(c) || kUnfit.contains(c); });
}

} // namespace Sandpiper
