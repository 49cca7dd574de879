#include "app/cli/rawarguments.h"

namespace Sandpiper {
namespace {

QByteArrayList &kept()
{
    static QByteArrayList arguments;
    return arguments;
}

} // namespace

void keepRawArguments(int argc, char **argv)
{
    kept().clear();
    for (int i = 1; i < argc; ++i)
        kept().append(argv[i]);
}

QByteArrayList rawArguments(const QStringList &words)
{
    QByteArrayList raw;
    qsizetype from = 0;
    for (const QString &word : words) {
        qsizetype at = from;
        while (at < kept().size() && QString::fromLocal8Bit(kept().at(at)) != word)
            ++at;
        if (at < kept().size()) {
            raw.append(kept().at(at));
            from = at + 1;
        } else {
            raw.append(word.toUtf8());
        }
    }
    return raw;
}

} // namespace Sandpiper
