#include "session/streamjoint.h"

#include <array>
#include <cerrno>

#include <sys/socket.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// The vendors' tunnels are not known to take more in one message.
constexpr qsizetype kMostInOnePiece = 16 << 10;

} // namespace

StreamJoint::StreamJoint(End end, std::unique_ptr<FarStream> far, std::chrono::milliseconds patience, QObject *parent)
    : QObject(parent)
    , m_end(std::move(end))
    , m_far(far.release())
{
    m_far->setParent(this);
    m_patience.setSingleShot(true);
    m_patience.setInterval(patience);
    connect(&m_patience, &QTimer::timeout, this, [this] { farEnded(Error{ErrorKind::Timeout, Layer::Tcp, u"no answer in time"_s, {}}); });
    m_rest.setSingleShot(true);
    connect(&m_rest, &QTimer::timeout, this, &StreamJoint::rateChanged);
    connect(m_far, &FarStream::opened, this, &StreamJoint::opened);
    connect(m_far, &FarStream::received, this, [this](const QByteArray &bytes) {
        m_toStream += bytes;
        flush();
    });
    connect(m_far, &FarStream::sent, this, [this] {
        if (m_readable && !m_streamEnded && m_far->waiting() < kMostWaitingFar)
            m_readable->setEnabled(true);
    });
    connect(m_far, &FarStream::inputEnded, this, [this] {
        m_inputEnded = true;
        flush();
    });
    connect(m_far, &FarStream::ended, this, &StreamJoint::farEnded);
}

StreamJoint::~StreamJoint()
{
    m_far->disconnect(this);
    closeStream();
}

void StreamJoint::start()
{
    m_patience.start();
    m_far->start();
}

void StreamJoint::refuse(const End &end, const Error &why)
{
    if (!end.greeting)
        return;
    // A few bytes into a socket that nothing was sent on.
    const QByteArray words = end.greeting(&why);
    (void)::send(end.stream.get(), words.constData(), size_t(words.size()), MSG_NOSIGNAL);
}

void StreamJoint::rest(ForwardRate::Direction direction)
{
    const auto patience = m_rate->patience(direction);
    if (!m_rest.isActive() || m_rest.remainingTimeAsDuration() > patience)
        m_rest.start(patience);
}

void StreamJoint::rateChanged()
{
    if (m_isOver || !m_isOpen)
        return;
    m_rest.stop();
    flush();
    if (!m_isOver && !m_streamEnded && !m_farIsOver)
        readStream();
}

void StreamJoint::opened()
{
    m_patience.stop();
    m_isOpen = true;
    const QByteArray greeting = m_end.greeting ? m_end.greeting(nullptr) : QByteArray();
    m_ownWords = greeting.size();
    m_toStream.prepend(greeting);
    m_sent += m_end.early.size();
    if (!m_end.early.isEmpty())
        m_far->send(std::exchange(m_end.early, {}));
    m_readable = std::make_unique<QSocketNotifier>(m_end.stream.get(), QSocketNotifier::Read);
    m_writable = std::make_unique<QSocketNotifier>(m_end.stream.get(), QSocketNotifier::Write);
    m_writable->setEnabled(false);
    connect(m_readable.get(), &QSocketNotifier::activated, this, &StreamJoint::readStream);
    connect(m_writable.get(), &QSocketNotifier::activated, this, &StreamJoint::flush);
    emit met();
    flush();
}

void StreamJoint::flush()
{
    if (m_isOver || !m_isOpen)
        return;
    qsizetype sent = 0;
    bool waitsForRate = false;
    while (sent < m_toStream.size()) {
        const qint64 room = std::min<qint64>(m_toStream.size() - sent, m_rate ? m_rate->room(ForwardRate::Received) : kMostWaitingFar);
        waitsForRate = room == 0;
        if (waitsForRate)
            break;
        const ssize_t code = ::send(m_end.stream.get(), m_toStream.constData() + sent, size_t(room), MSG_NOSIGNAL);
        if (code < 0 && errno != EAGAIN && errno != EINTR)
            return finish(); // nobody reads it any more
        if (code <= 0)
            break;
        sent += code;
        if (m_rate)
            m_rate->take(ForwardRate::Received, code);
    }
    m_toStream.remove(0, sent);
    if (waitsForRate)
        rest(ForwardRate::Received);
    const qint64 own = std::min<qint64>(m_ownWords, sent);
    m_ownWords -= own;
    m_received += sent - own;
    if (sent > own && !m_farIsOver)
        m_far->grant(sent - own);
    if (sent > own)
        emit moved();
    m_writable->setEnabled(!m_toStream.isEmpty() && !waitsForRate);
    if (!m_toStream.isEmpty())
        return;
    if (m_farIsOver)
        return finish();
    if (m_inputEnded && !std::exchange(m_shutStream, true))
        ::shutdown(m_end.stream.get(), SHUT_WR);
}

void StreamJoint::readStream()
{
    std::array<char, kMostInOnePiece> buffer;
    const qint64 before = m_sent;
    while (!m_isOver && !m_farIsOver && m_far->waiting() < kMostWaitingFar) {
        const qint64 room = std::min<qint64>(qint64(buffer.size()), m_rate ? m_rate->room(ForwardRate::Sent) : kMostWaitingFar);
        if (room == 0) {
            rest(ForwardRate::Sent);
            break;
        }
        const ssize_t got = ::recv(m_end.stream.get(), buffer.data(), size_t(room), 0);
        if (got > 0) {
            m_far->send(QByteArrayView(buffer.data(), got));
            m_sent += got;
            if (m_rate)
                m_rate->take(ForwardRate::Sent, got);
            continue;
        }
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (m_readable)
                m_readable->setEnabled(true);
            if (m_sent > before)
                emit moved();
            return;
        }
        if (got < 0) {
            m_far->reset();
            return finish();
        }
        m_streamEnded = true;
        m_far->endOutput();
        break;
    }
    if (m_readable)
        m_readable->setEnabled(false);
    if (m_sent > before)
        emit moved();
}

void StreamJoint::farEnded(const std::optional<Error> &why)
{
    if (m_isOver || std::exchange(m_farIsOver, true))
        return;
    if (!m_isOpen) {
        const Error error = why.value_or(Error{ErrorKind::ConnectionLost, Layer::Tcp, u"it was closed at once"_s, {}});
        refuse(m_end, error);
        return finish(error);
    }
    m_isReset = why.has_value();
    m_readable->setEnabled(false);
    flush();
}

void StreamJoint::finish(const std::optional<Error> &neverMet)
{
    if (std::exchange(m_isOver, true))
        return;
    m_patience.stop();
    m_rest.stop();
    m_far->disconnect(this);
    // Whoever is here learns that it was not the other end's own wish.
    if (const linger atOnce{1, 0}; m_isReset)
        ::setsockopt(m_end.stream.get(), SOL_SOCKET, SO_LINGER, &atOnce, sizeof atOnce);
    closeStream();
    emit over(neverMet);
}

void StreamJoint::closeStream()
{
    // One of them may be the caller.
    for (auto *notifier : {&m_readable, &m_writable}) {
        if (*notifier) {
            (*notifier)->setEnabled(false);
            notifier->release()->deleteLater();
        }
    }
    m_end.stream.reset();
}

} // namespace Sandpiper
