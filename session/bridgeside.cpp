#include "session/bridgeside.h"

#include "session/bridgestream.h"

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {
namespace {

constexpr auto kGreetingPatience = 20s;
constexpr size_t kMostPrograms = 8; // at once: servers count the sessions of a connection

Error bridgeCannot(const QString &why)
{
    return {ErrorKind::Unsupported, Layer::Ssh, why, {}};
}

} // namespace

BridgeSide::BridgeSide(FileDescriptor pipe, Asks asks)
    : m_asks(std::move(asks))
{
    m_patience.setSingleShot(true);
    m_patience.callOnTimeout(this, [this] { lose({ErrorKind::Timeout, Layer::Ssh, u"the shell there did not answer in time"_s, {}}); });
    m_patience.start(kGreetingPatience);
    connect(&m_pipe, &FarStream::received, this, [this](const QByteArray &bytes) {
        m_pipe.grant(bytes.size()); // what waits is bounded for each connection
        m_isGreeted ? taken(bytes) : greeted(bytes);
    });
    connect(&m_pipe, &FarStream::sent, this, &BridgeSide::drained);
    const auto over = [this] { lose({ErrorKind::ConnectionLost, Layer::Ssh, m_isGreeted ? u"the relay in the sandbox has ended"_s : u"the shell there said nothing of use"_s, {}}); };
    connect(&m_pipe, &FarStream::inputEnded, this, [this, over] {
        // Where there is no relay, the shell is not needed any more.
        if (!m_isReady || isRelay(m_tool))
            over();
    });
    connect(&m_pipe, &FarStream::ended, this, [this, over] {
        if (!m_isReady || isRelay(m_tool))
            over();
    });
    m_pipe.go(std::move(pipe));
}

BridgeSide::~BridgeSide() = default;

void BridgeSide::lose(const Error &error)
{
    m_patience.stop();
    if (!std::exchange(m_isLost, true))
        m_asks.lost(error);
}

void BridgeSide::greeted(QByteArrayView bytes)
{
    switch (m_greeting.take(bytes)) {
    case BridgeGreeting::State::Reading: return;
    case BridgeGreeting::State::Refused: return lose({ErrorKind::Protocol, Layer::Ssh, u"the shell there says other things than it was asked"_s, {}});
    case BridgeGreeting::State::There: break;
    }
    m_isGreeted = true;
    m_tool = bridgeToolOf(m_greeting.tools());
    if (m_tool == BridgeTool::None)
        return lose(bridgeCannot(u"there is none of python3, perl, socat, nc and bash in it, of which a bridge could be made"_s));
    if (isRelay(m_tool)) {
        m_pipe.send(relayScript(m_tool));
        return taken(m_greeting.rest());
    }
    m_patience.stop();
    m_isReady = true;
    m_asks.ready();
    m_pipe.endOutput();
}

void BridgeSide::taken(QByteArrayView bytes)
{
    m_parser.take(bytes);
    while (!m_isLost && isRelay(m_tool)) {
        const Result<std::optional<BridgeFrame>> frame = m_parser.next();
        if (!frame)
            return lose(frame.error());
        if (!*frame)
            return;
        if (const Done done = understand(**frame); !done)
            return lose(done.error());
    }
}

Done BridgeSide::understand(const BridgeFrame &frame)
{
    if (frame.letter == 'R') {
        if (std::exchange(m_isReady, true))
            return failure(ErrorKind::Protocol, Layer::Ssh, u"the relay in the sandbox begins twice"_s);
        m_patience.stop();
        m_asks.ready();
        return {};
    }
    if (frame.letter == 'A')
        return came(frame);
    const auto listener = m_listeners.constFind(frame.number);
    // Numbers of connections and of listeners are different ones: see listen().
    if (listener != m_listeners.cend() && frame.letter == 'K') {
        const ForwardSpec::End wanted = *listener;
        if (!wanted.path.isEmpty()) {
            emit listens(int(frame.number / 2), wanted);
            return {};
        }
        if (frame.payload.size() != 2)
            return failure(ErrorKind::Protocol, Layer::Ssh, u"the relay in the sandbox does not say where it listens"_s);
        const auto port = quint16(quint8(frame.payload.at(0)) << 8 | quint8(frame.payload.at(1)));
        emit listens(int(frame.number / 2), {wanted.address.value_or(u"localhost"_s), port, {}});
        return {};
    }
    if (listener != m_listeners.cend() && frame.letter == 'F') {
        const Error why = bridgeFailure(frame.payload, forwardEndText(*listener));
        m_listeners.erase(listener);
        emit cannotListen(int(frame.number / 2), why);
        return {};
    }
    // What is not there any more may still be spoken of.
    BridgeStream *stream = m_streams.value(frame.number);
    return stream ? stream->take(frame) : Done();
}

Done BridgeSide::came(const BridgeFrame &frame)
{
    const std::optional<quint32> listener = bridgeCountIn(frame.payload);
    if (!listener || frame.number < kFirstOfRelay || m_streams.contains(frame.number))
        return failure(ErrorKind::Protocol, Layer::Ssh, u"the relay in the sandbox brings a connection that makes no sense"_s);
    if (!m_listeners.contains(*listener)) { // it was stopped meanwhile
        say('C', frame.number);
        return {};
    }
    auto *stream = new BridgeStream(this, frame.number, std::nullopt);
    m_streams.insert(frame.number, stream);
    emit FarSide::came(int(*listener / 2), stream);
    return {};
}

void BridgeSide::say(char letter, quint32 number, QByteArrayView payload)
{
    if (!m_isLost)
        m_pipe.send(bridgeFrame(letter, number, payload));
}

void BridgeSide::drained()
{
    // Whoever is first in the list has no right to all of the room.
    const QList<BridgeStream *> streams = m_streams.values();
    const QList<QPointer<BridgeStream>> waiting(streams.cbegin(), streams.cend());
    for (const QPointer<BridgeStream> &stream : waiting) {
        if (stream && stream->waiting() > 0)
            stream->pump();
    }
}

std::optional<Error> BridgeSide::refusal(const ForwardSpec &spec) const
{
    if (spec.kind == ForwardSpec::Kind::RemoteDynamic)
        return bridgeCannot(u"SOCKS for those at the sandbox's end (-R without a target) is not served yet"_s);
    if (isRelay(m_tool))
        return {};
    if (!listensHere(spec.kind))
        return bridgeCannot(u"nothing can listen in it: that takes python3 or perl"_s);
    if (spec.kind == ForwardSpec::Kind::Local && connectionCommand(m_tool, spec.target).isEmpty())
        return bridgeCannot(u"what there is in it does not lead to %1: that takes python3 or perl"_s.arg(tamed(forwardEndText(spec.target), 120)));
    return {};
}

size_t BridgeSide::mostStreams() const
{
    return isRelay(m_tool) ? FarSide::mostStreams() : kMostPrograms;
}

Result<std::unique_ptr<FarStream>> BridgeSide::reach(const ForwardSpec::End &target)
{
    if (m_isLost)
        return failure(ErrorKind::ConnectionLost, Layer::Ssh);
    if (isRelay(m_tool)) {
        do
            m_lastNumber = (m_lastNumber + 2) % kFirstOfRelay; // odd ones are the listeners'
        while (m_lastNumber == 0 || m_streams.contains(m_lastNumber));
        auto stream = std::make_unique<BridgeStream>(this, m_lastNumber, target);
        m_streams.insert(m_lastNumber, stream.get());
        return stream;
    }
    const QByteArray command = connectionCommand(m_tool, target);
    if (command.isEmpty())
        return std::unexpected(bridgeCannot(u"what there is in it does not lead to %1"_s.arg(tamed(forwardEndText(target), 120))));
    const quint64 call = ++m_lastCall;
    auto stream = std::make_unique<DescriptorStream>([this, call, command] { m_asks.dial(call, command); });
    connect(stream.get(), &QObject::destroyed, this, [this, call] { m_dialled.remove(call); });
    m_dialled.insert(call, stream.get());
    return stream;
}

void BridgeSide::go(quint64 call, Result<FileDescriptor> stream)
{
    if (DescriptorStream *dialled = m_dialled.value(call))
        dialled->go(std::move(stream));
}

void BridgeSide::listen(int id, const ForwardSpec::End &at)
{
    const quint32 number = quint32(id) * 2 + 1;
    m_listeners.insert(number, at);
    say('L', number, bridgePlace(at));
}

void BridgeSide::unlisten(int id)
{
    const quint32 number = quint32(id) * 2 + 1;
    if (m_listeners.remove(number))
        say('U', number);
}

} // namespace Sandpiper
