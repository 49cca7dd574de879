#include "ui/filewords.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QLocale>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

class Files
{
    Q_DECLARE_TR_FUNCTIONS(Sandpiper::Files)
};

} // namespace

QString sizeText(quint64 bytes)
{
    return QLocale().formattedDataSize(qint64(std::min<quint64>(bytes, quint64(INT64_MAX))), bytes < 1000 ? 0 : 1, QLocale::DataSizeSIFormat);
}

QString momentText(quint32 seconds, const QDateTime &now)
{
    const QDateTime at = QDateTime::fromSecsSinceEpoch(seconds);
    const QLocale locale;
    if (at.date() == now.date())
        return at.toString(u"HH:mm"_s);
    if (at.date().year() == now.date().year())
        return locale.toString(at, u"d MMM HH:mm"_s);
    return at.toString(u"yyyy-MM-dd"_s);
}

QString modeText(quint32 mode)
{
    QString text = u"rwxrwxrwx"_s;
    for (int bit = 0; bit < 9; ++bit) {
        if ((mode & (0400u >> bit)) == 0)
            text[bit] = u'-';
    }
    const auto mark = [&](quint32 bit, int at, char16_t with, char16_t without) {
        if (mode & bit)
            text[at] = text[at] == u'x' ? QChar(with) : QChar(without);
    };
    mark(04000, 2, u's', u'S');
    mark(02000, 5, u's', u'S');
    mark(01000, 8, u't', u'T');
    return text;
}

QString octalText(quint32 mode)
{
    return QString::number(mode & 07777, 8).rightJustified(3, u'0');
}

std::optional<quint32> modeFromOctal(const QString &text)
{
    bool isNumber = false;
    const uint mode = text.trimmed().toUInt(&isNumber, 8);
    if (!isNumber || mode > 07777 || text.contains(u'+'))
        return std::nullopt;
    return mode;
}

QString typeWord(FileType type)
{
    switch (type) {
    case FileType::Unknown: return Files::tr("Unknown");
    case FileType::File: return Files::tr("File");
    case FileType::Folder: return Files::tr("Folder");
    case FileType::Link: return Files::tr("Link");
    case FileType::Fifo: return Files::tr("Named pipe");
    case FileType::Socket: return Files::tr("Socket");
    case FileType::CharacterDevice: return Files::tr("Character device");
    case FileType::BlockDevice: return Files::tr("Block device");
    }
    Q_UNREACHABLE_RETURN({});
}

IconName iconFor(FileType type)
{
    switch (type) {
    case FileType::Folder: return IconName::Files;
    case FileType::Link: return IconName::Link;
    case FileType::Unknown:
    case FileType::File: return IconName::File;
    case FileType::Fifo:
    case FileType::Socket:
    case FileType::CharacterDevice:
    case FileType::BlockDevice: return IconName::Settings;
    }
    Q_UNREACHABLE_RETURN(IconName::File);
}

QString columnText(const FileEntry &entry, FileColumn column)
{
    const FileAttributes &attributes = entry.attributes;
    switch (column) {
    case FileColumn::Size:
        return attributes.size && attributes.type() == FileType::File ? sizeText(*attributes.size) : QString();
    case FileColumn::Modified: return attributes.times ? momentText(attributes.times->modified, QDateTime::currentDateTime()) : QString();
    case FileColumn::Mode: return attributes.mode ? modeText(*attributes.mode) : QString();
    case FileColumn::Name:
    case FileColumn::Owner:
    case FileColumn::Target: return {}; // the model's own
    }
    Q_UNREACHABLE_RETURN({});
}

QString columnTitle(FileColumn column)
{
    switch (column) {
    case FileColumn::Name: return Files::tr("Name");
    case FileColumn::Size: return Files::tr("Size");
    case FileColumn::Modified: return Files::tr("Modified");
    case FileColumn::Mode: return Files::tr("Mode");
    case FileColumn::Owner: return Files::tr("Owner");
    case FileColumn::Target: return Files::tr("Link target");
    }
    Q_UNREACHABLE_RETURN({});
}

} // namespace Sandpiper
