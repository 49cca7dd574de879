#include "session/sshjump.h"

#include "session/sshchannel.h"
#include "session/sshlinkcore.h"

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype kMostJumps = 8;
constexpr quint16 kUsualPort = 22;

QString textOf(const SshJumpHop &hop)
{
    return (hop.user.isEmpty() ? QString() : hop.user + u'@') + hop.host + (hop.port == 0 ? QString() : u":%1"_s.arg(hop.port));
}

SshJumpHop asHop(const LinkOptions &link)
{
    const SshEndpoint &endpoint = link.endpoint;
    const bool hasPort = link.portIsSaid || endpoint.port != kUsualPort;
    return {endpoint.user, endpoint.alias.isEmpty() ? endpoint.host : endpoint.alias, hasPort ? endpoint.port : quint16(0)};
}

bool isSame(const SshJumpHop &a, const SshJumpHop &b)
{
    return a.user == b.user && a.port == b.port && a.host.compare(b.host, Qt::CaseInsensitive) == 0;
}

} // namespace

SshJump::SshJump(const LinkOptions &link, PromptHandler *prompts)
    : m_link(link)
    , m_prompts(prompts)
{
}

SshJump::~SshJump()
{
    m_tunnel.reset(); // it says good-bye over the link
}

Result<LinkOptions> SshJump::optionsFor(const QList<SshJumpHop> &hops) const
{
    const SshJumpHop &hop = hops.constLast();
    LinkOptions options;
    options.endpoint.alias = hop.host;
    options.endpoint.user = hop.user;
    options.endpoint.port = hop.port == 0 ? kUsualPort : hop.port;
    options.portIsSaid = hop.port != 0;
    options.displayName = u"%1, on the way to %2"_s.arg(tamed(textOf(hop), 100), m_link.displayName.isEmpty() ? asHop(m_link).host : m_link.displayName);
    options.knownHostsFiles = m_link.knownHostsFiles;
    options.connectTimeout = m_link.connectTimeout;
    options.keepAlive = m_link.keepAlive;
    options.keepAliveCount = m_link.keepAliveCount;
    options.agentSocket = m_link.agentSocket;
    options.useAgent = m_link.useAgent;
    options.useDefaultKeys = m_link.useDefaultKeys;
    if (hops.size() > 1)
        options.transport = JumpTransport{hops.first(hops.size() - 1)};
    options.travelled = m_link.travelled;
    options.travelled.append(asHop(m_link));
    const bool isLoop = std::ranges::any_of(options.travelled, [&](const SshJumpHop &seen) { return isSame(seen, hop); });
    if (isLoop)
        return failure(ErrorKind::InvalidInput, Layer::Ssh, u"the jumps lead in a circle: %1 is on its own way"_s.arg(tamed(textOf(hop), 100)));
    if (options.travelled.size() > kMostJumps)
        return failure(ErrorKind::TooLarge, Layer::Ssh, u"more than %1 jumps lead there"_s.arg(kMostJumps));
    return options;
}

void SshJump::open(const FromLink::NeedTransport &request)
{
    m_request = request;
    m_isOpening = true;
    m_tunnel.reset();
    if (m_core && m_core->state() != LinkState::Closed)
        return dig();
    const Result<LinkOptions> options = request.hops.isEmpty() ? failure(ErrorKind::InvalidInput, Layer::Ssh, u"no jump is named"_s)
                                                               : optionsFor(request.hops);
    if (!options) {
        QMetaObject::invokeMethod(this, [this, error = options.error()] { fail(error); }, Qt::QueuedConnection);
        return;
    }
    m_name = options->displayName;
    m_core = std::make_unique<SshLinkCore>(*options, m_prompts);
    connect(m_core.get(), &SshLinkCore::bannerReceived, this, &SshJump::bannerReceived);
    m_core->connectToHost();
    dig();
}

void SshJump::dig()
{
    Result<SocketPair> pair = makeSocketPair();
    auto words = std::make_shared<TransportWords>();
    if (!pair || !words->isUsable()) {
        QMetaObject::invokeMethod(this, [this] { fail({ErrorKind::Io, Layer::Ssh, u"no file descriptors are left"_s, {}}); }, Qt::QueuedConnection);
        return;
    }
    TunnelSpec spec;
    spec.host = QString::fromLatin1(m_request.host);
    spec.port = m_request.port;
    spec.patience = m_link.connectTimeout;
    spec.stream = std::make_shared<FileDescriptor>(std::move(pair->ours));
    spec.words = words;
    m_transport = std::make_shared<OpenTransport>(OpenTransport{std::move(pair->theirs), words, nullptr});
    m_tunnel = std::make_unique<SshChannel>(m_core.get(), spec);
    connect(m_tunnel.get(), &SshChannel::opened, this, [this] {
        m_isOpening = false;
        emit opened(m_request.request, std::exchange(m_transport, nullptr));
    });
    connect(m_tunnel.get(), &SshChannel::ended, this, [this](const ShellEnd &end) {
        if (m_isOpening)
            fail(end.error);
    });
}

void SshJump::fail(Error error)
{
    m_isOpening = false;
    m_transport.reset();
    // What could not be reached is the hop, or the host behind it: the words say which.
    error.subject = error.subject.isEmpty() ? m_name : error.subject;
    emit failed(m_request.request, error);
}

} // namespace Sandpiper
