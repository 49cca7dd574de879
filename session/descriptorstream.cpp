#include "session/descriptorstream.h"

#include <algorithm>
#include <cerrno>

#include <sys/socket.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qint64 kMostReadAtOnce = 32 << 10;

} // namespace

DescriptorStream::DescriptorStream(std::function<void()> ask)
    : m_ask(std::move(ask))
{
}

DescriptorStream::~DescriptorStream()
{
    close();
}

void DescriptorStream::start()
{
    if (m_ask)
        m_ask();
}

void DescriptorStream::go(Result<FileDescriptor> stream)
{
    if (m_isOver || m_readable)
        return;
    if (!stream)
        return end(stream.error());
    m_stream = *std::move(stream);
    m_readable = std::make_unique<QSocketNotifier>(m_stream.get(), QSocketNotifier::Read);
    m_writable = std::make_unique<QSocketNotifier>(m_stream.get(), QSocketNotifier::Write);
    connect(m_readable.get(), &QSocketNotifier::activated, this, &DescriptorStream::read);
    connect(m_writable.get(), &QSocketNotifier::activated, this, &DescriptorStream::write);
    watch();
    emit opened();
}

void DescriptorStream::watch()
{
    if (!m_readable)
        return;
    m_readable->setEnabled(!m_inputEnded && m_room > 0);
    m_writable->setEnabled(!m_out.isEmpty() || (m_outputEnded && !m_isShut));
}

void DescriptorStream::send(QByteArrayView bytes)
{
    m_out.append(bytes);
    watch();
}

void DescriptorStream::grant(qint64 bytes)
{
    m_room += bytes;
    watch();
}

void DescriptorStream::endOutput()
{
    m_outputEnded = true;
    watch();
}

void DescriptorStream::read()
{
    QByteArray buffer(std::min(m_room, kMostReadAtOnce), Qt::Uninitialized);
    const ssize_t got = ::recv(m_stream.get(), buffer.data(), size_t(buffer.size()), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got < 0)
        return end(Error{ErrorKind::ConnectionLost, Layer::Tcp, u"it was broken off"_s, {}});
    if (got > 0) {
        buffer.truncate(got);
        m_room -= got;
        watch();
        emit received(buffer);
        return;
    }
    m_inputEnded = true;
    watch();
    if (m_isShut)
        return end({});
    emit inputEnded();
}

void DescriptorStream::write()
{
    const qsizetype before = m_out.size();
    qsizetype done = 0;
    while (done < before) {
        const ssize_t code = ::send(m_stream.get(), m_out.constData() + done, size_t(before - done), MSG_NOSIGNAL);
        if (code < 0 && errno != EAGAIN && errno != EINTR) {
            // Who has left may have said something before.
            m_out.clear();
            m_outputEnded = m_isShut = true;
            watch();
            if (m_inputEnded)
                end(Error{ErrorKind::ConnectionLost, Layer::Tcp, u"nobody takes it any more"_s, {}});
            return;
        }
        if (code <= 0)
            break;
        done += code;
    }
    m_out.remove(0, done);
    if (m_out.isEmpty() && m_outputEnded && !std::exchange(m_isShut, true))
        ::shutdown(m_stream.get(), SHUT_WR);
    watch();
    if (m_isShut && m_inputEnded)
        return end({});
    if (done > 0)
        emit sent();
}

void DescriptorStream::end(const std::optional<Error> &why)
{
    if (std::exchange(m_isOver, true))
        return;
    close();
    emit ended(why);
}

void DescriptorStream::close()
{
    // One of them may be the caller.
    for (auto *notifier : {&m_readable, &m_writable}) {
        if (*notifier) {
            (*notifier)->setEnabled(false);
            notifier->release()->deleteLater();
        }
    }
    m_stream.reset();
}

} // namespace Sandpiper
