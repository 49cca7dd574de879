#include "session/sshlink.h"

#include "session/sshchannel.h"
#include "session/sshcommand.h"
#include "session/sshlinkcore.h"
#include "session/sshshell.h"

namespace Sandpiper {

LinkOptions linkOptionsFor(const Sandbox &sandbox)
{
    LinkOptions options;
    options.endpoint = sandbox.ssh.value_or(SshEndpoint());
    options.displayName = sandbox.displayName();
    options.sandbox = sandbox.id;
    return options;
}

class SshLink::Private
{
public:
    Private(const LinkOptions &options, PromptHandler *prompts)
        : core(options, prompts)
    {
    }
    SshLinkCore core;
};

SshLink::SshLink(const LinkOptions &options, PromptHandler *prompts, QObject *parent)
    : QObject(parent)
    , d(std::make_unique<Private>(options, prompts))
{
    connect(&d->core, &SshLinkCore::stateChanged, this, &SshLink::stateChanged);
    connect(&d->core, &SshLinkCore::bannerReceived, this, &SshLink::bannerReceived);
    connect(&d->core, &SshLinkCore::forwardChanged, this, &SshLink::forwardChanged);
    connect(&d->core, &SshLinkCore::forwardTrafficChanged, this, &SshLink::forwardTrafficChanged);
    connect(&d->core, &SshLinkCore::closed, this, &SshLink::closed);
}

SshLink::~SshLink() = default;

LinkState SshLink::state() const
{
    return d->core.state();
}

QString SshLink::banner() const
{
    return d->core.banner();
}

QString SshLink::hostKeyFingerprint() const
{
    return d->core.hostKeyFingerprint();
}

QString SshLink::serverVersion() const
{
    return d->core.serverVersion();
}

void SshLink::connectToHost()
{
    d->core.connectToHost();
}

void SshLink::probe()
{
    d->core.probe();
}

void SshLink::close()
{
    d->core.close();
}

std::unique_ptr<Shell> SshLink::makeShell(const ShellSpec &spec)
{
    return std::make_unique<SshShell>(&d->core, spec);
}

std::unique_ptr<RemoteCommand> SshLink::makeCommand(const CommandSpec &spec)
{
    return std::make_unique<SshCommand>(&d->core, spec);
}

int SshLink::addForward(const ForwardSpec &spec)
{
    return d->core.addForward(spec);
}

void SshLink::stopForward(int id)
{
    d->core.stopForward(id);
}

void SshLink::limitForward(int id, qint64 bytesPerSecond)
{
    d->core.send(ToLink::LimitForward{id, bytesPerSecond});
}

void SshLink::closeForwardConnection(int id, quint64 connection)
{
    d->core.send(ToLink::CloseForwardConnection{id, connection});
}

std::unique_ptr<SshChannel> SshLink::openPipe(const QByteArray &commandLine, FileDescriptor stream)
{
    TunnelSpec spec;
    spec.commandLine = commandLine;
    spec.stream = std::make_shared<FileDescriptor>(std::move(stream));
    return std::make_unique<SshChannel>(&d->core, spec);
}

std::unique_ptr<SshChannel> SshLink::openSubsystem(const QString &name, std::shared_ptr<SshSubsystem> speaker)
{
    ChannelSpec spec;
    spec.subsystem = name;
    spec.speaker = std::move(speaker);
    return std::make_unique<SshChannel>(&d->core, spec);
}

SshTransport::SshTransport(const LinkOptions &options, PromptHandler *prompts, QObject *parent)
    : QObject(parent)
    , m_core(std::make_unique<SshLinkCore>(options, prompts))
{
    connect(m_core.get(), &SshLinkCore::transportReady, this, [this](const std::shared_ptr<FileDescriptor> &stream) {
        if (stream->isValid())
            emit opened(stream->release());
    });
    connect(m_core.get(), &SshLinkCore::closed, this, &SshTransport::closed);
}

SshTransport::~SshTransport() = default;

void SshTransport::open()
{
    m_core->openTransportOnly();
}

void SshTransport::close()
{
    m_core->close();
}

std::unique_ptr<Shell> makeSshShell(const LinkOptions &options, const ShellSpec &spec, PromptHandler *prompts)
{
    return std::make_unique<SshShell>(options, prompts, spec);
}

std::unique_ptr<RemoteCommand> makeSshCommand(const LinkOptions &options, const CommandSpec &spec, PromptHandler *prompts)
{
    return std::make_unique<SshCommand>(options, prompts, spec);
}

} // namespace Sandpiper
