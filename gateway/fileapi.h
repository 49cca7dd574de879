// The file part of the sandbox plane: whole files and listings, out of and into a sandbox. The work is done inside
// (gateway/sandboxinit/files.h); here bytes go between its pipes and the client, never more than some 100 KiB of
// them kept. Main thread.
#pragma once

#include "gateway/httpconnection.h"
#include "gateway/sandboxstore.h"
#include "gateway/workerpool.h"

#include <QHash>

namespace Sandpiper {

class FileApi : public QObject
{
    Q_OBJECT
public:
    // pool is borrowed and outlives this.
    explicit FileApi(WorkerPool *pool, QObject *parent = nullptr);

    void read(HttpExchange *exchange, const LocalSandbox &sandbox);
    void write(HttpExchange *exchange, const LocalSandbox &sandbox); // its body is streamed
    void remove(HttpExchange *exchange, const LocalSandbox &sandbox);
    void list(HttpExchange *exchange, const LocalSandbox &sandbox);

private:
    void begin(HttpExchange *exchange, const LocalSandbox &sandbox, SpawnSpec::FileWork work);

    WorkerPool *m_pool;
    QHash<QString, int> m_running; // by sandbox
};

// What the work said, in the contract's words. said: what stood on its standard output.
[[nodiscard]] HttpResponse fileAnswer(const QByteArray &said);

} // namespace Sandpiper
