// What a file system answers, and whether that says that it is out of reach. GUI thread.
#pragma once

#include "session/error.h"

#include <QFutureWatcher>
#include <QObject>

namespace Sandpiper {

// then() comes once while context lives, from the event loop, also where whoever was asked goes without an answer:
// ConnectionLost. (QFuture::onCanceled() tells of the end of context too, from within its destructor.)
template <typename Answer, typename Then>
void onAnswer(const QFuture<Answer> &answer, QObject *context, Then then)
{
    auto *watcher = new QFutureWatcher<Answer>(context);
    QObject::connect(watcher, &QFutureWatcherBase::finished, context, [watcher, then] {
        watcher->deleteLater();
        const QFuture<Answer> said = watcher->future();
        then(said.isResultReadyAt(0) ? said.result() : Answer(failure(ErrorKind::ConnectionLost, Layer::Sftp, QStringLiteral("the file system is gone"))));
    });
    watcher->setFuture(answer);
}

// Nothing is wrong with the file: it may be had when its place is back.
[[nodiscard]] inline bool isOutOfReach(const Error &error)
{
    switch (error.kind) {
    case ErrorKind::HostNotFound:
    case ErrorKind::HostUnreachable:
    case ErrorKind::ConnectionRefused:
    case ErrorKind::ConnectionLost:
    case ErrorKind::RateLimited:
    case ErrorKind::SandboxNotRunning:
    case ErrorKind::Cancelled: return true;
    case ErrorKind::Timeout: return error.layer != Layer::Sftp; // of one answer: it may be done there
    default: return false;
    }
}

} // namespace Sandpiper
