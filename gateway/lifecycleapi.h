// The life-cycle plane: sandboxes listed, made, changed and ended. Main thread.
#pragma once

#include "gateway/httpconnection.h"
#include "gateway/sandboxstore.h"

#include <QHash>

namespace Sandpiper {

// Where clients find this gateway; said in every sandbox object.
struct GatewayEndpoints
{
    QString apiUrl; // "http://127.0.0.1:PORT"
    QString sshHost;
    quint16 sshPort = 0;   // 0: no SSH
    QByteArray sshHostKey; // "ssh-ed25519 AAAA…"

    [[nodiscard]] QJsonObject sshObject() const;
};

// One page of a list, and the cursors around it. Pure; the order is live before
// terminated, then newest first.
struct SandboxPage
{
    QList<LocalSandbox> sandboxes;
    QString previous; // empty: none
    QString next;
};
enum class PageDirection { Forward, Backward };
// cursor: empty, or one that an earlier page gave; it stays good while sandboxes come and go.
// InvalidInput: no cursor of ours.
[[nodiscard]] Result<SandboxPage> pageOf(const QList<LocalSandbox> &all, qsizetype limit, const QString &cursor, PageDirection direction);

class LifecycleApi : public QObject
{
    Q_OBJECT
public:
    // store is borrowed and outlives this. startDeadline: how long a create waits for Running.
    LifecycleApi(SandboxStore *store, std::chrono::milliseconds startDeadline, QObject *parent = nullptr);
    void setEndpoints(const GatewayEndpoints &endpoints) { m_endpoints = endpoints; }

    void list(HttpExchange *exchange, const QString &space) const;
    void get(HttpExchange *exchange, const QString &space, const QString &sandbox) const;
    void create(HttpExchange *exchange);
    void update(HttpExchange *exchange, const QString &space, const QString &sandbox);
    void suspend(HttpExchange *exchange, const QString &sandbox);
    void resume(HttpExchange *exchange, const QString &sandbox);
    void terminate(HttpExchange *exchange, const QString &sandbox);

private:
    [[nodiscard]] QJsonObject objectOf(const LocalSandbox &sandbox, const QString &space) const;
    [[nodiscard]] QJsonObject createdObject(const LocalSandbox &sandbox) const;
    // Answers 404 itself where there is none.
    std::optional<LocalSandbox> find(HttpExchange *exchange, const QString &sandbox) const;
    void answerCreate(const QString &id);

    SandboxStore *m_store;
    std::chrono::milliseconds m_startDeadline;
    GatewayEndpoints m_endpoints;
    QHash<QString, QPointer<HttpExchange>> m_creating; // who waits for it to run
};

} // namespace Sandpiper
