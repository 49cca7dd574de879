// What a clipboard may do to a shell. Pure.
#pragma once

#include <QByteArray>
#include <QList>
#include <QString>

namespace Sandpiper {

enum class PasteMode { Plain, Bracketed }; // Bracketed: the program asked for ?2004

// The text without ESC, C1 and the C0 controls but TAB; line ends become CR.
[[nodiscard]] QString harmlessText(const QString &text);
// What to send for it, cut into pieces of at most maxPiece bytes, never inside a character.
[[nodiscard]] QList<QByteArray> pastePieces(const QString &text, PasteMode mode, qsizetype maxPiece = 16 << 10);
// Lines as a person counts them: an end of line at the very end starts no new one.
[[nodiscard]] int pasteLineCount(const QString &text);
// True where pasting would run something at once: a line end with nobody to bracket it.
[[nodiscard]] bool pasteNeedsQuestion(const QString &text, PasteMode mode);
// A local path as one word of a POSIX shell.
[[nodiscard]] QString shellQuoted(const QString &path);

} // namespace Sandpiper
