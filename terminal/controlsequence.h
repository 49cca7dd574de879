// The pieces of one CSI sequence, and the pure rewriting of those that the engine would misread.
#pragma once

#include <QByteArray>
#include <QByteArrayView>

#include <optional>

namespace Sandpiper {

struct ControlSequence
{
    char prefix = 0;          // one of <=>? or 0
    QByteArrayView parameters; // digits, ';' and ':' only
    char intermediate = 0;    // 0x20..0x2f or 0; '\xff' where there was more than one
    char final = 0;           // 0x40..0x7e

    // body: what stands between "CSI" and the final byte. Nothing for a body no terminal knows.
    [[nodiscard]] static std::optional<ControlSequence> parse(QByteArrayView body, char final);
    // The n-th parameter, at most 65535; fallback where it is missing or empty.
    [[nodiscard]] int parameter(int n, int fallback) const;
};

// The complete sequences (one or more, or none) to hand on instead of CSI parameters m: colon forms
// in the semicolon form, underline colours left out, double underline as underline. ITU T.416, xterm.
[[nodiscard]] QByteArray rewriteSgr(QByteArrayView parameters);

// True where the engine reads CSI parameters m as xterm does, so that nothing needs to be rewritten.
[[nodiscard]] bool isSoundSgr(QByteArrayView parameters);

// True for digits and ';' alone, with no number above 999.
[[nodiscard]] bool hasSmallNumbers(QByteArrayView parameters);

// CSI parameters final, with every number at most limit: a count beyond any screen only costs time.
[[nodiscard]] QByteArray clampedSequence(QByteArrayView parameters, char final, int limit);

} // namespace Sandpiper
