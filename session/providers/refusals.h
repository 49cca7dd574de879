// Refusals that vendors word in a fixed way, as rows for session/errortext. Pure; any thread.
#pragma once

#include "session/errortext.h"

#include <QList>

namespace Sandpiper {

struct Refusal
{
    QLatin1StringView fragment; // as it stands in Error::detail; letter case counts
    QList<Layer> layers;        // where it may come from; empty: anywhere
    QString sentence;           // %1: the subject in quotes, or a noun for it
    NextStep step = NextStep::None;
};

// One table for each vendor.
[[nodiscard]] const QList<Refusal> &tensorlakeRefusals();
[[nodiscard]] const QList<Refusal> &sandbox0Refusals();
[[nodiscard]] const QList<Refusal> &e2bRefusals();
[[nodiscard]] const QList<Refusal> &microsandboxRefusals();

// All of them. In order of preference: the first row that matches counts.
[[nodiscard]] const QList<Refusal> &knownRefusals();

} // namespace Sandpiper
