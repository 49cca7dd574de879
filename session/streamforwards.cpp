#include "session/streamforwards.h"

#include <QLoggingCategory>
#include <QSocketNotifier>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {

static Q_LOGGING_CATEGORY(lcStreamForwards, "sandpiper.session.streamforwards", QtInfoMsg)

struct StreamForwards::Forward
{
    int id = 0;
    ForwardSpec spec;
    ForwardStatus status;
    std::unique_ptr<ForwardDoor> door; // here
    struct Connection
    {
        StreamJoint *joint = nullptr; // a child of the forwards
        ForwardConnection told;
    };
    std::vector<Connection> connections;
    ForwardRate rate;
    quint64 lastConnection = 0;
    qint64 pastSent = 0; // of connections that are over
    qint64 pastReceived = 0;
    bool hasNews = false;

    // Its connection goes; what it carried stays counted.
    void retire(const StreamJoint &joint)
    {
        pastSent += joint.sent();
        pastReceived += joint.received();
    }
    std::unique_ptr<HeldForward> held;
    std::optional<Error> trouble; // that was told last
};

void FarSide::listen(int id, const ForwardSpec::End &)
{
    QMetaObject::invokeMethod(this, [this, id] { emit cannotListen(id, {ErrorKind::Unsupported, Layer::Provider, u"nothing can listen there"_s, {}}); }, Qt::QueuedConnection);
}

StreamForwards::StreamForwards(std::unique_ptr<FarSide> side, ForwardWay way, const ForwardOwner &owner, const ForwardRules &rules,
                               std::function<void(const ForwardReport &)> tell, std::function<void(int, const ForwardTraffic &)> tellTraffic)
    : m_side(std::move(side))
    , m_way(way)
    , m_owner(owner)
    , m_rules(rules)
    , m_tell(std::move(tell))
    , m_tellTraffic(std::move(tellTraffic))
    , m_dialBell(std::make_unique<QSocketNotifier>(m_dial.descriptor(), QSocketNotifier::Read))
{
    m_trafficRest.setSingleShot(true);
    connect(&m_trafficRest, &QTimer::timeout, this, &StreamForwards::tellAllTraffic);
    connect(m_dialBell.get(), &QSocketNotifier::activated, this, &StreamForwards::dialled);
    connect(m_side.get(), &FarSide::listens, this, [this](int id, const ForwardSpec::End &at) {
        if (Forward *forward = find(id))
            listens(*forward, at);
    });
    connect(m_side.get(), &FarSide::cannotListen, this, [this](int id, const Error &why) {
        if (Forward *forward = find(id))
            fail(*forward, why);
    });
    connect(m_side.get(), &FarSide::came, this, &StreamForwards::joinHere);
}

StreamForwards::~StreamForwards()
{
    for (const auto &[id, forward] : m_forwards)
        close(*forward);
    // Streams know their side.
    m_awaited.clear();
    qDeleteAll(findChildren<StreamJoint *>(Qt::FindDirectChildrenOnly));
}

StreamForwards::Forward *StreamForwards::find(int id)
{
    const auto it = m_forwards.find(id);
    return it == m_forwards.end() || it->second->status.isOver() ? nullptr : it->second.get();
}

void StreamForwards::add(int id, const ForwardSpec &spec)
{
    auto forward = std::make_unique<Forward>();
    forward->id = id;
    forward->spec = spec;
    Forward &added = *m_forwards.emplace(id, std::move(forward)).first->second;
    if (m_hasBegun)
        begin(added);
}

void StreamForwards::begin()
{
    m_hasBegun = true;
    for (const auto &[id, forward] : m_forwards)
        begin(*forward);
}

void StreamForwards::begin(Forward &forward)
{
    if (std::optional<Error> refusal = m_side->refusal(forward.spec)) {
        refusal->subject = m_owner.name;
        return fail(forward, *refusal);
    }
    listensHere(forward.spec.kind) ? listenHere(forward) : m_side->listen(forward.id, forward.spec.listen);
}

void StreamForwards::listenHere(Forward &forward)
{
    Result<ForwardListener> listener = ForwardListener::open(forward.spec.listen, m_rules);
    if (!listener) {
        bool isHeld = false;
        const Error error = HeldForward::explained(m_owner, forward.spec, listener.error(), isHeld);
        return fail(forward, error, isHeld);
    }
    const bool isProxy = forward.spec.kind == ForwardSpec::Kind::Dynamic;
    forward.door = std::make_unique<ForwardDoor>(*std::move(listener), isProxy ? ForwardDoor::Speaks::Socks : ForwardDoor::Speaks::Nothing, m_rules.greetingPatience,
                                                 [this] { return hasRoom(); },
                                                 [this, &forward](ForwardDoor::Visitor visitor) {
                                                     const ForwardSpec::End target = visitor.target.value_or(forward.spec.target);
                                                     join(forward, {std::move(visitor.stream), std::move(visitor.early), std::move(visitor.greeting)}, visitor.from, target);
                                                 });
    listens(forward, forward.door->at());
}

void StreamForwards::join(Forward &forward, StreamJoint::End end, const QString &from, const ForwardSpec::End &target)
{
    Result<std::unique_ptr<FarStream>> stream = m_side->reach(target);
    if (stream)
        return start(forward, std::move(end), *std::move(stream), from, target);
    StreamJoint::refuse(end, stream.error());
    tellTrouble(forward, stream.error());
}

void StreamForwards::joinHere(int id, FarStream *raw)
{
    std::unique_ptr<FarStream> stream(raw);
    Forward *forward = find(id);
    if (!forward || !hasRoom()) {
        qCWarning(lcStreamForwards).noquote() << m_owner.name << "brings a connection" << (forward ? "when there is no room" : "that nobody asked for");
        return;
    }
    if (std::optional<Result<FileDescriptor>> here = ForwardDial::atOnce(forward->spec.target)) {
        if (*here)
            return start(*forward, {**std::move(here), {}, {}}, std::move(stream), {}, forward->spec.target);
        return tellTrouble(*forward, here->error());
    }
    const quint64 call = ++m_lastCall;
    if (const Done done = m_dial.call(call, forward->spec.target, m_rules.dialPatience); !done)
        return tellTrouble(*forward, done.error());
    m_awaited.emplace(call, Awaited{id, std::move(stream)});
}

void StreamForwards::dialled()
{
    for (ForwardDial::Answer &answer : m_dial.takeAnswers()) {
        const auto it = m_awaited.find(answer.call);
        if (it == m_awaited.end())
            continue;
        Awaited awaited = std::move(it->second);
        m_awaited.erase(it);
        Forward *forward = find(awaited.id);
        if (!forward)
            continue;
        if (answer.stream)
            start(*forward, {*std::move(answer.stream), {}, {}}, std::move(awaited.stream), {}, forward->spec.target);
        else
            tellTrouble(*forward, answer.stream.error());
    }
    lookAgain();
}

void StreamForwards::start(Forward &forward, StreamJoint::End end, std::unique_ptr<FarStream> stream, const QString &from, const ForwardSpec::End &target)
{
    auto *joint = new StreamJoint(std::move(end), std::move(stream), m_rules.dialPatience, this);
    joint->setRate(&forward.rate);
    ForwardConnection connection;
    connection.id = ++forward.lastConnection;
    connection.from = from;
    connection.to = tamed(forwardEndText(target), 100);
    connection.since = connection.movedAt = QDateTime::currentDateTimeUtc();
    forward.connections.push_back({joint, connection});
    ++m_joints;
    noteTraffic(forward);
    connect(joint, &StreamJoint::moved, this, [this, &forward] { noteTraffic(forward); });
    connect(joint, &StreamJoint::met, this, [this, &forward] { tellTrouble(forward, {}); });
    connect(joint, &StreamJoint::over, this, [this, &forward, joint](const std::optional<Error> &neverMet) {
        forward.retire(*joint);
        std::erase_if(forward.connections, [joint](const auto &each) { return each.joint == joint; });
        --m_joints;
        noteTraffic(forward);
        joint->deleteLater();
        if (neverMet)
            tellTrouble(forward, neverMet);
        lookAgain();
    });
    joint->start();
}

void StreamForwards::listens(Forward &forward, const ForwardSpec::End &at)
{
    forward.held = std::make_unique<HeldForward>(m_owner, forward.spec, at);
    qCInfo(lcStreamForwards).noquote() << m_owner.name << forwardArgument(forward.spec) << "listens at" << forwardEndText(at);
    setState(forward, {ForwardStatus::State::Listening, at, {}, false, m_way});
}

void StreamForwards::setState(Forward &forward, ForwardStatus status)
{
    forward.status = std::move(status);
    m_tell({forward.id, forward.spec, forward.status, {}});
}

void StreamForwards::fail(Forward &forward, const Error &error, bool isHeldElsewhere)
{
    close(forward);
    qCInfo(lcStreamForwards).noquote() << m_owner.name << forwardFailure(forward.spec, error);
    setState(forward, {ForwardStatus::State::Failed, {}, error, isHeldElsewhere, m_way});
}

void StreamForwards::tellTrouble(Forward &forward, const std::optional<Error> &error)
{
    // At a SOCKS listener everybody is told themselves, and what they want is their own affair; but not what the
    // way there can never do.
    const bool isTheirs = forward.spec.kind == ForwardSpec::Kind::Dynamic && (!error || error->kind != ErrorKind::Unsupported);
    if (isTheirs || forward.trouble == error || (error && error->kind == ErrorKind::Cancelled))
        return;
    forward.trouble = error;
    if (error)
        m_tell({forward.id, forward.spec, forward.status, error});
}

void StreamForwards::close(Forward &forward)
{
    forward.door.reset();
    forward.held.reset();
    for (const Forward::Connection &each : std::exchange(forward.connections, {})) {
        --m_joints;
        each.joint->disconnect(this);
        forward.retire(*each.joint);
        forward.hasNews = true;
        delete each.joint;
    }
    tellTraffic(forward);
    std::erase_if(m_awaited, [&forward](const auto &awaited) { return awaited.second.id == forward.id; });
}

void StreamForwards::limit(int id, qint64 bytesPerSecond)
{
    const auto it = m_forwards.find(id);
    if (it == m_forwards.end())
        return;
    it->second->rate.limit(bytesPerSecond);
    // One may end for it, and leaves the list.
    const auto connections = it->second->connections;
    for (const Forward::Connection &each : connections)
        each.joint->rateChanged();
}

void StreamForwards::closeConnection(int id, quint64 connection)
{
    const auto it = m_forwards.find(id);
    if (it == m_forwards.end())
        return;
    const auto connections = it->second->connections;
    for (const Forward::Connection &each : connections) {
        if (each.told.id == connection)
            each.joint->close();
    }
}

void StreamForwards::noteTraffic(Forward &forward)
{
    forward.hasNews = true;
    if (!m_trafficRest.isActive())
        m_trafficRest.start(0ms);
}

void StreamForwards::tellAllTraffic()
{
    bool hadNews = false;
    for (const auto &[id, forward] : m_forwards) {
        hadNews = hadNews || forward->hasNews;
        tellTraffic(*forward);
    }
    if (hadNews)
        m_trafficRest.start(1s);
}

void StreamForwards::tellTraffic(Forward &forward)
{
    if (!std::exchange(forward.hasNews, false))
        return;
    const QDateTime now = QDateTime::currentDateTimeUtc();
    ForwardTraffic traffic{forward.pastSent, forward.pastReceived, qint64(forward.lastConnection), {}};
    for (Forward::Connection &each : forward.connections) {
        each.told.update(each.joint->sent(), each.joint->received(), now);
        traffic.sent += each.told.sent;
        traffic.received += each.told.received;
        traffic.open.append(each.told);
    }
    m_tellTraffic(forward.id, traffic);
}

void StreamForwards::stop(int id)
{
    const auto it = m_forwards.find(id);
    if (it == m_forwards.end())
        return;
    Forward &forward = *it->second;
    const bool isOver = forward.status.isOver();
    close(forward);
    if (!isOver) {
        if (m_hasBegun && !listensHere(forward.spec.kind))
            m_side->unlisten(id);
        setState(forward, {ForwardStatus::State::Stopped, {}, {}, false, m_way});
    }
    m_forwards.erase(it);
    lookAgain();
}

void StreamForwards::lose(const Error &error)
{
    for (const auto &[id, forward] : m_forwards) {
        const bool isOver = forward->status.isOver();
        close(*forward);
        if (!isOver)
            setState(*forward, {ForwardStatus::State::Lost, {}, error, false, m_way});
    }
}

bool StreamForwards::hasRoom() const
{
    size_t count = m_joints + m_awaited.size();
    for (const auto &[id, forward] : m_forwards)
        count += forward->door ? forward->door->greeted() : 0;
    return count < m_side->mostStreams();
}

void StreamForwards::lookAgain()
{
    for (const auto &[id, forward] : m_forwards) {
        if (forward->door)
            forward->door->look();
    }
}

} // namespace Sandpiper
