#include "session/providers/tensorlakejson.h"

#include "session/address.h"
#include "session/json.h"

#include <QJsonArray>
#include <QRegularExpression>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// Goes into URLs, headers and SSH user names.
bool isUsableId(const QString &id)
{
    static const QRegularExpression form(u"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$"_s);
    return form.match(id).hasMatch() && !id.endsWith(u'\n');
}

SandboxState stateFrom(const QString &word)
{
    if (word == "running"_L1)
        return SandboxState::Running;
    if (word == "pending"_L1)
        return SandboxState::Pending;
    if (word == "suspended"_L1)
        return SandboxState::Suspended;
    if (word == "suspending"_L1)
        return SandboxState::Suspending;
    if (word == "snapshotting"_L1)
        return SandboxState::Snapshotting;
    if (word == "terminated"_L1)
        return SandboxState::Terminated;
    return SandboxState::Unknown;
}

// Text, a list, or an object with one of several keys.
QString errorDetails(const QJsonValue &value)
{
    if (value.isString())
        return tamed(value.toString());
    if (value.isObject())
        return jsonText(value.toObject(), {"message"_L1, "detail"_L1, "error"_L1, "reason"_L1});
    QStringList parts;
    const QJsonArray items = value.toArray();
    for (qsizetype i = 0; i < qMin(items.size(), qsizetype(3)); ++i) {
        const QJsonValue item = items.at(i);
        const QString part = item.isObject() ? jsonText(item.toObject(), {"message"_L1, "detail"_L1, "error"_L1, "reason"_L1})
                                             : tamed(item.toString());
        if (!part.isEmpty())
            parts.append(part);
    }
    return parts.join(u"; "_s);
}

QString noteFrom(const QJsonObject &object, SandboxState state)
{
    QStringList parts;
    if (state == SandboxState::Pending)
        parts.append(jsonText(object, {"pending_reason"_L1, "reason"_L1}, 100).replace(u'_', u' '));
    if (state == SandboxState::Terminated || state == SandboxState::Unknown)
        parts.append(jsonText(object, {"termination_reason"_L1, "outcome"_L1}, 100));
    parts.append(errorDetails(object.value("error_details"_L1)));
    parts.removeAll(QString());
    return parts.join(u": "_s);
}

bool isHostKeyLine(const QByteArray &line)
{
    static const QRegularExpression form(u"^(ssh|ecdsa|sk)-[a-z0-9@.-]{1,60} [A-Za-z0-9+/]{20,4000}={0,2}( [ -~]{0,200})?$"_s);
    return form.match(QString::fromLatin1(line)).hasMatch() && !line.contains('\n');
}

bool isHostName(const QString &host)
{
    static const QRegularExpression form(u"^[A-Za-z0-9:][A-Za-z0-9.:-]{0,254}$"_s);
    return form.match(host).hasMatch() && !host.endsWith(u'\n');
}

// Where SSH is: what the object says, else the host of its in-sandbox API on port 22.
std::optional<SshEndpoint> sshFrom(const QJsonObject &object, const Sandbox &sandbox, const TensorlakeContext &context)
{
    SshEndpoint ssh = context.localSsh;
    ssh.user = sandbox.id.id;
    if (!ssh.host.isEmpty())
        return ssh;
    const QJsonValue said = object.value("ssh_endpoint"_L1);
    if (said.isObject()) {
        const QJsonObject endpoint = said.toObject();
        ssh.host = endpoint.value("host"_L1).toString();
        const qint64 port = endpoint.contains("port"_L1) ? jsonCount(endpoint.value("port"_L1)) : 22;
        ssh.port = quint16(qBound(qint64(0), port, qint64(65535)));
        ssh.hostKey = endpoint.value("host_key"_L1).toString().toLatin1().trimmed();
        // A host key that cannot be read must not turn into "ask the user".
        const bool isPinUsable = ssh.hostKey.isEmpty() ? !context.isThisComputer : isHostKeyLine(ssh.hostKey);
        if (!isHostName(ssh.host) || ssh.port == 0 || port > 65535 || !isPinUsable)
            return std::nullopt;
        return ssh;
    }
    // On this computer port 22 would be its owner's own server.
    if (!isHostName(sandbox.controlUrl.host()) || isLoopback(sandbox.controlUrl))
        return std::nullopt;
    ssh.host = sandbox.controlUrl.host();
    return ssh;
}

void refuseAll(Capabilities &capabilities, std::initializer_list<Capability> which, const QString &reason)
{
    for (const Capability one : which)
        capabilities.refuse(one, reason);
}

Capabilities capabilitiesFrom(const QJsonObject &object, const Sandbox &sandbox, const TensorlakeContext &context)
{
    using enum Capability;
    Capabilities can = tensorlakeCapabilities(context);
    if (sandbox.controlUrl.isEmpty() && !context.routes.hasProxyOverride())
        refuseAll(can, {PtyShell, Reattach, Exec, Tunnel}, u"The vendor does not say where the inside of this sandbox is to be reached."_s);
    if (!sandbox.ssh)
        refuseAll(can, {SshShell, Sftp, LocalForward, RemoteForward, AgentForward}, u"The vendor does not say where SSH for this sandbox is to be reached."_s);
    if (object.value("has_network"_L1).toBool(true))
        can.allow(OutboundNetwork);
    else
        can.refuse(OutboundNetwork, jsonText(object, {"network_note"_L1}).isEmpty() ? u"This sandbox has no way to the network."_s
                                                                                   : jsonText(object, {"network_note"_L1}));
    for (const auto name : {"network"_L1, "network_policy"_L1}) {
        if (!object.contains("has_network"_L1) && object.value(name).toObject().value("allow_internet_access"_L1).toBool(true) == false)
            can.refuse(OutboundNetwork, u"Its network policy does not allow access to the internet."_s);
    }
    if (object.value("isolated"_L1).toBool(true))
        can.allow(Isolation);
    else
        can.refuse(Isolation, jsonText(object, {"isolation_note"_L1}).isEmpty() ? u"This sandbox is only weakly separated from this computer."_s
                                                                               : jsonText(object, {"isolation_note"_L1}));
    if (sandbox.name.isEmpty() && !context.isThisComputer)
        can.refuse(Suspend, u"Only sandboxes with a name can be suspended; rename it first."_s);
    if (sandbox.state == SandboxState::Suspended || sandbox.state == SandboxState::Suspending)
        can.refuse(Suspend, u"The sandbox is suspended already."_s);
    if (sandbox.state == SandboxState::Running)
        can.refuse(Resume, u"The sandbox is running already."_s);
    if (sandbox.state == SandboxState::Terminated)
        refuseAll(can, {PtyShell, SshShell, Reattach, Exec, Sftp, Rename, Suspend, Resume, Terminate, LocalForward, RemoteForward, AgentForward, Tunnel, PublicPorts},
                  u"The sandbox is terminated."_s);
    return can;
}

// exposed_ports are for whoever has the key of the account, unless it is said that they are for everyone. The gateway
// of this computer leads nobody there.
QList<quint16> publicPortsFrom(const QJsonObject &object, const TensorlakeContext &context)
{
    const bool isOpen = object.value("allow_unauthenticated_access"_L1).toBool(object.value("allow_unauthenticated_proxy_access"_L1).toBool());
    QList<quint16> ports;
    if (!isOpen || context.isThisComputer)
        return ports;
    const QJsonArray exposed = object.value("exposed_ports"_L1).toArray();
    for (const QJsonValue &value : exposed) {
        const int port = value.toInt();
        if (port > 0 && port <= 0xffff)
            ports.append(quint16(port));
    }
    std::ranges::sort(ports);
    ports.erase(std::ranges::unique(ports).begin(), ports.end());
    return ports;
}

double positive(const QJsonValue &value)
{
    const double number = value.toDouble();
    return number > 0 && number < 1e6 ? number : 0;
}

} // namespace

Capabilities CapabilityCache::shared(const Capabilities &capabilities)
{
    const std::lock_guard lock(m_mutex);
    if (const qsizetype i = m_known.indexOf(capabilities); i >= 0)
        return m_known.at(i);
    // Reasons may come from the other side: without a bound they could fill the memory.
    if (m_known.size() < 64)
        m_known.append(capabilities);
    return capabilities;
}

Capabilities tensorlakeCapabilities(const TensorlakeContext &context)
{
    using enum Capability;
    Capabilities can;
    for (const Capability one : {PtyShell, SshShell, Reattach, Exec, Sftp, Create, Rename, Suspend, Resume, Terminate, SshKeys, LocalForward,
                                 RemoteForward, Tunnel, OutboundNetwork, Isolation})
        can.allow(one);
    if (context.isThisComputer) {
        can.allow(AgentForward);
    } else {
        can.refuse(AgentForward, u"The vendor does not say whether its SSH forwards the key agent."_s);
        can.allow(PublicPorts);
    }
    return can;
}

std::optional<Sandbox> tensorlakeSandbox(const QJsonObject &object, const TensorlakeContext &context, CapabilityCache *cache)
{
    Sandbox sandbox;
    const QString id = object.value("id"_L1).toString(object.value("sandbox_id"_L1).toString());
    if (!isUsableId(id))
        return std::nullopt;
    sandbox.id = {context.vendor, context.accountId, id};
    sandbox.name = jsonText(object, {"name"_L1}, 128);
    sandbox.stateText = jsonText(object, {"status"_L1}, 64);
    sandbox.state = stateFrom(sandbox.stateText);
    sandbox.image = jsonText(object, {"image"_L1}, 200);
    sandbox.createdAt = jsonTime(object.value("created_at"_L1));
    const QJsonObject resources = object.value("resources"_L1).toObject();
    sandbox.cpus = positive(resources.value("cpus"_L1));
    sandbox.memoryMiB = jsonCount(resources.value("memory_mb"_L1));
    sandbox.diskMiB = jsonCount(resources.value("disk_mb"_L1));
    if (sandbox.diskMiB == 0)
        sandbox.diskMiB = jsonCount(resources.value("ephemeral_disk_mb"_L1));
    sandbox.note = noteFrom(object, sandbox.state);
    const QUrl control(object.value("sandbox_url"_L1).toString().left(2048), QUrl::StrictMode);
    if (context.routes.mayTrust(control))
        sandbox.controlUrl = control;
    sandbox.routeHint = object.value("routing_hint"_L1).toString().left(1024).toLatin1();
    sandbox.ssh = sshFrom(object, sandbox, context);
    sandbox.publicPorts = publicPortsFrom(object, context);
    sandbox.capabilities = capabilitiesFrom(object, sandbox, context);
    if (cache)
        sandbox.capabilities = cache->shared(sandbox.capabilities);
    return sandbox;
}

Result<TensorlakePage> tensorlakePage(const QByteArray &body, const QUrl &current, const TensorlakeContext &context, CapabilityCache *cache)
{
    const Result<QJsonObject> root = parseJsonObject(body);
    if (!root)
        return std::unexpected(root.error());
    const QJsonValue list = root->contains("sandboxes"_L1) ? root->value("sandboxes"_L1) : root->value("items"_L1);
    if (!list.isArray())
        return failure(ErrorKind::Protocol, Layer::Provider, u"there is no list of sandboxes in it"_s);
    TensorlakePage page;
    const QJsonArray items = list.toArray();
    page.sandboxes.reserve(items.size());
    for (const QJsonValue &item : items) {
        if (auto sandbox = tensorlakeSandbox(item.toObject(), context, cache))
            page.sandboxes.append(*std::move(sandbox));
        else
            ++page.skipped;
    }
    const Result<QUrl> next = TensorlakeRoutes::nextPage(current, *root);
    if (!next)
        return std::unexpected(next.error());
    page.next = *next;
    return page;
}

QString tensorlakeNameProblem(const QString &name)
{
    static const QRegularExpression form(u"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"_s);
    if (!form.match(name).hasMatch() || name.endsWith(u'\n'))
        return u"a name begins with a lower-case letter, goes on with lower-case letters, digits and '-', and has at most 63 characters"_s;
    // The vendor tells names from ids by this.
    if (name.size() == 21 && !name.contains(u'-'))
        return u"a name of exactly 21 letters and digits looks like an id"_s;
    return {};
}

} // namespace Sandpiper
