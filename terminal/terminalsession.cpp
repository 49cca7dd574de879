#include "terminal/terminalsession.h"

#include "session/standingshell.h"
#include "terminal/terminalview.h"

namespace Sandpiper {

TerminalSession::TerminalSession(StandingShell &shell, TerminalView &view, QObject *parent)
    : QObject(parent)
    , m_shell(&shell)
    , m_view(&view)
{
    connect(&shell, &StandingShell::outputReceived, this, [this](const QByteArray &bytes) {
        m_owed += bytes.size();
        if (m_view)
            m_view->feed(bytes);
        else
            settle();
    });
    connect(&shell, &StandingShell::screenReset, &view, &TerminalView::reset);
    connect(&view, &TerminalView::taken, this, &TerminalSession::noteTaken);
    connect(&view, &TerminalView::input, this, [this](const QByteArray &bytes) {
        if (m_shell)
            m_shell->write(bytes);
    });
    connect(&view, &TerminalView::gridResized, this, &TerminalSession::takeSize);
    connect(&view, &QObject::destroyed, this, &TerminalSession::settle);
    // The terminal of a tab that is opened again may have its size already.
    QMetaObject::invokeMethod(this, &TerminalSession::takeSize, Qt::QueuedConnection);
}

TerminalSession::~TerminalSession()
{
    settle();
}

void TerminalSession::takeSize()
{
    if (!m_shell || !m_view || m_view->gridSize().isEmpty())
        return;
    const QSize grid = m_view->gridSize();
    const TerminalSize size = TerminalSize{grid.width(), grid.height()}.clamped();
    if (m_shell->status().state == StandingShell::State::Idle)
        m_shell->open(size);
    else
        m_shell->resize(size);
}

void TerminalSession::noteTaken(qint64 bytes)
{
    // What was fed by somebody else, a mark of ours say, is no business of the shell.
    const qint64 told = qMin(bytes, m_owed);
    m_owed -= told;
    if (m_shell && told > 0)
        m_shell->consumed(told);
}

// Nobody draws it any more; the network must not wait for that.
void TerminalSession::settle()
{
    noteTaken(m_owed);
}

} // namespace Sandpiper
