#include "session/bridgeframes.h"

#include <QtEndian>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype kFrameHead = 9;
constexpr quint32 kMostInAFrame = 64 << 10;
constexpr qsizetype kMostNoise = 64 << 10; // before the greeting
constexpr qsizetype kMostOfAGreeting = 200;
constexpr QByteArrayView kGreeting{"sandpiper-bridge"};

} // namespace

QByteArray bridgeFrame(char letter, quint32 number, QByteArrayView payload)
{
    QByteArray frame(kFrameHead, Qt::Uninitialized);
    frame[0] = letter;
    qToBigEndian(number, frame.data() + 1);
    qToBigEndian(quint32(payload.size()), frame.data() + 5);
    return frame.append(payload);
}

QByteArray bridgeCount(quint32 count)
{
    QByteArray bytes(sizeof count, Qt::Uninitialized);
    qToBigEndian(count, bytes.data());
    return bytes;
}

std::optional<quint32> bridgeCountIn(const QByteArray &payload)
{
    if (payload.size() != sizeof(quint32))
        return std::nullopt;
    return qFromBigEndian<quint32>(payload.constData());
}

QByteArray bridgePlace(const ForwardSpec::End &end)
{
    if (!end.path.isEmpty())
        return 'u' + end.path.toUtf8();
    QByteArray place("t\0\0", 3);
    qToBigEndian(end.port, place.data() + 1);
    const QString address = end.address.value_or(u"localhost"_s);
    return place + (address == "*"_L1 ? QByteArray() : address.toUtf8());
}

Error bridgeFailure(const QByteArray &payload, const QString &there)
{
    Error error{ErrorKind::Io, Layer::Tcp, tamed(u"from there to %1: %2"_s.arg(there, QString::fromUtf8(payload.sliced(std::min<qsizetype>(1, payload.size()))))), {}};
    switch (payload.isEmpty() ? 'x' : payload.front()) {
    case 'r': error.kind = ErrorKind::ConnectionRefused; break;
    case 'n': error.kind = ErrorKind::HostNotFound; break;
    case 'u': error.kind = ErrorKind::HostUnreachable; break;
    case 't': error.kind = ErrorKind::Timeout; break;
    case 'p': error.kind = ErrorKind::PermissionDenied; break;
    case 'i': error.kind = ErrorKind::Conflict; break;
    case 'a': error.kind = ErrorKind::InvalidInput; break;
    default: break;
    }
    return error;
}

Result<std::optional<BridgeFrame>> BridgeParser::next()
{
    const QByteArrayView left = QByteArrayView(m_bytes).sliced(m_at);
    if (left.size() >= kFrameHead) {
        const char letter = left.front();
        const auto size = qFromBigEndian<quint32>(left.data() + 5);
        if (!QByteArrayView("RKFADECW").contains(letter) || size > kMostInAFrame)
            return failure(ErrorKind::Protocol, Layer::Ssh, u"the relay in the sandbox sends what it must not"_s);
        if (left.size() >= kFrameHead + qsizetype(size)) {
            m_at += kFrameHead + qsizetype(size);
            return BridgeFrame{letter, qFromBigEndian<quint32>(left.data() + 1), left.sliced(kFrameHead, qsizetype(size)).toByteArray()};
        }
    }
    m_bytes.remove(0, std::exchange(m_at, 0));
    return std::optional<BridgeFrame>();
}

BridgeGreeting::State BridgeGreeting::take(QByteArrayView bytes)
{
    m_bytes.append(bytes);
    for (;;) {
        const qsizetype end = m_bytes.indexOf('\n');
        if (end < 0) {
            m_skipped += m_bytes.size() > kMostOfAGreeting ? m_bytes.size() : 0;
            if (m_bytes.size() > kMostOfAGreeting)
                m_bytes.clear();
            return m_skipped > kMostNoise ? State::Refused : State::Reading;
        }
        const QByteArray line = m_bytes.first(end).trimmed();
        m_bytes.remove(0, end + 1);
        if (line.size() <= kMostOfAGreeting && (line == kGreeting || line.startsWith(kGreeting.toByteArray() + ' '))) {
            m_tools = line.sliced(kGreeting.size()).trimmed().split(' ');
            return State::There;
        }
        m_skipped += end + 1;
        if (m_skipped > kMostNoise)
            return State::Refused;
    }
}

} // namespace Sandpiper
