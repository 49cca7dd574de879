// What a pane's banner says for each state of its shell. Pure; translated.
#pragma once

#include "session/standingshell.h"

#include <QList>

namespace Sandpiper {

enum class BannerAction {
    RetryNow,
    Stop,
    Resume,
    StartNew,
    Restart,
    // What helps against an error, as NextStep has them.
    RegisterKey,
    ChooseKey,
    ReviewHostKey,
    ResumeSandbox,
    StartSandbox,
    CreateSandbox,
    RefreshList,
    SignInAgain,
    Close,
    Dismiss,
};

enum class BannerTone {
    Progress, // on its way
    Waiting,  // heals by itself, or by one click
    Resting,  // ended as it should
    Problem,  // needs the user
    Notice,   // told once
};

struct BannerFace
{
    bool shown = false;
    BannerTone tone = BannerTone::Progress;
    QString text = {};   // one sentence; with countsTo set it holds a %1 for the seconds left
    QString detail = {}; // why, or what it costs: shown after the text where there is room
    QList<BannerAction> actions = {}; // the likeliest first
    QDateTime countsTo = {};

    friend bool operator==(const BannerFace &, const BannerFace &) = default;
};

// What the banner must know beside the state.
struct BannerSubject
{
    QString name = {}; // of the sandbox, as the user knows it
    ShellRoute route = ShellRoute::Pty;
    QString whyNoResume = {}; // the vendor's reason, where it cannot be resumed from here
    bool slow = false;   // Opening for more than 10 s
    bool wasOpen = false; // there is a screen that the user has seen
};

[[nodiscard]] BannerFace bannerFor(const StandingShell::Status &status, const BannerSubject &subject);
// While the account that a restored tab belongs to is not there.
[[nodiscard]] BannerFace bannerForMissingAccount(const BannerSubject &subject);
[[nodiscard]] BannerFace bannerForNotice(const QString &text);
[[nodiscard]] QString labelOf(BannerAction action);
// The text with the seconds that are left put in; now and countsTo in any zone.
[[nodiscard]] QString bannerText(const BannerFace &face, const QDateTime &now);
// Milliseconds until bannerText() says something else; -1: never.
[[nodiscard]] int millisecondsToNextText(const BannerFace &face, const QDateTime &now);

} // namespace Sandpiper
