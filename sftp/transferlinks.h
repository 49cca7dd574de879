// The connections of one transfer: as many as are wished, made again after a loss. GUI thread.
#pragma once

#include "sftp/sftpclient.h"
#include "sftp/transferqueue.h"

#include <QDateTime>
#include <QElapsedTimer>
#include <QTimer>

namespace Sandpiper {

class TransferLinks : public QObject
{
    Q_OBJECT
public:
    TransferLinks(const SandboxId &sandbox, TransferLinkMaker maker, std::function<double()> random, QObject *parent = nullptr);
    ~TransferLinks() override;

    // How many there shall be, 0 to 8. Fewer: those that are not busy go first.
    void setWanted(int count);
    void retryNow();
    // Those that can be used now, the oldest first.
    [[nodiscard]] QList<SftpClient *> clients() const;
    [[nodiscard]] int opening() const;
    // Of the connections so far the shortest, as far as their beginnings tell; with the server's own time. 0: none yet.
    [[nodiscard]] std::chrono::milliseconds roundTrip() const { return m_roundTrip; }

signals:
    void opened(Sandpiper::SftpClient *client);
    // It is not to be used any more; what was with it has ended. It is gone after the call.
    void lost(Sandpiper::SftpClient *client, const Sandpiper::Error &error);
    // There is no connection at all, and the next try is at that time. From then on opened(), or this again.
    void waiting(const Sandpiper::Error &error, const QDateTime &retryAt);
    // Nor will there be one by itself. retryNow() tries again.
    void failed(const Sandpiper::Error &error);

private:
    struct Line
    {
        std::unique_ptr<SshLink> link;
        std::unique_ptr<SftpClient> client;
        bool wasReady = false;
        QElapsedTimer sinceLogin;
    };
    void fill();
    void open();
    void take(Result<std::unique_ptr<SshLink>> link);
    void let(std::unique_ptr<Line> line); // it goes, a little later
    void lineEnded(const Line *line, const Error &error);
    void afterLoss(const Error &error);

    SandboxId m_sandbox;
    TransferLinkMaker m_maker;
    std::function<double()> m_random;
    std::vector<std::unique_ptr<Line>> m_lines;
    QTimer m_retry;
    int m_wanted = 0;
    int m_asked = 0; // of the maker, not answered
    int m_attempt = 0;
    bool m_hasFailed = false;
    std::chrono::milliseconds m_roundTrip{0};
};

} // namespace Sandpiper
