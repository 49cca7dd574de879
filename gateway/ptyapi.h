// The PTY part of the sandbox plane: keeps the sessions of all sandboxes. Main thread.
#pragma once

#include "gateway/httpconnection.h"
#include "gateway/ptysession.h"
#include "gateway/sandboxstore.h"
#include "gateway/workerpool.h"

#include <QHash>

namespace Sandpiper {

class PtyApi : public QObject
{
    Q_OBJECT
public:
    // store and pool are borrowed and outlive this.
    PtyApi(SandboxStore *store, WorkerPool *pool, const PtyLimits &limits, QObject *parent = nullptr);
    ~PtyApi() override;

    void create(HttpExchange *exchange, const LocalSandbox &sandbox);
    void list(HttpExchange *exchange, const LocalSandbox &sandbox) const;
    void get(HttpExchange *exchange, const LocalSandbox &sandbox, const QString &session) const;
    void resize(HttpExchange *exchange, const LocalSandbox &sandbox, const QString &session) const;
    void kill(HttpExchange *exchange, const LocalSandbox &sandbox, const QString &session) const;
    void attach(HttpExchange *exchange, const LocalSandbox &sandbox, const QString &session) const;

private:
    void spawned(HttpExchange *exchange, const QString &sandbox, const PtySession::Start &start, Result<SandboxProcess> process);
    void sandboxChanged(const QString &id);
    void remove(const QString &sandbox, PtySession *session);
    [[nodiscard]] PtySession *find(const QString &sandbox, const QString &session) const;

    SandboxStore *m_store;
    WorkerPool *m_pool;
    PtyLimits m_limits;
    QHash<QString, QList<PtySession *>> m_sessions; // children of this
    QHash<QString, int> m_starting;
    QHash<QString, LocalState> m_states; // of sandboxes with sessions, as last seen
};

// 21 characters of the URL-safe alphabet, from OpenSSL's random numbers.
[[nodiscard]] QString randomId();

} // namespace Sandpiper
