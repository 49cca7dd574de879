#include "session/portradar.h"

#include "session/localurl.h"

#include <QLoggingCategory>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {

static Q_LOGGING_CATEGORY(lcRadar, "sandpiper.session.portradar", QtInfoMsg)

namespace {

constexpr quint16 kFirstOfAPerson = 1024;
constexpr size_t kMostPrints = 16; // of a sandbox; output can print anything
constexpr int kPausesOfASlowLook = 20;
constexpr int kMostDoublings = 10;
constexpr int kMissedIsGone = 2; // a server that restarts is away for a moment
// Users by convention: those of the system come before, and one whose number means nothing here is "nobody".
constexpr qint64 kFirstPerson = 1000;
constexpr qint64 kNobody = 65534;

bool isAnotherPersons(const ListeningPort &port, qint64 user)
{
    return user > 0 && port.user >= kFirstPerson && port.user != user && port.user != kNobody;
}

bool isAsleep(const Sandbox &sandbox)
{
    return sandbox.state != SandboxState::Running && sandbox.state != SandboxState::Unknown && sandbox.state != SandboxState::Snapshotting;
}

} // namespace

PortRadar::PortRadar(Services services, QObject *parent)
    : PortRadar(std::move(services), Timing(), parent)
{
}

PortRadar::PortRadar(Services services, const Timing &timing, QObject *parent)
    : QObject(parent)
    , m_services(std::move(services))
    , m_timing(timing)
{
    if (m_services.registry)
        connect(m_services.registry, &SandboxRegistry::sandboxesChanged, this, &PortRadar::followSandboxes);
}

PortRadar::~PortRadar()
{
    for (const auto &[key, place] : m_places) {
        if (place.cancelTimer)
            place.cancelTimer();
        if (place.command)
            place.command->disconnect(this);
    }
}

void PortRadar::setOn(bool isOn)
{
    if (std::exchange(m_isOn, isOn) == isOn)
        return;
    QList<SandboxId> known;
    for (auto &[key, place] : m_places) {
        known.append(place.sandbox);
        forget(place);
        schedule(place);
    }
    for (const SandboxId &sandbox : std::as_const(known))
        emit changed(sandbox);
}

void PortRadar::setVisible(bool isVisible)
{
    if (std::exchange(m_isVisible, isVisible) == isVisible)
        return;
    for (auto &[key, place] : m_places) {
        stop(place);
        schedule(place);
    }
}

void PortRadar::setReachable(const SandboxId &sandbox, bool isReachable)
{
    Place &place = placeOf(sandbox);
    if (std::exchange(place.isReachable, isReachable) == isReachable)
        return;
    place.isMute = false;
    place.failures = 0;
    place.cost = 0ms;
    forget(place);
    if (isReachable)
        lookAt(place, m_services.now());
    emit changed(sandbox);
}

void PortRadar::noteUse(const SandboxId &sandbox)
{
    constexpr auto soon = 1s; // keys come fast
    const auto now = m_services.now();
    Place &place = placeOf(sandbox);
    if (place.lastUse && now - *place.lastUse < soon)
        return;
    place.lastUse = now;
    if (place.cancelTimer)
        schedule(place);
}

void PortRadar::notePrinted(const SandboxId &sandbox, const QUrl &url)
{
    const quint16 port = portOfLocalUrl(url);
    if (!m_isOn || !isOfInterest(sandbox, port))
        return;
    Place &place = placeOf(sandbox);
    const auto seen = place.ports.find(port);
    if (seen != place.ports.end() && !seen->second.found.url.isEmpty()) {
        // A server names itself with each page that it serves, and with another key after a new start.
        if (std::exchange(seen->second.found.url, url) != url)
            emit changed(sandbox);
        return;
    }
    if (!place.prints.contains(port) && place.prints.size() >= kMostPrints)
        return;
    Print &print = place.prints[port];
    const bool differs = std::exchange(print.url, url) != url;
    print.at = m_services.now();
    if (canLook(place))
        return lookAt(place, qMax(print.at, place.done) + m_timing.printed);
    if (!std::exchange(print.isTold, true))
        tell(sandbox, {{port, u"localhost"_s, {}, url, false}});
    else if (differs)
        emit changed(sandbox);
}

QList<FoundPort> PortRadar::ports(const SandboxId &sandbox) const
{
    QList<FoundPort> found;
    const auto there = m_places.find(sandbox.toString());
    if (there == m_places.end())
        return found;
    for (const auto &[port, one] : there->second.ports)
        found.append(one.found);
    for (const auto &[port, print] : there->second.prints) {
        if (print.isTold)
            found.append({port, u"localhost"_s, {}, print.url, false});
    }
    return found;
}

PortRadar::Place &PortRadar::placeOf(const SandboxId &sandbox)
{
    Place &place = m_places[sandbox.toString()];
    place.sandbox = sandbox;
    return place;
}

bool PortRadar::isOfInterest(const SandboxId &sandbox, quint16 port) const
{
    const SandboxProvider *provider = m_services.registry ? m_services.registry->provider(sandbox.account) : nullptr;
    return port >= kFirstOfAPerson && !(provider && provider->agentPorts().contains(port));
}

std::chrono::milliseconds PortRadar::pauseAfter(const Place &place) const
{
    const bool isUsed = place.lastUse && m_services.now() - *place.lastUse < m_timing.used;
    auto pause = isUsed ? m_timing.busy : m_timing.calm;
    if (place.cost > m_timing.slow)
        pause = qMax(pause, place.cost * kPausesOfASlowLook);
    return qMin(m_timing.longest, pause * (1 << qMin(place.failures, kMostDoublings)));
}

void PortRadar::schedule(Place &place)
{
    lookAt(place, place.done + pauseAfter(place));
}

// At that time, or at an earlier one that is set already.
void PortRadar::lookAt(Place &place, std::chrono::milliseconds when)
{
    if (!m_isOn || !m_isVisible || !canLook(place) || place.command || (place.cancelTimer && place.due <= when))
        return;
    if (place.cancelTimer)
        place.cancelTimer();
    place.due = when;
    place.cancelTimer = m_services.after(qMax(0ms, when - m_services.now()), this, [this, &place] {
        place.cancelTimer = nullptr;
        look(place);
    });
}

void PortRadar::look(Place &place)
{
    const std::optional<Sandbox> sandbox = m_services.registry ? m_services.registry->sandbox(place.sandbox) : std::nullopt;
    // A connection may outlive, for a moment, that for which nobody may be asked.
    if (!sandbox || !isAsleep(*sandbox))
        place.command = m_services.command(place.sandbox, {portLookCommand(place.sockets), {}, {}});
    place.asked = place.done = m_services.now();
    if (place.command)
        ask(place);
    else
        schedule(place);
}

void PortRadar::ask(Place &place)
{
    place.output.clear();
    RemoteCommand *command = place.command.get();
    connect(command, &RemoteCommand::outputReceived, this, [this, &place, command](const QByteArray &bytes) {
        command->consumed(bytes.size());
        place.output += bytes;
        if (place.output.size() > kMostOfAPortLook)
            failed(place);
    });
    connect(command, &RemoteCommand::errorOutputReceived, this, [command](const QByteArray &bytes) { command->consumed(bytes.size()); });
    connect(command, &RemoteCommand::ended, this, [this, &place](const ShellEnd &end) { answered(place, end); });
    place.cancelTimer = m_services.after(m_timing.patience, this, [this, &place] { failed(place); });
    command->start();
}

void PortRadar::failed(Place &place)
{
    stop(place);
    place.done = m_services.now();
    ++place.failures;
    schedule(place);
}

void PortRadar::answered(Place &place, const ShellEnd &end)
{
    const std::optional<PortLook> look = readPortLook(place.output);
    if (!look && end.kind != ShellEnd::Kind::Exited)
        return failed(place);
    stop(place);
    place.done = m_services.now();
    place.cost = place.done - place.asked;
    place.failures = 0;
    if (look)
        return take(place, *look);
    // Another answer will not come from there: a forced command, a system without these tables.
    qCInfo(lcRadar).noquote() << "ports cannot be looked at:" << place.sandbox.toString();
    place.isMute = true;
    tell(place.sandbox, takePrints(place));
}

void PortRadar::take(Place &place, const PortLook &look)
{
    const bool isFirst = !std::exchange(place.hasLooked, true);
    const std::map<quint16, Port> before = std::exchange(place.ports, {});
    place.sockets.clear();
    for (const ListeningPort &port : look.ports) {
        place.sockets.insert(port.socket);
        if (!isOfInterest(place.sandbox, port.port) || isAnotherPersons(port, look.user))
            continue;
        const auto known = before.find(port.port);
        Port &now = place.ports[port.port];
        now.found = {port.port, port.host, port.process, {}, true};
        now.isTold = isFirst || look.isFleeting(port.port);
        if (known == before.end())
            continue;
        // Names are looked up once for each socket.
        if (port.process.isEmpty())
            now.found.process = known->second.found.process;
        now.found.url = known->second.found.url;
        now.isTold = known->second.isTold;
    }
    for (const auto &[number, port] : before) {
        if (!place.ports.contains(number) && port.missed + 1 < kMissedIsGone)
            place.ports.insert({number, {port.found, port.missed + 1, port.isTold}});
    }
    QList<FoundPort> begun = takePrints(place);
    for (auto &[number, port] : place.ports) {
        if (!std::exchange(port.isTold, true))
            begun.append(port.found);
    }
    schedule(place);
    const auto what = [](const auto &one) { return one.second.found; };
    if (isFirst || !begun.isEmpty() || !std::ranges::equal(before, place.ports, {}, what, what))
        tell(place.sandbox, begun);
}

QList<FoundPort> PortRadar::takePrints(Place &place)
{
    QList<FoundPort> begun;
    for (auto it = place.prints.begin(); it != place.prints.end();) {
        auto &[number, print] = *it;
        const auto seen = place.ports.find(number);
        if (seen != place.ports.end()) {
            seen->second.found.url = print.url;
            seen->second.isTold = true;
            if (!print.isTold)
                begun.append(seen->second.found);
            it = place.prints.erase(it);
        } else if (!place.isMute && m_services.now() - print.at > m_timing.believed) {
            it = place.prints.erase(it);
        } else {
            if (place.isMute && !std::exchange(print.isTold, true))
                begun.append({number, u"localhost"_s, {}, print.url, false});
            ++it;
        }
    }
    return begun;
}

void PortRadar::tell(const SandboxId &sandbox, const QList<FoundPort> &begun)
{
    // By value: whoever hears of it may make us forget the place.
    const SandboxId where = sandbox;
    const QPointer<PortRadar> self(this);
    emit changed(where);
    for (const FoundPort &port : begun) {
        if (self)
            emit began(where, port);
    }
}

void PortRadar::stop(Place &place)
{
    if (const auto cancel = std::exchange(place.cancelTimer, nullptr))
        cancel();
    if (!place.command)
        return;
    // We may be inside one of its signals.
    place.command->disconnect(this);
    place.command.release()->deleteLater();
}

void PortRadar::forget(Place &place)
{
    stop(place);
    place.ports.clear();
    place.prints.clear();
    place.sockets.clear();
    place.hasLooked = false;
    place.done = 0ms;
}

void PortRadar::followSandboxes(const QString &accountId)
{
    for (auto &[key, place] : m_places) {
        if (place.sandbox.account != accountId || (place.ports.empty() && place.prints.empty()))
            continue;
        const std::optional<Sandbox> sandbox = m_services.registry->sandbox(place.sandbox);
        // A host that was typed in is in no list, and there as long as it is reached.
        if (sandbox ? !isAsleep(*sandbox) : place.isReachable)
            continue;
        forget(place);
        schedule(place);
        emit changed(place.sandbox);
    }
}

} // namespace Sandpiper
