// The arguments of this process byte for byte: Qt has them as text, in which what is no UTF-8 is lost.
#pragma once

#include <QByteArray>
#include <QStringList>

namespace Sandpiper {

// By main(), before Qt sees them.
void keepRawArguments(int argc, char **argv);
// words: arguments, in their order, others may lie between them. A word that was not kept is given as UTF-8.
[[nodiscard]] QByteArrayList rawArguments(const QStringList &words);

} // namespace Sandpiper
