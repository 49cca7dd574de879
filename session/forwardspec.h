// A port forward: what is wished for, in OpenSSH's words (ssh(1) -L, -R, -D; ssh_config(5) LocalForward,
// RemoteForward, DynamicForward), and how it stands. Plain values; any thread.
#pragma once

#include "session/error.h"

#include <QMetaType>
#include <QString>
#include <QStringList>

#include <chrono>
#include <optional>

namespace Sandpiper {

struct ForwardSpec
{
    enum class Kind { Local, Remote, Dynamic, RemoteDynamic };
    // A path, or a port at an address. No address: loopback. An empty one or "*": every interface.
    struct End
    {
        std::optional<QString> address;
        quint16 port = 0; // where it listens: 0 means any free one
        QString path;
        friend bool operator==(const End &, const End &) = default;
    };
    Kind kind = Kind::Local;
    End listen;
    End target; // not for the dynamic ones

    friend bool operator==(const ForwardSpec &, const ForwardSpec &) = default;
};

// Whether connections come in at this end, and whether all of them lead to one place.
[[nodiscard]] constexpr bool listensHere(ForwardSpec::Kind kind)
{
    return kind == ForwardSpec::Kind::Local || kind == ForwardSpec::Kind::Dynamic;
}
[[nodiscard]] constexpr bool hasTarget(ForwardSpec::Kind kind)
{
    return kind == ForwardSpec::Kind::Local || kind == ForwardSpec::Kind::Remote;
}

// A socket's path is longer than the kernel takes (sun_path, with its NUL).
inline constexpr qsizetype kMostSocketPath = 107;

// The argument of -L (Local), -R (Remote: where no target is named, RemoteDynamic) or -D (Dynamic):
// [address:]port:host:hostport, [address:]port:/path, /path:host:hostport, /path:/path, [address:]port.
// Addresses may stand in brackets, and a backslash takes a colon its meaning. Unlike ssh it takes port 0 at
// this end too. InvalidInput: a sentence without its full stop that names the option and what it must be;
// mistakeAt, where given, is the place of the first character that is wrong, or the end of text where something
// is missing.
[[nodiscard]] Result<ForwardSpec> parseForward(ForwardSpec::Kind option, const QString &text, qsizetype *mistakeAt = nullptr);
// That place under the text, for a terminal: two lines. Empty where it cannot be shown in them.
[[nodiscard]] QString forwardCaret(const QString &text, qsizetype mistakeAt);
// The words behind LocalForward, RemoteForward or DynamicForward in an ssh_config, with what ssh refuses there.
[[nodiscard]] Result<ForwardSpec> parseForwardWords(ForwardSpec::Kind keyword, const QStringList &words);

// "-L", "-R", "-D".
[[nodiscard]] QString forwardOption(ForwardSpec::Kind kind);
// As parseForward() takes it back: "127.0.0.1:8080:[::1]:80".
[[nodiscard]] QString forwardText(const ForwardSpec &spec);
// Both, as a command line has them: "-L 8080:db:80".
[[nodiscard]] QString forwardArgument(const ForwardSpec &spec);
// "127.0.0.1:8080", "[::1]:80", "/run/x.sock", "8080".
[[nodiscard]] QString forwardEndText(const ForwardSpec::End &end);

// What carries a forward to its sandbox. Automatic: chosen by what the sandbox can.
enum class ForwardWay { Automatic, Ssh, Tunnel, Bridge };

// "auto", "ssh", "tunnel", "bridge": for files and the command line. Nothing: no way is called that.
[[nodiscard]] QString keyOf(ForwardWay way);
[[nodiscard]] std::optional<ForwardWay> forwardWayOf(const QString &key);

// How forwards are made; mostly said by an ssh_config.
struct ForwardRules
{
    bool gatewayPorts = false;   // without an address: every interface
    bool exitOnFailure = false;  // a forward of the configuration that fails ends the link
    bool unlinksSockets = false; // a stale socket of the user's own is replaced
    int socketMask = 0177;       // permissions that socket files do not have
    // Where those at a SOCKS listener there may connect to from here: "any", "none", or "host:port" with "*" for
    // either (ssh_config(5) PermitRemoteOpen). Unset: anywhere.
    std::optional<QStringList> remoteTargets;
    std::chrono::milliseconds greetingPatience{30'000}; // with a client, until it has said where to (SOCKS)
    std::chrono::milliseconds dialPatience{15'000};     // with a connection, until it is there
    std::chrono::milliseconds answerPatience{20'000};   // with the server, until it says whether it listens

    friend bool operator==(const ForwardRules &, const ForwardRules &) = default;
};

// Names are compared as they are said, none is looked up.
[[nodiscard]] bool permitsRemoteTarget(const ForwardRules &rules, const QString &host, quint16 port);

// How one forward of a link stands.
struct ForwardStatus
{
    enum class State {
        Waiting, // for the link, or for the server's answer
        Listening,
        Failed,  // the link goes on without it
        Lost,    // together with the link
        Stopped, // by stopForward()
    };
    State state = State::Waiting;
    ForwardSpec::End at; // Listening: where; with an address and the port that was given, or a path
    Error error; // Failed: why, its detail a clause ("port 8080 is in use on this computer"). Lost: why the link ended
    // Failed: another link of this program to the same machine has it, and it works there.
    bool isHeldElsewhere = false;
    ForwardWay way = ForwardWay::Ssh; // that it goes; never Automatic

    // Nothing more comes of it.
    [[nodiscard]] bool isOver() const { return state == State::Failed || state == State::Lost || state == State::Stopped; }
    friend bool operator==(const ForwardStatus &, const ForwardStatus &) = default;
};

// "The forward -L 8080:db:80 failed: port 8080 is in use on this computer."
[[nodiscard]] QString forwardFailure(const ForwardSpec &spec, const Error &error);

// News of a forward of a link.
struct ForwardReport
{
    int id = 0; // below 0: of the ssh_config
    ForwardSpec spec;
    ForwardStatus status;
    // Where set: it goes on, but a connection through it could not be made, and this is why. Said once for
    // the same reason.
    std::optional<Error> trouble;
};

} // namespace Sandpiper

Q_DECLARE_METATYPE(Sandpiper::ForwardReport)
