#include "sftp/protocol.h"

#include "session/sftpversion.h"
#include "session/sshwire.h"
#include "sftp/filepath.h"

#include <algorithm>
#include <utility>
#include <vector>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// Answers that nobody waits for any more are awaited nonetheless; a server that owes more has stopped working.
constexpr size_t kMostAbandoned = 4096;
constexpr int kNobody = 0;
// More in one request brings nothing, and OpenSSH grants no more.
constexpr quint64 kMostInOne = 255 << 10;
// Small requests travel together: each piece of output becomes a packet of SSH, and a call into the kernel.
constexpr qsizetype kSmall = 4 << 10;
constexpr qsizetype kTogether = 32 << 10;

QString ourWordsFor(quint32 code)
{
    switch (SftpStatusCode(code)) {
    case SftpStatusCode::Ok: return u"success, where something else was due"_s;
    case SftpStatusCode::Eof: return u"end of file"_s;
    case SftpStatusCode::NoSuchFile: return u"no such file"_s;
    case SftpStatusCode::PermissionDenied: return u"permission denied"_s;
    case SftpStatusCode::Failure: return u"failure"_s;
    case SftpStatusCode::BadMessage: return u"bad message"_s;
    case SftpStatusCode::NoConnection: return u"no connection"_s;
    case SftpStatusCode::ConnectionLost: return u"connection lost"_s;
    case SftpStatusCode::Unsupported: return u"operation unsupported"_s;
    }
    return u"status %1"_s.arg(code);
}

} // namespace

Error errorOf(const SftpStatus &status, const QString &subject)
{
    ErrorKind kind = ErrorKind::ServerError;
    switch (status.code) {
    case quint32(SftpStatusCode::NoSuchFile):
    case 10: // of later versions, which some servers use: no such path
        kind = ErrorKind::NotFound;
        break;
    case quint32(SftpStatusCode::PermissionDenied):
    case 12: // write protect
        kind = ErrorKind::PermissionDenied;
        break;
    case quint32(SftpStatusCode::Ok):
    case quint32(SftpStatusCode::BadMessage): kind = ErrorKind::Protocol; break;
    case quint32(SftpStatusCode::NoConnection):
    case quint32(SftpStatusCode::ConnectionLost): kind = ErrorKind::ConnectionLost; break;
    case quint32(SftpStatusCode::Unsupported): kind = ErrorKind::Unsupported; break;
    case 11: // file already exists
    case 18: // directory not empty
        kind = ErrorKind::Conflict;
        break;
    case 14: // no space on file system
    case 15: // quota exceeded
        kind = ErrorKind::QuotaExceeded;
        break;
    default: break;
    }
    return {kind, Layer::Sftp, status.words.isEmpty() ? ourWordsFor(status.code) : status.words, subject};
}

SftpProtocol::SftpProtocol(const SftpPatience &patience, Events events)
    : m_patience(patience)
    , m_events(std::move(events))
{
}

void SftpProtocol::open(const QByteArray &serverBanner, Time now)
{
    m_server.banner = serverBanner;
    m_isOpen = true;
    m_opened = m_lastProgress = now;
    send(sftpInit());
}

void SftpProtocol::send(QByteArray packet)
{
    m_unsent += packet.size();
    // Never with the first: somebody may be looking at it.
    if (m_output.size() > 1 && packet.size() <= kSmall && m_output.back().size() < kTogether)
        m_output.back() += packet;
    else
        m_output.push_back(std::move(packet));
}

QByteArrayView SftpProtocol::output() const
{
    return m_output.empty() || m_isBroken ? QByteArrayView() : QByteArrayView(m_output.front()).sliced(m_outputSent);
}

void SftpProtocol::sent(qsizetype bytes, Time now)
{
    m_lastProgress = now;
    m_unsent -= bytes;
    m_outputSent += bytes;
    if (m_outputSent == m_output.front().size()) {
        m_output.pop_front();
        m_outputSent = 0;
    }
}

void SftpProtocol::request(SftpRequest request, int owner, Time now, Answer answer)
{
    Q_ASSERT(isReady());
    const quint32 id = ++m_lastId;
    const bool opensHandle = request.type() == SftpType::Open || request.type() == SftpType::Opendir;
    m_pending.emplace(id, Pending{owner, opensHandle, now, std::move(answer)});
    send(request.take(id));
}

void SftpProtocol::abandon(int owner, Time now)
{
    for (auto &[id, pending] : m_pending) {
        if (pending.owner == owner && pending.answer) {
            pending.answer = nullptr;
            pending.since = now;
            ++m_abandoned;
        }
    }
    if (m_abandoned > kMostAbandoned)
        fail({ErrorKind::Protocol, Layer::Sftp, u"the server owes too many answers"_s, {}});
}

void SftpProtocol::receive(QByteArrayView bytes, Time now)
{
    if (m_isBroken)
        return;
    m_lastProgress = now;
    QByteArray start; // of what is no SFTP, perhaps
    if (!m_isReady)
        start = m_framer.heldBytes().toByteArray().append(bytes.first(std::min<qsizetype>(bytes.size(), 80)));
    const Done fed = m_framer.feed(bytes, [this, now](QByteArrayView packet) { return take(packet, now); });
    if (fed)
        return;
    if (m_isReady)
        return fail(fed.error());
    // Mostly a start file of the login's shell that prints something.
    const QString words = tamed(shownBytes(QByteArrayView(start).first(std::min<qsizetype>(start.size(), 80))), 80);
    fail({ErrorKind::Protocol, Layer::Sftp, u"the server's first words are not SFTP: “%1”"_s.arg(words), {}});
}

bool SftpProtocol::take(QByteArrayView packet, Time now)
{
    if (!m_isReady)
        return takeVersion(packet, now);
    const Result<SftpReply> reply = readSftpReply(packet);
    if (!reply) {
        fail(reply.error());
        return false;
    }
    if (!m_pending.contains(reply->id)) {
        fail({ErrorKind::Protocol, Layer::Sftp, u"an answer to nothing that was asked (%1)"_s.arg(reply->id), {}});
        return false;
    }
    settle(reply->id, reply, now);
    return !m_isBroken;
}

void SftpProtocol::settle(quint32 id, const Result<SftpReply> &reply, Time now)
{
    auto node = m_pending.extract(id);
    Pending &pending = node.mapped();
    if (pending.answer)
        return pending.answer(reply);
    --m_abandoned;
    // Nobody knows of it any more.
    if (const auto *handle = reply && pending.opensHandle ? std::get_if<SftpHandle>(&reply->body) : nullptr)
        request(std::move(SftpRequest(SftpType::Close).string(handle->bytes)), kNobody, now, [](const Result<SftpReply> &) {});
}

bool SftpProtocol::takeVersion(QByteArrayView packet, Time now)
{
    const SftpVersion version = readSftpVersion(SshWire::string(packet));
    if (version.reading != SftpVersion::Reading::Whole || !m_isOpen) {
        fail({ErrorKind::Protocol, Layer::Sftp, u"the server's first packet is not its version"_s, {}});
        return false;
    }
    // It answers with the lower of ours and its own.
    if (version.version != 3) {
        fail({ErrorKind::Unsupported, Layer::Sftp, u"the server speaks version %1 of SFTP, and not 3"_s.arg(version.version), {}});
        return false;
    }
    m_server.setExtensions(version.extensions);
    m_isReady = true;
    if (m_server.has(SftpExtension::Limits))
        askLimits(now);
    m_events.known();
    return !m_isBroken;
}

void SftpProtocol::askLimits(Time now)
{
    request(std::move(SftpRequest(SftpType::Extended).string(nameOf(SftpExtension::Limits))), kNobody, now, [this](const Result<SftpReply> &reply) {
        const auto *limits = reply ? std::get_if<SftpExtendedReply>(&reply->body) : nullptr;
        QList<quint64> values; // of a packet, of a READ, of a WRITE, handles
        QByteArrayView rest = limits ? limits->bytes : QByteArrayView();
        if (!takeSftpLongs(rest, values, 4))
            return withdraw(SftpExtension::Limits);
        // 0: it does not say. What we read must fit in a packet that we take.
        const auto bounded = [](quint64 value) { return quint32(std::min(value == 0 ? kMostInOne : value, kMostInOne)); };
        // A packet carries more than its data.
        constexpr quint64 around = 1024;
        const quint64 packet = values[0] == 0 ? kMostInOne : values[0] > 2 * around ? values[0] - around : around;
        m_server.mostRead = std::min(bounded(values[1]), bounded(packet));
        m_server.mostWrite = std::min(bounded(values[2]), bounded(packet));
        m_events.known();
    });
}

void SftpProtocol::withdraw(SftpExtension extension)
{
    m_server.extensions.reset(size_t(extension));
    m_events.known();
}

SftpProtocol::Time SftpProtocol::deadlineOf(const Pending &pending) const
{
    return std::min(std::max(pending.since, m_lastProgress) + m_patience.silence, pending.since + m_patience.longest);
}

std::optional<SftpProtocol::Time> SftpProtocol::nextDeadline() const
{
    if (!m_isOpen || m_isBroken)
        return std::nullopt;
    if (!m_isReady)
        return m_opened + m_patience.silence;
    if (m_pending.empty())
        return std::nullopt;
    // The oldest comes first, but one that nobody waits for any more counts anew.
    Time first = Time::max();
    for (const auto &[id, pending] : m_pending) {
        first = std::min(first, deadlineOf(pending));
        if (pending.answer)
            break;
    }
    return first;
}

void SftpProtocol::expire(Time now)
{
    if (!m_isOpen || m_isBroken)
        return;
    if (!m_isReady) {
        if (now >= m_opened + m_patience.silence)
            fail({ErrorKind::Timeout, Layer::Sftp, u"the server has not said which SFTP it speaks"_s, {}});
        return;
    }
    if (m_pending.empty() || now < *nextDeadline())
        return;
    std::vector<Answer> late;
    bool isSilent = false;
    for (auto &[id, pending] : m_pending) {
        if (now < deadlineOf(pending))
            continue;
        // A second patience has passed, and it does not even answer that.
        if (!pending.answer) {
            isSilent = true;
            break;
        }
        late.push_back(std::exchange(pending.answer, nullptr));
        pending.since = now;
        ++m_abandoned;
    }
    for (const Answer &answer : late)
        answer(failure(ErrorKind::Timeout, Layer::Sftp, u"no answer in time"_s));
    if (isSilent)
        fail({ErrorKind::ConnectionLost, Layer::Sftp, u"the server has stopped answering"_s, {}});
}

void SftpProtocol::fail(const Error &error)
{
    if (std::exchange(m_isBroken, true))
        return;
    // The output stays where it is: whoever sends it may be looking at it.
    for (const auto &[id, pending] : std::exchange(m_pending, {})) {
        if (pending.answer)
            pending.answer(std::unexpected(error));
    }
    m_abandoned = 0;
    m_events.broken(error);
}

} // namespace Sandpiper
