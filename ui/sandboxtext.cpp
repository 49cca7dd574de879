#include "ui/sandboxtext.h"

#include "session/providers/sshhosts.h"

#include <QCoreApplication>
#include <QHostAddress>
#include <QLocale>
#include <QStringList>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

struct Words
{
    Q_DECLARE_TR_FUNCTIONS(SandboxText)
};

} // namespace

QString shortSpan(qint64 seconds)
{
    seconds = qMax<qint64>(0, seconds);
    if (seconds < 60)
        return Words::tr("%1 s").arg(seconds);
    if (seconds < 3600)
        return Words::tr("%1 min").arg(seconds / 60);
    if (seconds < 2 * 86400)
        return Words::tr("%1 h").arg(seconds / 3600);
    return Words::tr("%1 d").arg(seconds / 86400);
}

bool isInTransit(SandboxState state)
{
    switch (state) {
    case SandboxState::Pending:
    case SandboxState::Snapshotting:
    case SandboxState::Suspending:
        return true;
    case SandboxState::Unknown:
    case SandboxState::Running:
    case SandboxState::Suspended:
    case SandboxState::Terminated:
        return false;
    }
    Q_UNREACHABLE_RETURN(false);
}

QString stateWord(const Sandbox &sandbox)
{
    switch (sandbox.state) {
    case SandboxState::Unknown:
        return sandbox.stateText.isEmpty() ? Words::tr("Unknown state") : sandbox.stateText;
    case SandboxState::Pending:
        return Words::tr("Starting");
    case SandboxState::Running:
        return Words::tr("Running");
    case SandboxState::Snapshotting:
        return Words::tr("Taking a snapshot");
    case SandboxState::Suspending:
        return Words::tr("Suspending");
    case SandboxState::Suspended:
        return Words::tr("Suspended");
    case SandboxState::Terminated:
        return Words::tr("Terminated");
    }
    Q_UNREACHABLE_RETURN({});
}

QString secondLine(const Sandbox &sandbox, const QDateTime &nowUtc)
{
    // What is known of a host is where it leads, and not how it is: nobody asks it.
    if (sandbox.id.vendor == sshVendorId())
        return sandbox.note;
    QStringList parts;
    if (sandbox.state != SandboxState::Running)
        parts += stateWord(sandbox);
    if (!sandbox.note.isEmpty() && isInTransit(sandbox.state))
        parts += sandbox.note;
    if (!sandbox.image.isEmpty())
        parts += sandbox.image;
    if (sandbox.createdAt.isValid())
        parts += Words::tr("%1 old").arg(shortSpan(sandbox.createdAt.secsTo(nowUtc)));
    if (sandbox.expiresAt && sandbox.state == SandboxState::Running)
        parts += Words::tr("%1 left").arg(shortSpan(nowUtc.secsTo(*sandbox.expiresAt)));
    return parts.join(u" · "_s);
}

QString spokenRow(const Sandbox &sandbox, int shells, const QDateTime &nowUtc)
{
    QString text = sandbox.displayName() + u", "_s + stateWord(sandbox);
    const QString more = secondLine(sandbox, nowUtc);
    if (!more.isEmpty())
        text += u", "_s + more;
    if (shells > 0)
        text += u", "_s + Words::tr("%n open shell(s)", nullptr, shells);
    return text;
}

QString resources(const Sandbox &sandbox)
{
    QStringList parts;
    const QLocale locale;
    const auto size = [&locale](qint64 mib) {
        return mib % 1024 == 0 ? Words::tr("%1 GiB").arg(mib / 1024)
                : mib > 1024   ? Words::tr("%1 GiB").arg(locale.toString(double(mib) / 1024, 'f', 1))
                               : Words::tr("%1 MiB").arg(mib);
    };
    if (sandbox.cpus > 0)
        parts += Words::tr("%1 CPU").arg(locale.toString(sandbox.cpus, 'g', 3));
    if (sandbox.memoryMiB > 0)
        parts += Words::tr("%1 memory").arg(size(sandbox.memoryMiB));
    if (sandbox.diskMiB > 0)
        parts += Words::tr("%1 disk").arg(size(sandbox.diskMiB));
    return parts.join(u", "_s);
}

QString resumeCost(const QUrl &apiUrl)
{
    const QHostAddress address(apiUrl.host());
    if (address.isLoopback() || apiUrl.host() == "localhost"_L1)
        return Words::tr("It uses this computer's memory and processor again; there is nothing to pay.");
    return Words::tr("The vendor bills it again from the moment it runs.");
}

QString terminateLoss(const Sandbox &sandbox, int shells)
{
    if (shells > 0)
        return Words::tr("“%1”, its files and its %n open shell(s) will be gone. This cannot be undone.", nullptr, shells)
                .arg(sandbox.displayName());
    return Words::tr("“%1” and all files in it will be gone. This cannot be undone.").arg(sandbox.displayName());
}

QString capabilityName(Capability capability)
{
    switch (capability) {
    case Capability::PtyShell:
        return Words::tr("Terminal by PTY");
    case Capability::SshShell:
        return Words::tr("Terminal by SSH");
    case Capability::Reattach:
        return Words::tr("Shells survive a lost connection");
    case Capability::Exec:
        return Words::tr("Single commands");
    case Capability::Sftp:
        return Words::tr("Files over SSH");
    case Capability::Create:
        return Words::tr("Create");
    case Capability::Rename:
        return Words::tr("Rename");
    case Capability::Suspend:
        return Words::tr("Suspend");
    case Capability::Resume:
        return Words::tr("Resume");
    case Capability::Terminate:
        return Words::tr("Terminate");
    case Capability::SshKeys:
        return Words::tr("Register SSH keys");
    case Capability::LocalForward:
        return Words::tr("Forward ports to it");
    case Capability::RemoteForward:
        return Words::tr("Forward ports from it");
    case Capability::AgentForward:
        return Words::tr("Forward the SSH agent");
    case Capability::Tunnel:
        return Words::tr("Forward ports to it without SSH");
    case Capability::PublicPorts:
        return Words::tr("Close ports that are open to everyone");
    case Capability::OutboundNetwork:
        return Words::tr("Reaches the internet");
    case Capability::Isolation:
        return Words::tr("Separated from this computer");
    }
    Q_UNREACHABLE_RETURN({});
}

QString publicPortsText(const Sandbox &sandbox)
{
    if (sandbox.publicPorts.isEmpty())
        return {};
    const QString name = tamed(sandbox.displayName(), 60);
    if (sandbox.publicPorts.size() == 1)
        return Words::tr("Port %1 of %2 is open to everyone on the internet.").arg(sandbox.publicPorts.constFirst()).arg(name);
    QStringList ports;
    for (const quint16 port : sandbox.publicPorts)
        ports.append(QString::number(port));
    return Words::tr("Ports %1 of %2 are open to everyone on the internet.").arg(tamed(ports.join(u", "_s), 80), name);
}

QStringList annotationLines(const Annotation &annotation)
{
    QStringList lines;
    if (annotation.isFavourite)
        lines += Words::tr("Favourite");
    if (!annotation.group.isEmpty())
        lines += Words::tr("Group: %1").arg(annotation.group);
    if (!annotation.labels.isEmpty())
        lines += Words::tr("Labels: %1").arg(annotation.labels.join(u", "_s));
    if (!annotation.note.isEmpty())
        lines += annotation.note;
    return lines;
}

QString plainTip(const QString &text)
{
    // QToolTip would take it for HTML where it looks like it; said to be HTML, it also wraps long lines.
    return text.isEmpty() ? QString() : u"<p style='white-space:pre-wrap'>"_s + text.toHtmlEscaped() + u"</p>"_s;
}

} // namespace Sandpiper
