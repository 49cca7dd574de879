// What SSH runs over, as a wish: plain values, any thread.
#pragma once

#include "session/sshhostconfig.h"
#include "session/websocketclient.h"

#include <QMap>
#include <QString>
#include <QStringList>

#include <memory>
#include <optional>
#include <variant>

namespace Sandpiper {

// A proxy that TCP connections go through. The name of the host is looked up by the proxy.
struct ProxySetting
{
    enum class Kind { None, Socks5, HttpConnect };
    Kind kind = Kind::None;
    QString host;
    quint16 port = 0;
    QString user;                     // empty: no credentials
    std::shared_ptr<Secret> password; // may be null
};

struct TcpTransport
{
    std::optional<ProxySetting> proxy; // not said: what the network setting says; see session/netproxy
    SshAddressFamily family = SshAddressFamily::Any;
    QString bindAddress; // of this computer; empty: any
};

// A program that carries the bytes on its standard input and output. Never a shell.
struct ProcessTransport
{
    QStringList argv;
    QMap<QString, QString> environment; // beside ours
};

// A ProxyCommand: a line for the user's shell, tokens filled in.
struct CommandTransport
{
    QString command;
};

// One stream of bytes in binary frames.
struct WebSocketTransport
{
    WebSocketRequest request;
};

// Through other SSH servers, in the order in which they are travelled. Not empty.
struct JumpTransport
{
    QList<SshJumpHop> hops;
};

using TransportWish = std::variant<TcpTransport, ProcessTransport, CommandTransport, WebSocketTransport, JumpTransport>;

} // namespace Sandpiper
