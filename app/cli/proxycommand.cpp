#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "session/background.h"
#include "session/descriptorrelay.h"
#include "session/sshconnect.h"

#include <poll.h>
#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

bool isRung(const Mailbox<bool> &bell)
{
    pollfd readable = {bell.descriptor(), POLLIN, 0};
    return ::poll(&readable, 1, 0) > 0;
}

// The way to a sandbox, opened: whatever carries SSH there ends in a descriptor.
Result<FileDescriptor> openTransport(const LinkOptions &options, const Mailbox<bool> &stop)
{
    const Result<QByteArray> host = hostForLookup(options.endpoint.host);
    if (!host)
        return std::unexpected(host.error());
    TcpTarget target;
    target.host = *host;
    target.port = options.endpoint.port;
    const Deadline deadline = std::chrono::steady_clock::now() + options.connectTimeout;
    return connectTcp(target, deadline, stop.descriptor(), [&stop] { return isRung(stop); });
}

Done carry(const LinkOptions &options, const Mailbox<bool> &stop)
{
    const Result<FileDescriptor> connection = openTransport(options, stop);
    return connection ? relayDescriptors({STDIN_FILENO, STDOUT_FILENO, connection->get(), stop.descriptor()})
                      : Done(std::unexpected(connection.error()));
}

} // namespace

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
        directory()->resolve(text).then(this, [this](const CliResult<Target> &target) {
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
    inBackground(
        this, [options = linkOptionsFor(sandbox), stop = m_stop] { return carry(options, *stop); },
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
