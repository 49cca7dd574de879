#include "gateway/agentclient.h"

#include "gateway/agentrequest.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <sys/socket.h>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace Sandpiper {

namespace {

// Descriptors come in the order that the flags of the request ask for.
class Handing
{
public:
    explicit Handing(std::vector<Fd> descriptors) : m_descriptors(std::move(descriptors)) {}
    Fd next()
    {
        return m_at < m_descriptors.size() ? std::move(m_descriptors[m_at++]) : Fd();
    }

private:
    std::vector<Fd> m_descriptors;
    size_t m_at = 0;
};

std::unexpected<Error> odd()
{
    return failure(ErrorKind::Protocol, Layer::SandboxState,
                   u"the sandbox's first process answered something else"_s);
}

void put(Wire::Writer &body, const QByteArray &text)
{
    body.text({text.constData(), size_t(text.size())});
}

QByteArray verbOf(SpawnSpec::FileWork work)
{
    switch (work) {
    case SpawnSpec::FileWork::None: return {};
    case SpawnSpec::FileWork::Read: return "read";
    case SpawnSpec::FileWork::List: return "list";
    case SpawnSpec::FileWork::Write: return "write";
    case SpawnSpec::FileWork::Remove: return "remove";
    }
    Q_UNREACHABLE_RETURN({});
}

Wire::Writer fileBodyOf(const SpawnSpec &spec)
{
    Wire::Writer body = agentBody(Wire::Operation::Spawn);
    body.u32(Wire::withFileWork);
    body.u32(80);
    body.u32(24);
    put(body, {});
    put(body, {});
    body.u32(2);
    put(body, verbOf(spec.fileWork));
    put(body, spec.filePath);
    body.u32(0);
    return body;
}

Wire::Writer bodyOf(const SpawnSpec &spec)
{
    if (spec.fileWork != SpawnSpec::FileWork::None)
        return fileBodyOf(spec);
    Wire::Writer body = agentBody(Wire::Operation::Spawn);
    uint32_t flags = 0;
    if (spec.io == SpawnSpec::Io::Terminal)
        flags |= Wire::withTerminal;
    if (spec.loginShell)
        flags |= Wire::withLoginShell;
    if (spec.agentSocket)
        flags |= Wire::withAgentSocket;
    const TerminalSize size = spec.size.clamped();
    body.u32(flags);
    body.u32(uint32_t(size.columns));
    body.u32(uint32_t(size.rows));
    put(body, spec.shellCommand);
    put(body, spec.workingDirectory.toUtf8());
    const QStringList argv = spec.loginShell ? QStringList() : spec.argv;
    body.u32(uint32_t(argv.size()));
    for (const QString &word : argv)
        put(body, word.toUtf8());
    body.u32(uint32_t(spec.environment.size()));
    for (const auto &[name, value] : spec.environment.asKeyValueRange())
        put(body, name.toUtf8() + '=' + value.toUtf8());
    return body;
}

// A name with "=" in it would set another variable than it says.
bool areNames(const QMap<QString, QString> &environment)
{
    return std::ranges::none_of(environment.keys(), [](const QString &name) {
        return name.isEmpty() || name.contains(u'=');
    });
}

Wire::Writer bodyOf(Wire::Operation operation, const QString &host, quint16 port,
                    std::chrono::milliseconds deadline)
{
    Wire::Writer body = agentBody(operation);
    put(body, host.toUtf8());
    body.u32(port);
    body.u32(uint32_t(std::clamp<long>(deadline.count(), 1, 120'000)));
    return body;
}

} // namespace

std::optional<ProcessEnd> SandboxProcess::takeEnd()
{
    if (m_end)
        return m_end;
    char buffer[64];
    ssize_t size = ::recv(m_control.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    // A signal or a size that crossed the end was not read there: that is told once, and first.
    if (size < 0 && errno == ECONNRESET)
        size = ::recv(m_control.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return std::nullopt;
    Wire::Reader reader({buffer, size_t(qMax<ssize_t>(size, 0))});
    ProcessEnd end;
    const bool isEnd = reader.u8() == 'E';
    end.exitCode = reader.i32();
    end.signal = reader.i32();
    end.outOfMemory = reader.u8() != 0;
    m_end = isEnd && reader.isDone() ? end : ProcessEnd{-1, SIGKILL, false};
    return m_end;
}

bool SandboxProcess::sendSignal(int number)
{
    if (takeEnd())
        return false;
    Wire::Writer packet;
    packet.u8('S');
    packet.u32(uint32_t(number));
    return ::send(m_control.get(), packet.bytes().data(), packet.bytes().size(),
                  MSG_NOSIGNAL | MSG_DONTWAIT)
            >= 0;
}

bool SandboxProcess::resize(TerminalSize size)
{
    if (!m_hasTerminal || takeEnd())
        return false;
    const TerminalSize bounded = size.clamped();
    Wire::Writer packet;
    packet.u8('R');
    packet.u32(uint32_t(bounded.columns));
    packet.u32(uint32_t(bounded.rows));
    return ::send(m_control.get(), packet.bytes().data(), packet.bytes().size(),
                  MSG_NOSIGNAL | MSG_DONTWAIT)
            >= 0;
}

Result<SandboxProcess> AgentClient::spawn(const SpawnSpec &spec,
                                          std::chrono::milliseconds deadline) const
{
    if (!areNames(spec.environment))
        return failure(ErrorKind::InvalidInput, Layer::SandboxState,
                       u"an environment variable's name is empty or has \"=\" in it"_s);
    auto reply = askAgent(m_socketPath, bodyOf(spec), deadline);
    if (!reply)
        return std::unexpected(reply.error());
    Wire::Reader reader(reply->fields);
    SandboxProcess process;
    process.m_pid = int(reader.u32());
    process.m_control = std::move(reply->connection);
    Handing handing(std::move(reply->descriptors));
    if (spec.io == SpawnSpec::Io::Terminal) {
        process.terminal = handing.next();
        process.m_hasTerminal = true;
    } else {
        process.input = handing.next();
        process.output = handing.next();
        process.errorOutput = handing.next();
    }
    if (spec.agentSocket)
        process.agentListener = handing.next();
    const bool complete = (spec.io == SpawnSpec::Io::Terminal ? process.terminal.isValid()
                                                              : process.errorOutput.isValid())
            && (!spec.agentSocket || process.agentListener.isValid());
    if (!reader.isDone() || !complete)
        return odd();
    return process;
}

Result<Fd> AgentClient::dial(const QString &host, quint16 port,
                             std::chrono::milliseconds deadline) const
{
    auto reply = askAgent(m_socketPath, bodyOf(Wire::Operation::Dial, host, port, deadline), deadline);
    if (!reply)
        return std::unexpected(reply.error());
    if (reply->descriptors.size() != 1)
        return odd();
    return std::move(reply->descriptors.front());
}

Result<AgentClient::Listener> AgentClient::listen(const QString &host, quint16 port,
                                                  std::chrono::milliseconds deadline) const
{
    auto reply = askAgent(m_socketPath, bodyOf(Wire::Operation::Listen, host, port, deadline), deadline);
    if (!reply)
        return std::unexpected(reply.error());
    Wire::Reader reader(reply->fields);
    const uint32_t bound = reader.u32();
    if (!reader.isDone() || bound == 0 || bound > 65535 || reply->descriptors.size() != 1)
        return odd();
    return Listener{std::move(reply->descriptors.front()), quint16(bound)};
}

} // namespace Sandpiper
