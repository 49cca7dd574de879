#include "session/transportopening.h"

#include "session/childtransport.h"
#include "session/netproxy.h"
#include "session/proxyhandshake.h"
#include "session/websockettunnel.h"

#include <cerrno>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

Result<OpenTransport> openTcp(const TcpTransport &wish, TcpTarget target, const QByteArrayList &environment, const Waiting &waiting)
{
    target.family = wish.family;
    target.bindAddress = wish.bindAddress.toLatin1();
    const ProxySetting proxy = wish.proxy ? *wish.proxy : sshProxyFrom(environment, QString::fromLatin1(target.host), target.port);
    Result<FileDescriptor> socket = proxy.kind == ProxySetting::Kind::None ? connectTcp(target, waiting)
                                                                           : connectThrough(proxy, target, waiting);
    if (!socket)
        return std::unexpected(socket.error());
    return OpenTransport{std::move(*socket), nullptr, nullptr};
}

Result<OpenTransport> openCommand(const CommandTransport &wish, const QByteArrayList &environment)
{
    QByteArray shell = variableOf(environment, "SHELL");
    if (shell.isEmpty())
        shell = "/bin/sh";
    // As ssh does it. "exec" leaves no shell behind that signals would stop at.
    return openChild({shell, "-c", "exec " + wish.command.toLocal8Bit()}, environment, u"ProxyCommand"_s);
}

Result<OpenTransport> openProcess(const ProcessTransport &wish, QByteArrayList environment)
{
    QByteArrayList argv;
    for (const QString &word : wish.argv)
        argv.append(word.toLocal8Bit());
    for (const auto &[name, value] : wish.environment.asKeyValueRange())
        environment.append(name.toLocal8Bit() + '=' + value.toLocal8Bit());
    return openChild(argv, environment, wish.argv.value(0).section(u'/', -1));
}

template <typename... Handlers>
struct Chosen : Handlers...
{
    using Handlers::operator()...;
};

} // namespace

Result<SocketPair> makeSocketPair()
{
    int ends[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
        return failure(ErrorKind::Io, Layer::Ssh, QString::fromLocal8Bit(std::strerror(errno)));
    return SocketPair{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

Result<OpenTransport> openTransport(const TransportWish &wish, TcpTarget target, const QByteArrayList &environment, const Waiting &waiting)
{
    return std::visit(Chosen{
                              [&](const TcpTransport &tcp) { return openTcp(tcp, target, environment, waiting); },
                              [&](const ProcessTransport &process) { return openProcess(process, environment); },
                              [&](const CommandTransport &command) { return openCommand(command, environment); },
                              [&](const WebSocketTransport &tunnel) { return openWebSocketTunnel(tunnel.request, waiting); },
                              [](const JumpTransport &) -> Result<OpenTransport> {
                                  return failure(ErrorKind::Unsupported, Layer::Ssh, u"a jump needs a link of its own"_s);
                              },
                      },
                      wish);
}

std::optional<Error> lastWords(const std::shared_ptr<TransportWords> &words, std::chrono::milliseconds patience)
{
    if (!words)
        return std::nullopt;
    // The end of a child interrupts whichever thread it likes, and is just when something is to be said.
    const Deadline deadline = std::chrono::steady_clock::now() + patience;
    pollfd waiting = {words->descriptor(), POLLIN, 0};
    while (::poll(&waiting, 1, millisecondsUntil(deadline)) < 0 && errno == EINTR) { }
    const std::vector<Error> said = words->takeAll();
    return said.empty() ? std::nullopt : std::optional(said.front());
}

QByteArrayList ownEnvironment()
{
    QByteArrayList variables;
    for (char **variable = environ; variable && *variable; ++variable)
        variables.append(*variable);
    return variables;
}

QByteArray variableOf(const QByteArrayList &environment, QByteArrayView name)
{
    for (const QByteArray &variable : environment) {
        if (variable.size() > name.size() && variable.startsWith(name) && variable[name.size()] == '=')
            return variable.sliced(name.size() + 1);
    }
    return {};
}

} // namespace Sandpiper
