#include "sftp/filecommand.h"

#include <QCoreApplication>
#include <QTimer>

#include <signal.h>

namespace Sandpiper {

std::optional<QString> commandWord(const QByteArray &bytes)
{
    const QString text = QString::fromUtf8(bytes);
    return text.toUtf8() == bytes ? std::optional(text) : std::nullopt;
}

void letEnd(std::unique_ptr<RemoteCommand> command)
{
    using namespace std::chrono_literals;
    if (!command)
        return;
    RemoteCommand *last = command.release(); // it deletes itself
    last->disconnect();
    last->setParent(QCoreApplication::instance());
    QObject::connect(last, &RemoteCommand::outputReceived, last, [last](const QByteArray &bytes) { last->consumed(bytes.size()); });
    QObject::connect(last, &RemoteCommand::errorOutputReceived, last, [last](const QByteArray &bytes) { last->consumed(bytes.size()); });
    QObject::connect(last, &RemoteCommand::ended, last, &QObject::deleteLater);
    QTimer::singleShot(3s, last, &QObject::deleteLater);
    last->sendSignal(SIGTERM);
}

} // namespace Sandpiper
