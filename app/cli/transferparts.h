// What the commands that move files share.
#pragma once

#include "app/cli/directory.h"
#include "sftp/transferqueue.h"

#include <QJsonArray>

namespace Sandpiper {

// "1.2 MiB"
[[nodiscard]] QString fileSizeText(quint64 bytes);
// "20M", in bytes for each second.
[[nodiscard]] CliResult<quint64> parseRate(const QString &text);
// Of a path here, made absolute.
[[nodiscard]] CliResult<FilePath> parseLocalPath(const QByteArray &text);
// Why there is no SFTP to be had there; none: it can be tried.
[[nodiscard]] std::optional<Error> reasonAgainstSftp(const Target &target);
// The same of its files by any way, SFTP or its vendor's.
[[nodiscard]] std::optional<Error> reasonAgainstFiles(const Target &target);
// Connections to a command's one target, whatever is asked for. prompts is borrowed and outlives them. A sandbox is asked
// for its state before each: a connection might wake it, and bill it.
[[nodiscard]] TransferLinkMaker linkMakerFor(const Target &target, PromptHandler *prompts);
// By SFTP, or where there is none by its vendor's interface; asked for its state in the same way.
void openFiles(const Target &target, PromptHandler *prompts, QObject *context, std::function<void(Result<OpenedFiles>)> then);
// How far it is, on one line.
[[nodiscard]] QString progressLine(const TransferProgress &progress);
[[nodiscard]] QJsonArray failuresJson(const QList<TransferFailure> &failures);

} // namespace Sandpiper
