// What can be done with SSH hosts, from wherever it is asked: sidebar, menus, palette. GUI thread.
#pragma once

#include "session/ownhosts.h"
#include "ui/commandpalette.h"
#include "ui/sandboxcommands.h"

#include <QObject>

namespace Sandpiper {

class HostCommands : public QObject
{
    Q_OBJECT
public:
    // All borrowed; they outlive it. window carries the dialogs.
    HostCommands(OwnHosts *own, SandboxCommands *commands, QWidget *window);

    void enter();                          // "New SSH host…"
    void import();                         // from other programs
    void change(const Sandbox &sandbox);   // an own host
    void askRemove(const Sandbox &sandbox);
    void keep(const SandboxId &quick);     // what quick connect has opened
    // What a palette offers for a text that names a destination; expected says that nothing else is
    // meant, so that a bare word will do.
    enum class Expected { Anything, Destination };
    [[nodiscard]] std::optional<PaletteEntry> entryFor(const QString &text, Expected expected) const;

signals:
    void failed(const QString &text);

private:
    OwnHosts *m_own;
    SandboxCommands *m_commands;
    QWidget *m_window;
};

} // namespace Sandpiper
