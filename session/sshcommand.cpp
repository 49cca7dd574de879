#include "session/sshcommand.h"

#include "session/shellquote.h"
#include "session/signalnames.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

SshCommand::SshCommand(SshLinkCore *link, const CommandSpec &spec, Around around)
    : m_spec(spec)
    , m_around(around)
    , m_link(link)
{
}

SshCommand::SshCommand(const LinkOptions &options, PromptHandler *prompts, const CommandSpec &spec)
    : m_options(options)
    , m_prompts(prompts)
    , m_spec(spec)
    , m_hasOwnLink(true)
{
}

SshCommand::~SshCommand()
{
    m_channel.reset();
}

void SshCommand::start()
{
    if (m_isStarted)
        return;
    m_isStarted = true;
    const auto failLater = [this](const Error &error) {
        ShellEnd end;
        end.kind = ShellEnd::Kind::Failed;
        end.error = error;
        QMetaObject::invokeMethod(this, [this, end] { finish(end); }, Qt::QueuedConnection);
    };
    if (m_spec.argv.isEmpty()) {
        failLater({ErrorKind::InvalidInput, Layer::Ssh, u"there is no command"_s, {}});
        return;
    }
    if (const Result<QByteArray> line = commandLineForShell({m_spec.argv, m_spec.environment, m_spec.workingDirectory}); !line) {
        failLater(line.error());
        return;
    }
    if (m_hasOwnLink) {
        m_ownLink = std::make_unique<SshLinkCore>(m_options, m_prompts);
        m_link = m_ownLink.get();
        m_ownLink->connectToHost();
    }
    if (!m_link) {
        failLater({ErrorKind::ConnectionLost, Layer::Ssh, u"the link is closed"_s, {}});
        return;
    }
    ChannelSpec spec;
    spec.argv = m_spec.argv;
    spec.environment = m_spec.environment;
    spec.workingDirectory = m_spec.workingDirectory;
    spec.isBare = m_around == Around::Nothing;
    m_channel = std::make_unique<SshChannel>(m_link, spec);
    connect(m_channel.get(), &SshChannel::opened, this, &SshCommand::started);
    connect(m_channel.get(), &SshChannel::received, this, [this](SshStream stream, const QByteArray &bytes) {
        if (stream == SshStream::ErrorOutput)
            emit errorOutputReceived(bytes);
        else
            emit outputReceived(bytes);
    });
    connect(m_channel.get(), &SshChannel::drained, this, [this] {
        if (m_heldInput.isEmpty())
            emit inputDrained();
    });
    connect(m_channel.get(), &SshChannel::ended, this, &SshCommand::finish);
}

void SshCommand::writeInput(QByteArrayView bytes)
{
    if (!m_channel || m_closesInput)
        return;
    m_heldInput += bytes;
    m_input.offer(bytes.size());
}

void SshCommand::passInput(qint64 bytes)
{
    if (m_channel) {
        m_channel->write(QByteArrayView(m_heldInput).first(bytes));
        if (m_closesInput && bytes == m_heldInput.size())
            m_channel->closeInput();
    }
    m_heldInput.remove(0, bytes);
}

void SshCommand::closeInput()
{
    m_closesInput = true;
    if (m_channel && m_heldInput.isEmpty())
        m_channel->closeInput();
}

void SshCommand::sendSignal(int number)
{
    const QByteArray name = signalName(number);
    if (m_channel && !name.isEmpty())
        m_channel->sendSignal(name);
}

void SshCommand::consumed(qint64 bytes)
{
    m_output.offer(bytes);
}

qint64 SshCommand::pendingInput() const
{
    return m_channel ? m_channel->pendingInput() + m_heldInput.size() : 0;
}

void SshCommand::finish(const ShellEnd &end)
{
    if (m_isEnded)
        return;
    m_isEnded = true;
    const ShellEnd copy = end;
    // This may be a signal of the channel: it is deleted when that has returned.
    if (m_channel)
        m_channel.release()->deleteLater();
    if (m_ownLink)
        m_ownLink->close();
    emit ended(copy);
}

} // namespace Sandpiper
