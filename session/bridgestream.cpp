#include "session/bridgestream.h"

#include "session/bridgeside.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qint64 kMostInAPiece = 16 << 10;
constexpr qint64 kWorthSaying = kMostWaitingFar / 4;

Done bridgeBreach(const QString &what)
{
    return failure(ErrorKind::Protocol, Layer::Ssh, u"the relay in the sandbox %1"_s.arg(what));
}

} // namespace

BridgeStream::BridgeStream(BridgeSide *side, quint32 number, const std::optional<ForwardSpec::End> &target)
    : m_side(side)
    , m_number(number)
    , m_target(target)
    , m_isOpen(!target)
{
}

BridgeStream::~BridgeStream()
{
    if (m_side)
        reset();
}

void BridgeStream::start()
{
    if (m_side && m_target)
        m_side->say('O', m_number, bridgePlace(*m_target));
    QMetaObject::invokeMethod(this, &BridgeStream::tell, Qt::QueuedConnection);
}

void BridgeStream::tell()
{
    m_isStarted = true;
    if (m_target)
        return;
    if (m_brokenEarly) {
        emit ended(m_brokenEarly);
        return;
    }
    emit opened();
    if (!m_early.isEmpty())
        emit received(std::exchange(m_early, {}));
    if (m_inputEnded)
        emit inputEnded();
    settle();
}

void BridgeStream::send(QByteArrayView bytes)
{
    m_out.append(bytes);
    flush();
}

void BridgeStream::flush()
{
    qsizetype done = 0;
    while (m_side && m_credit > 0 && done < m_out.size() && m_side->hasRoom()) {
        const qint64 size = std::min({kMostInAPiece, m_credit, qint64(m_out.size() - done)});
        m_side->say('D', m_number, QByteArrayView(m_out).sliced(done, size));
        m_credit -= size;
        done += size;
    }
    m_out.remove(0, done);
    if (m_side && m_out.isEmpty() && m_outputEnded && !std::exchange(m_saidEnd, true))
        m_side->say('E', m_number);
}

void BridgeStream::pump()
{
    const qsizetype before = m_out.size();
    flush();
    if (m_out.size() < before)
        emit sent();
    settle();
}

void BridgeStream::grant(qint64 bytes)
{
    m_room += bytes;
    m_granted += bytes;
    if (m_side && m_granted >= kWorthSaying)
        m_side->say('W', m_number, bridgeCount(quint32(std::exchange(m_granted, 0))));
}

void BridgeStream::endOutput()
{
    m_outputEnded = true;
    flush();
    // No signal from inside the call.
    if (m_saidEnd && m_inputEnded)
        QMetaObject::invokeMethod(this, &BridgeStream::settle, Qt::QueuedConnection);
}

void BridgeStream::reset()
{
    if (m_side)
        m_side->say('C', m_number);
    leave();
}

void BridgeStream::leave()
{
    if (m_side)
        m_side->forget(m_number);
    m_side = nullptr;
}

void BridgeStream::settle()
{
    if (m_side && m_saidEnd && m_inputEnded)
        end({});
}

void BridgeStream::end(const std::optional<Error> &why)
{
    leave();
    if (m_isStarted || m_target)
        emit ended(why);
    else
        m_brokenEarly = why;
}

Done BridgeStream::take(const BridgeFrame &frame)
{
    switch (frame.letter) {
    case 'K':
        if (!m_target || std::exchange(m_isOpen, true))
            return bridgeBreach(u"opens what it was not asked to"_s);
        emit opened();
        return {};
    case 'F':
        if (m_isOpen)
            return bridgeBreach(u"fails what is open"_s);
        end(bridgeFailure(frame.payload, forwardEndText(*m_target)));
        return {};
    case 'D': return takeData(frame.payload);
    case 'E':
        if (!m_isOpen || std::exchange(m_inputEnded, true))
            return bridgeBreach(u"ends what is at its end"_s);
        if (m_isStarted) {
            emit inputEnded();
            settle();
        }
        return {};
    case 'C':
        end(Error{ErrorKind::ConnectionLost, Layer::Tcp, u"it was broken off there"_s, {}});
        return {};
    case 'W': {
        const std::optional<quint32> count = bridgeCountIn(frame.payload);
        if (!count || m_credit + qint64(*count) > kMostWaitingFar)
            return bridgeBreach(u"gives back more than it had"_s);
        m_credit += *count;
        pump();
        return {};
    }
    default: return bridgeBreach(u"says of a connection what makes no sense"_s);
    }
}

Done BridgeStream::takeData(const QByteArray &bytes)
{
    if (!m_isOpen || m_inputEnded || bytes.size() > m_room)
        return bridgeBreach(u"sends more than there is room for"_s);
    m_room -= bytes.size();
    if (m_isStarted)
        emit received(bytes);
    else
        m_early += bytes;
    return {};
}

} // namespace Sandpiper
