#include "app/cli/json.h"

#include <QJsonArray>

#include <array>
#include <utility>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr std::array<std::pair<Capability, const char *>, 18> capabilityNames = {{
    {Capability::PtyShell, "pty_shell"}, {Capability::SshShell, "ssh_shell"}, {Capability::Reattach, "reattach"},
    {Capability::Exec, "exec"}, {Capability::Sftp, "sftp"}, {Capability::Create, "create"},
    {Capability::Rename, "rename"}, {Capability::Suspend, "suspend"}, {Capability::Resume, "resume"},
    {Capability::Terminate, "terminate"}, {Capability::SshKeys, "ssh_keys"}, {Capability::LocalForward, "local_forward"},
    {Capability::RemoteForward, "remote_forward"}, {Capability::AgentForward, "agent_forward"},
    {Capability::Tunnel, "tunnel"}, {Capability::PublicPorts, "public_ports"},
    {Capability::OutboundNetwork, "outbound_network"}, {Capability::Isolation, "isolation"}}};

QJsonValue timeJson(const QDateTime &time)
{
    return time.isValid() ? QJsonValue(time.toUTC().toString(Qt::ISODate)) : QJsonValue();
}

} // namespace

QJsonObject sandboxJson(const QString &account, const Sandbox &sandbox)
{
    QJsonObject capabilities;
    for (const auto &[capability, name] : capabilityNames)
        capabilities.insert(QLatin1StringView(name), sandbox.capabilities.has(capability));
    QJsonObject object{{u"account"_s, account}, {u"vendor"_s, sandbox.id.vendor}, {u"id"_s, sandbox.id.id},
                       {u"name"_s, sandbox.name}, {u"status"_s, sandbox.stateText}, {u"image"_s, sandbox.image},
                       {u"created_at"_s, timeJson(sandbox.createdAt)}, {u"capabilities"_s, capabilities}};
    if (sandbox.expiresAt)
        object.insert(u"expires_at"_s, timeJson(*sandbox.expiresAt));
    return object;
}

QJsonObject sandboxJson(const QString &account, const Sandbox &sandbox, const Annotation &annotation)
{
    QJsonObject object = sandboxJson(account, sandbox);
    object.insert(u"favourite"_s, annotation.isFavourite);
    object.insert(u"labels"_s, QJsonArray::fromStringList(annotation.labels));
    return object;
}

QJsonObject keyJson(const QString &account, const SshKey &key)
{
    return {{u"account"_s, account}, {u"id"_s, key.id}, {u"name"_s, key.name}, {u"type"_s, key.type},
            {u"fingerprint"_s, key.fingerprint}, {u"added_at"_s, timeJson(key.addedAt)}, {u"last_used_at"_s, timeJson(key.lastUsedAt)}};
}

QJsonObject ptyJson(const PtySession &session)
{
    return {{u"id"_s, session.id}, {u"pid"_s, session.pid}, {u"command"_s, session.command},
            {u"args"_s, QJsonArray::fromStringList(session.arguments)}, {u"columns"_s, session.size.columns}, {u"rows"_s, session.size.rows},
            {u"created_at"_s, timeJson(session.createdAt)}, {u"ended_at"_s, timeJson(session.endedAt)},
            {u"exit_code"_s, session.exitCode ? QJsonValue(*session.exitCode) : QJsonValue()}, {u"alive"_s, session.isAlive}};
}

} // namespace Sandpiper
