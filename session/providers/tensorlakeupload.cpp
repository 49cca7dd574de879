#include "session/providers/tensorlakeupload.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

UploadBody::UploadBody(Place place)
    : m_place(place)
{
    open(ReadOnly | Unbuffered);
}

bool UploadBody::add(const QByteArray &bytes)
{
    if (m_place == Place::Disk) {
        // Opened with the first byte: QTemporaryFile makes it 0600.
        if ((!m_file.isOpen() && !m_file.open()) || !m_file.seek(m_added) || m_file.write(bytes) != bytes.size())
            return false;
    } else {
        m_pieces.append(bytes);
    }
    m_added += bytes.size();
    if (m_place == Place::Memory)
        emit readyRead();
    return true;
}

void UploadBody::setComplete()
{
    m_isComplete = true;
    emit readyRead();
}

qint64 UploadBody::readData(char *data, qint64 mostBytes)
{
    const qint64 wanted = std::min(mostBytes, m_added - m_given);
    if (wanted == 0)
        return m_isComplete ? -1 : 0;
    qint64 done = 0;
    if (m_place == Place::Disk) {
        done = m_file.seek(m_given) ? m_file.read(data, wanted) : -1;
        if (done <= 0)
            return -1;
    }
    while (m_place == Place::Memory && done < wanted) {
        const QByteArrayView piece = QByteArrayView(m_pieces.first()).sliced(m_offset);
        const qsizetype size = std::min<qsizetype>(piece.size(), wanted - done);
        memcpy(data + done, piece.data(), size_t(size));
        done += size;
        m_offset += size;
        if (m_offset == m_pieces.first().size()) {
            m_pieces.removeFirst();
            m_offset = 0;
        }
    }
    m_given += done;
    emit given(done);
    return done;
}

TensorlakeUpload::TensorlakeUpload(std::shared_ptr<HttpClient> http, const Result<HttpRequest> &request, const QString &subject,
                                   std::optional<qint64> size, Patience patience)
    : m_http(std::move(http))
    , m_request(request)
    , m_subject(subject)
    , m_size(size)
    , m_patience(patience)
    , m_body(std::make_shared<UploadBody>(size ? UploadBody::Place::Memory : UploadBody::Place::Disk))
{
    m_watchdog.setSingleShot(true);
    connect(&m_watchdog, &QTimer::timeout, this, [this] {
        finish(failure(ErrorKind::Timeout, Layer::Http, u"the file was not taken in time"_s, m_subject));
    });
    // Queued: it comes from inside of what reads the body.
    connect(m_body.get(), &UploadBody::given, this, [this](qint64 bytes) {
        watch();
        if (m_size) // else it was reported when it went to disk
            report(bytes);
    }, Qt::QueuedConnection);
    if (!m_request)
        QMetaObject::invokeMethod(this, [this] { finish(std::unexpected(m_request.error())); }, Qt::QueuedConnection);
    else if (m_size)
        begin(*m_size);
}

TensorlakeUpload::~TensorlakeUpload()
{
    if (!m_call)
        return;
    m_call->disconnect(this);
    m_call->cancel();
}

void TensorlakeUpload::begin(qint64 size)
{
    m_request->bodyDevice = m_body;
    m_request->bodySize = size;
    m_call = m_http->send(*m_request);
    connect(m_call, &HttpCall::sent, this, &TensorlakeUpload::watch);
    connect(m_call, &HttpCall::finished, this, [this](const Result<HttpReply> &reply) {
        m_call = nullptr;
        finish(tensorlakeFileDone(reply, m_subject));
    });
}

void TensorlakeUpload::write(const QByteArray &bytes)
{
    if (m_isOver || m_isClosed || bytes.isEmpty())
        return;
    m_pending += bytes.size();
    const auto later = [this](const Error &error) {
        m_isClosed = true;
        QMetaObject::invokeMethod(this, [this, error] { finish(std::unexpected(error)); }, Qt::QueuedConnection);
    };
    if (m_size && m_body->added() + bytes.size() > *m_size)
        return later({ErrorKind::InvalidInput, Layer::Provider, u"the file is larger than was said"_s, {}});
    if (!m_body->add(bytes))
        return later({ErrorKind::Io, Layer::LocalDisk, m_body->diskError(), {}});
    if (m_size)
        watch();
    else // it is on this computer's disk, and takes no memory
        QMetaObject::invokeMethod(this, [this, size = bytes.size()] { report(size); }, Qt::QueuedConnection);
}

void TensorlakeUpload::close()
{
    if (m_isOver || m_isClosed)
        return;
    m_isClosed = true;
    if (m_size && m_body->added() != *m_size) {
        QMetaObject::invokeMethod(this, [this] {
            finish(failure(ErrorKind::InvalidInput, Layer::Provider, u"the file is smaller than was said"_s));
        }, Qt::QueuedConnection);
        return;
    }
    m_body->setComplete();
    if (!m_size && m_request)
        begin(m_body->added());
    watch();
}

void TensorlakeUpload::report(qint64 bytes)
{
    if (m_isOver)
        return;
    m_pending -= bytes;
    emit taken(bytes);
}

// Somebody else's silence counts, and not that of whoever writes.
void TensorlakeUpload::watch()
{
    const bool isSent = m_body->bytesAvailable() == 0;
    if (m_isOver || !m_call || (isSent && !m_isClosed))
        m_watchdog.stop();
    else
        m_watchdog.start(isSent ? m_patience.landing : m_patience.silence);
}

void TensorlakeUpload::finish(const Done &end)
{
    if (std::exchange(m_isOver, true))
        return;
    m_watchdog.stop();
    if (HttpCall *call = std::exchange(m_call, nullptr).data()) {
        call->disconnect(this);
        call->cancel();
    }
    emit finished(end);
}

} // namespace Sandpiper
