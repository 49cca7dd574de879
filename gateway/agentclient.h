// Talks to the one long-lived init process inside a sandbox (gateway/sandboxinit). Any thread; the
// calls wait for the agent, which answers in about a millisecond, at most until their deadline.
// Whatever happens inside the sandbox's namespaces happens in the agent: it hands out descriptors.
#pragma once

#include "session/error.h"
#include "session/filedescriptor.h"
#include "session/shell.h"

#include <QMap>
#include <QStringList>

#include <chrono>
#include <optional>

namespace Sandpiper {

using Fd = FileDescriptor;

struct SpawnSpec
{
    enum class Io { Terminal, Pipes };
    Io io = Io::Pipes;
    QStringList argv; // argv[0] is looked up in the PATH of the new process
    // Where set, argv is ignored and the user's login shell runs, with "-c" and this where not empty.
    bool loginShell = false;
    QByteArray shellCommand;
    QMap<QString, QString> environment; // added to the sandbox's own; bytes are UTF-8
    // Empty: /workspace where it exists, else the home. "~", "~/x" and what does not begin with "/" are
    // seen from the home. NotFound where there is no such folder.
    QString workingDirectory;
    TerminalSize size;                  // Terminal
    // Where set, none of the above counts: see gateway/sandboxinit/files.h for what its pipes carry.
    enum class FileWork { None, Read, List, Write, Remove };
    FileWork fileWork = FileWork::None;
    QByteArray filePath;
    bool agentSocket = false; // makes a listening UNIX socket, SSH_AUTH_SOCK for the process
};

struct ProcessEnd
{
    int exitCode = -1; // -1 where a signal ended it
    int signal = 0;
    bool outOfMemory = false;
    friend bool operator==(const ProcessEnd &, const ProcessEnd &) = default;
};

// A process in a sandbox. Letting go of it hangs up: the agent sends SIGHUP to its session, and
// SIGKILL 5 s later where the process itself still runs then; so what was started with nohup or
// setsid lives on, as it does elsewhere. Used by one thread at a time.
class SandboxProcess
{
public:
    [[nodiscard]] int pid() const { return m_pid; } // as seen inside
    // Terminal: the PTY's master. Pipes: input and output, two descriptors. All non-blocking, owned here.
    Fd terminal, input, output, errorOutput;
    Fd agentListener; // with SpawnSpec::agentSocket
    // Readable when there is an end to take (or the agent is gone).
    [[nodiscard]] int controlFd() const { return m_control.get(); }
    // Empty: runs on. A dead agent counts as ended by SIGKILL.
    [[nodiscard]] std::optional<ProcessEnd> takeEnd();
    // To its whole process group (SIGKILL too). False: it has ended.
    bool sendSignal(int number);
    bool resize(TerminalSize size); // Terminal

private:
    friend class AgentClient;
    int m_pid = -1;
    bool m_hasTerminal = false; // also once the master has been moved out
    Fd m_control;
    std::optional<ProcessEnd> m_end;
};

// The address of a running sandbox's agent: a value, to be taken anew after each resume.
class AgentClient
{
public:
    AgentClient() = default;
    explicit AgentClient(QString socketPath) : m_socketPath(std::move(socketPath)) {}
    [[nodiscard]] bool isValid() const { return !m_socketPath.isEmpty(); }

    [[nodiscard]] Result<SandboxProcess> spawn(const SpawnSpec &spec, std::chrono::milliseconds deadline = std::chrono::seconds(10)) const;
    // A connected, non-blocking TCP socket, dialled inside the sandbox (its loopback, its network).
    // ConnectionRefused, HostNotFound, Timeout, SandboxNotRunning.
    [[nodiscard]] Result<Fd> dial(const QString &host, quint16 port, std::chrono::milliseconds deadline = std::chrono::seconds(10)) const;
    struct Listener { Fd fd; quint16 port = 0; };
    // A listening, non-blocking socket inside the sandbox; port 0: any. Accept on it here.
    [[nodiscard]] Result<Listener> listen(const QString &host, quint16 port, std::chrono::milliseconds deadline = std::chrono::seconds(5)) const;

private:
    QString m_socketPath;
};

} // namespace Sandpiper
