#include "session/socksserver.h"

#include <QHostAddress>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype kMostOfAName = 255; // as RFC 1928 has it; for SOCKS 4 somebody must say a number

constexpr char kConnect = 1;
constexpr char kNoAuthentication = 0;
constexpr char kNoMethod = char(0xff);
enum AddressKind : char { Inet = 1, Name = 3, Inet6 = 4 };
enum Reply5 : char { Granted5 = 0, General = 1, NotAllowed = 2, HostUnreachable = 4, Refused5 = 5, Expired = 6, NoCommand = 7, NoAddress = 8 };
enum Reply4 : char { Granted4 = 90, Rejected4 = 91 };

QByteArray answer5(char reply)
{
    return QByteArray("\5", 1) + reply + QByteArray("\0\1\0\0\0\0\0\0", 8); // bound to 0.0.0.0:0: nobody needs to know
}

QByteArray answer4(char reply)
{
    return QByteArray(1, '\0') + reply + QByteArray(6, '\0');
}

quint16 numberAt(const QByteArray &bytes, qsizetype at)
{
    return quint16(quint8(bytes[at]) << 8 | quint8(bytes[at + 1]));
}

} // namespace

SocksServer::State SocksServer::take(QByteArrayView bytes)
{
    m_bytes.append(bytes);
    while (m_state == State::Reading && !m_bytes.isEmpty()) {
        const Stage before = m_stage;
        switch (m_stage) {
        case Stage::Version:
            if (m_bytes[0] == 5)
                m_stage = Stage::Methods;
            else if (m_bytes[0] == 4)
                m_stage = Stage::Version4;
            else
                refuse(u"this is not SOCKS"_s); // some other protocol would take an answer for its own
            break;
        case Stage::Methods: methods(); break;
        case Stage::Request: request(); break;
        case Stage::Version4: version4(); break;
        }
        if (m_stage == before)
            break; // more must come
    }
    return m_state;
}

void SocksServer::methods()
{
    if (m_bytes.size() < 2 || m_bytes.size() < 2 + quint8(m_bytes[1]))
        return;
    const QByteArray offered = m_bytes.sliced(2, quint8(m_bytes[1]));
    m_bytes.remove(0, 2 + offered.size());
    if (!offered.contains(kNoAuthentication))
        return refuse(u"the client wants to authenticate"_s, QByteArray("\5", 1) + kNoMethod);
    m_toSend += QByteArray("\5", 1) + kNoAuthentication;
    m_stage = Stage::Request;
}

void SocksServer::request()
{
    if (m_bytes.size() < 5)
        return;
    if (m_bytes[0] != 5)
        return refuse(u"this is not SOCKS 5"_s, answer5(General));
    qsizetype length = 0;
    qsizetype at = 4;
    switch (m_bytes[3]) {
    case Inet: length = 4; break;
    case Inet6: length = 16; break;
    case Name:
        length = quint8(m_bytes[4]);
        ++at;
        break;
    default: return refuse(u"the client knows another kind of address"_s, answer5(NoAddress));
    }
    if (m_bytes.size() < at + length + 2)
        return;
    if (m_bytes[1] != kConnect)
        return refuse(u"only CONNECT is served"_s, answer5(NoCommand));
    const QByteArray host = m_bytes.sliced(at, length);
    if (m_bytes[3] == Inet)
        m_host = QHostAddress(quint32(numberAt(host, 0)) << 16 | numberAt(host, 2)).toString();
    else if (m_bytes[3] == Inet6)
        m_host = QHostAddress(reinterpret_cast<const quint8 *>(host.constData())).toString();
    else if (!setHost(host))
        return refuse(u"the client asks for no name of a host"_s, answer5(General));
    m_port = numberAt(m_bytes, at + length);
    ask(at + length + 2);
}

// 4, command, port, address, user NUL; and behind an address 0.0.0.x a name NUL.
void SocksServer::version4()
{
    constexpr qsizetype head = 8;
    if (m_bytes.size() < head)
        return;
    const qsizetype user = m_bytes.indexOf('\0', head);
    if (user < 0 ? m_bytes.size() > head + kMostOfAName : user > head + kMostOfAName)
        return refuse(u"the name of the user does not end"_s, answer4(Rejected4));
    if (user < 0)
        return;
    const quint32 address = quint32(numberAt(m_bytes, 4)) << 16 | numberAt(m_bytes, 6);
    qsizetype size = user + 1;
    QByteArray name;
    if (address != 0 && address < 256) {
        const qsizetype end = m_bytes.indexOf('\0', size);
        if (end < 0 ? m_bytes.size() > size + kMostOfAName : end > size + kMostOfAName)
            return refuse(u"the name of the host does not end"_s, answer4(Rejected4));
        if (end < 0)
            return;
        name = m_bytes.sliced(size, end - size);
        size = end + 1;
        if (!setHost(name))
            return refuse(u"the client asks for no name of a host"_s, answer4(Rejected4));
    } else {
        m_host = QHostAddress(address).toString();
    }
    if (m_bytes[1] != kConnect)
        return refuse(u"only CONNECT is served"_s, answer4(Rejected4));
    m_port = numberAt(m_bytes, 2);
    ask(size);
}

bool SocksServer::setHost(QByteArrayView name)
{
    const bool isName = !name.isEmpty() && !name.startsWith('-') && std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f; });
    m_host = isName ? QString::fromLatin1(name) : QString();
    return isName;
}

void SocksServer::ask(qsizetype size)
{
    m_bytes.remove(0, size);
    if (m_port == 0)
        return refuse(u"the client asks for port 0"_s, refused(ErrorKind::InvalidInput));
    m_state = State::Asked;
}

void SocksServer::refuse(const QString &why, const QByteArray &answer)
{
    m_state = State::Refused;
    m_mistake = why;
    m_toSend += answer;
    m_bytes.clear();
}

QByteArray SocksServer::granted() const
{
    return m_stage == Stage::Version4 ? answer4(Granted4) : answer5(Granted5);
}

QByteArray SocksServer::refused(ErrorKind why) const
{
    if (m_stage == Stage::Version4)
        return answer4(Rejected4);
    switch (why) {
    case ErrorKind::PermissionDenied: return answer5(NotAllowed);
    case ErrorKind::HostNotFound:
    case ErrorKind::HostUnreachable: return answer5(HostUnreachable);
    case ErrorKind::ConnectionRefused: return answer5(Refused5);
    case ErrorKind::Timeout: return answer5(Expired);
    default: return answer5(General);
    }
}

} // namespace Sandpiper
