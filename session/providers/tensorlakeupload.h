// One file on its way into a sandbox by an HTTP request, whose size must be said first. GUI thread.
#pragma once

#include "session/httpclient.h"
#include "session/vendorfiles.h"

#include <QIODevice>
#include <QPointer>
#include <QTemporaryFile>
#include <QTimer>

#include <memory>

namespace Sandpiper {

// What was written and not yet sent: in memory while somebody sends it at the same time, else on disk. Sequential.
class UploadBody : public QIODevice
{
    Q_OBJECT
public:
    enum class Place { Memory, Disk };
    explicit UploadBody(Place place);
    [[nodiscard]] bool add(const QByteArray &bytes); // false: the disk does not take it
    void setComplete();
    [[nodiscard]] qint64 added() const { return m_added; }
    [[nodiscard]] QString diskError() const { return m_file.errorString(); }

    [[nodiscard]] bool isSequential() const override { return true; }
    [[nodiscard]] qint64 bytesAvailable() const override { return m_added - m_given; }
    [[nodiscard]] bool atEnd() const override { return m_isComplete && bytesAvailable() == 0; }

signals:
    void given(qint64 bytes); // to the network

protected:
    qint64 readData(char *data, qint64 mostBytes) override;
    qint64 writeData(const char *, qint64) override { return -1; }

private:
    Place m_place;
    QByteArrayList m_pieces;
    qsizetype m_offset = 0; // in the first piece
    QTemporaryFile m_file;
    qint64 m_added = 0;
    qint64 m_given = 0;
    bool m_isComplete = false;
};

class TensorlakeUpload : public VendorFileWriter
{
    Q_OBJECT
public:
    struct Patience
    {
        std::chrono::milliseconds silence; // while there is something to send
        std::chrono::milliseconds landing; // after the last byte
    };
    TensorlakeUpload(std::shared_ptr<HttpClient> http, const Result<HttpRequest> &request, const QString &subject, std::optional<qint64> size,
                     Patience patience);
    ~TensorlakeUpload() override;

    void write(const QByteArray &bytes) override;
    void close() override;
    [[nodiscard]] qint64 pending() const override { return m_pending; }

private:
    void begin(qint64 size);
    void report(qint64 bytes);
    void watch();
    void finish(const Done &end);

    std::shared_ptr<HttpClient> m_http; // shared with whoever made this
    Result<HttpRequest> m_request;
    QString m_subject;
    std::optional<qint64> m_size;
    Patience m_patience;
    std::shared_ptr<UploadBody> m_body; // shared with the request
    QPointer<HttpCall> m_call;
    QTimer m_watchdog;
    qint64 m_pending = 0;
    bool m_isClosed = false;
    bool m_isOver = false;
};

// What an answer about a file means. sandbox: its display name.
[[nodiscard]] Done tensorlakeFileDone(const Result<HttpReply> &reply, const QString &sandbox);

} // namespace Sandpiper
