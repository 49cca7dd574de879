// The SSH server of `serve` on the main thread: its connections and their channels.
#pragma once

#include "app/cli/farends.h"
#include "app/cli/servehost.h"
#include "sshserver/sshconnection.h"

#include <QObject>
#include <QTcpServer>

#include <memory>
#include <vector>

namespace Sandpiper {

class ServedChannel;

class Serving : public QObject
{
    Q_OBJECT
public:
    struct Options
    {
        FarEnds::Options ends;
        ServeHost::Options host;
        QString hostKeyFile; // there already
    };
    explicit Serving(const Options &options);
    // Waits for the threads, at most some seconds.
    ~Serving() override;

    // Serves this transport too.
    void add(FileDescriptor transport);
    // Serves whoever comes to this address of this computer, from now on. Tcp where it cannot be had.
    [[nodiscard]] Result<quint16> listen(const QString &address, quint16 port);
    // Ends every connection with this reason, and what runs for it; idle() follows.
    void close(const QString &reason);
    [[nodiscard]] bool isIdle() const;

signals:
    // No connection is left, and nothing runs for one.
    void idle();
    void said(const QString &line);

private:
    class Listener;
    void takeArrivals();
    void forgetFinished();
    void checkIdle();

    Options m_options;
    FarEnds m_ends;
    std::shared_ptr<FarArrivals> m_arrivals;
    QSocketNotifier m_bell;
    std::unique_ptr<Listener> m_listener;
    std::vector<std::unique_ptr<SshConnection>> m_connections;
    std::vector<std::unique_ptr<ServedChannel>> m_channels;
};

} // namespace Sandpiper
