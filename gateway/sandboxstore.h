// The sandboxes of this computer: their records and files on disk, and the bubblewrap that runs them.
#pragma once

#include "gateway/agentclient.h"
#include "session/error.h"

#include <QDateTime>
#include <QObject>

#include <memory>

namespace Sandpiper {

enum class LocalState { Pending, Running, Suspending, Suspended, Terminated };

struct LocalSandbox
{
    QString id; // 21 characters, lower-case letters and digits
    QString name;
    LocalState state = LocalState::Pending;
    QString image;
    double cpus = 1;
    qint64 memoryMiB = 1024;
    qint64 diskMiB = 10240;
    qint64 timeoutSeconds = 0; // 0: never
    QDateTime createdAt;
    QDateTime terminatedAt;
    QString terminationReason;
    QList<int> exposedPorts;
    bool allowUnauthenticated = false;
    // What this computer could give it.
    bool hasNetwork = false;
    QString networkNote; // a sentence where there is none
    bool isolated = true;
    QString isolationNote;
    AgentClient agent; // valid while Running

    friend bool operator==(const LocalSandbox &a, const LocalSandbox &b);
};

struct LocalCreate
{
    QString name;
    QString image;
    double cpus = 1;
    qint64 memoryMiB = 1024;
    qint64 diskMiB = 10240;
    qint64 timeoutSeconds = 0;
    QList<int> exposedPorts;
    bool allowUnauthenticated = false;
};

// Main thread, but for the two functions marked otherwise.
class SandboxStore : public QObject
{
    Q_OBJECT
public:
    struct Options
    {
        QString folder;       // records and homes
        QString runFolder;    // sockets; short, because a UNIX address has 107 bytes
        QString initProgram;  // sandpiper-sandbox-init
        bool allowWeakIsolation = false; // --weak-isolation: the host's namespaces where bwrap fails
    };
    // Blocks for as long as bubblewrap needs to be tried out, some 30 ms.
    explicit SandboxStore(const Options &options, QObject *parent = nullptr);
    // Ends every sandbox's processes, which have a second for it; their files stay, and the next start reports them suspended.
    ~SandboxStore() override;

    // What this computer can: empty, or the sentence to show instead of a sandbox.
    [[nodiscard]] QString unusableBecause() const;

    [[nodiscard]] QList<LocalSandbox> all() const; // newest first, terminated ones last; any thread
    [[nodiscard]] std::optional<LocalSandbox> lookup(const QString &idOrName) const; // any thread

    // Answers with the record in Pending; stateChanged(Running) or Terminated follows.
    [[nodiscard]] Result<LocalSandbox> create(const LocalCreate &wish); // Conflict: the name is taken. InvalidInput
    [[nodiscard]] Result<LocalSandbox> rename(const QString &id, const QString &name);
    [[nodiscard]] Result<LocalSandbox> setExposure(const QString &id, const QList<int> &ports, bool unauthenticated);
    [[nodiscard]] Done suspend(const QString &id);   // Conflict where not running
    [[nodiscard]] Done resume(const QString &id);    // also starts one whose processes are gone
    [[nodiscard]] Done terminate(const QString &id); // ends all, removes its home
    // Any with processes: a suspended one would lose its own with the gateway, and counts too.
    [[nodiscard]] bool anyRunning() const;

signals:
    // Also on rename. removed processes: PTYs of it are gone when it leaves Running for Terminated,
    // or comes from Suspended with a new init (processesLost).
    void sandboxChanged(const QString &id);
    void processesLost(const QString &id);

private:
    class Private;
    std::unique_ptr<Private> d;
};

} // namespace Sandpiper
