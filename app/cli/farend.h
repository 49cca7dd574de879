// What a channel of `serve` is joined to: a channel of the sandbox's SSH, or the vendor's terminal or
// command. Main thread.
#pragma once

#include "session/provider.h"
#include "session/sshchannel.h"

#include <QObject>

#include <memory>

namespace Sandpiper {

// Signals never come from inside a call, except closing ones as the parts below document them.
class FarEnd : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;

    virtual void start() = 0;
    // The rest: between opened() and ended().
    virtual void write(QByteArrayView bytes) = 0;
    virtual void closeInput() = 0;
    virtual void resize(TerminalSize size) = 0;
    virtual void sendSignal(int number) = 0;
    virtual void consumed(qint64 bytes) = 0; // as Shell::consumed
    [[nodiscard]] virtual qint64 pendingInput() const = 0;
    // Nobody wants it any more. ended() follows where something still runs; it may take long.
    virtual void hangUp() = 0;

signals:
    void opened();
    void output(const QByteArray &bytes, bool isError);
    void outputEnded();
    void inputDrained();
    void ended(const Sandpiper::ShellEnd &end); // once
};

// A channel of a link, which may go first.
class SshFarEnd : public FarEnd
{
    Q_OBJECT
public:
    SshFarEnd(SshLinkCore *link, const ChannelSpec &spec);

    void start() override;
    void write(QByteArrayView bytes) override { m_channel->write(bytes); }
    void closeInput() override { m_channel->closeInput(); }
    void resize(TerminalSize size) override { m_channel->resize(size); }
    void sendSignal(int number) override;
    void consumed(qint64 bytes) override { m_channel->consumed(bytes); }
    [[nodiscard]] qint64 pendingInput() const override { return m_channel->pendingInput(); }
    void hangUp() override { m_channel->hangUp(); }

private:
    QPointer<SshLinkCore> m_link;
    ChannelSpec m_spec;
    std::unique_ptr<SshChannel> m_channel;
};

// A terminal. Where a mark is given, what comes before it is dropped, and it opens behind it: the
// program there has then made its terminal carry bytes as they are.
class ShellFarEnd : public FarEnd
{
    Q_OBJECT
public:
    ShellFarEnd(std::unique_ptr<Shell> shell, TerminalSize size, const QByteArray &mark = {});

    void start() override { m_shell->open(m_size); }
    void write(QByteArrayView bytes) override { m_shell->write(bytes); }
    // A terminal knows no end of input. Behind a mark the program there is ended instead: it answers
    // what it is asked, so whoever ends has all answers.
    void closeInput() override;
    void resize(TerminalSize size) override { m_shell->resize(size); }
    // A terminal has keys for two of them; those that end are a kill.
    void sendSignal(int number) override;
    void consumed(qint64 bytes) override { m_shell->consumed(bytes); }
    [[nodiscard]] qint64 pendingInput() const override { return m_shell->pendingInput(); }
    void hangUp() override { m_shell->kill(); }

private:
    void received(const QByteArray &bytes);
    void onEnded(const ShellEnd &end);
    std::unique_ptr<Shell> m_shell;
    TerminalSize m_size;
    QByteArray m_mark;
    QByteArray m_beforeMark;
    bool m_carriesBytes = false; // there is or was a mark
    bool m_inputClosed = false;
};

class CommandFarEnd : public FarEnd
{
    Q_OBJECT
public:
    explicit CommandFarEnd(std::unique_ptr<RemoteCommand> command);

    void start() override { m_command->start(); }
    void write(QByteArrayView bytes) override { m_command->writeInput(bytes); }
    void closeInput() override { m_command->closeInput(); }
    void resize(TerminalSize) override { }
    void sendSignal(int number) override { m_command->sendSignal(number); }
    void consumed(qint64 bytes) override { m_command->consumed(bytes); }
    [[nodiscard]] qint64 pendingInput() const override { return m_command->pendingInput(); }
    void hangUp() override;

private:
    std::unique_ptr<RemoteCommand> m_command;
};

} // namespace Sandpiper
