// A vendor in memory for tests of the window: answers at once, or when told to, and writes down what
// it was asked. GUI thread.
#pragma once

#include "session/provider.h"

#include <QPromise>
#include <QStringList>

#include <functional>

namespace Sandpiper {

class FakeProvider : public SandboxProvider
{
    Q_OBJECT
public:
    explicit FakeProvider(const QString &accountId, const QString &vendor = QStringLiteral("fake"),
                          QObject *parent = nullptr)
        : SandboxProvider(parent)
        , m_account(accountId)
        , m_vendor(vendor)
    {
        for (int c = 0; c <= int(Capability::Isolation); ++c)
            m_capabilities.allow(Capability(c));
    }

    // --- what the test may set -----------------------------------------------------------------
    QList<Sandbox> sandboxes;
    QList<SshKey> sshKeys;
    QList<quint16> agents;
    QStringList calls; // "rename box-1 → new name"
    std::optional<Error> failNext; // the next call answers with it, once
    // While true answers wait for answerAll().
    bool holding = false;
    std::function<std::unique_ptr<Shell>(const Sandbox &, const ShellSpec &, const std::optional<PtyHandle> &)> shellMaker;
    std::function<Result<WebSocketRequest>(quint16 port)> tunnelMaker;

    void answerAll()
    {
        const auto waiting = std::exchange(m_waiting, {});
        for (const auto &answer : waiting)
            answer();
    }

    Sandbox make(const QString &name, SandboxState state = SandboxState::Running) const
    {
        Sandbox box;
        box.id = {m_vendor, m_account, QStringLiteral("id-") + name};
        box.name = name;
        box.state = state;
        box.stateText = QStringLiteral("fake");
        box.image = QStringLiteral("debian:13");
        box.createdAt = QDateTime::currentDateTimeUtc().addSecs(-7300);
        box.capabilities = m_capabilities;
        return box;
    }

    Result<WebSocketRequest> tunnelRequest(const Sandbox &sandbox, quint16 port) override
    {
        return tunnelMaker ? tunnelMaker(port) : SandboxProvider::tunnelRequest(sandbox, port);
    }

    // --- SandboxProvider -----------------------------------------------------------------------
    QString vendor() const override { return m_vendor; }
    QString accountId() const override { return m_account; }
    Capabilities capabilities() const override { return m_capabilities; }
    QList<quint16> agentPorts() const override { return agents; }
    void setCapabilities(const Capabilities &capabilities) { m_capabilities = capabilities; }

    QFuture<Result<QList<Sandbox>>> list(ListScope) override
    {
        return answer<QList<Sandbox>>(QStringLiteral("list"), [this] { return sandboxes; });
    }
    QFuture<Result<Sandbox>> find(const QString &idOrName) override
    {
        return answerResult<Sandbox>(QStringLiteral("find ") + idOrName, [this, idOrName]() -> Result<Sandbox> {
            for (const Sandbox &box : std::as_const(sandboxes)) {
                if (box.id.id == idOrName || box.name == idOrName)
                    return box;
            }
            return failure(ErrorKind::NotFound, Layer::Provider, {}, idOrName);
        });
    }
    QFuture<Result<Sandbox>> create(const CreateRequest &request) override
    {
        lastCreate = request;
        return answer<Sandbox>(QStringLiteral("create ") + request.name, [this, request] {
            Sandbox box = make(request.name.isEmpty() ? QStringLiteral("unnamed") : request.name);
            if (!request.image.isEmpty())
                box.image = request.image;
            sandboxes.append(box);
            return box;
        });
    }
    QFuture<Result<Sandbox>> rename(const SandboxId &id, const QString &name) override
    {
        return answerResult<Sandbox>(QStringLiteral("rename %1 to %2").arg(id.id, name), [this, id, name]() -> Result<Sandbox> {
            Sandbox *box = at(id);
            if (!box)
                return failure(ErrorKind::NotFound, Layer::Provider, {}, id.id);
            box->name = name;
            return *box;
        });
    }
    QFuture<Done> suspend(const SandboxId &id) override { return move(QStringLiteral("suspend "), id, SandboxState::Suspended); }
    QFuture<Done> resume(const SandboxId &id) override { return move(QStringLiteral("resume "), id, SandboxState::Running); }
    QFuture<Done> terminate(const SandboxId &id) override
    {
        return answerResult<void>(QStringLiteral("terminate ") + id.id, [this, id]() -> Done {
            sandboxes.removeIf([&id](const Sandbox &box) { return box.id == id; });
            return {};
        });
    }

    QFuture<Result<Sandbox>> closePublicPorts(const SandboxId &id, const QList<quint16> &ports) override
    {
        return answerResult<Sandbox>(QStringLiteral("closePublicPorts %1 of %2").arg(ports.size()).arg(id.id), [this, id, ports]() -> Result<Sandbox> {
            Sandbox *box = at(id);
            if (!box)
                return failure(ErrorKind::NotFound, Layer::Provider, {}, id.id);
            box->publicPorts.removeIf([&ports](quint16 port) { return ports.contains(port); });
            return *box;
        });
    }

    QFuture<Result<QList<SshKey>>> keys() override
    {
        return answer<QList<SshKey>>(QStringLiteral("keys"), [this] { return sshKeys; });
    }
    QFuture<Result<SshKey>> addKey(const QString &name, const QByteArray &publicLine) override
    {
        return answer<SshKey>(QStringLiteral("addKey ") + name, [this, name, publicLine] {
            SshKey key;
            key.id = QStringLiteral("key-") + name;
            key.name = name;
            key.type = QString::fromUtf8(publicLine.split(' ').first());
            key.fingerprint = QStringLiteral("SHA256:fake-") + name;
            key.addedAt = QDateTime::currentDateTimeUtc();
            sshKeys.append(key);
            return key;
        });
    }
    QFuture<Done> removeKey(const QString &keyId) override
    {
        return answerResult<void>(QStringLiteral("removeKey ") + keyId, [this, keyId]() -> Done {
            sshKeys.removeIf([&keyId](const SshKey &key) { return key.id == keyId; });
            return {};
        });
    }

    QFuture<Result<QList<PtySession>>> ptySessions(const Sandbox &) override
    {
        return answer<QList<PtySession>>(QStringLiteral("ptySessions"), [] { return QList<PtySession>(); });
    }
    QFuture<Result<PtySession>> ptySession(const Sandbox &, const QString &session) override
    {
        return answerResult<PtySession>(QStringLiteral("ptySession ") + session, [session]() -> Result<PtySession> {
            return failure(ErrorKind::NotFound, Layer::Provider, {}, session);
        });
    }
    QFuture<Result<PtyHandle>> createPty(const Sandbox &, const ShellSpec &, TerminalSize) override
    {
        return answer<PtyHandle>(QStringLiteral("createPty"), [] {
            return PtyHandle{QStringLiteral("pty-1"), std::make_shared<Secret>("fake-pty-token")};
        });
    }
    QFuture<Done> resizePty(const Sandbox &, const QString &, TerminalSize) override
    {
        return answerResult<void>(QStringLiteral("resizePty"), []() -> Done { return {}; });
    }
    QFuture<Done> killPty(const Sandbox &, const QString &session) override
    {
        return answerResult<void>(QStringLiteral("killPty ") + session, []() -> Done { return {}; });
    }
    std::unique_ptr<Shell> makePtyShell(const Sandbox &sandbox, const ShellSpec &spec,
                                        const std::optional<PtyHandle> &known) override
    {
        calls.append(QStringLiteral("makePtyShell ") + sandbox.id.id);
        return shellMaker ? shellMaker(sandbox, spec, known) : nullptr;
    }
    std::unique_ptr<RemoteCommand> makeCommand(const Sandbox &, const CommandSpec &) override { return nullptr; }

    CreateRequest lastCreate;

private:
    Sandbox *at(const SandboxId &id)
    {
        for (Sandbox &box : sandboxes) {
            if (box.id == id)
                return &box;
        }
        return nullptr;
    }
    QFuture<Done> move(const QString &verb, const SandboxId &id, SandboxState state)
    {
        return answerResult<void>(verb + id.id, [this, id, state]() -> Done {
            Sandbox *box = at(id);
            if (!box)
                return failure(ErrorKind::NotFound, Layer::Provider, {}, id.id);
            box->state = state;
            return {};
        });
    }
    template <typename T, typename F>
    QFuture<Result<T>> answer(const QString &call, F make)
    {
        return answerResult<T>(call, [make]() -> Result<T> { return make(); });
    }
    template <typename T, typename F>
    QFuture<Result<T>> answerResult(const QString &call, F make)
    {
        calls.append(call);
        // shared_ptr: std::function must be copyable, and a promise is not.
        auto promise = std::make_shared<QPromise<Result<T>>>();
        promise->start();
        const QFuture<Result<T>> future = promise->future();
        const std::optional<Error> error = std::exchange(failNext, std::nullopt);
        auto finish = [promise, make, error] {
            if (error)
                promise->addResult(Result<T>(std::unexpected(*error)));
            else
                promise->addResult(make());
            promise->finish();
        };
        if (holding)
            m_waiting.append(finish);
        else
            finish();
        return future;
    }

    QString m_account;
    QString m_vendor;
    Capabilities m_capabilities;
    QList<std::function<void()>> m_waiting;
};

} // namespace Sandpiper
