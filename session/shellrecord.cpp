#include "session/standingshell.h"

#include <QJsonArray>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

namespace {

QString nameOfRoute(ShellRoute route)
{
    switch (route) {
    case ShellRoute::Pty: return u"pty"_s;
    case ShellRoute::Ssh: return u"ssh"_s;
    }
    Q_UNREACHABLE_RETURN({});
}

} // namespace

QJsonObject ShellRecord::toJson() const
{
    QJsonObject environment;
    for (auto it = spec.environment.cbegin(); it != spec.environment.cend(); ++it)
        environment.insert(it.key(), it.value());
    return {{u"sandbox"_s, sandbox.toString()},
            {u"sandbox_name"_s, sandboxName},
            {u"route"_s, nameOfRoute(route)},
            {u"command"_s, spec.command},
            {u"arguments"_s, QJsonArray::fromStringList(spec.arguments)},
            {u"environment"_s, environment},
            {u"directory"_s, spec.workingDirectory},
            {u"term"_s, spec.term},
            {u"pty_session"_s, ptySession}};
}

std::optional<ShellRecord> ShellRecord::fromJson(const QJsonObject &json)
{
    const std::optional<SandboxId> sandbox = SandboxId::parse(json.value("sandbox"_L1).toString());
    if (!sandbox)
        return std::nullopt;
    ShellRecord record;
    record.sandbox = *sandbox;
    record.sandboxName = json.value("sandbox_name"_L1).toString();
    const QString route = json.value("route"_L1).toString();
    if (route == nameOfRoute(ShellRoute::Ssh))
        record.route = ShellRoute::Ssh;
    else if (route != nameOfRoute(ShellRoute::Pty))
        return std::nullopt;
    record.spec.command = json.value("command"_L1).toString();
    for (const QJsonValue &argument : json.value("arguments"_L1).toArray()) {
        if (!argument.isString())
            return std::nullopt;
        record.spec.arguments += argument.toString();
    }
    const QJsonObject environment = json.value("environment"_L1).toObject();
    for (auto it = environment.constBegin(); it != environment.constEnd(); ++it) {
        if (!it.value().isString())
            return std::nullopt;
        record.spec.environment.insert(it.key(), it.value().toString());
    }
    record.spec.workingDirectory = json.value("directory"_L1).toString();
    if (const QString term = json.value("term"_L1).toString(); !term.isEmpty())
        record.spec.term = term;
    record.ptySession = json.value("pty_session"_L1).toString();
    return record;
}

} // namespace Sandpiper
