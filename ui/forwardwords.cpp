#include "ui/forwardwords.h"

#include "session/errortext.h"
#include "ui/filewords.h"

#include <QCoreApplication>
#include <QHostAddress>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

class ForwardText
{
    Q_DECLARE_TR_FUNCTIONS(Sandpiper::Forwards)
};

constexpr qsizetype kMostShown = 80;

// At this end or at that one: without an address, "*" and the wildcard addresses are not the loopback.
bool isLoopback(const ForwardSpec::End &end)
{
    if (!end.path.isEmpty() || !end.address)
        return true;
    return end.address == "localhost"_L1 || QHostAddress(*end.address).isLoopback();
}

QString placeText(const ForwardSpec::End &end)
{
    if (!end.path.isEmpty())
        return tamed(end.path, kMostShown);
    const QString port = end.port == 0 ? ForwardText::tr("any free port") : QString::number(end.port);
    if (isLoopback(end))
        return end.port == 0 ? port : u"localhost:"_s + port;
    const bool isEvery = end.address->isEmpty() || end.address == "*"_L1 || QHostAddress(*end.address) == QHostAddress::AnyIPv4
            || QHostAddress(*end.address) == QHostAddress::AnyIPv6;
    return isEvery ? ForwardText::tr("port %1 of every interface").arg(port) : tamed(forwardEndText(end), kMostShown);
}

// What a connection is led to: "port 8000 in my-env", "db:80 from my-env".
QString targetText(const ForwardSpec::End &end, const QString &machine, bool isHere)
{
    const QString where = isHere ? ForwardText::tr("this computer") : machine;
    if (!end.path.isEmpty())
        return isHere ? ForwardText::tr("%1 on %2").arg(tamed(end.path, kMostShown), where) : ForwardText::tr("%1 in %2").arg(tamed(end.path, kMostShown), where);
    if (isLoopback(end) && end.address)
        return isHere ? ForwardText::tr("port %1 on %2").arg(end.port).arg(where) : ForwardText::tr("port %1 in %2").arg(end.port).arg(where);
    return ForwardText::tr("%1, as %2 sees it").arg(tamed(forwardEndText(end), kMostShown), where);
}

} // namespace

QString forwardWords(const ForwardSpec &spec, const QString &sandboxName)
{
    const QString machine = tamed(sandboxName, 60);
    const QString listener = listensHere(spec.kind) ? ForwardText::tr("%1 on this computer").arg(placeText(spec.listen))
                                                    : ForwardText::tr("%1 in %2").arg(placeText(spec.listen), machine);
    switch (spec.kind) {
    case ForwardSpec::Kind::Local: return ForwardText::tr("%1 → %2").arg(listener, targetText(spec.target, machine, false));
    case ForwardSpec::Kind::Remote: return ForwardText::tr("%1 → %2").arg(listener, targetText(spec.target, machine, true));
    case ForwardSpec::Kind::Dynamic: return ForwardText::tr("%1 → SOCKS proxy through %2").arg(listener, machine);
    case ForwardSpec::Kind::RemoteDynamic: return ForwardText::tr("%1 → SOCKS proxy through this computer").arg(listener);
    }
    Q_UNREACHABLE_RETURN({});
}

QString forwardStateText(const ForwardManager::Status &status, const ForwardSpec &spec)
{
    const auto sentence = [&status] { return status.error ? errorText(*status.error).sentence : QString(); };
    switch (status.state) {
    case ForwardManager::State::Off: return ForwardText::tr("Off");
    case ForwardManager::State::Waiting:
        if (status.isAsleep)
            return ForwardText::tr("Waits until the sandbox runs");
        return status.error ? ForwardText::tr("Waits: %1").arg(sentence()) : ForwardText::tr("Waits");
    case ForwardManager::State::Arming: return ForwardText::tr("Getting ready");
    case ForwardManager::State::Listening: {
        ForwardSpec::End at = status.at;
        if (at.path.isEmpty() && !spec.listen.address)
            at.address.reset();
        return ForwardText::tr("Listens at %1").arg(placeText(at));
    }
    case ForwardManager::State::Failed: return status.error ? ForwardText::tr("Failed: %1").arg(sentence()) : ForwardText::tr("Failed");
    }
    Q_UNREACHABLE_RETURN({});
}

QString forwardWayText(ForwardWay way)
{
    switch (way) {
    case ForwardWay::Automatic: return ForwardText::tr("Automatic");
    case ForwardWay::Ssh: return ForwardText::tr("Over SSH");
    case ForwardWay::Tunnel: return ForwardText::tr("Through the vendor’s tunnel");
    case ForwardWay::Bridge: return ForwardText::tr("Over a bridge in the sandbox");
    }
    Q_UNREACHABLE_RETURN({});
}

QString wayReason(const Error &refusal)
{
    QString text = tamed(refusal.detail.isEmpty() ? errorText(refusal).sentence : refusal.detail);
    text.replace(0, 1, text.first(1).toUpper());
    return text.endsWith(u'.') ? text : text + u'.';
}

QString exposureText(const ForwardSpec &spec, const QString &sandboxName)
{
    if (isLoopback(spec.listen))
        return {};
    if (listensHere(spec.kind))
        return ForwardText::tr("Everybody who can reach this computer over the network can use it.");
    return ForwardText::tr("Everybody who can reach %1 over the network can use it, where its server allows that.").arg(tamed(sandboxName, 60));
}

QString forwardUrl(const ForwardSpec &spec, const ForwardSpec::End &at)
{
    if (spec.kind != ForwardSpec::Kind::Local || !at.path.isEmpty() || at.port == 0)
        return {};
    const bool isTls = spec.target.port == 443 || spec.target.port == 8443;
    return u"%1://localhost:%2/"_s.arg(isTls ? u"https"_s : u"http"_s).arg(at.port);
}

QString trafficText(qint64 sent, qint64 received)
{
    return u"↑ %1  ↓ %2"_s.arg(sizeText(quint64(sent)), sizeText(quint64(received)));
}

QList<ForwardTemplate> forwardTemplates()
{
    return {{ForwardText::tr("Web page"), u"localhost:8000"_s, 8000},
            {ForwardText::tr("Vite, Node"), u"localhost:3000"_s, 3000},
            {ForwardText::tr("Jupyter"), u"localhost:8888"_s, 8888},
            {ForwardText::tr("PostgreSQL"), u"localhost:5432"_s, 5432},
            {ForwardText::tr("MySQL"), u"localhost:3306"_s, 3306},
            {ForwardText::tr("Redis"), u"localhost:6379"_s, 6379},
            {ForwardText::tr("VNC"), u"localhost:5900"_s, 5900},
            {ForwardText::tr("Docker socket"), u"/var/run/docker.sock"_s, 2375}};
}

} // namespace Sandpiper
