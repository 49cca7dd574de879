#include "session/hostkey.h"

#include <QtEndian>

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <bit>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

struct TypeName
{
    const char *type;
    const char *shortName;
    int bits;   // 0: as long as the number says
    int number; // which of the key's numbers that is
};

constexpr TypeName kTypes[] = {
    {"ssh-ed25519", "ED25519", 256, 0},
    {"ecdsa-sha2-nistp256", "ECDSA", 256, 0},
    {"ecdsa-sha2-nistp384", "ECDSA", 384, 0},
    {"ecdsa-sha2-nistp521", "ECDSA", 521, 0},
    {"ssh-rsa", "RSA", 0, 1},
    {"ssh-dss", "DSA", 0, 0},
    {"sk-ssh-ed25519@openssh.com", "ED25519-SK", 256, 0},
    {"sk-ecdsa-sha2-nistp256@openssh.com", "ECDSA-SK", 256, 0},
};

const TypeName *typeOf(const HostKey &key)
{
    const auto *found = std::ranges::find_if(kTypes, [&](const TypeName &one) { return key.type == one.type; });
    return found == std::end(kTypes) ? nullptr : found;
}

// The field with this index after the type; empty where it is cut off.
QByteArrayView fieldOf(const HostKey &key, int index)
{
    QByteArrayView rest(key.blob);
    for (int i = -1; rest.size() >= 4; ++i) {
        const quint32 size = qFromBigEndian<quint32>(rest.data());
        if (qsizetype(size) > rest.size() - 4)
            return {};
        if (i == index)
            return rest.sliced(4, size);
        rest = rest.sliced(4 + qsizetype(size));
    }
    return {};
}

std::array<uchar, SHA256_DIGEST_LENGTH> digestOf(const HostKey &key)
{
    std::array<uchar, SHA256_DIGEST_LENGTH> digest = {};
    SHA256(reinterpret_cast<const unsigned char *>(key.blob.constData()), size_t(key.blob.size()), digest.data());
    return digest;
}

} // namespace

std::optional<HostKey> hostKeyFromBlob(const QByteArray &blob)
{
    if (blob.size() < 5)
        return {};
    const quint32 size = qFromBigEndian<quint32>(blob.constData());
    if (size == 0 || size > 128 || qsizetype(size) + 4 >= blob.size())
        return {};
    const QByteArray type = blob.sliced(4, size);
    for (const char c : type) {
        if (c <= ' ' || c > '~')
            return {};
    }
    return HostKey{type, blob};
}

QByteArrayView takeWord(QByteArrayView &rest)
{
    rest = rest.trimmed();
    qsizetype end = 0;
    while (end < rest.size() && rest[end] != ' ' && rest[end] != '\t')
        ++end;
    const QByteArrayView word = rest.first(end);
    rest = rest.sliced(end);
    return word;
}

std::optional<HostKey> hostKeyFromLine(QByteArrayView line)
{
    const QByteArrayView type = takeWord(line);
    const QByteArrayView encoded = takeWord(line);
    const auto decoded = QByteArray::fromBase64Encoding(encoded.toByteArray(), QByteArray::AbortOnBase64DecodingErrors);
    if (!decoded)
        return {};
    const std::optional<HostKey> key = hostKeyFromBlob(*decoded);
    return key && key->type == type ? key : std::nullopt;
}

QString fingerprintOf(const HostKey &key)
{
    const auto digest = digestOf(key);
    const QByteArray bytes(reinterpret_cast<const char *>(digest.data()), qsizetype(digest.size()));
    return u"SHA256:"_s + QString::fromLatin1(bytes.toBase64(QByteArray::OmitTrailingEquals));
}

QString shortTypeOf(const HostKey &key)
{
    const TypeName *type = typeOf(key);
    return QString::fromLatin1(type ? QByteArray(type->shortName) : key.type);
}

int bitsOf(const HostKey &key)
{
    const TypeName *type = typeOf(key);
    if (!type || type->bits != 0)
        return type ? type->bits : 0;
    QByteArrayView number = fieldOf(key, type->number);
    while (!number.isEmpty() && number.front() == 0)
        number = number.sliced(1);
    return number.isEmpty() ? 0 : int(number.size() - 1) * 8 + int(std::bit_width(uint(uchar(number.front()))));
}

QString randomartOf(const HostKey &key)
{
    // A bishop walks over a board of 17 by 9; how often a field was visited is its sign. The last two
    // are where it started and where it stands.
    constexpr QLatin1StringView signs(" .o+=*BOX@%&#/^SE");
    constexpr int width = 17;
    constexpr int height = 9;
    constexpr int mostVisits = int(signs.size()) - 3;
    std::array<std::array<int, width>, height> board = {};
    int x = width / 2;
    int y = height / 2;
    for (const uchar byte : digestOf(key)) {
        for (int shift = 0; shift < 8; shift += 2) {
            const int move = byte >> shift;
            x = std::clamp(x + ((move & 1) ? 1 : -1), 0, width - 1);
            y = std::clamp(y + ((move & 2) ? 1 : -1), 0, height - 1);
            board[size_t(y)][size_t(x)] = std::min(board[size_t(y)][size_t(x)] + 1, mostVisits);
        }
    }
    board[height / 2][width / 2] = mostVisits + 1;
    board[size_t(y)][size_t(x)] = mostVisits + 2;

    const auto edge = [](const QString &title) {
        const qsizetype left = (width - title.size()) / 2;
        return u'+' + QString(left, u'-') + title + QString(width - title.size() - left, u'-') + u'+';
    };
    const int bits = bitsOf(key);
    QString title = u"[%1 %2]"_s.arg(shortTypeOf(key)).arg(bits);
    if (bits == 0 || title.size() >= width)
        title = u'[' + shortTypeOf(key).left(width - 2) + u']';
    QString drawing = edge(title);
    for (const auto &row : board) {
        drawing += u"\n|"_s;
        for (const int visits : row)
            drawing += signs[visits];
        drawing += u'|';
    }
    return drawing + u'\n' + edge(u"[SHA256]"_s);
}

} // namespace Sandpiper
