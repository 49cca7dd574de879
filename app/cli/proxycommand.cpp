#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "session/background.h"
#include "session/descriptorrelay.h"

#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

ProxyCommand::ProxyCommand(Directory *directory)
    : Command(directory)
    , m_prompts(directory->makePrompts())
{
}

ProxyCommand::~ProxyCommand() = default;

void ProxyCommand::start(const QStringList &arguments)
{
    QCommandLineParser parser;
    parser.addPositionalArgument(u"TARGET"_s, u"A sandbox's name or id, ACCOUNT/name, or ssh://user@host:port."_s);
    if (!parse(parser, u"proxy"_s, arguments))
        return;
    if (parser.positionalArguments().size() != 1)
        return usage(u"proxy takes one TARGET"_s);
    const CliResult<TargetText> text = parseTarget(parser.positionalArguments().constFirst());
    if (!text)
        return fail(text.error());
    directory()->load(Directory::Gateway::WhereUsed).then(this, [this, text = *text] {
        directory()->resolveToConnect(text).then(this, [this](const CliResult<Target> &target) {
            if (!target)
                return fail(target.error(), ExitOurs);
            relay(*target);
        });
    });
}

void ProxyCommand::relay(const Target &target)
{
    const Sandbox &sandbox = target.sandbox;
    const QString name = tamed(sandbox.displayName(), 80);
    const auto refuse = [this](const QString &line) {
        say(line);
        finishLater(ExitOurs);
    };
    // Asked of the life-cycle plane only: a connection might wake it, and bill it.
    if (sandbox.state == SandboxState::Suspended)
        return refuse(u"%1 is suspended. To wake it: sandpiper-cli resume %1"_s.arg(name));
    if (sandbox.state == SandboxState::Terminated)
        return refuse(u"%1 is terminated"_s.arg(name));
    if (!sandbox.ssh)
        return fail(Error{ErrorKind::Unsupported, Layer::Provider, sandbox.capabilities.reasonAgainst(Capability::SshShell), sandbox.displayName()}, ExitOurs);
    m_transport = std::make_unique<SshTransport>(linkOptionsFor(sandbox, target.signIn), m_prompts.get());
    connect(m_transport.get(), &SshTransport::opened, this, [this, name](int descriptor) {
        carry(std::make_shared<FileDescriptor>(descriptor), name); // shared with the relaying thread
    });
    connect(m_transport.get(), &SshTransport::closed, this, [this, name](Error error) {
        if (m_carries)
            return; // the relay sees the end itself, after the last bytes
        error.subject = name;
        fail(error, ExitOurs);
    });
    m_transport->open();
}

void ProxyCommand::carry(const std::shared_ptr<FileDescriptor> &stream, const QString &name)
{
    m_carries = true;
    inBackground(
            this,
            [stream, stop = m_stop] {
                return relayDescriptors({STDIN_FILENO, STDOUT_FILENO, stream->get(), stop->descriptor()});
            },
            [this, name](const Done &done) {
                if (done)
                    return finishLater(ExitOk);
                Error error = done.error();
                error.subject = name;
                fail(error, ExitOurs);
            });
}

void ProxyCommand::interrupt()
{
    m_stop->put(true);
    finishLater(ExitInterrupted);
}

} // namespace Sandpiper
