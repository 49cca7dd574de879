// Joins one standing shell to one terminal: output with back-pressure, input, the size. GUI thread.
#pragma once

#include <QObject>
#include <QPointer>

namespace Sandpiper {

class StandingShell;
class TerminalView;

class TerminalSession : public QObject
{
    Q_OBJECT
public:
    // Neither is owned; either may go first. A shell that is Idle is opened as soon as the terminal
    // has a size, never before, and never from within this call.
    TerminalSession(StandingShell &shell, TerminalView &view, QObject *parent = nullptr);
    ~TerminalSession() override;

private:
    void takeSize();
    void noteTaken(qint64 bytes);
    void settle();

    QPointer<StandingShell> m_shell;
    QPointer<TerminalView> m_view;
    qint64 m_owed = 0; // fed, and not yet reported to the shell
};

} // namespace Sandpiper
