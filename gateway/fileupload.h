// A file on its way into a sandbox: a piece of the body at a time, and the next once that has gone. Deletes itself.
// Main thread.
#pragma once

#include "gateway/agentclient.h"
#include "gateway/httpconnection.h"

#include <QSocketNotifier>

namespace Sandpiper {

class FileUpload : public QObject
{
    Q_OBJECT
public:
    FileUpload(HttpExchange *exchange, SandboxProcess process, QObject *parent);

private:
    void pump();
    bool writePending();
    void readAnswer();

    QPointer<HttpExchange> m_exchange;
    SandboxProcess m_process;
    QByteArray m_pending; // framed
    qsizetype m_written = 0;
    bool m_isEndQueued = false;
    QByteArray m_said;
    QSocketNotifier m_input;
    QSocketNotifier m_output;
};

} // namespace Sandpiper
