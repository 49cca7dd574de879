// What the window says of a sandbox, in words. Pure, apart from translation.
#pragma once

#include "session/annotations.h"
#include "session/sortkey.h"

#include <QUrl>

namespace Sandpiper {

// "3 min", "2 h", "5 d": one unit, as a glance needs it. Never negative.
[[nodiscard]] QString shortSpan(qint64 seconds);
[[nodiscard]] QString stateWord(const Sandbox &sandbox);
// "Suspended · debian:13 · 2 h old · 12 min left"
[[nodiscard]] QString secondLine(const Sandbox &sandbox, const QDateTime &nowUtc);
// The whole of a row, for people who hear it.
[[nodiscard]] QString spokenRow(const Sandbox &sandbox, int shells, const QDateTime &nowUtc);
// "2 CPUs, 4 GiB memory, 10 GiB disk"; empty where nothing is said.
[[nodiscard]] QString resources(const Sandbox &sandbox);
// One sentence on what resuming costs at this vendor.
[[nodiscard]] QString resumeCost(const QUrl &apiUrl);
// One sentence on what goes with a terminated sandbox.
[[nodiscard]] QString terminateLoss(const Sandbox &sandbox, int shells);
// A warning, in a sentence; empty: there is nothing to warn of.
[[nodiscard]] QString publicPortsText(const Sandbox &sandbox);
[[nodiscard]] QString capabilityName(Capability capability);
// What the user said of it, a line for each kind: "Favourite", "Group: web", "Labels: prod, eu", the note.
[[nodiscard]] QStringList annotationLines(const Annotation &annotation);
// For a tool tip: text that looks like markup is shown as it is, and not obeyed.
[[nodiscard]] QString plainTip(const QString &text);
// Whether it is on its way to another state.
[[nodiscard]] bool isInTransit(SandboxState state);

} // namespace Sandpiper
