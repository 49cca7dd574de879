#include "sftp/textdiff.h"

#include <QStringDecoder>

#include <algorithm>
#include <optional>
#include <vector>

namespace Sandpiper {
namespace {

using namespace Qt::Literals::StringLiterals;

// Myers' search keeps a row for each step: 1,500 of them are some 9 MB.
constexpr int kMostSteps = 1500;

std::optional<QStringList> linesOf(const QByteArray &bytes)
{
    if (bytes.contains('\0'))
        return std::nullopt;
    QStringDecoder decoder(QStringDecoder::Utf8, QStringDecoder::Flag::Stateless);
    const QString text = decoder(bytes);
    if (decoder.hasError())
        return std::nullopt;
    if (text.isEmpty())
        return QStringList();
    QStringList lines = text.split(u'\n');
    // What follows the last end of a line is a line only if there is something; else its end is told as missing.
    if (lines.constLast().isEmpty())
        lines.removeLast();
    else
        lines.last() += u"\n\\ No newline at the end"_s;
    return lines;
}

QString shown(QString line)
{
    if (line.endsWith(u'\r'))
        line.replace(line.size() - 1, 1, u"\\r"_s);
    return line;
}

// Which lines of each are in the other too, in order. E. Myers, An O(ND) Difference Algorithm, 1986.
struct Matching
{
    std::vector<bool> before;
    std::vector<bool> after;
};

void match(const QStringList &a, const QStringList &b, qsizetype first, qsizetype endA, qsizetype endB, Matching &found)
{
    const int n = int(endA - first);
    const int m = int(endB - first);
    const int most = std::min(n + m, kMostSteps);
    const int middle = most + 1;
    std::vector<int> reach(size_t(2 * middle + 1), 0);
    std::vector<std::vector<int>> trace;
    for (int d = 0; d <= most; ++d) {
        trace.emplace_back(reach.begin() + (middle - d), reach.begin() + (middle + d + 1));
        for (int k = -d; k <= d; k += 2) {
            int x = k == -d || (k != d && reach[size_t(middle + k - 1)] < reach[size_t(middle + k + 1)]) ? reach[size_t(middle + k + 1)] : reach[size_t(middle + k - 1)] + 1;
            int y = x - k;
            while (x < n && y < m && a.at(first + x) == b.at(first + y)) {
                ++x;
                ++y;
            }
            reach[size_t(middle + k)] = x;
            if (x < n || y < m)
                continue;
            // Back along the way that led here.
            for (int step = d; step >= 0; --step) {
                const std::vector<int> &row = trace[size_t(step)]; // of the diagonals -step … step, as they were before it
                const int diagonal = x - y;
                const auto at = [&](int which) { return row[size_t(which + step)]; };
                int beforeX = 0;
                int beforeY = 0;
                if (step > 0) {
                    const bool isDown = diagonal == -step || (diagonal != step && at(diagonal - 1) < at(diagonal + 1));
                    const int from = isDown ? diagonal + 1 : diagonal - 1;
                    beforeX = at(from);
                    beforeY = beforeX - from;
                }
                const int steps = step > 0 ? 1 : 0;
                while (x > beforeX && y > beforeY && x + y - beforeX - beforeY > steps) {
                    --x;
                    --y;
                    found.before[size_t(first + x)] = true;
                    found.after[size_t(first + y)] = true;
                }
                x = beforeX;
                y = beforeY;
            }
            return;
        }
    }
}

QString placeText(qsizetype a, qsizetype countA, qsizetype b, qsizetype countB)
{
    const auto part = [](qsizetype at, qsizetype count) { return u"%1,%2"_s.arg(count > 0 ? at + 1 : at).arg(count); };
    return u"@@ -%1 +%2 @@"_s.arg(part(a, countA), part(b, countB));
}

} // namespace

TextDiff textDiff(const QByteArray &before, const QByteArray &after, int around)
{
    TextDiff diff;
    const std::optional<QStringList> a = linesOf(before);
    const std::optional<QStringList> b = linesOf(after);
    diff.isBinary = !a || !b;
    if (diff.isBinary || before == after)
        return diff;
    qsizetype first = 0;
    while (first < a->size() && first < b->size() && a->at(first) == b->at(first))
        ++first;
    qsizetype endA = a->size();
    qsizetype endB = b->size();
    while (endA > first && endB > first && a->at(endA - 1) == b->at(endB - 1)) {
        --endA;
        --endB;
    }
    Matching found{std::vector<bool>(size_t(a->size()), true), std::vector<bool>(size_t(b->size()), true)};
    std::fill(found.before.begin() + first, found.before.begin() + endA, false);
    std::fill(found.after.begin() + first, found.after.begin() + endB, false);
    match(*a, *b, first, endA, endB, found);

    struct Step
    {
        DiffLine line;
        qsizetype a;
        qsizetype b;
    };
    std::vector<Step> steps;
    std::vector<size_t> differing;
    const auto add = [&](DiffLine::Kind kind, const QString &text, qsizetype i, qsizetype j) {
        if (kind != DiffLine::Kind::Same)
            differing.push_back(steps.size());
        steps.push_back({{kind, shown(text)}, i, j});
    };
    for (qsizetype i = 0, j = 0; i < a->size() || j < b->size();) {
        if (i < a->size() && !found.before[size_t(i)]) {
            ++diff.gone;
            add(DiffLine::Kind::Gone, a->at(i), i, j);
            ++i;
        } else if (j < b->size() && !found.after[size_t(j)]) {
            ++diff.added;
            add(DiffLine::Kind::New, b->at(j), i, j);
            ++j;
        } else {
            add(DiffLine::Kind::Same, a->at(i), i, j);
            ++i;
            ++j;
        }
    }
    const size_t margin = size_t(around);
    for (size_t next = 0; next < differing.size();) {
        const size_t from = differing[next] > margin ? differing[next] - margin : 0;
        size_t last = differing[next];
        while (next < differing.size() && differing[next] <= last + 2 * margin + 1)
            last = differing[next++];
        const size_t to = std::min(steps.size(), last + margin + 1);
        qsizetype countA = 0;
        qsizetype countB = 0;
        for (size_t at = from; at < to; ++at) {
            countA += steps[at].line.kind != DiffLine::Kind::New ? 1 : 0;
            countB += steps[at].line.kind != DiffLine::Kind::Gone ? 1 : 0;
        }
        diff.lines.append({DiffLine::Kind::Place, placeText(steps[from].a, countA, steps[from].b, countB)});
        for (size_t at = from; at < to; ++at)
            diff.lines.append(steps[at].line);
    }
    return diff;
}

} // namespace Sandpiper
