#include "ui/bannerface.h"

#include "session/errortext.h"

#include <QCoreApplication>

#include <optional>

namespace Sandpiper {

namespace {

class Banner
{
    Q_DECLARE_TR_FUNCTIONS(Sandpiper::Banner)
public:
    static QString named(const BannerSubject &subject)
    {
        return tr("“%1”").arg(tamed(subject.name, 60));
    }

    static QString why(const Error &error)
    {
        // A default-made error says nothing that a person could use.
        return error == Error{} ? QString() : errorText(error).sentence;
    }

    static BannerFace opening(const StandingShell::Status &status, const BannerSubject &subject)
    {
        BannerFace face{.shown = true, .tone = BannerTone::Progress, .actions = {BannerAction::Stop}};
        if (subject.wasOpen)
            face.text = tr("Connection lost. Trying again…");
        else if (subject.slow)
            face.text = tr("Still waiting for %1 to answer…").arg(named(subject));
        else
            face.text = tr("Connecting to %1…").arg(named(subject));
        face.detail = why(status.error);
        return face;
    }

    static BannerFace waiting(const StandingShell::Status &status, const BannerSubject &subject)
    {
        if (!status.retryAt.isValid()) {
            BannerFace face = opening(status, subject);
            face.tone = BannerTone::Waiting;
            return face;
        }
        return {.shown = true,
                .tone = BannerTone::Waiting,
                .text = subject.wasOpen ? tr("Connection lost. Trying again in %1 s")
                                        : tr("No connection. Trying again in %1 s"),
                .detail = why(status.error),
                .actions = {BannerAction::RetryNow, BannerAction::Stop},
                .countsTo = status.retryAt};
    }

    static QString costOfResuming() { return tr("Resuming starts billing where the vendor bills."); }

    // The step against an error that a click can take. Nothing: retrying or reading is all there is.
    static std::optional<BannerAction> mend(NextStep step)
    {
        switch (step) {
        case NextStep::RegisterKey: return BannerAction::RegisterKey;
        case NextStep::ChooseKey: return BannerAction::ChooseKey;
        case NextStep::ReviewHostKey: return BannerAction::ReviewHostKey;
        case NextStep::ResumeSandbox: return BannerAction::ResumeSandbox;
        case NextStep::StartSandbox: return BannerAction::StartSandbox;
        case NextStep::CreateSandbox: return BannerAction::CreateSandbox;
        case NextStep::RefreshList: return BannerAction::RefreshList;
        case NextStep::SignInAgain: return BannerAction::SignInAgain;
        case NextStep::None:
        case NextStep::Retry:
        case NextStep::CheckAddress:
        case NextStep::CheckNetwork:
        case NextStep::StartNewShell:
        case NextStep::FreeSpace:
        case NextStep::WaitAndRetry:
        case NextStep::ReportBug: return std::nullopt;
        }
        Q_UNREACHABLE_RETURN(std::nullopt);
    }

    static BannerFace suspended(const BannerSubject &subject)
    {
        BannerFace face{.shown = true, .tone = BannerTone::Waiting};
        face.text = tr("%1 is suspended.").arg(named(subject));
        if (!subject.whyNoResume.isEmpty()) {
            face.detail = subject.whyNoResume;
            return face;
        }
        face.detail = costOfResuming();
        face.actions = {BannerAction::Resume};
        return face;
    }

    static BannerFace gone(const StandingShell::Status &status, const BannerSubject &subject)
    {
        BannerFace face{.shown = true,
                        .tone = BannerTone::Problem,
                        .text = tr("The shell in %1 is gone; this is its last screen.").arg(named(subject)),
                        .detail = why(status.error),
                        .actions = {BannerAction::StartNew}};
        // Where the sandbox went with it, a new shell is not what helps.
        const std::optional<BannerAction> step = mend(errorText(status.error).step);
        if (step == BannerAction::CreateSandbox || step == BannerAction::RefreshList)
            face.actions.prepend(*step);
        face.actions << BannerAction::Close;
        return face;
    }

    static BannerFace ended(const ShellEnd &end)
    {
        BannerFace face{.shown = true,
                        .tone = BannerTone::Resting,
                        .actions = {BannerAction::Restart, BannerAction::Close}};
        switch (end.kind) {
        case ShellEnd::Kind::Exited:
            face.text = end.exitCode == 0 ? tr("Ended") : tr("Ended with code %1").arg(end.exitCode);
            return face;
        case ShellEnd::Kind::Signalled:
            // A PTY does not say which one.
            face.text = end.signalName.isEmpty() ? tr("Ended by a signal") : tr("Ended by signal %1").arg(tamed(end.signalName, 20));
            return face;
        case ShellEnd::Kind::Killed:
            face.text = tr("The shell was ended");
            return face;
        case ShellEnd::Kind::Lost:
        case ShellEnd::Kind::Failed:
            face.tone = BannerTone::Problem;
            face.text = tr("The connection broke");
            face.detail = why(end.error);
            return face;
        }
        Q_UNREACHABLE_RETURN(face);
    }

    static BannerFace failed(const StandingShell::Status &status, const BannerSubject &subject)
    {
        const ErrorText text = errorText(status.error);
        BannerFace face{.shown = true, .tone = BannerTone::Problem, .text = text.sentence};
        const std::optional<BannerAction> step = mend(text.step);
        const bool wakes = step == BannerAction::ResumeSandbox || step == BannerAction::StartSandbox;
        if (wakes)
            face.detail = subject.whyNoResume.isEmpty() ? costOfResuming() : subject.whyNoResume;
        if (step && (!wakes || subject.whyNoResume.isEmpty()))
            face.actions.append(*step);
        face.actions << BannerAction::RetryNow << BannerAction::Close;
        return face;
    }
};

qint64 millisecondsLeft(const BannerFace &face, const QDateTime &now)
{
    return std::max<qint64>(0, now.msecsTo(face.countsTo));
}

} // namespace

BannerFace bannerFor(const StandingShell::Status &status, const BannerSubject &subject)
{
    using State = StandingShell::State;
    switch (status.state) {
    case State::Idle:
    case State::Open:
        return {};
    case State::Opening:
        return Banner::opening(status, subject);
    case State::Waiting:
        return Banner::waiting(status, subject);
    case State::Suspended:
        return Banner::suspended(subject);
    case State::Stopped:
        return {.shown = true,
                .tone = BannerTone::Waiting,
                .text = Banner::tr("Not connected to %1.").arg(Banner::named(subject)),
                .detail = Banner::why(status.error),
                .actions = {BannerAction::RetryNow, BannerAction::Close}};
    case State::Gone:
        return Banner::gone(status, subject);
    case State::Ended:
        return Banner::ended(status.end);
    case State::Failed:
        return Banner::failed(status, subject);
    case State::Detached:
        return {.shown = true,
                .tone = BannerTone::Resting,
                .text = Banner::tr("Detached; the shell lives on in %1.").arg(Banner::named(subject)),
                .actions = {BannerAction::RetryNow, BannerAction::Close}};
    }
    Q_UNREACHABLE_RETURN({});
}

BannerFace bannerForMissingAccount(const BannerSubject &subject)
{
    BannerFace face{.shown = true, .tone = BannerTone::Progress, .actions = {BannerAction::Close}};
    face.text = subject.slow
        ? Banner::tr("The account of %1 is not there. Add it, and this tab comes back.")
              .arg(Banner::named(subject))
        : Banner::tr("Waiting for the account of %1…").arg(Banner::named(subject));
    if (subject.slow)
        face.tone = BannerTone::Waiting;
    return face;
}

BannerFace bannerForNotice(const QString &text)
{
    return {.shown = true,
            .tone = BannerTone::Notice,
            .text = tamed(text, 300),
            .actions = {BannerAction::Dismiss}};
}

QString labelOf(BannerAction action)
{
    switch (action) {
    case BannerAction::RetryNow: return Banner::tr("Retry now");
    case BannerAction::Stop: return Banner::tr("Stop");
    case BannerAction::Resume: return Banner::tr("Resume");
    case BannerAction::StartNew: return Banner::tr("Start a new shell");
    case BannerAction::Restart: return Banner::tr("Restart");
    case BannerAction::RegisterKey: return Banner::tr("Register a key");
    case BannerAction::ChooseKey: return Banner::tr("Choose a key");
    case BannerAction::ReviewHostKey: return Banner::tr("Compare host keys");
    case BannerAction::ResumeSandbox: return Banner::tr("Resume sandbox");
    case BannerAction::StartSandbox: return Banner::tr("Start sandbox");
    case BannerAction::CreateSandbox: return Banner::tr("New sandbox");
    case BannerAction::RefreshList: return Banner::tr("Refresh the list");
    case BannerAction::SignInAgain: return Banner::tr("Sign in again");
    case BannerAction::Close: return Banner::tr("Close");
    case BannerAction::Dismiss: return Banner::tr("Dismiss");
    }
    Q_UNREACHABLE_RETURN({});
}

QString bannerText(const BannerFace &face, const QDateTime &now)
{
    if (!face.countsTo.isValid())
        return face.text;
    // Rounded up: "in 1 s" stays until it happens, and "in 0 s" is never said.
    const qint64 seconds = std::max<qint64>(1, (millisecondsLeft(face, now) + 999) / 1000);
    return face.text.arg(seconds);
}

int millisecondsToNextText(const BannerFace &face, const QDateTime &now)
{
    if (!face.shown || !face.countsTo.isValid())
        return -1;
    const qint64 left = millisecondsLeft(face, now);
    if (left <= 1000)
        return -1;
    const qint64 rest = left % 1000;
    return int(rest == 0 ? 1000 : rest);
}

} // namespace Sandpiper
