#include "session/hostimport.h"

#include "session/paths.h"

#include <QDir>
#include <QHash>
#include <QStringDecoder>
#include <QXmlStreamReader>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype mostHosts = 5'000;

// One entry as its program has written it; empty protocol: the program's default.
struct Entry
{
    QString name;
    QString protocol;
    QString host;
    QString port;
    QString user;
    QString keyFile;
    QString note;
    bool hasPassword = false;
};

void take(ImportedHosts &result, Entry entry)
{
    if (entry.hasPassword)
        ++result.passwords;
    if (entry.host.isEmpty() && entry.protocol.isEmpty())
        return; // a program's defaults
    if (entry.protocol.compare("ssh"_L1, Qt::CaseInsensitive) != 0) {
        ++result.otherKinds;
        return;
    }
    OwnHost host;
    host.host = entry.host.trimmed();
    host.user = entry.user.trimmed();
    // PuTTY takes user@host in the field of the host too.
    if (const qsizetype at = host.host.lastIndexOf(u'@'); at >= 0) {
        if (host.user.isEmpty())
            host.user = host.host.first(at);
        host.host = host.host.sliced(at + 1);
    }
    if (host.host.startsWith(u'[') && host.host.endsWith(u']'))
        host.host = host.host.sliced(1, host.host.size() - 2);
    bool isNumber = entry.port.isEmpty();
    const uint port = isNumber ? 22 : entry.port.toUInt(&isNumber);
    host.port = isNumber && port <= 65535 ? quint16(port) : quint16(0);
    host.name = tamed(entry.name.isEmpty() ? host.host : entry.name, 100).trimmed();
    host.note = entry.note.left(2000);
    // A path of another system is of no use here.
    if (QDir::isAbsolutePath(entry.keyFile) && !entry.keyFile.endsWith(".ppk"_L1, Qt::CaseInsensitive))
        host.keyFile = entry.keyFile;
    if (result.hosts.size() >= mostHosts || !checkOwnHost(host)) {
        ++result.unusable;
        return;
    }
    result.hosts.append(host);
}

QString unescaped(const QByteArray &text)
{
    return QString::fromUtf8(QByteArray::fromPercentEncoding(text));
}

QString textOf(const QByteArray &content)
{
    if (content.size() > maxImportBytes)
        return {};
    if (content.startsWith("\xff\xfe") || content.startsWith("\xfe\xff")) {
        QStringDecoder decode(QStringDecoder::Utf16);
        return decode(content);
    }
    QStringDecoder utf8(QStringDecoder::Utf8);
    const QString text = utf8(content);
    return utf8.hasError() ? QString::fromLatin1(content) : text;
}

// "[Section]" and "key=value" lines; each section is handed over when it ends.
template <typename OnSection>
void readSections(const QString &text, OnSection onSection)
{
    QString name;
    QHash<QString, QString> values;
    for (QStringView line : QStringView(text).split(u'\n')) {
        line = line.trimmed();
        if (line.startsWith(u'[') && line.endsWith(u']')) {
            onSection(name, values);
            name = line.sliced(1, line.size() - 2).toString();
            values.clear();
        } else if (const qsizetype equals = line.indexOf(u'='); equals > 0 && values.size() < 1000) {
            values.insert(line.first(equals).toString().toLower(), line.sliced(equals + 1).toString());
        }
    }
    onSection(name, values);
}

Entry puttyEntry(const QString &name, const QHash<QString, QString> &values)
{
    Entry entry;
    entry.name = name;
    entry.protocol = values.value(u"protocol"_s);
    entry.host = values.value(u"hostname"_s);
    entry.port = values.value(u"portnumber"_s);
    entry.user = values.value(u"username"_s);
    entry.keyFile = values.value(u"publickeyfile"_s);
    entry.hasPassword = !values.value(u"proxypassword"_s).isEmpty() || !values.value(u"password"_s).isEmpty();
    return entry;
}

// "text" with its backslashes doubled, or dword:00000016.
QString registryValue(const QString &raw)
{
    if (raw.startsWith("dword:"_L1)) {
        bool ok = false;
        const uint number = raw.sliced(6).toUInt(&ok, 16);
        return ok ? QString::number(number) : QString();
    }
    if (raw.size() < 2 || !raw.startsWith(u'"') || !raw.endsWith(u'"'))
        return {};
    QString value;
    for (qsizetype i = 1; i < raw.size() - 1; ++i) {
        if (raw[i] == u'\\' && i + 1 < raw.size() - 1)
            ++i;
        value += raw[i];
    }
    return value;
}

Entry fileZillaEntry(QXmlStreamReader &xml)
{
    Entry entry;
    QString protocol;
    while (xml.readNextStartElement()) {
        const QString element = xml.name().toString();
        const auto text = [&xml] { return xml.readElementText(QXmlStreamReader::SkipChildElements).left(4096); };
        if (element == "Host"_L1)
            entry.host = text();
        else if (element == "Port"_L1)
            entry.port = text();
        else if (element == "Protocol"_L1)
            protocol = text();
        else if (element == "User"_L1)
            entry.user = text();
        else if (element == "Keyfile"_L1)
            entry.keyFile = text();
        else if (element == "Name"_L1)
            entry.name = text();
        else if (element == "Comments"_L1)
            entry.note = text();
        else if (element == "Pass"_L1)
            entry.hasPassword = !text().isEmpty();
        else
            xml.skipCurrentElement();
    }
    entry.protocol = protocol == "1"_L1 ? u"ssh"_s : u"other"_s; // SFTP; 0 is FTP
    return entry;
}

} // namespace

ImportedHosts importPuttySession(const QByteArray &fileName, const QByteArray &content)
{
    ImportedHosts result;
    readSections(textOf(content), [&](const QString &, const QHash<QString, QString> &values) {
        take(result, puttyEntry(unescaped(fileName), values));
    });
    return result;
}

ImportedHosts importPuttyRegistry(const QByteArray &content)
{
    ImportedHosts result;
    readSections(textOf(content), [&](const QString &section, const QHash<QString, QString> &raw) {
        constexpr QLatin1StringView folder{"\\PuTTY\\Sessions\\"};
        const qsizetype at = section.indexOf(folder, 0, Qt::CaseInsensitive);
        if (at < 0)
            return;
        QHash<QString, QString> values;
        for (auto it = raw.cbegin(); it != raw.cend(); ++it)
            values.insert(QString(it.key()).remove(u'"'), registryValue(it.value()));
        take(result, puttyEntry(unescaped(section.sliced(at + folder.size()).toUtf8()), values));
    });
    return result;
}

ImportedHosts importWinScp(const QByteArray &content)
{
    ImportedHosts result;
    readSections(textOf(content), [&](const QString &section, const QHash<QString, QString> &values) {
        constexpr QLatin1StringView folder{"Sessions\\"};
        if (!section.startsWith(folder, Qt::CaseInsensitive))
            return;
        const auto value = [&values](const QString &key) { return unescaped(values.value(key).toUtf8()); };
        Entry entry;
        entry.name = unescaped(section.sliced(folder.size()).toUtf8());
        entry.host = value(u"hostname"_s);
        entry.port = value(u"portnumber"_s);
        entry.user = value(u"username"_s);
        entry.keyFile = value(u"publickeyfile"_s);
        entry.note = value(u"note"_s);
        entry.hasPassword = !values.value(u"password"_s).isEmpty() || !values.value(u"passwordplain"_s).isEmpty();
        // 0 SCP, 1 SFTP with SCP to fall back on, 2 SFTP; only what differs from the default, 1, is written.
        const QString protocol = values.value(u"fsprotocol"_s, u"1"_s);
        const bool isSsh = protocol == "0"_L1 || protocol == "1"_L1 || protocol == "2"_L1;
        if (!entry.host.isEmpty())
            entry.protocol = isSsh ? u"ssh"_s : u"other"_s;
        take(result, entry);
    });
    return result;
}

ImportedHosts importFileZilla(const QByteArray &content)
{
    ImportedHosts result;
    if (content.size() > maxImportBytes)
        return result;
    QXmlStreamReader xml(content);
    xml.setEntityExpansionLimit(1024);
    while (!xml.atEnd()) {
        if (xml.readNext() == QXmlStreamReader::StartElement && xml.name() == "Server"_L1) {
            const Entry entry = fileZillaEntry(xml);
            if (!xml.hasError())
                take(result, entry);
        }
    }
    return result;
}

ImportedHosts importPuttyFolder(const QString &folder)
{
    ImportedHosts all;
    const QStringList names = QDir(folder).entryList(QDir::Files, QDir::Name);
    for (const QString &name : names.first(qMin(names.size(), mostHosts))) {
        const Result<QByteArray> content = readFile(folder + u'/' + name, 256 << 10);
        if (!content)
            continue;
        const ImportedHosts one = importPuttySession(QFile::encodeName(name), *content);
        all.hosts += one.hosts;
        all.passwords += one.passwords;
        all.otherKinds += one.otherKinds;
        all.unusable += one.unusable;
    }
    return all;
}

} // namespace Sandpiper
