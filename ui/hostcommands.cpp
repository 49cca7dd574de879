#include "ui/hostcommands.h"

#include "session/errortext.h"
#include "session/providers/sshhosts.h"
#include "session/sshdestination.h"
#include "ui/dialogkit.h"
#include "ui/hostdialog.h"
#include "ui/importdialog.h"

#include <QDir>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

HostCommands::HostCommands(OwnHosts *own, SandboxCommands *commands, QWidget *window)
    : QObject(window)
    , m_own(own)
    , m_commands(commands)
    , m_window(window)
{
}

void HostCommands::enter()
{
    (new HostDialog(m_own, {}, m_window))->open();
}

void HostCommands::import()
{
    (new ImportDialog(m_own, QDir::homePath(), m_window))->open();
}

void HostCommands::change(const Sandbox &sandbox)
{
    if (const std::optional<OwnHost> host = m_own->host(ownHostId(sandbox.id)))
        (new HostDialog(m_own, *host, m_window))->open();
}

void HostCommands::askRemove(const Sandbox &sandbox)
{
    const std::optional<OwnHost> host = m_own->host(ownHostId(sandbox.id));
    if (!host)
        return;
    confirm(m_window,
            {tr("Remove %1 from the list?").arg(host->name),
             tr("Only what you entered here is forgotten. The host itself and your keys stay as they are."), tr("Remove"),
             tr("Keep it")},
            [this, id = host->id] {
                if (const Done removed = m_own->remove(id); !removed)
                    emit failed(errorText(removed.error()).sentence);
            });
}

void HostCommands::keep(const SandboxId &quick)
{
    const std::optional<SshJumpHop> hop = quickDestination(quick);
    if (!hop)
        return;
    OwnHost host;
    host.name = hop->host;
    host.host = hop->host;
    host.user = hop->user;
    host.port = hop->port == 0 ? quint16(22) : hop->port;
    (new HostDialog(m_own, host, m_window))->open();
}

std::optional<PaletteEntry> HostCommands::entryFor(const QString &text, Expected expected) const
{
    const QString trimmed = text.trimmed();
    // A word with nothing of an address about it is a search.
    const bool looksLikeOne = trimmed.contains(u'@') || trimmed.contains(u':');
    if (trimmed.size() > 400 || trimmed.contains(u' ') || (expected == Expected::Anything && !looksLikeOne))
        return std::nullopt;
    const std::optional<SshJumpHop> hop = sshDestination(trimmed);
    if (!hop)
        return std::nullopt;
    OwnHost checked;
    checked.name = u"host"_s;
    checked.host = hop->host;
    checked.user = hop->user;
    if (!checkOwnHost(checked))
        return std::nullopt;
    const Sandbox sandbox = quickHost(*hop);
    return PaletteEntry{u"connect"_s, tr("Connect to %1").arg(sandbox.displayName()), tr("by SSH, without keeping it"), {},
                        icon(IconName::Server), [this, sandbox] { m_commands->open(sandbox, ShellRoute::Ssh); }};
}

} // namespace Sandpiper
