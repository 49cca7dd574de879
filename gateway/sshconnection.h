// One SSH connection to the gateway, on a thread of its own that is the only one to touch its session.
#pragma once

#include "gateway/agentclient.h"
#include "gateway/keystore.h"
#include "gateway/sandboxstore.h"

#include <QByteArray>
#include <QMutex>
#include <QString>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

namespace Sandpiper {

class SshConnection
{
public:
    struct Setup
    {
        Fd socket;
        QString hostKeyFile;
        QString innerKeyFile;
        // Both called on the connection's thread; what they look up is safe there.
        const SandboxStore *sandboxes = nullptr;
        KeyStore *keys = nullptr;
        std::function<void()> finished; // last thing on the thread
    };

    explicit SshConnection(Setup setup);
    // close() and join.
    ~SshConnection();

    // Ends it soon, with `reason` as the disconnect text. Any thread.
    void close(const QString &reason);
    [[nodiscard]] bool isFinished() const { return m_finished; }
    // The sandbox it was let into; empty before. Any thread.
    [[nodiscard]] QString sandboxId() const;

private:
    friend class SshServing;
    mutable QMutex m_mutex;
    QString m_sandboxId;
    QString m_closeReason;
    Fd m_wake;
    std::atomic<bool> m_closing = false;
    std::atomic<bool> m_finished = false;
    Setup m_setup;
    std::thread m_thread;
};

} // namespace Sandpiper
