// Two texts beside each other, as diff -u shows them. Pure; any thread.
#pragma once

#include <QList>
#include <QString>

namespace Sandpiper {

struct DiffLine
{
    enum class Kind {
        Same,
        Gone,  // of the old text alone
        New,   // of the new one alone
        Place, // "@@ -1,3 +1,4 @@"
    };
    Kind kind = Kind::Same;
    QString text; // without the mark and the end of the line; a lone CR before it is shown as \r
    friend bool operator==(const DiffLine &, const DiffLine &) = default;
};

struct TextDiff
{
    QList<DiffLine> lines; // empty: they are the same
    int gone = 0;
    int added = 0;
    // One of them is no text: bytes that are not UTF-8, or a NUL.
    bool isBinary = false;
};

// With so many lines around what differs. Texts that have little in common are compared coarsely after a bounded
// amount of work: what comes out is right, and longer than need be.
[[nodiscard]] TextDiff textDiff(const QByteArray &before, const QByteArray &after, int around = 3);

} // namespace Sandpiper
