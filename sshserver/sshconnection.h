// One SSH connection to a server of ours, on a thread of its own that is the only one to touch its session.
#pragma once

#include "session/filedescriptor.h"
#include "sshserver/sshhost.h"

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
        FileDescriptor socket;
        QString hostKeyFile;
        std::function<std::unique_ptr<SshHost>()> makeHost; // called on the thread
        std::function<void()> finished; // last thing on the thread
    };

    explicit SshConnection(Setup setup);
    // close() and join.
    ~SshConnection();

    // Ends it soon, with `reason` as the disconnect text. Any thread.
    void close(const QString &reason);
    [[nodiscard]] bool isFinished() const { return m_finished; }
    // SshHost::subject() once somebody was let in; empty before. Any thread.
    [[nodiscard]] QString subject() const;

private:
    friend class SshServing;
    mutable QMutex m_mutex;
    QString m_subject;
    QString m_closeReason;
    FileDescriptor m_wake;
    std::atomic<bool> m_closing = false;
    std::atomic<bool> m_finished = false;
    Setup m_setup;
    std::thread m_thread;
};

} // namespace Sandpiper
