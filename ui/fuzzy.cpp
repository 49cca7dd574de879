#include "ui/fuzzy.h"

namespace Sandpiper {

namespace {

bool startsWord(const QString &text, qsizetype at)
{
    if (at == 0)
        return true;
    const QChar before = text.at(at - 1);
    return !before.isLetterOrNumber() || (before.isLower() && text.at(at).isUpper());
}

} // namespace

std::optional<FuzzyMatch> fuzzyMatch(const QString &pattern, const QString &text)
{
    FuzzyMatch match;
    const QString wanted = QString(pattern).remove(QChar(u' '));
    const qsizetype whole = wanted.isEmpty() ? -1 : text.indexOf(wanted, 0, Qt::CaseInsensitive);
    if (whole >= 0) {
        // As it stands there: better than letters strewn about.
        for (qsizetype i = 0; i < wanted.size(); ++i)
            match.positions.append(int(whole + i));
        match.score = 200 + (startsWord(text, whole) ? 100 : 0) - int(qMin<qsizetype>(whole, 50));
        return match;
    }
    qsizetype from = 0;
    int previous = -2;
    for (const QChar letter : wanted) {
        qsizetype best = -1;
        for (qsizetype at = from; at < text.size(); ++at) {
            if (text.at(at).toCaseFolded() != letter.toCaseFolded())
                continue;
            if (best < 0)
                best = at;
            if (int(at) == previous + 1 || startsWord(text, at)) {
                // A start of a word further on counts only while the rest still fits behind it.
                best = at;
                break;
            }
        }
        if (best < 0)
            return std::nullopt;
        match.score += startsWord(text, best) ? 12 : int(best) == previous + 1 ? 8 : 1;
        match.positions.append(int(best));
        previous = int(best);
        from = best + 1;
    }
    match.score -= int(qMin<qsizetype>(text.size() / 8, 10));
    return match;
}

} // namespace Sandpiper
