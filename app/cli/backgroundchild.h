// A command that goes on in the background after it has said that it is ready, as ssh -f does: the program once
// more, in this terminal until then. Main thread.
#pragma once

#include "session/filedescriptor.h"

#include <QObject>
#include <QSocketNotifier>
#include <QStringList>

#include <memory>

namespace Sandpiper {

class BackgroundChild : public QObject
{
    Q_OBJECT
public:
    explicit BackgroundChild(QObject *parent = nullptr);
    ~BackgroundChild() override;
    // This program with these arguments. False: it cannot be started; errno says why.
    [[nodiscard]] bool start(const QStringList &arguments);
    void stop(); // SIGTERM; finished() follows

    // In the child: whether this process is one that was started so. Once.
    [[nodiscard]] static bool isChild();
    // In the child: whoever waits may go on; the terminal and its signals are left.
    static void leave();

signals:
    // Once. It goes on by itself (0), or it has ended with this status.
    void finished(int status);

private:
    void read();

    FileDescriptor m_ready;
    std::unique_ptr<QSocketNotifier> m_notifier;
    pid_t m_process = -1;
};

} // namespace Sandpiper
