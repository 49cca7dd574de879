#include "session/ownhosts.h"

#include "session/keptlist.h"

#include <QCoreApplication>
#include <QDir>
#include <QJsonObject>
#include <QUuid>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype maxHosts = 10'000;
constexpr qsizetype maxName = 100;
constexpr qsizetype maxHost = 255;
constexpr qsizetype maxUser = 128;
constexpr qsizetype maxPath = 4096;
constexpr qsizetype maxNote = 2000;

QJsonObject toJson(const OwnHost &host)
{
    return {{u"id"_s, host.id},     {u"name"_s, host.name},        {u"host"_s, host.host}, {u"port"_s, host.port},
            {u"user"_s, host.user}, {u"key_file"_s, host.keyFile}, {u"note"_s, host.note}};
}

std::optional<OwnHost> fromJson(const QJsonObject &json)
{
    OwnHost host;
    host.id = json.value("id"_L1).toString();
    host.name = json.value("name"_L1).toString();
    host.host = json.value("host"_L1).toString();
    const int port = json.value("port"_L1).toInt(22);
    host.port = quint16(qBound(0, port, 65535));
    host.user = json.value("user"_L1).toString();
    host.keyFile = json.value("key_file"_L1).toString();
    host.note = json.value("note"_L1).toString();
    if (host.id.isEmpty() || port != host.port || !checkOwnHost(host))
        return std::nullopt;
    return host;
}

QList<OwnHost> parsed(const QJsonArray &items)
{
    QList<OwnHost> hosts;
    for (const QJsonValue &item : items) {
        const std::optional<OwnHost> host = fromJson(item.toObject());
        if (host && hosts.size() < maxHosts)
            hosts.append(*host);
    }
    return hosts;
}

bool isPlain(const QString &text, qsizetype most)
{
    return text.size() <= most && text == tamed(text, most);
}

} // namespace

Done checkOwnHost(const OwnHost &host)
{
    const auto refused = [&host](const char *why) {
        return failure(ErrorKind::InvalidInput, Layer::LocalDisk, QCoreApplication::translate("OwnHosts", why), host.name);
    };
    if (host.name.trimmed().isEmpty() || !isPlain(host.name, maxName))
        return refused(QT_TRANSLATE_NOOP("OwnHosts", "The name must be 1 to 100 plain characters."));
    // A "%" stands before the zone of an IPv6 address, and nowhere else.
    const bool oddHost = (host.host.contains(u'%') && !host.host.contains(u':')) || std::any_of(host.host.cbegin(), host.host.cend(), [](QChar c) {
        return c.isSpace() || u"'\"`$\\;&<>|(){},/@[]"_s.contains(c);
    });
    if (host.host.isEmpty() || host.host.startsWith(u'-') || oddHost || !isPlain(host.host, maxHost))
        return refused(QT_TRANSLATE_NOOP("OwnHosts", "The host must be a name or an address, such as host.example or 192.0.2.7."));
    if (host.port == 0)
        return refused(QT_TRANSLATE_NOOP("OwnHosts", "The port must be 1 to 65535."));
    if (host.user.startsWith(u'-') || !isPlain(host.user, maxUser))
        return refused(QT_TRANSLATE_NOOP("OwnHosts", "This cannot be a user's name."));
    if (!host.keyFile.isEmpty() && (!QDir::isAbsolutePath(host.keyFile) || !isPlain(host.keyFile, maxPath)))
        return refused(QT_TRANSLATE_NOOP("OwnHosts", "The key file must be a whole path, beginning with a slash."));
    if (host.note.size() > maxNote)
        return refused(QT_TRANSLATE_NOOP("OwnHosts", "The note is too long."));
    return {};
}

QString destinationText(const QString &user, const QString &host, quint16 port)
{
    QString text = user.isEmpty() ? QString() : user + u'@';
    const bool standard = port == 0 || port == 22;
    text += !standard && host.contains(u':') ? u'[' + host + u']' : host;
    return standard ? text : text + u':' + QString::number(port);
}

OwnHosts::OwnHosts(const QString &file, QObject *parent)
    : QObject(parent)
    , m_file(file, u"hosts"_s)
{
    m_hosts = parsed(m_file.load([](const QJsonArray &items) { return parsed(items).size() == items.size(); }));
}

std::optional<OwnHost> OwnHosts::host(const QString &id) const
{
    const auto it = std::ranges::find(m_hosts, id, &OwnHost::id);
    return it == m_hosts.cend() ? std::nullopt : std::optional(*it);
}

Done OwnHosts::change(const std::function<Done(QList<OwnHost> &)> &edit)
{
    const Done saved = changeKeptList<OwnHost>(m_file, m_hosts, &parsed, &toJson, edit);
    if (saved)
        emit changed();
    return saved;
}

Done OwnHosts::add(const QList<OwnHost> &fresh)
{
    return change([&fresh](QList<OwnHost> &hosts) -> Done {
        if (hosts.size() + fresh.size() > maxHosts)
            return failure(ErrorKind::TooLarge, Layer::LocalDisk, u"too many hosts"_s);
        for (OwnHost host : fresh) {
            if (host.id.isEmpty())
                host.id = QUuid::createUuid().toString(QUuid::WithoutBraces);
            if (const Done good = checkOwnHost(host); !good)
                return good;
            hosts.append(host);
        }
        return {};
    });
}

Done OwnHosts::update(const OwnHost &host)
{
    return change([&host](QList<OwnHost> &hosts) -> Done {
        if (const Done good = checkOwnHost(host); !good)
            return good;
        const auto it = std::ranges::find(hosts, host.id, &OwnHost::id);
        if (it == hosts.end())
            return failure(ErrorKind::NotFound, Layer::LocalDisk, {}, host.name);
        *it = host;
        return {};
    });
}

Done OwnHosts::remove(const QString &id)
{
    return change([&id](QList<OwnHost> &hosts) -> Done {
        if (hosts.removeIf([&id](const OwnHost &host) { return host.id == id; }) == 0)
            return failure(ErrorKind::NotFound, Layer::LocalDisk, {}, id);
        return {};
    });
}

} // namespace Sandpiper
