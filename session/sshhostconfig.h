// What the configuration of OpenSSH says of one host, as plain values. Any thread.
#pragma once

#include "session/error.h"
#include "session/forwardspec.h"

#include <QList>
#include <QString>
#include <QStringList>

#include <chrono>
#include <optional>
#include <utility>

namespace Sandpiper {

struct SshConfigPlace
{
    QString file;
    int line = 0;

    [[nodiscard]] QString toString() const { return file + QLatin1Char(':') + QString::number(line); }
    friend bool operator==(const SshConfigPlace &, const SshConfigPlace &) = default;
};

struct SshConfigProblem
{
    enum class Kind {
        Refused,  // ssh does not start with this, and neither do we
        Unknown,  // a keyword that is not known here; ssh refuses it unless it is newer
        NotDone,  // ssh acts on it, Sandpiper does not
        NotAsked, // a "Match exec" that nobody has agreed to; its block is left out
    };
    Kind kind = Kind::Refused;
    SshConfigPlace place;
    QString text; // a sentence without its full stop, tamed

    [[nodiscard]] QString toString() const { return place.toString() + QStringLiteral(": ") + text; }
    friend bool operator==(const SshConfigProblem &, const SshConfigProblem &) = default;
};

// One hop of a ProxyJump; what is empty or 0 is what the configuration says of that host.
struct SshJumpHop
{
    QString user;
    QString host;
    quint16 port = 0;

    friend bool operator==(const SshJumpHop &, const SshJumpHop &) = default;
};

enum class SshHostChecking {
    Ask,
    Strict,    // only hosts that are known
    AcceptNew, // unknown ones are remembered without a question
    Off,
};
enum class SshAddressFamily { Any, Inet, Inet6 };
enum class SshTtyWish { Auto, No, Yes, Force };
enum class SshAgentForward { No, Yes, Socket };

// A setting that has taken effect, as it was written.
struct SshSetting
{
    QString keyword; // lower case
    QString value;
    SshConfigPlace place;

    friend bool operator==(const SshSetting &, const SshSetting &) = default;
};

// Values with tokens, variables and "~" are filled in. What is not set is not said.
struct SshHostConfig
{
    QString alias;    // as it was asked for
    QString hostName; // where to connect to, lower case; never empty
    QString user;     // never empty
    quint16 port = 22;

    QStringList identityFiles; // "none" among them counts as no file
    QStringList certificateFiles;
    std::optional<QString> identityAgent; // a socket, "none" or "SSH_AUTH_SOCK"
    std::optional<bool> identitiesOnly;
    QList<SshJumpHop> jumps;             // in the order in which they are travelled
    std::optional<QString> proxyCommand; // for the user's shell
    QString hostKeyAlias;
    std::optional<QStringList> userKnownHostsFiles; // empty: none at all
    std::optional<QStringList> globalKnownHostsFiles;
    std::optional<SshHostChecking> hostChecking;
    std::optional<std::chrono::seconds> serverAliveInterval; // 0: off
    std::optional<int> serverAliveCountMax;
    SshAgentForward agentForward = SshAgentForward::No;
    QString agentForwardSocket; // Socket
    QList<ForwardSpec> forwards;
    ForwardRules forwardRules;
    QStringList sendEnv; // patterns of names
    QList<std::pair<QString, QString>> setEnv;
    QString remoteCommand;
    SshTtyWish requestTty = SshTtyWish::Auto;
    // Lists of names, or changes to the default one ("+", "-", "^" in front); empty: not said.
    QString ciphers;
    QString kexAlgorithms;
    QString macs;
    QString hostKeyAlgorithms;
    QString pubkeyAcceptedAlgorithms;
    std::optional<std::chrono::seconds> connectTimeout; // 0: as short as can be, as ssh takes it
    SshAddressFamily addressFamily = SshAddressFamily::Any;
    QString bindAddress;
    bool compression = false;
    QString addKeysToAgent; // "yes", "no", "ask", "confirm", seconds, or "confirm" and seconds
    QStringList preferredAuthentications;
    bool pubkeyAuthentication = true;
    bool passwordAuthentication = true;
    bool kbdInteractiveAuthentication = true;
    QString tag;

    QList<SshSetting> settings; // in the order in which they took effect
    QList<SshConfigProblem> problems;

    // The first reason for which ssh would refuse, if any.
    [[nodiscard]] std::optional<SshConfigProblem> refusal() const
    {
        for (const SshConfigProblem &problem : problems) {
            if (problem.kind == SshConfigProblem::Kind::Refused)
                return problem;
        }
        return std::nullopt;
    }
};

} // namespace Sandpiper
