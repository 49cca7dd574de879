#include "sftp/filepath.h"

#include <QStringDecoder>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// NAME_MAX is 255; HFS+ and NTFS have as many UTF-16 units, which are up to three bytes each.
constexpr qsizetype kLongestName = 1024;

// How many bytes the first character has, and which it is; 0: it is not UTF-8.
qsizetype firstCharacter(QByteArrayView bytes, char32_t &character)
{
    const auto at = [&](qsizetype i) { return uchar(bytes[i]); };
    const uchar first = at(0);
    const qsizetype size = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
    if (size == 0 || size > bytes.size())
        return 0;
    character = size == 1 ? first : first & (0x7fu >> size);
    for (qsizetype i = 1; i < size; ++i) {
        if ((at(i) & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (at(i) & 0x3f);
    }
    const bool isOverlong = (size == 3 && character < 0x800) || (size == 4 && character < 0x10000);
    return isOverlong || QChar::isSurrogate(character) || character > QChar::LastValidCodePoint ? 0 : size;
}

bool isSeen(char32_t character)
{
    switch (QChar::category(character)) {
    case QChar::Other_Control:
    case QChar::Other_Format: // bidirectional overrides among them
    case QChar::Separator_Line:
    case QChar::Separator_Paragraph: return false;
    default: return true;
    }
}

} // namespace

QString shownBytes(QByteArrayView bytes)
{
    QString text;
    text.reserve(bytes.size());
    while (!bytes.isEmpty()) {
        char32_t character = 0;
        const qsizetype size = firstCharacter(bytes, character);
        if (character == U'\\' && size == 1)
            text += "\\\\"_L1;
        else if (character == U'\n' && size == 1)
            text += "\\n"_L1;
        else if (character == U'\t' && size == 1)
            text += "\\t"_L1;
        else if (size > 0 && isSeen(character))
            text += QChar::fromUcs4(character);
        else
            for (const char byte : bytes.first(std::max<qsizetype>(1, size)))
                text += "\\x"_L1 + QString::number(uchar(byte), 16).rightJustified(2, u'0');
        bytes = bytes.sliced(std::max<qsizetype>(1, size));
    }
    return text;
}

Result<QByteArray> bytesFromShown(const QString &text)
{
    QByteArray bytes;
    qsizetype from = 0;
    while (from < text.size()) {
        const qsizetype escape = text.indexOf(u'\\', from);
        bytes += QStringView(text).sliced(from, (escape < 0 ? text.size() : escape) - from).toUtf8();
        if (escape < 0)
            break;
        const QChar kind = escape + 1 < text.size() ? text[escape + 1] : QChar();
        from = escape + 2;
        if (kind == u'\\') {
            bytes += '\\';
        } else if (kind == u'n') {
            bytes += '\n';
        } else if (kind == u't') {
            bytes += '\t';
        } else {
            bool isNumber = false;
            const QStringView digits = QStringView(text).mid(from, 2);
            const uint byte = digits.size() == 2 && digits[0] != u'+' && digits[0] != u'-' && !digits[0].isSpace() ? digits.toUInt(&isNumber, 16) : 0;
            if (kind != u'x' || !isNumber)
                return failure(ErrorKind::InvalidInput, Layer::Sftp,
                               u"a backslash must be followed by a backslash, n, t, or x and two hexadecimal digits"_s, tamed(text, 200));
            bytes += char(byte);
            from += 2;
        }
    }
    return bytes;
}

bool isPlainName(QByteArrayView name)
{
    return !name.isEmpty() && name.size() <= kLongestName && name != "." && name != ".." && !name.contains('/') && !name.contains('\0');
}

Result<FilePath> FilePath::fromBytes(const QByteArray &bytes)
{
    if (bytes.contains('\0'))
        return failure(ErrorKind::InvalidInput, Layer::Sftp, u"a path cannot hold a NUL"_s, shownBytes(QByteArrayView(bytes).first(std::min<qsizetype>(bytes.size(), 200))));
    if (bytes.size() > mostBytes)
        return failure(ErrorKind::InvalidInput, Layer::Sftp, u"a path has at most %1 bytes"_s.arg(mostBytes), shownBytes(QByteArrayView(bytes).first(200)));
    return FilePath(bytes);
}

Result<FilePath> FilePath::fromShown(const QString &text)
{
    const Result<QByteArray> bytes = bytesFromShown(text);
    if (!bytes)
        return std::unexpected(bytes.error());
    return fromBytes(*bytes);
}

QByteArray FilePath::name() const
{
    qsizetype end = m_bytes.size();
    while (end > 0 && m_bytes[end - 1] == '/')
        --end;
    const qsizetype slash = end == 0 ? -1 : m_bytes.lastIndexOf('/', end - 1);
    return m_bytes.mid(slash + 1, end - slash - 1);
}

FilePath FilePath::parent() const
{
    const QByteArray last = name();
    if (last.isEmpty())
        return isAbsolute() ? FilePath("/") : FilePath("..");
    if (last == ".")
        return FilePath(m_bytes + "/..");
    if (last == "..")
        return FilePath(m_bytes.endsWith('/') ? m_bytes + ".." : m_bytes + "/..");
    qsizetype end = m_bytes.lastIndexOf(last) ;
    while (end > 0 && m_bytes[end - 1] == '/')
        --end;
    return end == 0 && isAbsolute() ? FilePath("/") : FilePath(m_bytes.first(end));
}

FilePath FilePath::joined(const FilePath &other) const
{
    if (isEmpty() || other.isAbsolute())
        return other;
    if (other.isEmpty())
        return *this;
    return FilePath(m_bytes.endsWith('/') ? m_bytes + other.m_bytes : m_bytes + '/' + other.m_bytes);
}

Result<FilePath> FilePath::child(QByteArrayView name) const
{
    if (!isPlainName(name))
        return failure(ErrorKind::InvalidInput, Layer::Sftp, u"this is not the name of a file"_s,
                       shownBytes(name.first(std::min<qsizetype>(name.size(), 200))));
    return joined(FilePath(name.toByteArray()));
}

QString FilePath::shown() const
{
    return shownBytes(m_bytes);
}

} // namespace Sandpiper
