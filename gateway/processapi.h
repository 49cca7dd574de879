// The process part of the sandbox plane: keeps the commands of all sandboxes. Main thread.
#pragma once

#include "gateway/jsonfields.h"
#include "gateway/sandboxcommand.h"
#include "gateway/sandboxstore.h"
#include "gateway/workerpool.h"

#include <QHash>

namespace Sandpiper {

class ProcessApi : public QObject
{
    Q_OBJECT
public:
    // store and pool are borrowed and outlive this.
    ProcessApi(SandboxStore *store, WorkerPool *pool, QObject *parent = nullptr);

    void run(HttpExchange *exchange, const LocalSandbox &sandbox);
    void start(HttpExchange *exchange, const LocalSandbox &sandbox);
    void list(HttpExchange *exchange, const LocalSandbox &sandbox) const;
    // process: a pid.
    void get(HttpExchange *exchange, const LocalSandbox &sandbox, const QString &process) const;
    void kill(HttpExchange *exchange, const LocalSandbox &sandbox, const QString &process) const;
    void signal(HttpExchange *exchange, const LocalSandbox &sandbox, const QString &process) const;
    void writeInput(HttpExchange *exchange, const LocalSandbox &sandbox, const QString &process) const;
    void closeInput(HttpExchange *exchange, const LocalSandbox &sandbox, const QString &process) const;
    // Both streams where only is not set.
    void output(HttpExchange *exchange, const LocalSandbox &sandbox, const QString &process,
                std::optional<SandboxCommand::Stream> only) const;
    void follow(HttpExchange *exchange, const LocalSandbox &sandbox, const QString &process,
                std::optional<SandboxCommand::Stream> only) const;

    struct Count
    {
        qsizetype running = 0;
        qsizetype total = 0;
    };
    [[nodiscard]] Count count(const QString &sandbox) const;

private:
    enum class Kind { Run, Start };

    void spawn(HttpExchange *exchange, const LocalSandbox &sandbox, Kind kind);
    void spawned(HttpExchange *exchange, const QString &sandbox, Kind kind, const SandboxCommand::Options &options,
                 Result<SandboxProcess> process);
    void forgetAll(const QString &sandbox);
    // Answers 404 itself where there is none.
    SandboxCommand *find(HttpExchange *exchange, const QString &sandbox, const QString &process) const;

    SandboxStore *m_store;
    WorkerPool *m_pool;
    QHash<QString, QList<SandboxCommand *>> m_commands; // oldest first, children of this
    QHash<QString, int> m_starting;
    int m_handles = 0;
};

} // namespace Sandpiper
