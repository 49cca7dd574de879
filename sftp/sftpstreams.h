// What comes in many pieces: a listing, a file that is read or written. Made by SftpClient; GUI thread.
#pragma once

#include "sftp/sftpmessages.h"

#include <QObject>
#include <QPointer>

namespace Sandpiper {

class SftpClient;

// Each ends exactly once, from the event loop, whatever becomes of client, link or server. To delete one is to
// cancel it: nothing is heard any more, and what it holds at the server is given back.
class SftpStream : public QObject
{
    Q_OBJECT
public:
    ~SftpStream() override;
    [[nodiscard]] bool isOver() const { return m_isOver; }

protected:
    explicit SftpStream(SftpClient *client);
    void send(SftpCommand command);
    [[nodiscard]] int id() const { return m_id; }
    virtual void take(const SftpEvent &event) = 0;
    virtual void finish(const Result<SftpValue> &value) = 0;

private:
    friend class SftpClient;
    void handle(const SftpEvent &event);
    void conclude(const Result<SftpValue> &value);

    QPointer<SftpClient> m_client;
    int m_id = 0;
    bool m_isOver = false;
};

class SftpListing : public SftpStream
{
    Q_OBJECT
public:
    SftpListing(SftpClient *client, const FilePath &path);
    // At most 20,000 rows come that are not reported here.
    void consumed(qint64 rows) { send(ToSftp::Consumed{id(), rows}); }

signals:
    // As they come, in the server's order; without "." and "..". Names are plain: see isPlainName(). What is said
    // of them is mostly, but not surely, as lstat has it.
    void rowsReceived(const QList<Sandpiper::FileEntry> &rows);
    void finished(const Sandpiper::Result<Sandpiper::ListEnd> &end);

protected:
    void take(const SftpEvent &event) override;
    void finish(const Result<SftpValue> &value) override;
};

class SftpReader : public SftpStream
{
    Q_OBJECT
public:
    SftpReader(SftpClient *client, const FileReadWish &wish);
    // At most as many bytes as requests may be in flight come without being reported here (4 MiB).
    void consumed(qint64 bytes) { send(ToSftp::Consumed{id(), bytes}); }

signals:
    void received(const QByteArray &bytes); // in order, never empty
    void finished(const Sandpiper::Result<Sandpiper::ReadEnd> &end);

protected:
    void take(const SftpEvent &event) override;
    void finish(const Result<SftpValue> &value) override;
};

class SftpWriter : public SftpStream
{
    Q_OBJECT
public:
    SftpWriter(SftpClient *client, const FileWriteWish &wish);
    // Any amount: it is kept until the server has it. Whoever has much to write looks at pending().
    void write(const QByteArray &bytes);
    // Everything has been written; finished() follows. sync: and is to be on the disk. Unsupported where the server
    // cannot say so.
    enum class Sync { No, Yes };
    void close(Sync sync = Sync::No);
    [[nodiscard]] qint64 pending() const { return m_pending; }

signals:
    void taken(qint64 bytes); // by the server
    // A file that ended otherwise than with success is there in part.
    void finished(const Sandpiper::Done &end);

protected:
    void take(const SftpEvent &event) override;
    void finish(const Result<SftpValue> &value) override;

private:
    qint64 m_pending = 0;
};

// One file, or a part of one, between this computer and the server. Its bytes stay in the thread of the link.
class SftpFileTransfer : public SftpStream
{
    Q_OBJECT
public:
    SftpFileTransfer(SftpClient *client, const FileTransferWish &wish);

signals:
    void moved(qint64 bytes); // more of them have arrived
    void finished(const Sandpiper::Result<Sandpiper::FileOutcome> &outcome);

protected:
    void take(const SftpEvent &event) override;
    void finish(const Result<SftpValue> &value) override;
};

} // namespace Sandpiper
