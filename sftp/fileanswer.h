// What a file system answers, and whether that says that it is out of reach. GUI thread.
#pragma once

#include "session/error.h"

#include <QFuture>
#include <QObject>

namespace Sandpiper {

// then() comes once while context lives, also where whoever was asked goes without an answer: ConnectionLost.
template <typename Answer, typename Then>
void onAnswer(QFuture<Answer> answer, QObject *context, Then then)
{
    answer.then(context, [then](const Answer &said) { then(said); }).onCanceled(context, [then] {
        then(Answer(failure(ErrorKind::ConnectionLost, Layer::Sftp, QStringLiteral("the file system is gone"))));
    });
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
