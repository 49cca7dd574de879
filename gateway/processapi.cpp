#include "gateway/processapi.h"

#include <QJsonDocument>

#include <algorithm>
#include <csignal>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype runningLimit = 256; // of one sandbox
constexpr qsizetype keptLimit = 512;    // ended ones included

std::optional<int> pidOf(const QString &text)
{
    bool fine = false;
    const int pid = text.toInt(&fine);
    return fine && pid > 0 ? std::optional(pid) : std::nullopt;
}

// A sandbox of this computer has one user.
void checkUser(JsonFields &fields, const QJsonObject &body)
{
    const QJsonValue user = body.value(u"user"_s);
    const QString name = user.isObject() ? user.toObject().value(u"name"_s).toString() : user.toString();
    const bool nobody = user.isUndefined() || user.isNull() || (user.isObject() && user.toObject().isEmpty());
    if (!nobody && name != "tl-user"_L1)
        fields.complain(u"Sandboxes of this computer have one user, tl-user."_s);
}

SandboxCommand::Keep keepOf(JsonFields &fields, const QString &name)
{
    const QString mode = fields.text(name, u"capture"_s);
    if (mode != "capture"_L1 && mode != "discard"_L1)
        fields.complain(u"\"%1\" must be \"capture\" or \"discard\"."_s.arg(name));
    return mode == "discard"_L1 ? SandboxCommand::Keep::Discard : SandboxCommand::Keep::Capture;
}

} // namespace

ProcessApi::ProcessApi(SandboxStore *store, WorkerPool *pool, QObject *parent)
    : QObject(parent)
    , m_store(store)
    , m_pool(pool)
{
    connect(store, &SandboxStore::processesLost, this, &ProcessApi::forgetAll);
    connect(store, &SandboxStore::sandboxChanged, this, [this](const QString &id) {
        const auto sandbox = m_store->lookup(id);
        if (!sandbox || sandbox->state == LocalState::Terminated)
            forgetAll(id);
    });
}

void ProcessApi::forgetAll(const QString &sandbox)
{
    qDeleteAll(m_commands.take(sandbox));
}

void ProcessApi::run(HttpExchange *exchange, const LocalSandbox &sandbox)
{
    spawn(exchange, sandbox, Kind::Run);
}

void ProcessApi::start(HttpExchange *exchange, const LocalSandbox &sandbox)
{
    spawn(exchange, sandbox, Kind::Start);
}

void ProcessApi::spawn(HttpExchange *exchange, const LocalSandbox &sandbox, Kind kind)
{
    JsonFields fields = JsonFields::parse(exchange->request().body);
    SpawnSpec spec;
    SandboxCommand::Options options;
    options.command = fields.text(u"command"_s);
    options.arguments = fields.texts(u"args"_s);
    spec.environment = fields.textMap(u"env"_s);
    spec.workingDirectory = fields.text(u"working_dir"_s);
    checkUser(fields, QJsonDocument::fromJson(exchange->request().body).object());
    if (kind == Kind::Run) {
        options.timeout = std::chrono::milliseconds(qint64(fields.number(u"timeout"_s, 0, 10'000'000, 0) * 1000));
    } else {
        const QString mode = fields.text(u"stdin_mode"_s, u"closed"_s);
        if (mode != "closed"_L1 && mode != "pipe"_L1)
            fields.complain(u"\"stdin_mode\" must be \"closed\" or \"pipe\"."_s);
        options.inputPipe = mode == "pipe"_L1;
        options.output = keepOf(fields, u"stdout_mode"_s);
        options.errorOutput = keepOf(fields, u"stderr_mode"_s);
        for (const QString &name : {u"name"_s, u"restart"_s, u"health_check"_s})
            fields.mustBeAbsent(name, u"Managed processes (\"%1\") are not to be had on this computer."_s.arg(name));
    }
    if (options.command.isEmpty())
        fields.complain(u"\"command\" must be the program to run."_s);
    if (!fields.complaint().isEmpty()) {
        exchange->respond(HttpResponse::proxyError(400, u"INVALID_REQUEST"_s, fields.complaint()));
        return;
    }
    if (count(sandbox.id).running + m_starting.value(sandbox.id) >= runningLimit) {
        exchange->respond(HttpResponse::proxyError(429, u"TOO_MANY_PROCESSES"_s,
                                                   u"This sandbox runs %1 processes already."_s.arg(runningLimit)));
        return;
    }
    spec.argv = QStringList{options.command} + options.arguments;
    ++m_starting[sandbox.id];
    m_pool->run(
            this, [agent = sandbox.agent, spec] { return agent.spawn(spec); },
            [this, kind, options, id = sandbox.id, guard = QPointer<HttpExchange>(exchange)](Result<SandboxProcess> process) {
                spawned(guard, id, kind, options, std::move(process));
            });
}

void ProcessApi::spawned(HttpExchange *exchange, const QString &sandbox, Kind kind, const SandboxCommand::Options &options,
                         Result<SandboxProcess> process)
{
    if (--m_starting[sandbox] <= 0)
        m_starting.remove(sandbox);
    // Whoever asked for it is gone: the process is let go.
    if (!exchange)
        return;
    if (!process) {
        const bool notRunning = process.error().kind == ErrorKind::SandboxNotRunning;
        exchange->respond(HttpResponse::proxyError(notRunning ? 503 : 500, notRunning ? u"SANDBOX_NOT_RUNNING"_s : u"SPAWN_FAILED"_s,
                                                   tamed(process.error().detail)));
        return;
    }
    auto *command = new SandboxCommand(++m_handles, options, std::move(*process), this);
    QList<SandboxCommand *> &commands = m_commands[sandbox];
    commands.append(command);
    for (qsizetype i = 0; commands.size() > keptLimit && i < commands.size();) {
        if (commands.at(i)->isComplete())
            commands.takeAt(i)->deleteLater();
        else
            ++i;
    }
    if (kind == Kind::Run)
        command->streamTo(exchange);
    else
        exchange->respond(HttpResponse::json(201, command->toJson()));
}

SandboxCommand *ProcessApi::find(HttpExchange *exchange, const QString &sandbox, const QString &process) const
{
    const std::optional<int> pid = pidOf(process);
    const QList<SandboxCommand *> commands = m_commands.value(sandbox);
    // Numbers come round again: the newest of that number is meant.
    for (auto it = commands.crbegin(); pid && it != commands.crend(); ++it) {
        if ((*it)->pid() == *pid)
            return *it;
    }
    exchange->respond(HttpResponse::proxyError(404, u"NOT_FOUND"_s, u"There is no such process."_s));
    return nullptr;
}

void ProcessApi::list(HttpExchange *exchange, const LocalSandbox &sandbox) const
{
    QJsonArray processes;
    for (const SandboxCommand *command : m_commands.value(sandbox.id))
        processes.append(command->toJson());
    exchange->respond(HttpResponse::json(200, {{u"processes"_s, processes}}));
}

void ProcessApi::get(HttpExchange *exchange, const LocalSandbox &sandbox, const QString &process) const
{
    if (const SandboxCommand *command = find(exchange, sandbox.id, process))
        exchange->respond(HttpResponse::json(200, command->toJson()));
}

void ProcessApi::kill(HttpExchange *exchange, const LocalSandbox &sandbox, const QString &process) const
{
    if (SandboxCommand *command = find(exchange, sandbox.id, process)) {
        command->sendSignal(SIGKILL);
        exchange->respond(HttpResponse::empty(204));
    }
}

void ProcessApi::signal(HttpExchange *exchange, const LocalSandbox &sandbox, const QString &process) const
{
    SandboxCommand *command = find(exchange, sandbox.id, process);
    if (!command)
        return;
    JsonFields fields = JsonFields::parse(exchange->request().body);
    const int number = int(fields.integer(u"signal"_s, 1, 64, 0));
    if (number == 0)
        fields.complain(u"\"signal\" must be a signal's number."_s);
    if (!fields.complaint().isEmpty())
        exchange->respond(HttpResponse::proxyError(400, u"INVALID_REQUEST"_s, fields.complaint()));
    else if (!command->sendSignal(number))
        exchange->respond(HttpResponse::proxyError(400, u"NOT_RUNNING"_s, u"The process has ended."_s));
    else
        exchange->respond(HttpResponse::json(200, {{u"success"_s, true}}));
}

void ProcessApi::writeInput(HttpExchange *exchange, const LocalSandbox &sandbox, const QString &process) const
{
    if (SandboxCommand *command = find(exchange, sandbox.id, process))
        command->writeInput(exchange);
}

void ProcessApi::closeInput(HttpExchange *exchange, const LocalSandbox &sandbox, const QString &process) const
{
    if (SandboxCommand *command = find(exchange, sandbox.id, process))
        command->closeInput(exchange);
}

void ProcessApi::output(HttpExchange *exchange, const LocalSandbox &sandbox, const QString &process,
                        std::optional<SandboxCommand::Stream> only) const
{
    const SandboxCommand *command = find(exchange, sandbox.id, process);
    if (!command)
        return;
    QJsonArray lines;
    for (const SandboxCommand::Line &line : command->lines()) {
        if (!only || *only == line.stream)
            lines.append(QString::fromUtf8(line.text));
    }
    exchange->respond(HttpResponse::json(200, {{u"pid"_s, command->pid()}, {u"lines"_s, lines}, {u"line_count"_s, lines.size()}}));
}

void ProcessApi::follow(HttpExchange *exchange, const LocalSandbox &sandbox, const QString &process,
                        std::optional<SandboxCommand::Stream> only) const
{
    if (SandboxCommand *command = find(exchange, sandbox.id, process))
        command->follow(exchange, only);
}

ProcessApi::Count ProcessApi::count(const QString &sandbox) const
{
    const QList<SandboxCommand *> commands = m_commands.value(sandbox);
    return {std::ranges::count_if(commands, &SandboxCommand::isRunning), commands.size()};
}

} // namespace Sandpiper
