#include "ui/tabstore.h"

#include "session/paths.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QLoggingCategory>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

namespace {

Q_LOGGING_CATEGORY(lcTabs, "sandpiper.ui.tabs", QtInfoMsg)

constexpr int fileVersion = 1;
constexpr qsizetype maxTitle = 200;
constexpr qsizetype maxFolder = 16 << 10;

QJsonObject toJson(const KeptSide &side)
{
    return {{u"sandbox"_s, side.sandbox.isEmpty() ? QString() : side.sandbox.toString()},
            {u"name"_s, side.name},
            {u"folder"_s, QString::fromLatin1(side.folder.toPercentEncoding("/"))}};
}

KeptSide sideFrom(const QJsonObject &json)
{
    KeptSide side;
    side.sandbox = SandboxId::parse(json.value("sandbox"_L1).toString()).value_or(SandboxId());
    side.name = tamed(json.value("name"_L1).toString(), maxTitle);
    side.folder = QByteArray::fromPercentEncoding(json.value("folder"_L1).toString().left(maxFolder).toLatin1());
    return side;
}

QJsonObject toJson(const KeptTab &tab)
{
    QJsonObject json;
    if (tab.files)
        json.insert(u"files"_s, QJsonArray{toJson(tab.files->sides[0]), toJson(tab.files->sides[1])});
    else
        json.insert(u"shell"_s, tab.shell.toJson());
    if (!tab.title.isEmpty())
        json.insert(u"title"_s, tab.title);
    if (tab.closedAt.isValid())
        json.insert(u"closedAt"_s, tab.closedAt.toUTC().toString(Qt::ISODateWithMs));
    return json;
}

// atMost: the rest is left out; the file is ours, but it may have been edited or damaged.
QList<KeptTab> tabsFrom(const QJsonArray &array, int atMost)
{
    QList<KeptTab> tabs;
    for (const QJsonValue &value : array) {
        if (tabs.size() >= atMost)
            break;
        const QJsonObject json = value.toObject();
        if (const QJsonArray sides = json.value("files"_L1).toArray(); !sides.isEmpty()) {
            KeptTab tab;
            tab.files = KeptFiles{{sideFrom(sides.at(0).toObject()), sideFrom(sides.at(1).toObject())}};
            const KeptSide &owner = tab.files->sides[1].sandbox.isEmpty() ? tab.files->sides[0] : tab.files->sides[1];
            tab.shell.sandbox = owner.sandbox;
            tab.shell.sandboxName = owner.name;
            tab.title = tamed(json.value("title"_L1).toString(), maxTitle);
            tab.closedAt = QDateTime::fromString(json.value("closedAt"_L1).toString(), Qt::ISODateWithMs);
            tabs.append(tab);
            continue;
        }
        const auto shell = ShellRecord::fromJson(json.value("shell"_L1).toObject());
        if (!shell || shell->sandbox.isEmpty()) {
            qCWarning(lcTabs) << "left out a tab that makes no sense";
            continue;
        }
        tabs.append({*shell, tamed(json.value("title"_L1).toString(), maxTitle),
                     QDateTime::fromString(json.value("closedAt"_L1).toString(), Qt::ISODateWithMs)});
    }
    return tabs;
}

// The name it has now; empty where it could not be moved.
QString setAside(const QString &file)
{
    for (int n = 1; n <= 9; ++n) {
        const QString aside = file + u".damaged-%1"_s.arg(n);
        if (QFile::rename(file, aside)) // never over another file
            return aside;
    }
    return {};
}

} // namespace

Result<KeptTabs> TabStore::load()
{
    if (m_file.isEmpty())
        return KeptTabs{};
    const Result<QByteArray> content = readFile(m_file);
    if (!content && content.error().kind == ErrorKind::NotFound)
        return KeptTabs{};
    const auto damaged = [this](const QString &why) {
        const QString aside = setAside(m_file);
        qCWarning(lcTabs).noquote() << "the file of the tabs is set aside:" << why;
        return failure(ErrorKind::Protocol, Layer::LocalDisk, why, aside.isEmpty() ? m_file : aside);
    };
    if (!content && content.error().kind == ErrorKind::TooLarge)
        return damaged(u"it is too large"_s);
    if (!content)
        return std::unexpected(content.error());

    QJsonParseError parsed;
    const QJsonObject json = QJsonDocument::fromJson(*content, &parsed).object();
    if (parsed.error != QJsonParseError::NoError)
        return damaged(parsed.errorString());
    const int version = json.value("version"_L1).toInt();
    if (version != fileVersion)
        return damaged(u"its version is %1, not %2"_s.arg(version).arg(fileVersion));

    KeptTabs tabs;
    tabs.open = tabsFrom(json.value("open"_L1).toArray(), KeptTabs::maxOpen);
    tabs.closed = tabsFrom(json.value("closed"_L1).toArray(), KeptTabs::maxClosed);
    const int last = int(tabs.open.size()) - 1;
    tabs.current = last < 0 ? -1 : qBound(0, json.value("current"_L1).toInt(), last);
    return tabs;
}

Done TabStore::save(const KeptTabs &tabs)
{
    if (m_file.isEmpty())
        return {};
    QJsonArray open;
    for (const KeptTab &tab : tabs.open)
        open.append(toJson(tab));
    QJsonArray closed;
    for (const KeptTab &tab : tabs.closed)
        closed.append(toJson(tab));
    const QByteArray content = QJsonDocument(QJsonObject{{u"version"_s, fileVersion},
                                                         {u"current"_s, tabs.current},
                                                         {u"open"_s, open},
                                                         {u"closed"_s, closed}})
                                   .toJson();
    if (content == m_written)
        return {};
    const Done done = writePrivateFile(m_file, content);
    if (done)
        m_written = content;
    return done;
}

} // namespace Sandpiper
