// The main thread's end of one channel of `serve`: joins it to what the sandbox has for it.
#pragma once

#include "app/cli/farends.h"

#include <QSocketNotifier>
#include <QTimer>

namespace Sandpiper {

// Deletes nothing of itself: over() says that it may be deleted, and comes from the event loop.
class ServedChannel : public QObject
{
    Q_OBJECT
public:
    // ends is borrowed and outlives it.
    ServedChannel(std::shared_ptr<FarMail> mail, FarEnds *ends);

    // As if the client had gone.
    void hangUp();

signals:
    void said(const QString &line); // for the person who runs the server
    void over();

private:
    void takeCommands();
    void handle(FarCommand &command);
    void begin(const ToFar::Start &start);
    void tryNext();
    void connectFar();
    void onOpened();
    void onEnded(const ShellEnd &end);
    void passInput();
    void tell(const QString &sentence);
    void finish(const FromFar::Ended &end);

    std::shared_ptr<FarMail> m_mail;
    FarEnds *m_ends;
    QSocketNotifier m_bell;
    QTimer m_patience; // with a far end that has been hung up
    ToFar::Start m_start;
    FarEnds::Choice m_choice;
    std::size_t m_nextWay = 0;
    std::unique_ptr<FarEnd> m_far;
    bool m_open = false;
    QByteArray m_held; // input that came before it was open
    qint64 m_untold = 0; // input that the far end has and that is not reported as taken
    bool m_inputEnded = false;
    bool m_hungUp = false;
    bool m_finished = false;
};

} // namespace Sandpiper
