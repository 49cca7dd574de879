// A file or a listing on its way out of a sandbox, or the word that a file was removed. Deletes itself. Main thread.
#pragma once

#include "gateway/agentclient.h"
#include "gateway/httpconnection.h"

#include <QSocketNotifier>

namespace Sandpiper {

class FileDownload : public QObject
{
    Q_OBJECT
public:
    FileDownload(HttpExchange *exchange, SandboxProcess process, SpawnSpec::FileWork work, QObject *parent);

private:
    void read();
    void take(QByteArrayView bytes);
    void finish();

    QPointer<HttpExchange> m_exchange;
    SandboxProcess m_process;
    SpawnSpec::FileWork m_work;
    QByteArray m_said; // a refusal
    bool m_isStreaming = false;
    bool m_isRead = false;
    QSocketNotifier m_output;
    QSocketNotifier m_ender;
};

} // namespace Sandpiper
