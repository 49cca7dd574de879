#include "session/sshforwardsprivate.h"

#include <QLoggingCategory>

#include <algorithm>

#include <poll.h>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {

static Q_LOGGING_CATEGORY(lcForwards, "sandpiper.session.forwards", QtInfoMsg)

namespace {

using Kind = ForwardSpec::Kind;
using Clock = std::chrono::steady_clock;

// Of one link, all forwards together: who comes when they are all there waits in the system's queue.
constexpr size_t kMostConnections = 512;
constexpr auto kRestWithoutDescriptors = 250ms;

TunnelSpec targetOf(const ForwardSpec &spec)
{
    TunnelSpec tunnel;
    tunnel.host = spec.target.address.value_or(u"localhost"_s);
    tunnel.port = spec.target.port;
    tunnel.path = spec.target.path;
    return tunnel;
}

} // namespace

SshForwards::SshForwards(LinkMail &mail, bool &woken, LateChannels &late)
    : m_mail(mail)
    , m_woken(woken)
    , m_late(late)
{
}

SshForwards::~SshForwards()
{
    drop();
}

SshForwards::Forward *SshForwards::find(int id)
{
    const auto it = std::ranges::find_if(m_forwards, [id](const auto &forward) { return forward->id == id; });
    return it == m_forwards.end() ? nullptr : it->get();
}

void SshForwards::add(int id, const ForwardSpec &spec)
{
    auto forward = std::make_unique<Forward>();
    forward->id = id;
    forward->spec = spec;
    m_forwards.push_back(std::move(forward));
}

void SshForwards::begin(const ForwardOwner &owner, const ForwardRules &rules)
{
    m_owner = owner;
    m_rules = rules;
    m_isReady = true;
}

void SshForwards::begin(Forward &forward, ssh_session session)
{
    forward.isBegun = true;
    const auto unsupported = [&](const QString &why) { fail(forward, {ErrorKind::Unsupported, Layer::Ssh, why, m_owner.name}); };
    switch (forward.spec.kind) {
    case Kind::Local:
        if (!forward.spec.target.path.isEmpty() && ssh_get_openssh_version(session) == 0)
            return unsupported(u"the SSH library reaches UNIX sockets through OpenSSH's server only, and this is another one"_s);
        return listenHere(forward);
    case Kind::Dynamic: return listenHere(forward);
    case Kind::Remote:
    case Kind::RemoteDynamic:
        if (!forward.spec.listen.path.isEmpty())
            return unsupported(u"the SSH library cannot ask a server to listen at a UNIX socket"_s);
        forward.address = forward.spec.listen.address.value_or(u"localhost"_s).toUtf8();
        if (forward.address == "*")
            forward.address.clear(); // RFC 4254 section 7.1: every interface
        forward.port = forward.spec.listen.port;
        return;
    }
}

void SshForwards::listenHere(Forward &forward)
{
    Result<ForwardListener> listener = ForwardListener::open(forward.spec.listen, m_rules);
    if (!listener) {
        bool isHeld = false;
        const Error error = HeldForward::explained(m_owner, forward.spec, listener.error(), isHeld);
        return fail(forward, error, isHeld);
    }
    forward.listener = std::make_unique<ForwardListener>(*std::move(listener));
    listens(forward, forward.listener->at());
}

void SshForwards::listens(Forward &forward, const ForwardSpec::End &at)
{
    forward.held = std::make_unique<HeldForward>(m_owner, forward.spec, at);
    qCInfo(lcForwards).noquote() << m_owner.name << forwardArgument(forward.spec) << "listens at" << forwardEndText(at);
    setState(forward, {ForwardStatus::State::Listening, at, {}, false});
}

void SshForwards::setState(Forward &forward, ForwardStatus status)
{
    forward.status = std::move(status);
    m_mail.events.put(FromLink::ForwardChanged{{forward.id, forward.spec, forward.status, {}}});
}

void SshForwards::fail(Forward &forward, const Error &error, bool isHeldElsewhere)
{
    close(forward);
    qCInfo(lcForwards).noquote() << m_owner.name << forwardFailure(forward.spec, error);
    setState(forward, {ForwardStatus::State::Failed, {}, error, isHeldElsewhere});
    if (forward.id >= 0)
        return;
    if (!isHeldElsewhere) {
        m_notices.append(forwardFailure(forward.spec, error));
        if (!m_firstFailure)
            m_firstFailure = error;
    } else if (!std::exchange(m_saidHeld, true)) {
        m_notices.append(u"The port forwards of %1 are served by another connection already."_s.arg(tamed(m_owner.name, 80)));
    }
}

void SshForwards::tellTrouble(Forward &forward, const std::optional<Error> &error)
{
    // At a SOCKS listener everybody is told themselves, and what they want is their own affair; but not what the
    // server allows.
    const bool isServers = forward.spec.kind == Kind::Dynamic && error && error->kind == ErrorKind::PermissionDenied;
    const bool isTheirs = !hasTarget(forward.spec.kind) && !isServers;
    if (isTheirs || forward.trouble == error || (error && error->kind == ErrorKind::Cancelled))
        return;
    forward.trouble = error;
    if (error)
        m_mail.events.put(FromLink::ForwardChanged{{forward.id, forward.spec, forward.status, error}});
}

bool SshForwards::isSettled() const
{
    return std::ranges::none_of(m_forwards, [](const auto &forward) { return forward->id < 0 && forward->status.state == ForwardStatus::State::Waiting; });
}

// Every descriptor leaves the event before it is closed: its number may be somebody else's right after.
void SshForwards::watch(int fd, Watched watched)
{
    const auto it = std::ranges::find(m_watched, fd);
    const bool isWatched = it != m_watched.end();
    if (!m_event || isWatched == (watched == Watched::Yes))
        return;
    if (isWatched) {
        ssh_event_remove_fd(m_event, fd);
        m_watched.erase(it);
        return;
    }
    const auto onReady = [](socket_t, int, void *self) {
        static_cast<SshForwards *>(self)->m_woken = true;
        return 0;
    };
    if (ssh_event_add_fd(m_event, fd, POLLIN, onReady, this) == SSH_OK)
        m_watched.push_back(fd);
}

void SshForwards::close(Forward &forward)
{
    forward.port = 0; // accept() takes nothing for it any more
    if (forward.listener) {
        for (const FileDescriptor &socket : forward.listener->sockets())
            watch(socket.get(), Watched::No);
    }
    for (const auto &client : forward.clients)
        watch(client->descriptor(), Watched::No);
    forward.listener.reset();
    forward.clients.clear();
    for (const Tunnel &tunnel : std::exchange(forward.tunnels, {}))
        forward.retire(*tunnel.channel);
    noteTraffic(forward);
    if (forward.tellAt)
        tellTraffic(forward);
    forward.held.reset();
    // Closing a channel may take packets in, and accept() appends: they leave the list first.
    const auto gone = std::stable_partition(m_accepted.begin(), m_accepted.end(), [&](const auto &accepted) { return accepted.first != forward.id; });
    const std::vector<std::pair<int, Tunnel>> dying(std::make_move_iterator(gone), std::make_move_iterator(m_accepted.end()));
    m_accepted.erase(gone, m_accepted.end());
}

void SshForwards::stop(int id)
{
    Forward *forward = find(id);
    if (!forward)
        return;
    const bool isThere = !listensHere(forward->spec.kind) && forward->status.state == ForwardStatus::State::Listening;
    if (isThere)
        m_toCancel.emplace_back(forward->address, forward->port);
    close(*forward);
    if (!forward->isOver())
        setState(*forward, {ForwardStatus::State::Stopped, {}, {}, false});
    std::erase_if(m_forwards, [id](const auto &each) { return each->id == id; });
}

void SshForwards::lose(const Error &error)
{
    for (const auto &forward : m_forwards) {
        const bool isOver = forward->isOver();
        close(*forward);
        if (!isOver)
            setState(*forward, {ForwardStatus::State::Lost, {}, error, false});
    }
}

void SshForwards::drop()
{
    for (const auto &forward : m_forwards)
        close(*forward);
    watch(m_dial.descriptor(), Watched::No);
    m_asking.reset();
    std::exchange(m_accepted, {}).clear();
    m_event = nullptr;
    m_isReady = false;
}

bool SshForwards::hasRoom() const
{
    size_t count = m_accepted.size();
    for (const auto &forward : m_forwards)
        count += forward->clients.size() + forward->tunnels.size();
    return count < kMostConnections;
}

std::optional<Clock::time_point> SshForwards::nextDeadline() const
{
    std::optional<Clock::time_point> next = m_restsUntil;
    const auto consider = [&next](const std::optional<Clock::time_point> &deadline) {
        if (deadline)
            next = std::min(next.value_or(*deadline), *deadline);
    };
    if (m_asking)
        consider(m_asking->deadline);
    for (const auto &forward : m_forwards) {
        for (const auto &client : forward->clients)
            consider(client->deadline());
        for (const Tunnel &tunnel : forward->tunnels)
            consider(tunnel.channel->nextDeadline());
        consider(forward->tellAt);
    }
    return next;
}

void SshForwards::pump(ssh_session session, ssh_event event, bool &awaitsLife, bool mayAsk)
{
    if (!m_isReady || (m_event == nullptr && m_forwards.empty() && m_toCancel.empty() && !m_asking))
        return;
    m_event = event;
    watch(m_dial.descriptor(), Watched::Yes);
    if (m_restsUntil && Clock::now() >= *m_restsUntil)
        m_restsUntil.reset();
    for (auto &[id, tunnel] : std::exchange(m_accepted, {})) {
        if (Forward *forward = find(id))
            join(*forward, std::move(tunnel), {});
    }
    pumpAnswers();
    for (const auto &forward : m_forwards) {
        if (!forward->isBegun)
            begin(*forward, session);
        if (!forward->isOver())
            pump(*forward, session);
    }
    pumpQuestions(session, awaitsLife, mayAsk);
}

void SshForwards::pumpAnswers()
{
    for (ForwardDial::Answer &answer : m_dial.takeAnswers()) {
        for (const auto &forward : m_forwards) {
            for (Tunnel &tunnel : forward->tunnels) {
                if (tunnel.call != answer.call)
                    continue;
                tunnel.channel->answer(std::move(answer.stream));
                answer.call = 0; // no call has this number
                tunnel.call = 0;
                break;
            }
            if (answer.call == 0)
                break;
        }
    }
}

void SshForwards::pump(Forward &forward, ssh_session session)
{
    if (forward.listener)
        acceptClients(forward);
    greetClients(forward);
    for (size_t i = 0, first = forward.turn++; i < forward.tunnels.size(); ++i) {
        Tunnel &tunnel = forward.tunnels[(first + i) % forward.tunnels.size()];
        tunnel.channel->pump(session, m_event);
        if (const std::optional<ForwardSpec::End> target = tunnel.channel->takeWish()) {
            if (!permitsRemoteTarget(m_rules, target->address.value_or(QString()), target->port))
                tunnel.channel->answer(failure(ErrorKind::PermissionDenied, Layer::Tcp, u"PermitRemoteOpen of your SSH configuration does not name it"_s));
            else if (std::optional<Result<FileDescriptor>> stream = dial(tunnel, *target))
                tunnel.channel->answer(*std::move(stream));
        }
        if (!tunnel.hasMet && tunnel.channel->hasMet()) {
            tunnel.hasMet = true;
            tellTrouble(forward, {});
        } else if (tunnel.channel->neverMet()) {
            tellTrouble(forward, tunnel.channel->neverMet());
        }
    }
    const auto isOver = [&forward](const Tunnel &tunnel) {
        if (!tunnel.channel->isOver())
            return false;
        forward.retire(*tunnel.channel);
        return true;
    };
    // There is room again, perhaps for somebody at another listener.
    if (std::erase_if(forward.tunnels, isOver) > 0)
        m_woken = true;
    noteTraffic(forward);
}

void SshForwards::acceptClients(Forward &forward)
{
    while (hasRoom() && !m_restsUntil) {
        ForwardListener::Shortage shortage = ForwardListener::Shortage::None;
        std::optional<ForwardListener::Accepted> accepted = forward.listener->accept(shortage);
        if (shortage == ForwardListener::Shortage::Descriptors)
            m_restsUntil = Clock::now() + kRestWithoutDescriptors;
        if (!accepted)
            break;
        if (forward.spec.kind == Kind::Dynamic) {
            forward.clients.push_back(std::make_unique<Client>(*std::move(accepted), Clock::now() + m_rules.greetingPatience));
            watch(forward.clients.back()->descriptor(), Watched::Yes);
            continue;
        }
        TunnelSpec spec = targetOf(forward.spec);
        spec.originHost = accepted->originHost;
        spec.originPort = accepted->originPort;
        spec.stream = std::make_shared<FileDescriptor>(std::move(accepted->stream));
        connectThrough(forward, spec);
    }
    const Watched watched = hasRoom() && !m_restsUntil ? Watched::Yes : Watched::No;
    for (const FileDescriptor &socket : forward.listener->sockets())
        watch(socket.get(), watched);
}

void SshForwards::greetClients(Forward &forward)
{
    for (const auto &client : forward.clients) {
        const SocksServer::State state = client->read();
        if (state == SocksServer::State::Reading)
            continue;
        watch(client->descriptor(), Watched::No);
        if (state == SocksServer::State::Asked)
            connectThrough(forward, client->tunnel());
        else
            client->leave();
    }
    if (std::erase_if(forward.clients, [](const auto &client) { return client->descriptor() < 0; }) > 0)
        m_woken = true;
}

void SshForwards::connectThrough(Forward &forward, const TunnelSpec &spec)
{
    TunnelSpec wanted = spec;
    wanted.patience = m_rules.dialPatience;
    join(forward, {std::make_unique<SshTunnelChannel>(0, wanted, m_mail, m_woken, m_late)}, ForwardListener::Accepted{{}, spec.originHost, spec.originPort}.originText());
}

void SshForwards::join(Forward &forward, Tunnel tunnel, const QString &from)
{
    tunnel.channel->setRate(&forward.rate);
    tunnel.told.id = ++forward.lastConnection;
    if (!from.isEmpty())
        tunnel.told.from = from;
    tunnel.told.since = tunnel.told.movedAt = QDateTime::currentDateTimeUtc();
    forward.tunnels.push_back(std::move(tunnel));
}

std::optional<Result<FileDescriptor>> SshForwards::dial(Tunnel &tunnel, const ForwardSpec::End &target)
{
    if (std::optional<Result<FileDescriptor>> stream = ForwardDial::atOnce(target))
        return stream;
    tunnel.call = ++m_lastCall;
    if (const Done done = m_dial.call(tunnel.call, target, m_rules.dialPatience); !done)
        return Result<FileDescriptor>(std::unexpected(done.error()));
    return std::nullopt;
}

ssh_channel SshForwards::accept(ssh_session session, const QByteArray &address, int port, const QByteArray &origin, int originPort)
{
    Forward *found = nullptr;
    for (const auto &forward : m_forwards) {
        // The first connection may come together with the answer to the question for the listener.
        const bool isThere = forward->status.state == ForwardStatus::State::Listening || (m_asking && m_asking->id == forward->id);
        if (listensHere(forward->spec.kind) || !isThere || forward->port != port || port == 0)
            continue;
        if (!found || forward->address == address)
            found = forward.get();
    }
    if (!found || !hasRoom()) {
        qCWarning(lcForwards).noquote() << m_owner.name << "brings a connection to its port" << port << (found ? "when there is no room" : "that nobody asked for");
        return nullptr;
    }
    TunnelSpec spec = targetOf(found->spec);
    spec.originHost = tamed(QString::fromUtf8(origin), 100);
    spec.originPort = quint16(originPort);
    spec.patience = m_rules.dialPatience;
    Tunnel tunnel;
    tunnel.told.from = u"%1:%2"_s.arg(spec.originHost).arg(spec.originPort);
    if (!hasTarget(found->spec.kind)) {
        spec.greetingPatience = m_rules.greetingPatience;
    } else if (std::optional<Result<FileDescriptor>> stream = dial(tunnel, found->spec.target)) {
        if (!*stream) {
            tellTrouble(*found, stream->error());
            return nullptr;
        }
        spec.stream = std::make_shared<FileDescriptor>(**std::move(stream));
    }
    tunnel.channel = std::make_unique<SshTunnelChannel>(ssh_channel_new(session), spec, m_mail, m_woken, m_late);
    if (tunnel.channel->isOver())
        return nullptr;
    const ssh_channel channel = tunnel.channel->channel();
    m_accepted.emplace_back(found->id, std::move(tunnel));
    return channel;
}

} // namespace Sandpiper
