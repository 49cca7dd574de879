#include "app/cli/fsparts.h"

#include <QDateTime>
#include <QStringDecoder>
#include <QTimeZone>

#include <algorithm>
#include <limits>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

QByteArray nameOr(const QMap<quint32, QByteArray> &names, quint32 id)
{
    const QByteArray name = names.value(id);
    // A name from there goes to a terminal.
    return name.isEmpty() ? QByteArray::number(id) : tamed(QString::fromUtf8(name), 64).toUtf8();
}

} // namespace

CliResult<FilePath> parseFsPath(const QByteArray &text)
{
    const Result<FilePath> path = FilePath::fromBytes(text);
    if (!path)
        return mistyped(u"'%1' is no PATH: %2"_s.arg(path.error().subject, path.error().detail));
    return *path;
}

bool isFsPlace(const QByteArray &text)
{
    return text.contains(':') && !text.startsWith('/') && !text.startsWith('.');
}

CliResult<FsPlace> parseFsPlace(const QByteArray &text)
{
    const auto wrong = [&] {
        return mistyped(u"'%1' must be TARGET:PATH, such as box:/etc/hosts or ssh://user@host:22:notes.txt"_s.arg(tamed(shownBytes(text), 80)));
    };
    qsizetype colon = text.indexOf(':');
    if (text.startsWith("ssh://")) {
        const qsizetype at = text.indexOf('@', 6);
        const qsizetype bracket = text.indexOf('[', 6) == at + 1 ? text.indexOf(']', 6) : at;
        colon = at < 0 || bracket < 0 ? -1 : text.indexOf(':', bracket);
        qsizetype end = colon + 1;
        while (colon > 0 && end < text.size() && text[end] >= '0' && text[end] <= '9')
            ++end;
        const bool isPort = colon > 0 && end > colon + 1;
        if (isPort && end == text.size())
            return wrong();
        if (isPort && text[end] == ':')
            colon = end;
    }
    if (colon < 0)
        return wrong();
    const CliResult<TargetText> target = parseTarget(QString::fromUtf8(text.first(colon)));
    if (!target)
        return std::unexpected(target.error());
    const CliResult<FilePath> path = parseFsPath(text.sliced(colon + 1));
    if (!path)
        return std::unexpected(path.error());
    return FsPlace{*target, *path};
}

CliResult<quint32> parseFsMode(const QString &text)
{
    bool isNumber = false;
    const uint mode = text.toUInt(&isNumber, 8);
    if (!isNumber || mode > 07777 || text.startsWith(u'+') || text.startsWith(u' '))
        return mistyped(u"a mode is an octal number from 0 to 7777, not '%1'"_s.arg(tamed(text, 40)));
    return mode;
}

QString fsTypeText(FileType type)
{
    switch (type) {
    case FileType::Unknown: return u"unknown"_s;
    case FileType::File: return u"file"_s;
    case FileType::Folder: return u"folder"_s;
    case FileType::Link: return u"link"_s;
    case FileType::Fifo: return u"fifo"_s;
    case FileType::Socket: return u"socket"_s;
    case FileType::CharacterDevice: return u"character_device"_s;
    case FileType::BlockDevice: return u"block_device"_s;
    }
    Q_UNREACHABLE_RETURN({});
}

QByteArray fsModeText(quint32 mode)
{
    FileAttributes attributes;
    attributes.mode = mode;
    constexpr char letters[] = "?-dlpscb"; // as FileType
    QByteArray text(1, letters[int(attributes.type())]);
    for (int bit = 8; bit >= 0; --bit)
        text += mode & (1u << bit) ? "xwr"[bit % 3] : '-';
    const auto special = [&](quint32 bit, qsizetype at, char letter) {
        if (mode & bit)
            text[at] = text[at] == 'x' ? letter : char(letter - 'a' + 'A');
    };
    special(04000, 3, 's');
    special(02000, 6, 's');
    special(01000, 9, 't');
    return text;
}

QString fsTimeText(quint32 seconds)
{
    return QDateTime::fromSecsSinceEpoch(qint64(seconds), QTimeZone::UTC).toString(Qt::ISODate);
}

void addFsBytes(QJsonObject &object, const QString &key, const QByteArray &bytes)
{
    // Without the flag a mark of byte order in front would be lost, and with it the name.
    QStringDecoder decode(QStringDecoder::Utf8, QStringConverter::Flag::Stateless | QStringConverter::Flag::ConvertInitialBom);
    const QString text = decode(bytes);
    object[key] = text;
    if (decode.hasError() || text.toUtf8() != bytes)
        object[key + u"_base64"_s] = QString::fromLatin1(bytes.toBase64());
}

QJsonObject fsJson(const FileAttributes &attributes, const OwnerNames &names)
{
    QJsonObject object{{u"type"_s, fsTypeText(attributes.type())}};
    if (attributes.size)
        object[u"size"_s] = qint64(std::min<quint64>(*attributes.size, quint64(std::numeric_limits<qint64>::max())));
    if (attributes.mode)
        object[u"mode"_s] = QString::number(*attributes.mode & 07777, 8).rightJustified(4, u'0');
    if (attributes.owner) {
        object[u"uid"_s] = qint64(attributes.owner->user);
        object[u"gid"_s] = qint64(attributes.owner->group);
        if (names.users.contains(attributes.owner->user))
            object[u"owner"_s] = QString::fromUtf8(names.users.value(attributes.owner->user));
        if (names.groups.contains(attributes.owner->group))
            object[u"group"_s] = QString::fromUtf8(names.groups.value(attributes.owner->group));
    }
    if (attributes.times) {
        object[u"accessed_at"_s] = fsTimeText(attributes.times->accessed);
        object[u"modified_at"_s] = fsTimeText(attributes.times->modified);
    }
    return object;
}

QJsonObject fsJson(const FileSystemSpace &space)
{
    const auto bytes = [&](quint64 blocks) { return double(blocks) * double(std::max<quint64>(1, space.fragmentSize)); };
    return {{u"total"_s, bytes(space.blocks)},         {u"free"_s, bytes(space.freeBlocks)},
            {u"available"_s, bytes(space.availableBlocks)}, {u"files"_s, double(space.files)},
            {u"files_available"_s, double(space.availableFiles)}, {u"read_only"_s, (space.flags & 1) != 0}};
}

QByteArray fsLongLine(const FileAttributes &attributes, const OwnerNames &names)
{
    QByteArray line = attributes.mode ? fsModeText(*attributes.mode) : "??????????"_ba;
    if (attributes.owner)
        line += ' ' + nameOr(names.users, attributes.owner->user).leftJustified(8) + ' ' + nameOr(names.groups, attributes.owner->group).leftJustified(8);
    else
        line += " ?        ?       ";
    line += ' ' + (attributes.size ? QByteArray::number(*attributes.size) : "?"_ba).rightJustified(12);
    line += ' ' + (attributes.times ? fsTimeText(attributes.times->modified).toLatin1() : "?"_ba).leftJustified(20) + ' ';
    return line;
}

} // namespace Sandpiper
