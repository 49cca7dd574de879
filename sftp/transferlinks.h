// The connections of one transfer: as many as are wished, each with as many channels for SFTP, made again after a loss.
// GUI thread.
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
    // Channels on each, 1 to 4: a window's worth of bytes is under way on each of them. A server may grant fewer.
    void setChannels(int count);
    void retryNow();
    // Those that can be used now, each a channel, the oldest first.
    [[nodiscard]] QList<SftpClient *> clients() const;
    [[nodiscard]] int links() const; // that can be used now
    [[nodiscard]] SshLink *anyLink() const; // one of these; null: there is none
    [[nodiscard]] int opening() const; // links, and channels on them
    // Of the connections so far the shortest, as far as their beginnings tell; with the server's own time. None yet: nothing.
    [[nodiscard]] std::optional<std::chrono::microseconds> roundTrip() const { return m_roundTrip; }

signals:
    void opened(Sandpiper::SftpClient *client);
    // It is not to be used any more; what was with it has ended. It is gone after the call.
    void lost(Sandpiper::SftpClient *client, const Sandpiper::Error &error);
    // There is no connection at all, and the next try is at that time. From then on opened(), or this again.
    void waiting(const Sandpiper::Error &error, const QDateTime &retryAt);
    // Nor will there be one by itself. retryNow() tries again.
    void failed(const Sandpiper::Error &error);

private:
    struct Channel
    {
        std::unique_ptr<SftpClient> client;
        bool wasReady = false;
    };
    struct Line
    {
        std::unique_ptr<SshLink> link;
        std::vector<Channel> channels;
        std::shared_ptr<BulkWindow> window = std::make_shared<BulkWindow>(); // of all of them; see SftpClient
        QElapsedTimer sinceLogin;
        [[nodiscard]] bool isReady() const;
    };
    void fill();
    void open();
    void take(Result<std::unique_ptr<SshLink>> link);
    void addChannel(Line *line);
    void channelReady(Line *line, SftpClient *client);
    void channelEnded(SftpClient *client, const Error &error);
    void let(std::unique_ptr<Line> line); // it goes, a little later
    void let(Channel channel);
    void afterLoss(const Error &error);

    SandboxId m_sandbox;
    TransferLinkMaker m_maker;
    std::function<double()> m_random;
    std::vector<std::unique_ptr<Line>> m_lines;
    QTimer m_retry;
    int m_wanted = 0;
    int m_channels = 1; // wanted on each
    int m_asked = 0; // of the maker, not answered
    int m_attempt = 0;
    bool m_hasFailed = false;
    std::optional<std::chrono::microseconds> m_roundTrip;
};

} // namespace Sandpiper
