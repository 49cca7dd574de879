#include "gateway/filedownload.h"

#include "gateway/fileapi.h"
#include "gateway/sandboxinit/wire.h"

#include <cerrno>

#include <unistd.h>

namespace Sandpiper {
namespace {

constexpr qsizetype readSlice = 64 * 1024;
constexpr qint64 highWater = 256 * 1024;
constexpr qsizetype mostSaid = 1024;

} // namespace

FileDownload::FileDownload(HttpExchange *exchange, SandboxProcess process, SpawnSpec::FileWork work, QObject *parent)
    : QObject(parent)
    , m_exchange(exchange)
    , m_process(std::move(process))
    , m_work(work)
    , m_output(m_process.output.get(), QSocketNotifier::Read)
    , m_ender(m_process.controlFd(), QSocketNotifier::Read)
{
    m_process.input.reset();
    connect(&m_output, &QSocketNotifier::activated, this, &FileDownload::read);
    m_ender.setEnabled(false); // what was written is read first
    connect(&m_ender, &QSocketNotifier::activated, this, &FileDownload::finish);
    connect(exchange, &HttpExchange::drained, this, [this] { m_output.setEnabled(!m_isRead); });
    // Letting go of the process ends it.
    connect(exchange, &HttpExchange::gone, this, &QObject::deleteLater);
}

void FileDownload::read()
{
    QByteArray buffer(readSlice, Qt::Uninitialized);
    const ssize_t count = ::read(m_process.output.get(), buffer.data(), size_t(buffer.size()));
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count > 0) {
        take(QByteArrayView(buffer).first(count));
        if (m_exchange && m_exchange->queuedBytes() > highWater)
            m_output.setEnabled(false);
        return;
    }
    m_isRead = true;
    m_output.setEnabled(false);
    m_ender.setEnabled(true);
    finish();
}

void FileDownload::take(QByteArrayView bytes)
{
    const bool streams = m_work == SpawnSpec::FileWork::Read || m_work == SpawnSpec::FileWork::List;
    if (!m_isStreaming && streams && m_said.isEmpty() && m_exchange && static_cast<Wire::FileStatus>(bytes.front()) == Wire::FileStatus::Good) {
        m_isStreaming = true;
        m_exchange->beginStream(m_work == SpawnSpec::FileWork::List ? "application/json" : "application/octet-stream");
        bytes = bytes.sliced(1);
    }
    if (m_isStreaming && m_exchange)
        m_exchange->writeStream(bytes);
    else if (!m_isStreaming && m_said.size() < mostSaid)
        m_said.append(bytes.first(std::min(bytes.size(), mostSaid - m_said.size())));
}

// Whether it was all is known only when the process has ended, and how.
void FileDownload::finish()
{
    const auto end = m_process.takeEnd();
    if (!end)
        return;
    m_ender.setEnabled(false);
    deleteLater();
    if (!m_exchange)
        return;
    m_exchange->disconnect(this);
    const bool isWhole = end->exitCode == 0 && end->signal == 0;
    if (!m_isStreaming)
        m_exchange->respond(fileAnswer(isWhole ? m_said : QByteArray()));
    else if (isWhole)
        m_exchange->endStream();
    else
        m_exchange->abandon();
}

} // namespace Sandpiper
