// The processes of one sandbox while it has any: bubblewrap with our init in it, and pasta for its
// network. Main thread, whose end ends them all.
#pragma once

#include "gateway/agentclient.h"
#include "gateway/sandboxnetwork.h"

#include <QObject>
#include <QProcess>
#include <QSocketNotifier>
#include <QTimer>

#include <memory>

namespace Sandpiper {

class SandboxRun : public QObject
{
    Q_OBJECT
public:
    struct Setup
    {
        QString program;       // bwrap, or the init itself where nothing isolates
        QStringList arguments; // up to the init's own
        QStringList environment; // NAME=value; of the program where it is the init
        QString workspace;     // as the init sees it
        QString socketPath;
        QString initProgram;   // outside
        bool isolated = true;
    };
    // network is borrowed and outlives this.
    SandboxRun(Setup setup, SandboxNetwork *network, QObject *parent);
    // Ends it all, and waits for that at most some seconds.
    ~SandboxRun() override;

    // failed() instead of started() where that does not work; neither comes from inside the call.
    void start();
    // Ends every process at once; ended() follows.
    void stop();
    // Asks every process to end and gives them a second.
    void stopGently();

    [[nodiscard]] const QString &socketPath() const { return m_setup.socketPath; }
    [[nodiscard]] bool hasNetwork() const { return m_hasNetwork; }
    [[nodiscard]] const QString &networkNote() const { return m_networkNote; }

signals:
    void started();
    void failed(const QString &why);
    void ended(); // after started()

private:
    enum class Phase { Idle, Starting, Attaching, Running, Over };
    void fail(const QString &why);
    void lifelineReadable();
    void attach(qint64 pid);
    void attachmentDone(const QString &note);
    void finished();
    void kill();

    Setup m_setup;
    SandboxNetwork *m_network;
    Phase m_phase = Phase::Idle;
    QProcess m_process;
    QByteArray m_said; // the last of its standard error
    Fd m_lifeline;
    std::unique_ptr<QSocketNotifier> m_notifier;
    std::unique_ptr<NetworkAttachment> m_attachment;
    QTimer m_deadline;
    bool m_gentle = false; // has been asked to end by itself
    bool m_hasNetwork = false;
    QString m_networkNote;
};

} // namespace Sandpiper
