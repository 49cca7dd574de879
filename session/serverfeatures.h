// What the server of an SSH link can do, found out by asking it (session/sshfeatureprobe). Plain values;
// any thread.
#pragma once

#include "session/error.h"
#include "session/sandbox.h"

#include <QDateTime>
#include <QJsonObject>
#include <QStringList>

#include <array>
#include <chrono>
#include <optional>

namespace Sandpiper {

enum class ServerFeature {
    Terminal,      // a PTY for a shell
    Exec,          // one command, with its output
    Sftp,          // the subsystem, answering as SFTP
    LocalForward,  // direct-tcpip
    UnixForward,   // direct-streamlocal@openssh.com
    RemoteForward, // tcpip-forward
    AgentForward,  // auth-agent-req@openssh.com
};
inline constexpr int kServerFeatures = 7;

struct FeatureAnswer
{
    enum class Kind { Unknown, Yes, No };
    Kind kind = Kind::Unknown;
    // No: the server's own words, or what it did. Unknown: why. Yes: what was odd about it. Tamed.
    QString words;

    friend bool operator==(const FeatureAnswer &, const FeatureAnswer &) = default;
};

struct ServerFeatures
{
    static constexpr qsizetype mostWords = 200;
    static constexpr qsizetype mostExtensions = 40;
    static constexpr qsizetype mostName = 64; // characters of the name of an extension

    QString serverVersion; // "SSH-2.0-OpenSSH_10.0"
    QDateTime askedAt;     // UTC
    std::array<FeatureAnswer, kServerFeatures> answers;
    quint32 sftpVersion = 0;    // 0: no SFTP
    QStringList sftpExtensions; // "posix-rename@openssh.com", in the server's order, bounded

    [[nodiscard]] FeatureAnswer &of(ServerFeature feature) { return answers[size_t(feature)]; }
    [[nodiscard]] const FeatureAnswer &of(ServerFeature feature) const { return answers[size_t(feature)]; }
    friend bool operator==(const ServerFeatures &, const ServerFeatures &) = default;

    [[nodiscard]] QJsonObject toJson() const;
    // Bounded again: a file may be hostile too. None where it is not what toJson() makes.
    [[nodiscard]] static std::optional<ServerFeatures> fromJson(const QJsonObject &json);
};

// "exec", "local_forward": for JSON and the command line.
[[nodiscard]] QString keyOf(ServerFeature feature);
[[nodiscard]] QString keyOf(FeatureAnswer::Kind kind); // "unknown", "yes", "no"

// Who wants to know. GUI thread; outlives the links that it is given to.
class FeatureAsker
{
public:
    virtual ~FeatureAsker() = default;
    // A link to this sandbox is Ready. Not said: it need not be asked. Else after how long, so that whoever
    // waits for a prompt goes first; told() follows once.
    [[nodiscard]] virtual std::optional<std::chrono::milliseconds> wantsAfter(const SandboxId &sandbox, const QString &serverVersion) = 0;
    // An error: the link ended before all was asked.
    virtual void told(const SandboxId &sandbox, const Result<ServerFeatures> &features) = 0;
};

} // namespace Sandpiper
