// An Error in words: one sentence and what to do next. Pure; any thread. GUI and CLI say the same.
#pragma once

#include "session/error.h"

namespace Sandpiper {

enum class NextStep {
    None,
    Retry,
    CheckAddress,
    CheckNetwork,
    SignInAgain,   // enter the credentials of the account anew
    RegisterKey,   // add a public key at the vendor
    ChooseKey,     // name the one key for this host
    ResumeSandbox,
    RefreshList,
    StartNewShell,
    ReviewHostKey, // compare fingerprints, forget the old one
    StartSandbox,
    CreateSandbox,
    FreeSpace,
    WaitAndRetry,
    ReportBug,
};

struct ErrorText
{
    QString sentence; // whole, ends with a full stop, says the subject's name and the layer's plain word
    NextStep step = NextStep::None;
    QString stepLabel; // a verb phrase for a button or a hint: "Resume sandbox"; empty with None
};

// Vendor refusals that the docs name (the three SSH disconnect messages, PTY close reasons) are rows
// of a table matched against Error::detail. Text is in English; translation happens by whole sentence.
[[nodiscard]] ErrorText errorText(const Error &error);

} // namespace Sandpiper
