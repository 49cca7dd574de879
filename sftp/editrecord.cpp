#include "sftp/editrecord.h"

#include "sftp/localdisk.h"
#include "sftp/sha256.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QRandomGenerator>
#include <QStringDecoder>

#include <cerrno>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr int kVersion = 1;
constexpr qsizetype kLongestName = 200; // bytes: editors put endings of their own behind it
constexpr qsizetype kLongestEnding = 24;

QString encoded(const FilePath &path)
{
    return QString::fromLatin1(path.bytes().toPercentEncoding("/"));
}

std::optional<FilePath> pathFrom(const QJsonValue &value)
{
    const Result<FilePath> path = FilePath::fromBytes(QByteArray::fromPercentEncoding(value.toString().toLatin1()));
    return path && path->isAbsolute() ? std::optional(*path) : std::nullopt;
}

// JSON has no integers of 64 bits.
QJsonValue numberOrNull(std::optional<quint64> number)
{
    return number ? QJsonValue(QString::number(*number)) : QJsonValue();
}

std::optional<quint64> numberFrom(const QJsonValue &value)
{
    bool isNumber = false;
    const quint64 number = value.toString().toULongLong(&isNumber);
    return isNumber ? std::optional(number) : std::nullopt;
}

bool isHarmless(char32_t c)
{
    return QChar::isLetterOrNumber(c) || QChar::isMark(c) || (c < 0x80 && QByteArrayView(" ._-+=@,()~").contains(char(c)));
}

bool isId(const QString &text)
{
    static constexpr QLatin1StringView digits("0123456789abcdef");
    return text.size() == 16 && std::ranges::all_of(text, [](QChar c) { return digits.contains(c); });
}

} // namespace

EditRecord EditRecord::fresh(const SandboxId &sandbox, const QString &sandboxName, const FilePath &path)
{
    EditRecord record;
    record.id = u"%1"_s.arg(QRandomGenerator::system()->generate64(), 16, 16, QChar(u'0'));
    record.sandbox = sandbox;
    record.sandboxName = sandboxName;
    record.asked = path;
    record.path = path;
    record.localName = safeLocalName(path.name());
    return record;
}

QByteArray EditRecord::toJson() const
{
    const QJsonObject json{{u"version"_s, kVersion},
                           {u"id"_s, id},
                           {u"sandbox"_s, sandbox.toString()},
                           {u"sandboxName"_s, sandboxName},
                           {u"asked"_s, encoded(asked)},
                           {u"path"_s, encoded(path)},
                           {u"localName"_s, localName},
                           {u"size"_s, numberOrNull(base.size)},
                           {u"modified"_s, numberOrNull(base.modified)},
                           {u"sha256"_s, QString::fromLatin1(base.sha256.toHex())},
                           {u"isGone"_s, base.isGone},
                           {u"isFetched"_s, isFetched},
                           {u"isInPlace"_s, isInPlace}};
    return QJsonDocument(json).toJson();
}

std::optional<EditRecord> EditRecord::fromJson(const QByteArray &bytes)
{
    const QJsonObject json = QJsonDocument::fromJson(bytes).object();
    const std::optional<SandboxId> sandbox = SandboxId::parse(json.value("sandbox"_L1).toString());
    const std::optional<FilePath> asked = pathFrom(json.value("asked"_L1));
    const std::optional<FilePath> path = pathFrom(json.value("path"_L1));
    EditRecord record;
    record.id = json.value("id"_L1).toString();
    record.localName = json.value("localName"_L1).toString();
    record.base.sha256 = QByteArray::fromHex(json.value("sha256"_L1).toString().toLatin1());
    record.isFetched = json.value("isFetched"_L1).toBool();
    const bool isWhole = json.value("version"_L1).toInt() == kVersion && sandbox && !sandbox->isEmpty() && asked && path && isId(record.id)
            // What is in the file may have been put there: the name must be one that we could have made.
            && record.localName == safeLocalName(record.localName.toUtf8()) && (record.base.sha256.size() == 32 || !record.isFetched);
    if (!isWhole)
        return std::nullopt;
    record.sandbox = *sandbox;
    record.sandboxName = tamed(json.value("sandboxName"_L1).toString(), 200);
    record.asked = *asked;
    record.path = *path;
    record.base.size = numberFrom(json.value("size"_L1));
    if (const std::optional<quint64> modified = numberFrom(json.value("modified"_L1)); modified && *modified <= UINT32_MAX)
        record.base.modified = quint32(*modified);
    record.base.isGone = json.value("isGone"_L1).toBool();
    record.isInPlace = json.value("isInPlace"_L1).toBool();
    return record;
}

QString safeLocalName(const QByteArray &name)
{
    QStringDecoder decoder(QStringDecoder::Utf8);
    QString text = decoder(name);
    if (decoder.hasError())
        text = QString::fromLatin1(name);
    QString safe;
    for (const char32_t c : text.toUcs4())
        safe += isHarmless(c) ? QString::fromUcs4(&c, 1) : u"_"_s;
    if (safe.startsWith(u'-') || safe.startsWith(u' ') || safe.isEmpty() || safe == "."_L1 || safe == ".."_L1)
        safe.prepend(u'_');
    const qsizetype dot = safe.lastIndexOf(u'.');
    const QString ending = dot > 0 && safe.size() - dot <= kLongestEnding ? safe.sliced(dot) : QString();
    QString stem = safe.chopped(ending.size());
    while (stem.toUtf8().size() + ending.toUtf8().size() > kLongestName)
        stem.chop(stem.size() > 1 && stem.back().isLowSurrogate() ? 2 : 1);
    return stem + ending;
}

Result<LocalDigest> digestOf(const FilePath &path, quint64 most)
{
    const Result<FileDescriptor> file = LocalDisk::openToRead(path);
    if (!file)
        return std::unexpected(file.error());
    Sha256 hash;
    LocalDigest digest;
    QByteArray piece(256 << 10, Qt::Uninitialized);
    while (digest.size < most) {
        const ssize_t size = ::read(file->get(), piece.data(), size_t(std::min<quint64>(quint64(piece.size()), most - digest.size)));
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return LocalDisk::failed(path);
        if (size == 0)
            break;
        hash.add(QByteArrayView(piece).first(size));
        digest.size += quint64(size);
    }
    digest.sha256 = hash.result();
    if (digest.sha256.isEmpty())
        return failure(ErrorKind::Io, Layer::LocalDisk, u"SHA-256 cannot be had"_s, path.shown());
    return digest;
}

} // namespace Sandpiper
