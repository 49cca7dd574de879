// One PTY session of a sandbox: a process on a terminal, its last output, and who is attached.
// The protocol of the vendor's WebSocket is spoken here (api/tensorlake.md, "WebSocket attach").
// Main thread.
#pragma once

#include "gateway/agentclient.h"
#include "gateway/websocketpeer.h"
#include "session/secret.h"

#include <QDateTime>
#include <QElapsedTimer>
#include <QJsonObject>
#include <QSocketNotifier>

#include <deque>
#include <vector>

namespace Sandpiper {

struct PtyLimits
{
    std::chrono::milliseconds unattended = std::chrono::seconds(300); // then the shell is killed
    std::chrono::milliseconds reap = std::chrono::seconds(60);        // an ended session is kept so long
    std::chrono::milliseconds killGrace = std::chrono::seconds(5);    // from SIGHUP to SIGKILL
    // A client whose queue stays full so long, while others wait for it, is closed.
    std::chrono::milliseconds lag = std::chrono::seconds(5);
    // And so long without taking a byte where it is alone.
    std::chrono::milliseconds lagAlone = std::chrono::seconds(30);
    // What a client may type: bytes each second, and at once. One that keeps the pace may still arrive
    // in a bunch, after one of us was held up.
    qint64 inputPerSecond = 1 << 20;
    qint64 inputBurst = 4 << 20;
    int sessions = 64; // of one sandbox, ended ones included
    int clients = 16;  // of one session
    WebSocketPeer::Limits socket;
};

class PtySession : public QObject
{
    Q_OBJECT
public:
    struct Start
    {
        QString id;
        QString command;
        QStringList arguments;
        TerminalSize size;
    };
    // process has a terminal.
    PtySession(const Start &start, Secret token, SandboxProcess process, const PtyLimits &limits, QObject *parent);
    ~PtySession() override;

    [[nodiscard]] const QString &id() const { return m_start.id; }
    [[nodiscard]] QJsonObject toJson() const; // without the token
    [[nodiscard]] bool hasToken(QByteArrayView token) const { return m_token.equals(token); }
    [[nodiscard]] bool isAlive() const { return !m_end; }
    [[nodiscard]] qsizetype clientCount() const { return qsizetype(m_clients.size()); }

    void attach(std::unique_ptr<WebSocketPeer> peer);
    void resize(TerminalSize size); // clamped
    // SIGHUP, later SIGKILL. An ended one is reaped at once.
    void kill();
    // The sandbox was suspended: its sockets drop, and nobody is to blame for being away.
    void freeze();
    void thaw();

signals:
    void ended();
    void reaped(); // it is of no use any more

private:
    struct Client
    {
        WebSocketPeer *peer = nullptr; // child of the session
        bool ready = false;
        qint64 missed = 0; // output bytes since it came and before it was ready
        double allowance = 0; // input bytes it may send now
        QElapsedTimer allowanceSince;
        QElapsedTimer pausedSince; // valid while we do not read from it
        QElapsedTimer fullSince;     // valid while its queue is full
        QElapsedTimer progressSince; // since its queue last shrank
    };

    void readTerminal();
    void writeTerminal();
    void takeEnd();
    void broadcast(const QByteArray &output);
    void remember(const QByteArray &output);
    void received(WebSocketPeer *peer, const QByteArray &message);
    void replay(Client &client);
    void takeInput(Client &client, QByteArrayView bytes);
    [[nodiscard]] double earned(const QElapsedTimer &since) const; // input bytes
    void pause(Client &client);
    void resume(Client &client);
    void sayEnd(WebSocketPeer *peer) const;
    void forget(WebSocketPeer *peer);
    void checkQueues();
    void closeLaggards();
    void clientsChanged();
    void unattended();
    void hangUp();
    void graceOver();
    [[nodiscard]] Client *find(const WebSocketPeer *peer);

    Start m_start;
    Secret m_token;
    SandboxProcess m_process;
    PtyLimits m_limits;
    QDateTime m_createdAt;
    QDateTime m_endedAt;
    std::optional<ProcessEnd> m_end;
    bool m_frozen = false;
    std::deque<QByteArray> m_history; // chunks of at most 4 KiB, 1 MiB together
    qsizetype m_historyBytes = 0;
    QByteArray m_input; // typed, and not yet taken by the terminal
    std::vector<Client> m_clients;
    QSocketNotifier m_readable;
    QSocketNotifier m_writable;
    QSocketNotifier m_ender;
    QTimer m_lagTimer;
    QTimer m_unattendedTimer;
    QTimer m_killTimer;
    QTimer m_hangUpTimer;
    QTimer m_reapTimer;
};

} // namespace Sandpiper
