#include "session/systemssh.h"

#include "session/sshdestination.h"
#include "session/sshhostblock.h"
#include "session/sshpublickey.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

QString paths(const QStringList &values)
{
    QStringList quoted;
    for (const QString &value : values)
        quoted << sshConfigPath(value);
    return quoted.join(u' ');
}

} // namespace

QStringList systemSshCommand(const QString &program, const LinkOptions &options)
{
    const SshEndpoint &endpoint = options.endpoint;
    const bool isAlias = !endpoint.alias.isEmpty();
    const QString destination = isAlias ? endpoint.alias : endpoint.host;
    const auto *tcp = std::get_if<TcpTransport>(&options.transport);
    // What an alias says of the way there is for ssh to find out; another way it does not know.
    if (program.isEmpty() || (!isAlias && (!tcp || tcp->proxy)) || !isSafeSshHost(destination) || !isSafeSshUser(endpoint.user))
        return {};
    QStringList argv{program};
    const auto option = [&](const QString &text) { argv << u"-o"_s << text; };
    option(u"BatchMode=yes"_s);
    option(u"StrictHostKeyChecking=yes"_s);
    option(u"ForwardAgent=no"_s);
    option(u"ForwardX11=no"_s);
    option(u"ControlMaster=no"_s);
    option(u"RemoteCommand=none"_s);
    option(u"ConnectTimeout=%1"_s.arg(options.connectTimeout.count()));
    if (!options.knownHostsFiles.isEmpty())
        option(u"UserKnownHostsFile="_s + paths(options.knownHostsFiles));
    if (!isAlias) {
        argv << u"-F"_s << u"none"_s;
        if (!options.hostKeyAlias.isEmpty())
            option(u"HostKeyAlias="_s + sshConfigWord(options.hostKeyAlias));
        if (!options.useAgent)
            option(u"IdentityAgent=none"_s);
        else if (!options.agentSocket.isEmpty())
            option(u"IdentityAgent="_s + sshConfigPath(options.agentSocket));
        QStringList files = endpoint.identityFiles + options.identityFiles;
        if (!options.preferredKey.isEmpty() && !isKeyFingerprint(options.preferredKey)) // else the agent has it
            files.prepend(options.preferredKey);
        if (options.identitiesOnly || !endpoint.identityFiles.isEmpty())
            option(u"IdentitiesOnly=yes"_s);
        for (const QString &file : std::as_const(files))
            option(u"IdentityFile="_s + sshConfigPath(file));
        for (const QString &file : options.certificateFiles)
            option(u"CertificateFile="_s + sshConfigPath(file));
    }
    if (!isAlias || options.portIsSaid)
        argv << u"-p"_s << QString::number(endpoint.port);
    if (!endpoint.user.isEmpty())
        argv << u"-l"_s << endpoint.user;
    // As seen from there. It may listen on one kind of address only, so the name is left to it.
    argv << u"-W"_s << u"localhost:%1"_s.arg(endpoint.port) << u"--"_s << destination;
    return argv;
}

} // namespace Sandpiper
