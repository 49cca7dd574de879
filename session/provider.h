// One vendor's API for one account. GUI thread. Every call is cancellable (QFuture::cancel aborts the
// request), has a deadline, follows no redirect to another origin, and never sends a create twice.
#pragma once

#include "session/error.h"
#include "session/sandbox.h"
#include "session/secret.h"
#include "session/shell.h"
#include "session/vendorfiles.h"
#include "session/websocketclient.h"

#include <QFuture>
#include <QObject>

#include <chrono>
#include <memory>
#include <optional>

namespace Sandpiper {

// A PTY session at the vendor. The token is separate: see PtyHandle.
struct PtySession
{
    QString id;
    qint64 pid = 0;
    QString command;
    QStringList arguments;
    TerminalSize size;
    QDateTime createdAt;
    QDateTime endedAt; // invalid: alive
    std::optional<int> exitCode;
    bool isAlive = false;
};

struct PtyHandle
{
    QString sessionId;
    std::shared_ptr<Secret> token; // never null; shared by the shell that uses it and who stores it
};

// One command without a terminal, its output as bytes.
struct CommandSpec
{
    QStringList argv; // argv[0] is looked up in PATH there; no shell in between
    QMap<QString, QString> environment;
    QString workingDirectory;
};

class RemoteCommand : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;
    virtual void start() = 0;
    virtual void writeInput(QByteArrayView bytes) = 0;
    virtual void closeInput() = 0;
    virtual void sendSignal(int number) = 0;
    virtual void consumed(qint64 bytes) = 0; // as Shell::consumed, both streams together
    [[nodiscard]] virtual qint64 pendingInput() const = 0;
signals:
    void started();
    void outputReceived(const QByteArray &bytes);
    void errorOutputReceived(const QByteArray &bytes);
    void inputDrained();
    void ended(const Sandpiper::ShellEnd &end); // exactly once
};

class SandboxProvider : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;

    [[nodiscard]] virtual QString vendor() const = 0;
    [[nodiscard]] virtual QString accountId() const = 0;
    [[nodiscard]] virtual Capabilities capabilities() const = 0;
    // How long a PTY shell that nobody is attached to is kept; none: without limit, or not said.
    [[nodiscard]] virtual std::optional<std::chrono::seconds> unattendedShellLife() const { return std::nullopt; }

    // What its own programs listen at inside a sandbox: nothing that a person would want to reach.
    [[nodiscard]] virtual QList<quint16> agentPorts() const { return {}; }

    // All of them, every page; terminated ones only with history.
    enum class ListScope { Live, WithHistory };
    [[nodiscard]] virtual QFuture<Result<QList<Sandbox>>> list(ListScope scope) = 0;
    // idOrName. Asks the life-cycle plane only: never wakes a sandbox.
    [[nodiscard]] virtual QFuture<Result<Sandbox>> find(const QString &idOrName) = 0;
    [[nodiscard]] virtual QFuture<Result<Sandbox>> create(const CreateRequest &request) = 0;
    [[nodiscard]] virtual QFuture<Result<Sandbox>> rename(const SandboxId &id, const QString &name) = 0;
    // These three answer when the vendor has taken the wish; follow find() for the state.
    [[nodiscard]] virtual QFuture<Done> suspend(const SandboxId &id) = 0;
    [[nodiscard]] virtual QFuture<Done> resume(const SandboxId &id) = 0;
    [[nodiscard]] virtual QFuture<Done> terminate(const SandboxId &id) = 0;
    // Of Sandbox::publicPorts: the vendor leads nobody there any more; its other ports stay as they are. Answers with
    // the sandbox as it is then. Unsupported where Capability::PublicPorts is missing.
    [[nodiscard]] virtual QFuture<Result<Sandbox>> closePublicPorts(const SandboxId &id, const QList<quint16> &)
    {
        return QtFuture::makeReadyValueFuture(Result<Sandbox>(failure(ErrorKind::Unsupported, Layer::Provider, {}, id.id)));
    }

    [[nodiscard]] virtual QFuture<Result<QList<SshKey>>> keys() = 0;
    // publicLine: one OpenSSH public key line.
    [[nodiscard]] virtual QFuture<Result<SshKey>> addKey(const QString &name, const QByteArray &publicLine) = 0;
    [[nodiscard]] virtual QFuture<Done> removeKey(const QString &keyId) = 0;

    [[nodiscard]] virtual QFuture<Result<QList<PtySession>>> ptySessions(const Sandbox &sandbox) = 0;
    [[nodiscard]] virtual QFuture<Result<PtySession>> ptySession(const Sandbox &sandbox, const QString &session) = 0;
    [[nodiscard]] virtual QFuture<Result<PtyHandle>> createPty(const Sandbox &sandbox, const ShellSpec &spec, TerminalSize size) = 0;
    [[nodiscard]] virtual QFuture<Done> resizePty(const Sandbox &sandbox, const QString &session, TerminalSize size) = 0;
    [[nodiscard]] virtual QFuture<Done> killPty(const Sandbox &sandbox, const QString &session) = 0;

    // A shell over the vendor's own PTY protocol: open() makes a session, attach() finds `known`.
    // sessionKnown tells id and token as soon as they exist, so that they can be kept.
    // Null where Capability::PtyShell is missing.
    [[nodiscard]] virtual std::unique_ptr<Shell> makePtyShell(const Sandbox &sandbox, const ShellSpec &spec, const std::optional<PtyHandle> &known) = 0;
    // A command by the vendor's process API; line-buffered text where the API is. Null where missing.
    [[nodiscard]] virtual std::unique_ptr<RemoteCommand> makeCommand(const Sandbox &sandbox, const CommandSpec &spec) = 0;
    // A TCP connection to a port of the sandbox's own loopback, as one WebSocket whose binary messages are its bytes;
    // the credentials are in headers. May wake a sandbox: who asks has found it running. Unsupported where
    // Capability::Tunnel is missing.
    [[nodiscard]] virtual Result<WebSocketRequest> tunnelRequest(const Sandbox &sandbox, quint16)
    {
        return failure(ErrorKind::Unsupported, Layer::Provider, sandbox.capabilities.reasonAgainst(Capability::Tunnel), sandbox.displayName());
    }
    // Files by the vendor's file API, for a sandbox that has no SFTP. Null where missing.
    [[nodiscard]] virtual std::unique_ptr<VendorFiles> makeFiles(const Sandbox &) { return {}; }

signals:
    // The list is not what it was: whoever shows it asks again.
    void outdated();
    // With each answer of list() that has something to say beside it: a sentence on what is missing in
    // it, and why. Empty: nothing is, any more.
    void remarked(const QString &sentence);
    // From a shell that makePtyShell gave, before its stateChanged(Open).
    void ptySessionKnown(Sandpiper::Shell *shell, const Sandpiper::PtyHandle &handle);
};

} // namespace Sandpiper
