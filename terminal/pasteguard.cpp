#include "terminal/pasteguard.h"

#include <QRegularExpression>

namespace Sandpiper {

using namespace Qt::StringLiterals;

QString harmlessText(const QString &text)
{
    QString out;
    out.reserve(text.size());
    for (qsizetype i = 0; i < text.size(); ++i) {
        const ushort c = text[i].unicode();
        if (c == '\r') {
            out += u'\r';
            if (i + 1 < text.size() && text[i + 1] == u'\n')
                ++i;
        } else if (c == '\n') {
            out += u'\r';
        } else if (c == '\t' || (c >= 0x20 && c < 0x7f) || c >= 0xa0) {
            // Without ESC and C1 no text can end the bracket early.
            out += text[i];
        }
    }
    return out;
}

QList<QByteArray> pastePieces(const QString &text, PasteMode mode, qsizetype maxPiece)
{
    QByteArray all = harmlessText(text).toUtf8();
    if (all.isEmpty())
        return {};
    if (mode == PasteMode::Bracketed)
        all = "\x1b[200~" + all + "\x1b[201~";
    QList<QByteArray> pieces;
    for (qsizetype from = 0; from < all.size();) {
        qsizetype to = qMin(from + maxPiece, all.size());
        if (to < all.size()) {
            while (to > from + 1 && (static_cast<unsigned char>(all[to]) & 0xc0) == 0x80)
                --to;
        }
        pieces.append(all.sliced(from, to - from));
        from = to;
    }
    return pieces;
}

int pasteLineCount(const QString &text)
{
    const QString clean = harmlessText(text);
    if (clean.isEmpty())
        return 0;
    return int(clean.count(u'\r')) + (clean.endsWith(u'\r') ? 0 : 1);
}

bool pasteNeedsQuestion(const QString &text, PasteMode mode)
{
    return mode == PasteMode::Plain && harmlessText(text).contains(u'\r');
}

QString shellQuoted(const QString &path)
{
    static const QRegularExpression plain(u"\\A[A-Za-z0-9_@%+=:,./-]+\\z"_s);
    if (plain.match(path).hasMatch())
        return path;
    return u'\'' + QString(path).replace(u'\'', u"'\\''"_s) + u'\'';
}

} // namespace Sandpiper
