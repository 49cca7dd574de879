// Finding by a few letters in their order, as palettes do. Pure.
#pragma once

#include <QList>
#include <QString>

#include <optional>

namespace Sandpiper {

struct FuzzyMatch
{
    int score = 0;         // larger is better
    QList<int> positions;  // of the letters found, rising
};
// Every letter of pattern in order, case-insensitive, blanks ignored; starts of words and runs weigh
// more. None: it does not match. An empty pattern matches all with 0.
[[nodiscard]] std::optional<FuzzyMatch> fuzzyMatch(const QString &pattern, const QString &text);

} // namespace Sandpiper
