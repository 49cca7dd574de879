#include "app/cli/farend.h"

#include "sshserver/sshchannelwork.h"

#include <QTimer>

#include <chrono>
#include <csignal>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {
namespace {

constexpr qsizetype mostBeforeMark = 64 * 1024;
constexpr auto hangUpPatience = 1s; // then it is killed

} // namespace

SshFarEnd::SshFarEnd(SshLinkCore *link, const ChannelSpec &spec)
    : m_link(link)
    , m_spec(spec)
{
}

void SshFarEnd::start()
{
    m_channel = std::make_unique<SshChannel>(m_link, m_spec);
    connect(m_channel.get(), &SshChannel::opened, this, &FarEnd::opened);
    connect(m_channel.get(), &SshChannel::received, this, [this](SshStream stream, const QByteArray &bytes) {
        emit output(bytes, stream == SshStream::ErrorOutput);
    });
    connect(m_channel.get(), &SshChannel::outputEnded, this, &FarEnd::outputEnded);
    connect(m_channel.get(), &SshChannel::drained, this, &FarEnd::inputDrained);
    connect(m_channel.get(), &SshChannel::ended, this, &FarEnd::ended);
}

void SshFarEnd::sendSignal(int number)
{
    m_channel->sendSignal(sshSignalName(number));
}

ShellFarEnd::ShellFarEnd(std::unique_ptr<Shell> shell, TerminalSize size, const QByteArray &mark)
    : m_shell(std::move(shell))
    , m_size(size)
    , m_mark(mark)
    , m_carriesBytes(!mark.isEmpty())
{
    connect(m_shell.get(), &Shell::stateChanged, this, [this](ShellState state) {
        if (state == ShellState::Open && m_mark.isEmpty())
            emit opened();
    });
    connect(m_shell.get(), &Shell::outputReceived, this, &ShellFarEnd::received);
    connect(m_shell.get(), &Shell::inputDrained, this, &FarEnd::inputDrained);
    connect(m_shell.get(), &Shell::ended, this, &ShellFarEnd::onEnded);
}

void ShellFarEnd::closeInput()
{
    if (!m_carriesBytes)
        return;
    m_inputClosed = true;
    m_shell->kill();
}

void ShellFarEnd::onEnded(const ShellEnd &end)
{
    ShellEnd told = end;
    if (m_inputClosed) {
        told.kind = ShellEnd::Kind::Exited;
        told.exitCode = 0;
    }
    emit ended(told);
}

void ShellFarEnd::received(const QByteArray &bytes)
{
    if (m_mark.isEmpty()) {
        emit output(bytes, false);
        return;
    }
    m_beforeMark += bytes;
    const qsizetype found = m_beforeMark.indexOf(m_mark);
    if (found < 0) {
        m_shell->consumed(bytes.size());
        if (m_beforeMark.size() > mostBeforeMark)
            m_beforeMark = m_beforeMark.last(m_mark.size());
        return;
    }
    const QByteArray behind = m_beforeMark.sliced(found + m_mark.size());
    m_mark.clear();
    m_beforeMark.clear();
    m_shell->consumed(bytes.size() - behind.size());
    emit opened();
    if (!behind.isEmpty())
        emit output(behind, false);
}

void ShellFarEnd::sendSignal(int number)
{
    if (number == SIGINT)
        m_shell->write("\x03");
    else if (number == SIGQUIT)
        m_shell->write("\x1c");
    else if (number == SIGHUP || number == SIGTERM || number == SIGKILL)
        m_shell->kill();
}

CommandFarEnd::CommandFarEnd(std::unique_ptr<RemoteCommand> command)
    : m_command(std::move(command))
{
    connect(m_command.get(), &RemoteCommand::started, this, &FarEnd::opened);
    connect(m_command.get(), &RemoteCommand::outputReceived, this, [this](const QByteArray &bytes) { emit output(bytes, false); });
    connect(m_command.get(), &RemoteCommand::errorOutputReceived, this, [this](const QByteArray &bytes) { emit output(bytes, true); });
    connect(m_command.get(), &RemoteCommand::inputDrained, this, &FarEnd::inputDrained);
    connect(m_command.get(), &RemoteCommand::ended, this, &FarEnd::ended);
}

void CommandFarEnd::hangUp()
{
    m_command->sendSignal(SIGHUP);
    QTimer::singleShot(hangUpPatience, this, [this] { m_command->sendSignal(SIGKILL); });
}

} // namespace Sandpiper
