#include "gateway/fileupload.h"

#include "gateway/fileapi.h"

#include <QtEndian>

#include <cerrno>

#include <unistd.h>

namespace Sandpiper {
namespace {

constexpr qsizetype mostSaid = 1024;

void appendFrame(QByteArray &out, const QByteArray &bytes)
{
    char head[4];
    qToLittleEndian(quint32(bytes.size()), head);
    out.append(head, sizeof head).append(bytes);
}

} // namespace

FileUpload::FileUpload(HttpExchange *exchange, SandboxProcess process, QObject *parent)
    : QObject(parent)
    , m_exchange(exchange)
    , m_process(std::move(process))
    , m_input(m_process.input.get(), QSocketNotifier::Write)
    , m_output(m_process.output.get(), QSocketNotifier::Read)
{
    m_input.setEnabled(false);
    connect(&m_input, &QSocketNotifier::activated, this, &FileUpload::pump);
    connect(&m_output, &QSocketNotifier::activated, this, &FileUpload::readAnswer);
    connect(exchange, &HttpExchange::bodyReady, this, &FileUpload::pump);
    // The process sees its input end without the mark, and leaves everything as it was.
    connect(exchange, &HttpExchange::gone, this, &QObject::deleteLater);
    pump();
}

void FileUpload::pump()
{
    while (m_exchange && m_process.input.isValid()) {
        if (!writePending())
            return;
        if (m_isEndQueued)
            return;
        if (const QByteArray part = m_exchange->takeBody(); !part.isEmpty()) {
            appendFrame(m_pending, part);
        } else if (m_exchange->isBodyWhole()) {
            appendFrame(m_pending, {});
            m_isEndQueued = true;
        } else {
            return; // bodyReady() follows
        }
    }
}

// True: nothing is left of it.
bool FileUpload::writePending()
{
    while (m_written < m_pending.size()) {
        const QByteArrayView rest = QByteArrayView(m_pending).sliced(m_written);
        const ssize_t count = ::write(m_process.input.get(), rest.data(), size_t(rest.size()));
        if (count < 0 && errno == EINTR)
            continue;
        // A pipe that nobody reads any more: the answer says why.
        m_input.setEnabled(count < 0 && errno == EAGAIN);
        if (count < 0)
            return false;
        m_written += count;
    }
    m_input.setEnabled(false);
    m_pending.clear();
    m_written = 0;
    return true;
}

void FileUpload::readAnswer()
{
    char buffer[1024];
    const ssize_t count = ::read(m_process.output.get(), buffer, sizeof buffer);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count > 0) {
        m_said.append(buffer, std::min<qsizetype>(count, mostSaid - std::min(m_said.size(), mostSaid)));
        return;
    }
    m_output.setEnabled(false);
    m_input.setEnabled(false);
    deleteLater();
    if (!m_exchange)
        return;
    m_exchange->disconnect(this);
    m_exchange->respond(fileAnswer(m_said));
}

} // namespace Sandpiper
