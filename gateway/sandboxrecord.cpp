#include "gateway/sandboxrecord.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRandomGenerator>
#include <QTimeZone>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace Sandpiper {

namespace {

constexpr qsizetype idLength = 21;
constexpr qsizetype longestName = 63;
constexpr qsizetype mostPorts = 256;
constexpr int managementPort = 9501; // the vendor keeps it for itself

bool isLower(QChar c)
{
    return c >= u'a' && c <= u'z';
}

bool isDigit(QChar c)
{
    return c >= u'0' && c <= u'9';
}

QString nameOfState(LocalState state)
{
    switch (state) {
    case LocalState::Pending:
    case LocalState::Running:
    case LocalState::Suspending: return u"running"_s;
    case LocalState::Suspended: return u"suspended"_s;
    case LocalState::Terminated: return u"terminated"_s;
    }
    Q_UNREACHABLE_RETURN({});
}

QDateTime timeOf(const QJsonObject &object, QLatin1StringView key)
{
    const qint64 milliseconds = object.value(key).toInteger(-1);
    return milliseconds < 0 ? QDateTime() : QDateTime::fromMSecsSinceEpoch(milliseconds, QTimeZone::UTC);
}

Error invalid(const QString &text)
{
    return {ErrorKind::InvalidInput, Layer::Provider, text, {}};
}

} // namespace

bool operator==(const LocalSandbox &a, const LocalSandbox &b)
{
    return a.id == b.id && a.name == b.name && a.state == b.state && a.image == b.image
            && a.cpus == b.cpus && a.memoryMiB == b.memoryMiB && a.diskMiB == b.diskMiB
            && a.timeoutSeconds == b.timeoutSeconds && a.createdAt == b.createdAt
            && a.terminatedAt == b.terminatedAt && a.terminationReason == b.terminationReason
            && a.exposedPorts == b.exposedPorts && a.allowUnauthenticated == b.allowUnauthenticated
            && a.hasNetwork == b.hasNetwork && a.networkNote == b.networkNote
            && a.isolated == b.isolated && a.isolationNote == b.isolationNote;
}

QString newSandboxId()
{
    static constexpr char16_t alphabet[] = u"abcdefghijklmnopqrstuvwxyz0123456789";
    QString id;
    for (qsizetype i = 0; i < idLength; ++i)
        id += QChar(alphabet[QRandomGenerator::system()->bounded(36)]);
    return id;
}

bool isSandboxId(QStringView text)
{
    return text.size() == idLength
            && std::ranges::all_of(text, [](QChar c) { return isLower(c) || isDigit(c); });
}

bool isSandboxName(QStringView text)
{
    return !text.isEmpty() && text.size() <= longestName && isLower(text.front())
            && text.back() != u'-' && !isSandboxId(text)
            && std::ranges::all_of(text, [](QChar c) { return isLower(c) || isDigit(c) || c == u'-'; });
}

std::optional<Error> problemWithPorts(const QList<int> &ports)
{
    if (ports.size() > mostPorts)
        return invalid(u"at most 256 ports can be exposed"_s);
    for (const int port : ports) {
        if (port < 1 || port > 65535 || port == managementPort)
            return invalid(u"a port is a number from 1 to 65535, and 9501 is taken"_s);
    }
    return std::nullopt;
}

std::optional<Error> problemWith(const LocalCreate &wish)
{
    if (!wish.name.isEmpty() && !isSandboxName(wish.name))
        return invalid(u"a name begins with a lower-case letter, has only lower-case letters, digits "
                       "and \"-\", does not end with \"-\", has at most 63 characters, and not 21 "
                       "letters and digits as an id has"_s);
    if (!std::isfinite(wish.cpus) || wish.cpus <= 0 || wish.cpus > 1024 || wish.memoryMiB <= 0
        || wish.memoryMiB > (1 << 30) || wish.diskMiB <= 0 || wish.diskMiB > (1 << 30)
        || wish.timeoutSeconds < 0 || wish.timeoutSeconds > (1 << 30))
        return invalid(u"the resources or the time-out are no sensible numbers"_s);
    if (wish.image.size() > 500)
        return invalid(u"an image's name has at most 500 characters"_s);
    return problemWithPorts(wish.exposedPorts);
}

QByteArray recordOf(const LocalSandbox &sandbox)
{
    QJsonArray ports;
    for (const int port : sandbox.exposedPorts)
        ports.append(port);
    QJsonObject object{{u"version"_s, 1},
                       {u"id"_s, sandbox.id},
                       {u"name"_s, sandbox.name},
                       {u"state"_s, nameOfState(sandbox.state)},
                       {u"image"_s, sandbox.image},
                       {u"cpus"_s, sandbox.cpus},
                       {u"memoryMiB"_s, sandbox.memoryMiB},
                       {u"diskMiB"_s, sandbox.diskMiB},
                       {u"timeoutSeconds"_s, sandbox.timeoutSeconds},
                       {u"createdAt"_s, sandbox.createdAt.toMSecsSinceEpoch()},
                       {u"terminationReason"_s, sandbox.terminationReason},
                       {u"exposedPorts"_s, ports},
                       {u"allowUnauthenticated"_s, sandbox.allowUnauthenticated}};
    if (sandbox.terminatedAt.isValid())
        object.insert(u"terminatedAt"_s, sandbox.terminatedAt.toMSecsSinceEpoch());
    return QJsonDocument(object).toJson();
}

std::optional<LocalSandbox> sandboxOf(const QByteArray &record)
{
    const QJsonObject object = QJsonDocument::fromJson(record).object();
    LocalCreate wish;
    wish.name = object.value("name"_L1).toString();
    wish.image = object.value("image"_L1).toString();
    wish.cpus = object.value("cpus"_L1).toDouble(1);
    wish.memoryMiB = object.value("memoryMiB"_L1).toInteger(1024);
    wish.diskMiB = object.value("diskMiB"_L1).toInteger(10240);
    wish.timeoutSeconds = object.value("timeoutSeconds"_L1).toInteger();
    const QJsonArray ports = object.value("exposedPorts"_L1).toArray();
    for (const QJsonValue &port : ports)
        wish.exposedPorts.append(port.toInt());
    LocalSandbox sandbox;
    sandbox.id = object.value("id"_L1).toString();
    sandbox.createdAt = timeOf(object, "createdAt"_L1);
    // A record that somebody damaged may not name another sandbox's files.
    if (!isSandboxId(sandbox.id) || !sandbox.createdAt.isValid() || problemWith(wish))
        return std::nullopt;
    sandbox.name = wish.name;
    sandbox.image = wish.image;
    sandbox.cpus = wish.cpus;
    sandbox.memoryMiB = wish.memoryMiB;
    sandbox.diskMiB = wish.diskMiB;
    sandbox.timeoutSeconds = wish.timeoutSeconds;
    sandbox.exposedPorts = wish.exposedPorts;
    sandbox.allowUnauthenticated = object.value("allowUnauthenticated"_L1).toBool();
    sandbox.terminationReason = tamed(object.value("terminationReason"_L1).toString());
    const bool terminated = object.value("state"_L1).toString() == "terminated"_L1;
    sandbox.state = terminated ? LocalState::Terminated : LocalState::Suspended;
    if (terminated)
        sandbox.terminatedAt = timeOf(object, "terminatedAt"_L1);
    return sandbox;
}

} // namespace Sandpiper
