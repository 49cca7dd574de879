// Whether files that were moved hold the same on both sides: by SHA-256, here and there. There it is the server's own
// `sha256sum` where a command can be had; what that cannot say, and what it says is different, is read back. GUI thread.
#pragma once

#include "sftp/sftpclient.h"

#include <atomic>

namespace Sandpiper {

class RemoteCommand;
class Sha256;

class TransferVerify : public QObject
{
    Q_OBJECT
public:
    struct File
    {
        std::shared_ptr<const LocalTree> tree;
        FilePath local; // in it
        FilePath remote;
        quint64 size = 0; // for how long a command is waited for
    };
    // What can be asked now; null: nothing, and goOn() says when there is something again.
    struct Services
    {
        std::function<SshLink *()> link;
        std::function<SftpClient *()> client;
    };
    TransferVerify(QList<File> files, Services services, QObject *parent = nullptr);
    ~TransferVerify() override; // stops it

    void goOn(); // begins it, and after a loss goes on

signals:
    // Once for each, by its place among the files. An error: it could not be compared.
    void compared(qsizetype index, const Sandpiper::Result<bool> &isSame);
    void finished(); // once, after the last one

private:
    struct Reading
    {
        qsizetype index = 0;
        std::unique_ptr<SftpReader> reader;
        std::unique_ptr<Sha256> sum;
    };
    void beginBatch();
    void hashHere(qsizetype from);
    void hashThere();
    void takeOutput(bool isOver);
    void commandEnded(bool isLost);
    void compareBatch();
    void readBack();
    void readEnded(Reading *reading, const Result<ReadEnd> &how);
    [[nodiscard]] FilePath named(qsizetype index) const; // as the command is told, and says it

    QList<File> m_files;
    Services m_services;
    qsizetype m_begin = 0; // of the batch under way
    qsizetype m_end = 0;
    QHash<qsizetype, Result<QByteArray>> m_here;  // of the batch
    QHash<qsizetype, QByteArray> m_there;         // the same; what the command has said
    QHash<FilePath, qsizetype> m_byName;          // the same
    QByteArray m_output;                          // of the command, not a whole line yet
    std::unique_ptr<RemoteCommand> m_command;
    QTimer m_patience; // with it
    std::deque<qsizetype> m_toRead;
    std::vector<std::unique_ptr<Reading>> m_readings;
    std::shared_ptr<std::atomic_bool> m_isStopped = std::make_shared<std::atomic_bool>(false); // owned together with the thread that reads here
    bool m_isHereDone = false;
    bool m_isThereDone = false;
    bool m_isComparing = false; // both are done
    bool m_hasCommands = true;
    bool m_isFinished = false;
};

} // namespace Sandpiper
