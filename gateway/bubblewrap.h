// How a sandbox looks from inside: the command line of bubblewrap. Pure.
#pragma once

#include <QPair>
#include <QString>
#include <QStringList>

namespace Sandpiper {

// What of this computer is shown inside, read only.
struct HostLayout
{
    QList<QPair<QString, QString>> links; // at "/": {"bin", "usr/bin"}
    QStringList folders;                  // at "/", where they are no links: "/lib64"
    QStringList etc;                      // allowed parts of /etc that exist, as paths
    bool hasSudo = false;                 // /usr/bin/sudo is a plain file

    // Looks at this computer.
    [[nodiscard]] static HostLayout here();
};

struct BubblewrapSpec
{
    HostLayout layout;
    QString systemFolder; // see writeSystemFolder()
    QString home;
    QString workspace;
    QString initProgram;
};

inline constexpr char16_t insideUser[] = u"tl-user";
inline constexpr char16_t insideHome[] = u"/home/tl-user";
inline constexpr char16_t insideWorkspace[] = u"/workspace";
inline constexpr char16_t insideInit[] = u"/opt/sandpiper/init";

// The arguments of bwrap, up to and without the command to run.
[[nodiscard]] QStringList bubblewrapArguments(const BubblewrapSpec &spec);

// NAME=value of what every process inside starts with.
[[nodiscard]] QStringList insideEnvironment();

// What bubblewrap wrote to its standard error, as a sentence about this computer.
[[nodiscard]] QString bubblewrapProblem(const QByteArray &standardError);

} // namespace Sandpiper
