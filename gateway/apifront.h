// The gateway's one HTTP port: who may come in, and which plane answers. Main thread.
#pragma once

#include "gateway/fileapi.h"
#include "gateway/keystore.h"
#include "gateway/lifecycleapi.h"
#include "gateway/processapi.h"
#include "gateway/ptyapi.h"
#include "gateway/router.h"
#include "gateway/tunnelapi.h"
#include "session/secret.h"

namespace Sandpiper {

// Which sandbox a request to the sandbox plane means: the id header, else the ".local" value among
// the Host headers (one official client sends two), else the first label of the host's name. Pure;
// empty where none is named. May be an id or a name.
[[nodiscard]] QString sandboxNamedBy(const HttpRequest &request);

class ApiFront : public HttpHandler
{
public:
    struct Parts
    {
        SandboxStore *store;
        KeyStore *keys;
        LifecycleApi *lifecycle;
        PtyApi *ptys;
        ProcessApi *processes;
        FileApi *files;
        TunnelApi *tunnels;
    };
    // parts are borrowed and outlive this.
    ApiFront(const Parts &parts, Secret apiKey);
    // The port that clients see, for the Origin that is ours.
    void setPort(quint16 port) { m_port = port; }

    [[nodiscard]] std::optional<HttpResponse> admit(const HttpRequest &head, BodyPlan &plan) override;
    void handle(HttpExchange *exchange) override;
    [[nodiscard]] HttpResponse refusal(int status, const QString &reason) override;

private:
    using SandboxFunction = std::function<void(HttpExchange *, const LocalSandbox &, const QStringList &)>;

    void addLifecycle();
    void addPlatform();
    void addPtys();
    void addProcesses();
    void addFiles();
    void addTunnels();
    void addSandboxRoute(const QByteArray &method, const QByteArray &pattern, SandboxFunction function);
    void listKeys(HttpExchange *exchange) const;
    void addKey(HttpExchange *exchange) const;
    void removeKey(HttpExchange *exchange, const QString &id) const;
    [[nodiscard]] bool isOurOrigin(const QByteArray &origin) const;

    Parts m_parts;
    Secret m_apiKey;
    quint16 m_port = 0;
    Router m_router;
};

} // namespace Sandpiper
