// Tensorlake's API, in the cloud and as the gateway of This computer speaks it. GUI thread.
#pragma once

#include "session/accounts.h"
#include "session/httpclient.h"
#include "session/provider.h"
#include "session/providers/tensorlakejson.h"

#include <QHash>

#include <functional>
#include <memory>

namespace Sandpiper {

class TensorlakeProvider : public SandboxProvider
{
    Q_OBJECT
public:
    struct Setup
    {
        std::shared_ptr<Secret> secret;     // shared with whoever keeps the account; never null
        std::shared_ptr<Secret> userSecret; // a personal token for SSH keys, which belong to a user; may be null
        SshEndpoint localSsh; // This computer only: pinned host key, identity file; no user
        bool isThisComputer = false;
    };
    TensorlakeProvider(const Account &account, const Setup &setup, QObject *parent = nullptr);
    ~TensorlakeProvider() override;

    [[nodiscard]] QString vendor() const override;
    [[nodiscard]] QString accountId() const override;
    [[nodiscard]] Capabilities capabilities() const override;
    [[nodiscard]] std::optional<std::chrono::seconds> unattendedShellLife() const override;
    [[nodiscard]] QList<quint16> agentPorts() const override { return {9501}; }

    [[nodiscard]] QFuture<Result<QList<Sandbox>>> list(ListScope scope) override;
    [[nodiscard]] QFuture<Result<Sandbox>> find(const QString &idOrName) override;
    [[nodiscard]] QFuture<Result<Sandbox>> create(const CreateRequest &request) override;
    [[nodiscard]] QFuture<Result<Sandbox>> rename(const SandboxId &id, const QString &name) override;
    [[nodiscard]] QFuture<Done> suspend(const SandboxId &id) override;
    [[nodiscard]] QFuture<Done> resume(const SandboxId &id) override;
    [[nodiscard]] QFuture<Done> terminate(const SandboxId &id) override;
    [[nodiscard]] QFuture<Result<Sandbox>> closePublicPorts(const SandboxId &id, const QList<quint16> &ports) override;

    [[nodiscard]] QFuture<Result<QList<SshKey>>> keys() override;
    [[nodiscard]] QFuture<Result<SshKey>> addKey(const QString &name, const QByteArray &publicLine) override;
    [[nodiscard]] QFuture<Done> removeKey(const QString &keyId) override;

    [[nodiscard]] QFuture<Result<QList<PtySession>>> ptySessions(const Sandbox &sandbox) override;
    [[nodiscard]] QFuture<Result<PtySession>> ptySession(const Sandbox &sandbox, const QString &session) override;
    [[nodiscard]] QFuture<Result<PtyHandle>> createPty(const Sandbox &sandbox, const ShellSpec &spec, TerminalSize size) override;
    [[nodiscard]] QFuture<Done> resizePty(const Sandbox &sandbox, const QString &session, TerminalSize size) override;
    [[nodiscard]] QFuture<Done> killPty(const Sandbox &sandbox, const QString &session) override;

    [[nodiscard]] std::unique_ptr<Shell> makePtyShell(const Sandbox &sandbox, const ShellSpec &spec,
                                                      const std::optional<PtyHandle> &known) override;
    [[nodiscard]] std::unique_ptr<RemoteCommand> makeCommand(const Sandbox &sandbox, const CommandSpec &spec) override;
    [[nodiscard]] Result<WebSocketRequest> tunnelRequest(const Sandbox &sandbox, quint16 port) override;
    [[nodiscard]] std::unique_ptr<VendorFiles> makeFiles(const Sandbox &sandbox) override;

private:
    template <typename T>
    using Read = std::function<Result<T>(const HttpReply &)>;
    // One request whose future, when cancelled, ends the request. A request that could not be made
    // answers at once.
    template <typename T>
    QFuture<Result<T>> ask(HttpClient *http, const Result<HttpRequest> &request, TensorlakePlane plane, Read<T> read);
    [[nodiscard]] QFuture<Done> act(const SandboxId &id, HttpRequest::Verb verb, QLatin1StringView action);
    [[nodiscard]] QFuture<Result<PtyHandle>> createPtyIn(const Sandbox &sandbox, const ShellSpec &spec, TerminalSize size,
                                                         const QString &folder);
    // The account's own fault, else the request with its JSON.
    [[nodiscard]] Result<HttpRequest> checked(const Result<HttpRequest> &request) const;
    [[nodiscard]] Read<Sandbox> sandboxReader() const;
    // Shells that are there follow a sandbox that has moved.
    void follow(const Sandbox &sandbox);

    Account m_account;
    std::shared_ptr<Secret> m_secret; // shared with m_http and with the sockets of shells
    std::shared_ptr<const TensorlakeContext> m_context; // shared with pool threads that read lists
    std::shared_ptr<CapabilityCache> m_capabilities;    // likewise
    QHash<SandboxId, std::weak_ptr<Sandbox>> m_places; // owned by the shells that use them
    HttpClient m_http;
    HttpClient m_keysHttp;
};

} // namespace Sandpiper
