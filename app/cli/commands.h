// The commands. Each has a file of its own; what they share is in Command and Directory.
#pragma once

#include "app/cli/backgroundchild.h"
#include "app/cli/command.h"
#include "session/annotations.h"
#include "session/filedescriptor.h"
#include "session/mailbox.h"
#include "session/runningforwards.h"
#include "session/sshlink.h"
#include "session/standingforwards.h"

#include <QJsonArray>

namespace Sandpiper {

class AvailableKeys;
class DoctorWalk;
struct DoctorLine;

class AccountsCommand : public Command
{
    Q_OBJECT
public:
    using Command::Command;
    void start(const QStringList &arguments) override;

private:
    void list();
    void add(const QStringList &words, const QCommandLineParser &parser);
    void remove(const QString &name);
};

class LsCommand : public Command
{
    Q_OBJECT
public:
    using Command::Command;
    void start(const QStringList &arguments) override;

private:
    void ask(const QString &account, SandboxProvider::ListScope scope);
    void show();
    struct Row
    {
        QString account;
        Sandbox sandbox;
        Annotation annotation;
    };
    std::unique_ptr<Annotations> m_annotations; // null: nobody asks for them
    QStringList m_labels; // a row has them all
    QList<Row> m_rows;
    qsizetype m_waiting = 0;
    bool m_json = false;
    bool m_all = false;
    bool m_failed = false;
};

// Asks for a change of a sandbox's life, then follows it until it is there.
class LifeCommand : public Command
{
    Q_OBJECT
public:
    using Command::Command;

protected:
    void startOn(const QString &name, const QStringList &arguments);
    void follow(SandboxProvider *provider, const QString &id);
    virtual QFuture<Done> ask(const Target &target) = 0;
    [[nodiscard]] virtual SandboxState wanted() const = 0;
    virtual void arrived(const Sandbox &sandbox);
    bool m_wait = true;
    bool m_json = false;

private:
    void askAgain(SandboxProvider *provider, const QString &id);
    qint64 m_deadline = 0; // milliseconds of the steady clock
};

class CreateCommand : public LifeCommand
{
    Q_OBJECT
public:
    using LifeCommand::LifeCommand;
    void start(const QStringList &arguments) override;

protected:
    QFuture<Done> ask(const Target &target) override;
    [[nodiscard]] SandboxState wanted() const override { return SandboxState::Running; }
};

class SuspendCommand : public LifeCommand
{
    Q_OBJECT
public:
    using LifeCommand::LifeCommand;
    void start(const QStringList &arguments) override { startOn(QStringLiteral("suspend"), arguments); }

protected:
    QFuture<Done> ask(const Target &target) override { return target.provider->suspend(target.sandbox.id); }
    [[nodiscard]] SandboxState wanted() const override { return SandboxState::Suspended; }
};

class ResumeCommand : public LifeCommand
{
    Q_OBJECT
public:
    using LifeCommand::LifeCommand;
    void start(const QStringList &arguments) override { startOn(QStringLiteral("resume"), arguments); }

protected:
    QFuture<Done> ask(const Target &target) override { return target.provider->resume(target.sandbox.id); }
    [[nodiscard]] SandboxState wanted() const override { return SandboxState::Running; }
};

class TerminateCommand : public LifeCommand
{
    Q_OBJECT
public:
    using LifeCommand::LifeCommand;
    void start(const QStringList &arguments) override { startOn(QStringLiteral("terminate"), arguments); }

protected:
    QFuture<Done> ask(const Target &target) override { return target.provider->terminate(target.sandbox.id); }
    [[nodiscard]] SandboxState wanted() const override { return SandboxState::Terminated; }
};

class KeysCommand : public Command
{
    Q_OBJECT
public:
    using Command::Command;
    void start(const QStringList &arguments) override;

private:
    void list(const QString &account, const AvailableKeys &available);
    void add(SandboxProvider *provider, const QString &name, const QString &file);
    void generate(const QString &name, const QString &type);
    bool m_json = false;
};

class ShellRunner;

class ShellCommand : public Command
{
    Q_OBJECT
public:
    explicit ShellCommand(Directory *directory);
    ~ShellCommand() override;
    void start(const QStringList &arguments) override;
    void interrupt() override;

private:
    std::unique_ptr<ShellRunner> m_runner;
};

class ExecCommand : public Command
{
    Q_OBJECT
public:
    explicit ExecCommand(Directory *directory);
    ~ExecCommand() override;
    void start(const QStringList &arguments) override;
    void interrupt() override;

private:
    void runPlain(const Target &target, const QStringList &argv, const QString &via);
    void runInTerminal(const Target &target, const QStringList &argv);
    void pumpInput();
    void readerLeft();
    std::unique_ptr<ShellRunner> m_runner;
    std::unique_ptr<RemoteCommand> m_remote;
    std::unique_ptr<PromptHandler> m_prompts;
    bool m_readsInput = true;
};

class PtyCommand : public Command
{
    Q_OBJECT
public:
    explicit PtyCommand(Directory *directory);
    ~PtyCommand() override;
    void start(const QStringList &arguments) override;
    void interrupt() override;

private:
    void list(const Target &target);
    void create(const Target &target, const QStringList &argv);
    void attach(const Target &target, const QString &session);
    void waitFor(const Target &target, const QString &session);
    void show(const PtySession &session);
    std::unique_ptr<ShellRunner> m_runner;
    bool m_json = false;
};

class HostKeysCommand : public Command
{
    Q_OBJECT
public:
    using Command::Command;
    void start(const QStringList &arguments) override;
};

// Nothing but the transport's own bytes is ever written to standard output.
class ProxyCommand : public Command
{
    Q_OBJECT
public:
    explicit ProxyCommand(Directory *directory);
    ~ProxyCommand() override;
    void start(const QStringList &arguments) override;
    void interrupt() override;

private:
    void relay(const Target &target);
    void carry(const std::shared_ptr<FileDescriptor> &stream, const QString &name);
    std::unique_ptr<PromptHandler> m_prompts; // outlives the transport
    std::unique_ptr<SshTransport> m_transport;
    std::shared_ptr<Mailbox<bool>> m_stop = std::make_shared<Mailbox<bool>>(); // shared with the relaying thread
    bool m_carries = false;
};

// Runs until it is interrupted, or nothing is left that it could wait for.
class ForwardCommand : public Command
{
    Q_OBJECT
public:
    explicit ForwardCommand(Directory *directory);
    ~ForwardCommand() override;
    void start(const QStringList &arguments) override;
    void interrupt() override;

private:
    void forward(const Target &target);
    void onStatus(const StandingForwards::Status &status);
    void onForward(qsizetype index, const ForwardStatus &status);
    void tell(const QString &event, qsizetype index, const Error &error, const QString &line);
    void finishIfNothingWorks();
    [[nodiscard]] RunningForwards running() const;
    void beginInBackground(const QStringList &arguments);
    void leaveWhenReady();

    std::unique_ptr<PromptHandler> m_prompts; // outlives the links
    QString m_name; // for `forwards`
    QString m_target;
    QList<ForwardSpec> m_wishes;
    std::unique_ptr<StandingForwards> m_forwards;
    std::unique_ptr<ForwardsTeller> m_teller;
    ForwardWay m_way = ForwardWay::Automatic;
    std::unique_ptr<BackgroundChild> m_child; // -f: what goes on
    qint64 m_limit = 0;                       // bytes a second, for each; 0: none
    bool m_leaves = false;                    // -f: this is that child, and it has not left yet
    bool m_json = false;
    bool m_wasOpen = false;
};

// Those that run, of this and of other processes of this user.
class ForwardsCommand : public Command
{
    Q_OBJECT
public:
    explicit ForwardsCommand(Directory *directory);
    void start(const QStringList &arguments) override;

private:
    void list(const QList<RunningForwards> &all);
    void stop(const QList<RunningForwards> &all, const QString &name);
    bool m_json = false;
    bool m_all = false;
};

class SshConfigCommand : public Command
{
    Q_OBJECT
public:
    explicit SshConfigCommand(Directory *directory);
    ~SshConfigCommand() override;
    void start(const QStringList &arguments) override;

private:
    struct Wish;
    struct Gathered;
    void gatherAll();
    void gatherNamed();
    void makeBlocks();
    void refuse(const CliError &error);
    void arrived();
    void write();
    std::unique_ptr<Wish> m_wish;
    std::unique_ptr<Gathered> m_gathered;
};

class DoctorCommand : public Command
{
    Q_OBJECT
public:
    explicit DoctorCommand(Directory *directory);
    ~DoctorCommand() override;
    void start(const QStringList &arguments) override;

private:
    void print(const DoctorLine &line);
    void conclude();
    std::unique_ptr<DoctorWalk> m_walk;
    QJsonArray m_layers;
    bool m_json = false;
    bool m_failed = false;
};

} // namespace Sandpiper
