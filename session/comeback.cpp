#include "session/comeback.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

namespace {

// What holds wherever an error comes from.
NextMove usualMove(ErrorKind kind)
{
    switch (kind) {
    case ErrorKind::HostNotFound:
    case ErrorKind::HostUnreachable:
    case ErrorKind::ConnectionRefused:
    case ErrorKind::ConnectionLost:
    case ErrorKind::Timeout:
    case ErrorKind::RateLimited:
    case ErrorKind::SandboxNotRunning:
    case ErrorKind::ServerError:
    case ErrorKind::Conflict:
        return NextMove::Wait;
    case ErrorKind::NotFound:
    case ErrorKind::SandboxNotYours:
        return NextMove::GiveUp;
    case ErrorKind::Cancelled:
        return NextMove::Stop;
    case ErrorKind::CertificateInvalid:
    case ErrorKind::HostKeyChanged:
    case ErrorKind::HostKeyRefused:
    case ErrorKind::AuthRejected:
    case ErrorKind::KeyNotRegistered:
    case ErrorKind::PermissionDenied:
    case ErrorKind::QuotaExceeded:
    case ErrorKind::Unsupported:
    case ErrorKind::TooLarge:
    case ErrorKind::InvalidInput:
    case ErrorKind::Protocol:
    case ErrorKind::Io:
    case ErrorKind::NoKeychain:
        return NextMove::AskUser;
    }
    Q_UNREACHABLE_RETURN(NextMove::AskUser);
}

} // namespace

Decision afterFinding(const Result<Sandbox> &found)
{
    if (!found) {
        NextMove move = usualMove(found.error().kind);
        // A proxy in between can answer nonsense for a while; asking again costs nothing.
        if (found.error().kind == ErrorKind::Protocol)
            move = NextMove::Wait;
        return {move, found.error()};
    }
    const auto because = [&](ErrorKind kind) {
        return Error{kind, Layer::SandboxState, found->stateText, found->displayName()};
    };
    switch (found->state) {
    case SandboxState::Unknown: // a word we have not met: the shell itself will tell
    case SandboxState::Running:
        return {NextMove::Connect, {}};
    case SandboxState::Pending:
    case SandboxState::Snapshotting:
    case SandboxState::Suspending:
        return {NextMove::Wait, because(ErrorKind::SandboxNotRunning)};
    case SandboxState::Suspended:
        return {NextMove::OfferResume, because(ErrorKind::SandboxNotRunning)};
    case SandboxState::Terminated:
        return {NextMove::GiveUp, because(ErrorKind::NotFound)};
    }
    Q_UNREACHABLE_RETURN({});
}

Decision afterFailing(Attempt attempt, const Error &error)
{
    NextMove move = usualMove(error.kind);
    switch (attempt) {
    case Attempt::NewShell:
        // Every further try might start one more shell there, and the answer would be the same.
        if (error.kind == ErrorKind::ServerError || error.kind == ErrorKind::Conflict)
            move = NextMove::AskUser;
        break;
    case Attempt::Reattach:
        // The sandbox has just been found with the same credentials, so it is the session's token
        // that is refused: some servers say so of every session they do not know.
        if (error.kind == ErrorKind::PermissionDenied)
            move = NextMove::GiveUp;
        break;
    case Attempt::LinkOnly: break;
    }
    return {move, error};
}

} // namespace Sandpiper
