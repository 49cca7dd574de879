#include "gateway/gateway.h"

#include "session/paths.h"

#include <QFile>
#include <QJsonDocument>
#include <QLoggingCategory>

#include <algorithm>

#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

Q_LOGGING_CATEGORY(lcGateway, "sandpiper.gateway", QtInfoMsg)

const QString loopback = u"127.0.0.1"_s;

Error portError(const QString &what, quint16 port, const QString &detail)
{
    return {ErrorKind::Io, Layer::Tcp, detail, u"%1 port %2"_s.arg(what).arg(port)};
}

} // namespace

Result<std::unique_ptr<Gateway>> Gateway::start(const Options &options, std::unique_ptr<GatewayLock> lock)
{
    // What a killed gateway left behind must not be taken for ours.
    QFile::remove(options.folders.runtimeFile());
    if (const Done noted = lock->note(options.folders.runtimeFile()); !noted)
        return std::unexpected(noted.error());
    Result<Secret> apiKey = loadApiKey(options.folders);
    if (!apiKey)
        return std::unexpected(apiKey.error());
    const Result<KeyPair> clientKey = loadEd25519Key(options.folders.state + u"/client_key"_s);
    if (!clientKey)
        return std::unexpected(clientKey.error());
    const Result<KeyPair> hostKey = loadEd25519Key(options.folders.state + u"/ssh_host_key"_s);
    if (!hostKey)
        return std::unexpected(hostKey.error());
    std::unique_ptr<Gateway> gateway(new Gateway(options, std::move(lock), std::move(*apiKey)));
    if (const Done done = gateway->listen(*clientKey, *hostKey); !done)
        return std::unexpected(done.error());
    return gateway;
}

Gateway::Gateway(const Options &options, std::unique_ptr<GatewayLock> lock, Secret apiKey)
    : m_options(options)
    , m_lock(std::move(lock))
    , m_apiKey(std::move(apiKey))
    , m_keys(options.folders.state + u"/keys.json"_s)
    , m_store({options.folders.sandboxes, options.folders.sockets, options.initProgram, options.allowWeakIsolation})
    , m_lifecycle(&m_store, options.startDeadline)
    , m_ptys(&m_store, &m_pool, options.ptys)
    , m_processes(&m_store, &m_pool)
    , m_files(&m_pool)
    , m_tunnels(&m_store, &m_pool)
    , m_front({&m_store, &m_keys, &m_lifecycle, &m_ptys, &m_processes, &m_files, &m_tunnels}, m_apiKey.clone())
    , m_server(std::make_unique<HttpServer>(&m_front, options.limits))
{
    connect(&m_idleTimer, &QTimer::timeout, this, &Gateway::checkIdle);
    if (options.idle.count() > 0) {
        m_idleSince.start();
        m_idleTimer.start(std::clamp<std::chrono::milliseconds>(options.idle / 10, std::chrono::milliseconds(20), std::chrono::seconds(30)));
    }
}

Gateway::~Gateway()
{
    if (m_isAnnounced)
        QFile::remove(m_options.folders.runtimeFile());
    m_ssh.reset();
    m_server->close();
}

Done Gateway::listen(const KeyPair &clientKey, const KeyPair &hostKey)
{
    const QList<RegisteredKey> registered = m_keys.all();
    const bool known = std::ranges::any_of(registered, [&](const RegisteredKey &key) { return key.publicLine == clientKey.publicLine; });
    if (!known) {
        const auto added = m_keys.add(u"This computer"_s, clientKey.publicLine);
        if (!added)
            return std::unexpected(added.error());
    }
    KeptPorts kept = loadPorts(m_options.folders);
    if (const Done done = listenHttp(kept); !done)
        return done;
    if (const Done done = listenSsh(kept, clientKey, hostKey); !done)
        return done;
    if (const Done saved = savePorts(m_options.folders, kept); !saved)
        return saved;

    m_endpoints.apiUrl = u"http://%1:%2"_s.arg(loopback).arg(kept.http);
    m_front.setPort(kept.http);
    m_lifecycle.setEndpoints(m_endpoints);
    m_startLine = {
        {u"api_url"_s, m_endpoints.apiUrl},
        {u"ssh_host"_s, m_endpoints.sshHost},
        {u"ssh_port"_s, m_endpoints.sshPort},
        {u"ssh_endpoint"_s, m_endpoints.sshObject()},
        {u"api_key"_s, QString::fromLatin1(m_apiKey.reveal())},
        {u"client_key"_s, clientKey.file},
        {u"pid"_s, qint64(::getpid())},
        {u"unusable_because"_s, m_store.unusableBecause()},
    };
    const Done announced = writePrivateFile(m_options.folders.runtimeFile(), QJsonDocument(m_startLine).toJson(QJsonDocument::Compact));
    m_isAnnounced = announced.has_value();
    return announced;
}

Done Gateway::listenHttp(KeptPorts &kept)
{
    const quint16 wished = m_options.httpPort != 0 ? m_options.httpPort : kept.http;
    bool listens = m_server->listen(QHostAddress(loopback), wished);
    if (!listens && m_options.httpPort == 0 && wished != 0) {
        qCWarning(lcGateway, "HTTP port %d is taken by another program; another port is used from now on.", wished);
        listens = m_server->listen(QHostAddress(loopback), 0);
    }
    if (!listens)
        return std::unexpected(portError(u"HTTP"_s, wished, m_server->errorString()));
    kept.http = m_server->port();
    return {};
}

Done Gateway::listenSsh(KeptPorts &kept, const KeyPair &clientKey, const KeyPair &hostKey)
{
    SshFront::Options options;
    options.hostKeyFile = hostKey.file;
    options.innerKeyFile = clientKey.file;
    options.listenHost = loopback;
    const auto listenOn = [&](quint16 port) {
        options.port = port;
        m_ssh = std::make_unique<SshFront>(options, &m_store, &m_keys);
        return m_ssh->listen();
    };
    const quint16 wished = m_options.sshPort != 0 ? m_options.sshPort : kept.ssh;
    Result<quint16> port = listenOn(wished);
    if (!port && m_options.sshPort == 0 && wished != 0) {
        qCWarning(lcGateway, "SSH port %d is taken by another program; another port is used from now on.", wished);
        port = listenOn(0);
    }
    if (!port)
        return std::unexpected(portError(u"SSH"_s, wished, port.error().detail));
    kept.ssh = *port;
    m_endpoints.sshHost = loopback;
    m_endpoints.sshPort = *port;
    m_endpoints.sshHostKey = m_ssh->hostKeyLine();
    return {};
}

bool Gateway::isBusy() const
{
    // anyRunning() counts suspended sandboxes that have processes: ending now would take them away.
    return m_store.anyRunning() || m_server->connectionCount() > 0 || m_ssh->connectionCount() > 0;
}

void Gateway::checkIdle()
{
    if (isBusy())
        m_idleSince.start();
    else if (m_idleSince.durationElapsed() >= m_options.idle)
        emit idle();
}

} // namespace Sandpiper
