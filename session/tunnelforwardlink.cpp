#include "session/tunnelforwardlink.h"

#include "session/comeback.h"
#include "session/websocketstream.h"

#include <QHash>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

using Clock = std::chrono::steady_clock;

Error tunnelCannot(const QString &why)
{
    return {ErrorKind::Unsupported, Layer::Provider, why, {}};
}

std::optional<Error> tunnelTargetRefusal(const ForwardSpec::End &target)
{
    if (!target.path.isEmpty())
        return tunnelCannot(u"the vendor's tunnel leads to TCP ports, not to UNIX sockets"_s);
    const QString host = target.address.value_or(u"localhost"_s).toLower();
    if (host != "localhost"_L1 && host != "127.0.0.1"_L1)
        return tunnelCannot(u"the vendor's tunnel leads to the sandbox's own loopback, not to %1"_s.arg(tamed(host, 80)));
    return {};
}

// The vendor's page gives each status one meaning.
Error tunnelExplained(const Error &error, quint16 port)
{
    Error full = error;
    if (error.layer == Layer::WebSocket && error.detail.startsWith("HTTP 502"_L1)) {
        full.kind = ErrorKind::ConnectionRefused;
        full.layer = Layer::Tcp;
        full.detail = u"nothing in it takes connections at port %1 (%2)"_s.arg(port).arg(error.detail);
    } else if (error.layer == Layer::WebSocket && error.detail.startsWith("HTTP 400"_L1)) {
        full.detail = u"the vendor's tunnel does not lead to port %1 (%2)"_s.arg(port).arg(error.detail);
    }
    return full;
}

} // namespace

class TunnelForwardLink::Side : public FarSide
{
public:
    struct Asks // in the I/O thread
    {
        std::function<void(Call call)> dial;
        std::function<void()> reached;
        std::function<void()> sleeps; // it is said not to run
    };
    Side(Asks asks, const std::function<void()> &ready)
        : m_asks(std::move(asks))
    {
        QMetaObject::invokeMethod(this, ready, Qt::QueuedConnection); // there is nothing to wait for
    }

    [[nodiscard]] std::optional<Error> refusal(const ForwardSpec &spec) const override { return tunnelRefusal(spec); }

    [[nodiscard]] Result<std::unique_ptr<FarStream>> reach(const ForwardSpec::End &target) override
    {
        if (const std::optional<Error> refusal = tunnelTargetRefusal(target))
            return std::unexpected(*refusal);
        const Call call{++m_lastCall, target.port};
        auto stream = std::make_unique<WebSocketStream>([this, call] { m_asks.dial(call); },
                                                        [this, call](const Error &error) {
                                                            if (error.kind == ErrorKind::SandboxNotRunning)
                                                                m_asks.sleeps();
                                                            return tunnelExplained(error, call.port);
                                                        });
        connect(stream.get(), &FarStream::opened, this, m_asks.reached);
        connect(stream.get(), &QObject::destroyed, this, [this, call] { m_streams.remove(call.number); });
        m_streams.insert(call.number, stream.get());
        return stream;
    }

    void go(quint64 call, const Result<WebSocketRequest> &request, std::chrono::milliseconds patience)
    {
        const auto it = m_streams.constFind(call);
        if (it != m_streams.cend())
            (*it)->go(request, patience);
    }

private:
    Asks m_asks;
    QHash<quint64, WebSocketStream *> m_streams;
    quint64 m_lastCall = 0;
};

std::optional<Error> tunnelRefusal(const ForwardSpec &spec)
{
    if (!listensHere(spec.kind))
        return tunnelCannot(u"the vendor's tunnel leads into the sandbox, and not from there to this computer"_s);
    return spec.kind == ForwardSpec::Kind::Local ? tunnelTargetRefusal(spec.target) : std::nullopt;
}

TunnelForwardLink::TunnelForwardLink(const Sandbox &sandbox, SandboxProvider *provider, std::chrono::milliseconds known, QObject *parent)
    : StreamForwardLink(ForwardWay::Tunnel, {sandbox.id.toString(), sandbox.displayName()}, {}, parent)
    , m_sandbox(sandbox)
    , m_provider(provider)
    , m_known(known)
    , m_seenRunning(Clock::now())
{
}

StreamForwardLink::SideMaker TunnelForwardLink::sideMaker()
{
    Side::Asks asks{[news = news(), this](Call call) { news->put([this, call] { wanted(call); }); },
                    [news = news(), this] { news->put([this] { m_seenRunning = Clock::now(); }); },
                    [news = news(), this] { news->put([this] { probe(); }); }};
    return [asks = std::move(asks)](const SideWords &words) { return std::make_unique<Side>(asks, words.ready); };
}

void TunnelForwardLink::wanted(Call call)
{
    m_calls.push_back(call);
    if (Clock::now() - m_seenRunning < m_known)
        dialAll();
    else
        ask();
}

void TunnelForwardLink::probe()
{
    ask();
}

void TunnelForwardLink::ask()
{
    if (m_isAsking)
        return;
    if (!m_provider)
        return end({ErrorKind::Unsupported, Layer::Provider, u"the account of this sandbox is not here any more"_s, m_sandbox.displayName()});
    m_isAsking = true;
    m_provider->find(m_sandbox.id.id).then(this, [this](const Result<Sandbox> &result) { found(result); }).onCanceled(this, [this] {
        found(failure(ErrorKind::ConnectionLost, Layer::Provider));
    });
}

void TunnelForwardLink::found(const Result<Sandbox> &result)
{
    m_isAsking = false;
    const Decision decision = afterFinding(result);
    if (decision.move == NextMove::Connect) {
        m_sandbox = *result; // addresses change
        m_seenRunning = Clock::now();
        return dialAll();
    }
    // Where nobody could be asked, the next connection asks again.
    if (!result && decision.move == NextMove::Wait) {
        for (const Call &call : std::exchange(m_calls, {}))
            dial(call, std::unexpected(result.error()));
        return;
    }
    end(decision.error);
}

void TunnelForwardLink::dialAll()
{
    for (const Call &call : std::exchange(m_calls, {}))
        dial(call, m_provider ? m_provider->tunnelRequest(m_sandbox, call.port) : failure(ErrorKind::Cancelled, Layer::Provider));
}

void TunnelForwardLink::dial(Call call, const Result<WebSocketRequest> &request)
{
    post([number = call.number, request](StreamForwards &forwards) { static_cast<Side *>(forwards.side())->go(number, request, ForwardRules().dialPatience); });
}

} // namespace Sandpiper
