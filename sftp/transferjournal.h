// What transfers are to do and have done, kept in SQLite so that a kill loses none of it. GUI thread; the
// database has a thread of its own.
#pragma once

#include "sftp/transfer.h"

#include <QHash>
#include <QObject>
#include <QThread>
#include <QTimer>

#include <functional>

namespace Sandpiper {

struct JournalledTransfer
{
    qint64 id = 0;
    qint64 place = 0; // the order
    QString tag;      // in the names of its hidden files
    TransferWish wish;
    TransferState state = TransferState::Queued;
    QDateTime added;
    QDateTime ended = {}; // over: when; not valid: it is not, or an earlier version did not keep it
};

struct JournalledFile
{
    enum class State { Begun = 1, Moved = 2, Skipped = 3 };
    QByteArray target; // relative to that of the transfer
    State state = State::Begun;
    quint64 size = 0;     // of the source
    quint32 modified = 0; // the same
    QByteArray segments = {}; // a byte for each part of a large file: 1, it is there
    FileReceipt receipt = {}; // Moved
    QByteArray name = {};     // Moved: what it is called there
};

class TransferJournal : public QObject
{
    Q_OBJECT
public:
    // file: empty: in memory, for as long as this lives.
    explicit TransferJournal(const QString &file, QObject *parent = nullptr);
    ~TransferJournal() override; // after what was given to it has been written

    // All that are kept. What cannot be read is put aside first, and failed() says so.
    void load(QObject *context, std::function<void(const QList<JournalledTransfer> &)> then);
    void loadFiles(qint64 id, QObject *context, std::function<void(const QHash<QByteArray, JournalledFile> &)> then);
    // then: it is in the journal, and survives us.
    void add(const JournalledTransfer &transfer, QObject *context, std::function<void()> then);
    void begin(qint64 id, const QList<JournalledFile> &files, QObject *context, std::function<void()> then);
    // Soon, together with others.
    void update(qint64 id, const JournalledFile &file);
    void setState(qint64 id, TransferState state, const QDateTime &ended = {});
    void setPlaces(const QList<qint64> &ids);
    void remove(qint64 id);

signals:
    // It cannot be written any more; what waits for it is called back all the same.
    void failed(const Sandpiper::Error &error);

private:
    class Database;
    void run(std::function<void(Database &)> work, QObject *context = nullptr, std::function<void()> then = {});
    void flush();

    std::unique_ptr<Database> m_database; // used in m_thread
    QThread m_thread;
    QObject *m_inThread = nullptr;
    QHash<qint64, QList<JournalledFile>> m_updates; // to be written soon
    QTimer m_soon;
};

} // namespace Sandpiper
