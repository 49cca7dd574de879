#include "session/sortkey.h"

namespace Sandpiper {

QString sortKey(const QString &name)
{
    const QString folded = name.toCaseFolded();
    QString key;
    key.reserve(folded.size() + 4);
    for (qsizetype i = 0; i < folded.size();) {
        if (!folded[i].isDigit()) {
            key += folded[i++];
            continue;
        }
        qsizetype end = i;
        while (end < folded.size() && folded[end].isDigit())
            ++end;
        while (i < end - 1 && folded[i] == u'0')
            ++i;
        // A longer number is a larger one; its length goes in front, as a digit-like mark.
        key += QChar(char16_t('0' + qMin<qsizetype>(end - i, 60)));
        key += QStringView(folded).sliced(i, end - i);
        i = end;
    }
    return key;
}

} // namespace Sandpiper
