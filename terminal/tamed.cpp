#include "terminal/tamed.h"

namespace Sandpiper {

QString tamedLine(const QString &text, qsizetype maxLength)
{
    QString out;
    out.reserve(qMin(text.size(), maxLength));
    for (qsizetype i = 0; i < text.size() && out.size() < maxLength; ++i) {
        const QChar c = text[i];
        if (c.isHighSurrogate() && i + 1 < text.size() && text[i + 1].isLowSurrogate()) {
            // Tags and other unseen characters live there too.
            const char32_t point = QChar::surrogateToUcs4(c, text[i + 1]);
            if (out.size() + 2 <= maxLength && QChar::category(point) != QChar::Other_Format) {
                out += c;
                out += text[i + 1];
            }
            ++i;
            continue;
        }
        switch (c.category()) {
        case QChar::Other_Control:
        case QChar::Other_Format:
        case QChar::Other_Surrogate:
        case QChar::Separator_Line:
        case QChar::Separator_Paragraph:
            break;
        default:
            out += c;
        }
    }
    return out;
}

} // namespace Sandpiper
