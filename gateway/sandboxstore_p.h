// What SandboxStore hides.
#pragma once

#include "gateway/bubblewrap.h"
#include "gateway/sandboxarchive.h"
#include "gateway/sandboxnetwork.h"
#include "gateway/sandboxrun.h"
#include "gateway/sandboxstore.h"

#include <QHash>
#include <QMutex>
#include <QThreadPool>
#include <QTimer>

#include <memory>
#include <unordered_map>

namespace Sandpiper {

class SandboxStore::Private
{
public:
    Private(SandboxStore *store, const Options &options);
    ~Private();

    // Under the mutex, whoever calls.
    [[nodiscard]] QList<LocalSandbox> all() const;
    [[nodiscard]] std::optional<LocalSandbox> lookup(const QString &idOrName) const;
    [[nodiscard]] std::optional<LocalSandbox> withId(const QString &id) const;
    [[nodiscard]] bool isNameTaken(const QString &name, const QString &exceptId) const;

    // The main thread's.
    void load();
    [[nodiscard]] QString probe() const; // empty where bubblewrap works
    [[nodiscard]] Done put(const LocalSandbox &sandbox); // keeps and saves, and says so
    void move(const QString &id, LocalState state, const QString &reason = {});
    [[nodiscard]] QDateTime newCreationTime();
    enum class Beginning { First, Again };
    void begin(const LocalSandbox &sandbox, Beginning beginning);
    void began(const QString &id, Beginning beginning);
    void couldNotBegin(const QString &id, Beginning beginning, const QString &why);
    void processesEnded(const QString &id);
    void freeze(const QString &id);
    void thaw(const QString &id);
    void terminate(const QString &id, const QString &reason);
    void discardFiles(const QString &id);
    void removeInBackground(const QString &folder);
    void checkIdle();
    void updateIdleTimer();
    [[nodiscard]] SandboxRun::Setup setupFor(const LocalSandbox &sandbox) const;
    [[nodiscard]] BubblewrapSpec bubblewrapFor(const QString &home, const QString &workspace) const;

    SandboxStore *q;
    Options m_options;
    SandboxArchive m_archive;
    HostLayout m_layout;
    QString m_unusableBecause; // shown where weak isolation is not allowed either
    bool m_isolates = true;
    SandboxNetwork m_network;
    QTimer m_idleTimer;
    QThreadPool m_workers;

    mutable QMutex m_mutex;
    QHash<QString, LocalSandbox> m_sandboxes;

    // Those with processes, running or stopped, and those about to have some.
    std::unordered_map<QString, std::unique_ptr<SandboxRun>> m_runs;
};

} // namespace Sandpiper
