// Makes a port of a sandbox reachable here, by a forward that its user then has among the others; and says when it
// is. GUI thread.
#pragma once

#include "session/forwardmanager.h"

#include <QFuture>
#include <QPromise>

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace Sandpiper {

// A port of a sandbox, as it is to be dialled there.
struct SandboxPort
{
    SandboxId sandbox;
    QString sandboxName;
    quint16 port = 0;
    QString host = QStringLiteral("localhost");
    QString name; // of the forward, where one is made; may be empty
};

class PortForwarder : public QObject
{
    Q_OBJECT
public:
    struct Services
    {
        std::function<std::function<void()>(std::chrono::milliseconds delay, QObject *context, std::function<void()> fn)> after;
        // A port of this computer that nobody has, from this one on; 0: there is none. Called in a pool thread.
        std::function<quint16(quint16 from)> freePort;
        std::chrono::milliseconds patience{120'000}; // a host key or a passphrase may be asked for meanwhile
    };
    // forwards: borrowed, outlives it.
    PortForwarder(ForwardManager *forwards, Services services, QObject *parent = nullptr);
    ~PortForwarder() override; // who still waits is told that it was cancelled

    enum class Keep { AsItIs, WithSandbox }; // WithSandbox: it is switched on whenever the sandbox begins to run
    // Answers with where it listens, or with why it does not; the forward stays in the list then too. One to that
    // port that is there already is taken, and switched on; else one is made, here at the same port where that is
    // free.
    [[nodiscard]] QFuture<Result<ForwardSpec::End>> forward(const SandboxPort &wanted, Keep keep);
    // There is one that is on; or it is a port that a forward of ours listens at there.
    [[nodiscard]] bool isForwarded(const SandboxId &sandbox, quint16 port) const;

private:
    using Promise = QPromise<Result<ForwardSpec::End>>;
    struct Waiting
    {
        QString id;          // of the wish
        bool isOurs = false; // made for this, so its port here may be another
        int tries = 0;
        std::shared_ptr<Promise> promise; // shared with the steps in the pool thread
        std::function<void()> cancelTimer;
    };
    [[nodiscard]] std::optional<ForwardWish> wishFor(const SandboxId &sandbox, quint16 port) const;
    void choosePort(quint16 from, std::function<void(quint16)> then);
    void add(const SandboxPort &wanted, Keep keep, quint16 here, const std::shared_ptr<Promise> &promise);
    void await(const QString &id, bool isOurs, const std::shared_ptr<Promise> &promise);
    void follow(const QString &id);
    void followAll();
    void useAnotherPort(Waiting &waiting);
    void finish(size_t index, const Result<ForwardSpec::End> &result);

    ForwardManager *m_forwards;
    Services m_services;
    std::vector<Waiting> m_waiting;
};

} // namespace Sandpiper
