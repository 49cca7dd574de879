// Where agents are known to listen.
#include "session/sshagent.h"

#include <QDir>
#include <QFile>

#include <algorithm>

#include <sys/stat.h>
#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// A socket of this user; looked at, not connected to.
bool isOwnSocket(const QString &path)
{
    struct stat info = {};
    return path.startsWith(u'/') && ::stat(QFile::encodeName(path).constData(), &info) == 0 && S_ISSOCK(info.st_mode)
            && info.st_uid == ::geteuid();
}

} // namespace

QList<AgentPlace> knownAgents()
{
    QString runtime = qEnvironmentVariable("XDG_RUNTIME_DIR");
    if (runtime.isEmpty())
        runtime = u"/run/user/%1"_s.arg(::geteuid());
    const QString home = QDir::homePath();
    const QList<AgentPlace> places{
        {u"ssh-agent"_s, runtime + u"/ssh-agent.socket"_s},
        {u"ssh-agent"_s, runtime + u"/openssh_agent"_s},
        {u"GNOME"_s, runtime + u"/gcr/ssh"_s},
        {u"GNOME"_s, runtime + u"/keyring/ssh"_s},
        {u"GnuPG"_s, runtime + u"/gnupg/S.gpg-agent.ssh"_s},
        {u"GnuPG"_s, home + u"/.gnupg/S.gpg-agent.ssh"_s},
        {u"1Password"_s, home + u"/.1password/agent.sock"_s},
        {u"Bitwarden"_s, home + u"/.bitwarden-ssh-agent.sock"_s},
    };
    QList<AgentPlace> found;
    if (const QString own = qEnvironmentVariable("SSH_AUTH_SOCK"); !own.isEmpty()) {
        const auto known = std::ranges::find(places, own, &AgentPlace::socket);
        found.append({known == places.cend() ? u"ssh-agent"_s : known->name, own, true});
    }
    for (const AgentPlace &place : places) {
        if (isOwnSocket(place.socket) && std::ranges::none_of(found, [&](const AgentPlace &one) { return one.socket == place.socket; }))
            found.append(place);
    }
    return found;
}

} // namespace Sandpiper
