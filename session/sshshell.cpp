#include "session/sshshell.h"

#include "session/bulkpacer.h"
#include "session/shellquote.h"

#include <utility>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

ShellEnd failedWith(const Error &error)
{
    ShellEnd end;
    end.kind = ShellEnd::Kind::Failed;
    end.error = error;
    return end;
}

} // namespace

SshShell::SshShell(SshLinkCore *link, const ShellSpec &spec)
    : m_spec(spec)
    , m_link(link)
{
}

SshShell::SshShell(const LinkOptions &options, PromptHandler *prompts, const ShellSpec &spec)
    : m_options(options)
    , m_prompts(prompts)
    , m_spec(spec)
    , m_hasOwnLink(true)
{
}

SshShell::~SshShell()
{
    // The channel says good-bye over the link, so it goes first.
    m_channel.reset();
}

void SshShell::open(TerminalSize size)
{
    if (m_state == ShellState::Idle)
        start(size);
}

void SshShell::attach(TerminalSize)
{
    if (m_state != ShellState::Detached && m_state != ShellState::Ended)
        return;
    m_isKilled = false;
    setState(ShellState::Opening);
    later([this] { finish(failedWith({ErrorKind::Unsupported, Layer::Ssh, u"an SSH server does not keep shells"_s, {}})); });
}

void SshShell::start(TerminalSize size)
{
    setState(ShellState::Opening);
    ChannelSpec spec;
    spec.terminal = ChannelSpec::Terminal::Pty;
    spec.term = m_spec.term;
    spec.size = size.clamped();
    if (!m_spec.command.isEmpty())
        spec.argv = QStringList(m_spec.command) + m_spec.arguments;
    spec.environment = m_spec.environment;
    spec.workingDirectory = m_spec.workingDirectory;
    // Nobody is bothered with a connection for what cannot be asked for.
    if (const Result<QByteArray> line = commandLineForShell({spec.argv, spec.environment, spec.workingDirectory}); !line) {
        later([this, error = line.error()] { finish(failedWith(error)); });
        return;
    }
    if (m_hasOwnLink) {
        m_options.armsForwards = true; // a terminal is what ssh makes them for
        m_ownLink = std::make_unique<SshLinkCore>(m_options, m_prompts);
        m_link = m_ownLink.get();
        connect(m_ownLink.get(), &SshLinkCore::bannerReceived, this, [this](const QString &text) {
            notifyNow();
            emit noticeReceived(text);
        });
        m_ownLink->connectToHost();
    }
    if (!m_link) {
        later([this] { finish(failedWith({ErrorKind::ConnectionLost, Layer::Ssh, u"the link is closed"_s, {}})); });
        return;
    }
    m_channel = std::make_unique<SshChannel>(m_link, spec);
    connect(m_channel.get(), &SshChannel::opened, this, [this] {
        setState(ShellState::Open);
        notifyNow();
    });
    connect(m_channel.get(), &SshChannel::received, this, [this](SshStream, const QByteArray &bytes) {
        // With a terminal both streams are one; a server that still tells them apart means the same.
        notifyNow();
        emit outputReceived(bytes);
    });
    connect(m_channel.get(), &SshChannel::drained, this, [this] {
        notifyNow();
        emit inputDrained();
    });
    connect(m_channel.get(), &SshChannel::ended, this, &SshShell::finish);
}

void SshShell::write(QByteArrayView bytes)
{
    if (m_channel && (m_state == ShellState::Opening || m_state == ShellState::Open))
        m_channel->write(bytes);
    Typing::here().wrote(bytes.size(), std::chrono::steady_clock::now());
}

void SshShell::resize(TerminalSize size)
{
    if (m_channel)
        m_channel->resize(size.clamped());
}

void SshShell::detach()
{
    if (m_state != ShellState::Opening && m_state != ShellState::Open)
        return;
    letGo();
    setState(ShellState::Detached);
}

void SshShell::kill()
{
    if (m_isKilled || (m_state != ShellState::Opening && m_state != ShellState::Open))
        return;
    m_isKilled = true;
    // On the way there nothing is left to be waited for.
    if (m_state == ShellState::Opening && m_ownLink)
        m_ownLink->close();
    else if (m_channel)
        m_channel->hangUp();
}

void SshShell::consumed(qint64 bytes)
{
    if (m_channel)
        m_channel->consumed(bytes);
}

qint64 SshShell::pendingInput() const
{
    return m_channel ? m_channel->pendingInput() : 0;
}

void SshShell::probe()
{
    if (m_state == ShellState::Open && m_link)
        m_link->probe();
}

void SshShell::finish(ShellEnd end)
{
    if (m_state == ShellState::Ended || m_state == ShellState::Detached)
        return;
    if (m_isKilled && (end.kind == ShellEnd::Kind::Failed || end.kind == ShellEnd::Kind::Lost)) {
        end = {};
        end.kind = ShellEnd::Kind::Killed;
    }
    // This may be a signal of the channel: it is deleted when that has returned.
    if (m_channel)
        m_channel.release()->deleteLater();
    letGo();
    setState(ShellState::Ended);
    const QPointer<SshShell> self(this);
    notifyNow();
    if (self)
        emit ended(end);
}

void SshShell::letGo()
{
    m_channel.reset();
    if (m_ownLink)
        m_ownLink->close();
}

void SshShell::setState(ShellState state)
{
    if (state == m_state)
        return;
    m_state = state;
    later([this, state] { emit stateChanged(state); });
}

void SshShell::later(std::function<void()> notify)
{
    m_notices.push_back(std::move(notify));
    QMetaObject::invokeMethod(this, &SshShell::notifyNow, Qt::QueuedConnection);
}

void SshShell::notifyNow()
{
    const QPointer<SshShell> self(this);
    while (self && !m_notices.empty()) {
        const std::function<void()> notify = std::move(m_notices.front());
        m_notices.erase(m_notices.begin());
        notify();
    }
}

} // namespace Sandpiper
