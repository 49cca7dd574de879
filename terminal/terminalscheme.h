// The colour schemes and the key table that Sandpiper brings along. They are part of the program, so
// they are there from a build tree, from a package, and from any folder.
#pragma once

#include <QColor>
#include <QList>
#include <QString>

#include <array>

namespace Sandpiper {

struct TerminalScheme
{
    QString name; // as shown
    QString file; // where the engine reads it
    QColor background;
    QColor foreground;
    std::array<QColor, 16> palette;

    [[nodiscard]] bool isDark() const { return background.lightnessF() < 0.5F; }
};

[[nodiscard]] const QList<TerminalScheme> &terminalSchemes(); // never empty; the default first
// The default one where the name is unknown.
[[nodiscard]] const TerminalScheme &terminalScheme(const QString &name);
// WCAG 2: 1..21.
[[nodiscard]] double contrastRatio(const QColor &a, const QColor &b);

// A real file with our key table, written to a folder of ours when needed: the engine opens nothing
// else. Empty where no folder of ours can be written.
[[nodiscard]] QString keyTableFile();

} // namespace Sandpiper
