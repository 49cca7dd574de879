// The tunnel part of the sandbox plane: TCP connections to the loopback of a sandbox. Main thread.
#pragma once

#include "gateway/httpconnection.h"
#include "gateway/sandboxstore.h"
#include "gateway/tunnelsession.h"
#include "gateway/workerpool.h"

#include <QHash>

namespace Sandpiper {

class TunnelApi : public QObject
{
    Q_OBJECT
public:
    // store and pool are borrowed and outlive this.
    TunnelApi(SandboxStore *store, WorkerPool *pool, QObject *parent = nullptr);

    // Answers 101 when the connection in the sandbox is there.
    void open(HttpExchange *exchange, const LocalSandbox &sandbox);

private:
    void dialled(HttpExchange *exchange, const QString &sandbox, quint16 port, Result<Fd> service);
    void dropAll(const QString &sandbox);

    SandboxStore *m_store;
    WorkerPool *m_pool;
    QHash<QString, QList<TunnelSession *>> m_sessions; // children of this
    QHash<QString, int> m_dialling;
};

} // namespace Sandpiper
