// What comes in many pieces: a listing, a file that is read or written. Made by SftpClient; GUI thread.
#pragma once

#include "sftp/sftpmessages.h"

#include <QHash>
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

struct SftpFileEnd
{
    quint64 key = 0;
    Result<FileOutcome> outcome;
};

// Files, and parts of files, between this computer and the server, as many as its user likes at once. Their bytes stay
// in the thread of the link, and what has become of several is told together: ten thousand small ones are not to cost
// ten thousand objects. To delete it is to cancel what is under way.
class SftpFileTransfers : public QObject
{
    Q_OBJECT
public:
    explicit SftpFileTransfers(SftpClient *client);
    ~SftpFileTransfers() override;
    // key: the caller's, of one that is not under way.
    void start(quint64 key, FileTransferWish wish);
    void cancel(); // all; nothing is heard of them any more

signals:
    // More bytes of it have arrived. Small ones are not told of before their end.
    void moved(quint64 key, qint64 bytes);
    // Each once, from the event loop, whatever becomes of client, link or server.
    void ended(const QList<Sandpiper::SftpFileEnd> &ends);

private:
    friend class SftpClient;
    void handle(int id, const SftpEvent &event);
    void conclude(int id, const Result<SftpValue> &value);
    void concludeAll(const Error &error);
    void tell(); // what has ended

    QPointer<SftpClient> m_client;
    QHash<int, quint64> m_keys; // of those under way
    QList<SftpFileEnd> m_ends;  // not told yet
    int m_lastNone = 0;         // in place of an id, where there is no client any more
};

} // namespace Sandpiper
