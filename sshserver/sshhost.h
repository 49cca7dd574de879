// What an SSH server of ours is for: who may enter, and what they get.
#pragma once

#include "session/error.h"
#include "sshserver/sshchannelwork.h"

#include <memory>

namespace Sandpiper {

// A connection that a client has asked for, on its way. Used on the connection's thread.
class SshDial
{
public:
    enum class State { Waiting, Connected, Failed };

    SshDial() = default;
    virtual ~SshDial() = default;
    SshDial(const SshDial &) = delete;
    SshDial &operator=(const SshDial &) = delete;

    // Adds what a new state is heard by.
    virtual void addPolls(std::vector<pollfd> &polls) const = 0;
    [[nodiscard]] virtual State state() = 0;
    // After Connected, once: the work of the channel that carries it.
    [[nodiscard]] virtual std::unique_ptr<SshChannelWork> take(ssh_channel channel) = 0;
};

// One for each connection, made, used and deleted on the connection's thread.
class SshHost
{
public:
    struct Listener
    {
        FileDescriptor fd; // non-blocking
        quint16 port = 0;
    };

    SshHost() = default;
    virtual ~SshHost() = default;
    SshHost(const SshHost &) = delete;
    SshHost &operator=(const SshHost &) = delete;

    // For the client before it logs in, each line ending in CR LF; empty: none.
    [[nodiscard]] virtual QByteArray banner() const = 0;
    // blob: base64 of the wire form.
    [[nodiscard]] virtual bool knowsKey(const QByteArray &blob) = 0;
    // What a client is told whose keys are all unknown.
    [[nodiscard]] virtual QString keyRefusal() const = 0;
    // Somebody has proven a known key. Empty: let in; else why not.
    [[nodiscard]] virtual QString admit(const QString &user, const QByteArray &blob) = 0;
    // After admit(): what was entered, for SshConnection::subject().
    [[nodiscard]] virtual QString subject() const = 0;

    // The rest comes after admit(). Takes the channel over.
    [[nodiscard]] virtual std::unique_ptr<SshChannelWork> session(ssh_channel channel) = 0;
    // port as the client sent it. Null: refused.
    [[nodiscard]] virtual std::unique_ptr<SshDial> dial(const QString &host, int port) = 0;
    // A remote forward; address as the client named it.
    [[nodiscard]] virtual Result<Listener> listen(const QByteArray &address, quint16 port) = 0;
    // A channel that we opened to the client, for a connection to a listener or to its agent.
    [[nodiscard]] virtual std::unique_ptr<SshChannelWork> forwarded(ssh_channel channel, FileDescriptor socket) = 0;

    // For what is shared by the channels.
    virtual void addPolls(std::vector<pollfd> &) const { }
    // Moves what can be moved now. Not empty: the connection ends with this.
    [[nodiscard]] virtual QString step() { return {}; }
};

} // namespace Sandpiper
