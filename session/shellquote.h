// Command lines for a remote POSIX shell. Pure; any thread.
#pragma once

#include "session/error.h"

#include <QByteArray>
#include <QMap>
#include <QStringList>

#include <optional>

namespace Sandpiper {

// One word of sh, whatever is in it: 'it'\''s'. Empty becomes ''.
[[nodiscard]] QByteArray quotedForShell(const QString &word);
// The same for people to read: as it is where no shell takes it apart.
[[nodiscard]] QString shellWord(const QString &word);

struct CommandLine
{
    QStringList argv; // empty: the login shell of the user there
    QMap<QString, QString> environment;
    QString workingDirectory; // empty: unchanged; a leading "~" or "~/" is the home folder there
};

// "cd '/w' && exec env A='1' 'program' 'argument'". `exec` leaves no shell behind, so signals and the
// exit status are the program's own.
// InvalidInput: a NUL anywhere, a name that is no variable's, an empty program name.
[[nodiscard]] Result<QByteArray> commandLineForShell(const CommandLine &line);

// Both ways for any words without NUL: splitWords(joinWords(w)) == w.
[[nodiscard]] QString joinWords(const QStringList &words);
[[nodiscard]] std::optional<QStringList> splitWords(const QString &text); // none: a quote is left open

} // namespace Sandpiper
