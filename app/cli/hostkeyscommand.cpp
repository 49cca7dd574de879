#include "app/cli/commands.h"
#include "app/cli/json.h"
#include "app/cli/output.h"
#include "session/hostkeylist.h"

#include <QJsonArray>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

QString markOf(KnownHostMarker marker)
{
    switch (marker) {
    case KnownHostMarker::None: return {};
    case KnownHostMarker::Revoked: return u"revoked"_s;
    case KnownHostMarker::CertificateAuthority: return u"authority"_s;
    }
    Q_UNREACHABLE_RETURN({});
}

void show(const QList<HostKeyRow> &rows, bool asJson)
{
    QJsonArray json;
    QList<QStringList> table;
    for (const HostKeyRow &row : rows) {
        const QString type = QString::fromLatin1(row.entry.key.type);
        const QString mark = markOf(row.entry.marker);
        const bool isHashed = isHashedName(row.entry.hosts);
        json << QJsonObject{{u"host"_s, row.name}, {u"hosts"_s, QString::fromUtf8(row.entry.hosts)}, {u"type"_s, type},
                            {u"fingerprint"_s, fingerprintOf(row.entry.key)}, {u"file"_s, row.entry.file}, {u"line"_s, row.entry.line},
                            {u"mark"_s, mark}, {u"hashed"_s, isHashed}, {u"sandbox"_s, row.isSandbox}};
        table << QStringList{isHashed ? u"(hashed)"_s : row.name, type, fingerprintOf(row.entry.key), row.entry.where(), mark};
    }
    if (asJson)
        printJson(QJsonDocument(json));
    else if (table.isEmpty())
        say(u"no host key is known"_s);
    else
        printTable({u"HOST"_s, u"TYPE"_s, u"FINGERPRINT"_s, u"WHERE"_s, u"MARK"_s}, table);
}

// Meant by a fingerprint, an exact host or a sandbox's name or id: never by a part of it.
bool isMeant(const HostKeyRow &row, const QString &host)
{
    if (fingerprintOf(row.entry.key) == host)
        return true;
    if (row.isSandbox)
        return row.name == host || QString::fromUtf8(row.entry.hosts).section(u'/', -1) == host;
    return row.entry.marker == KnownHostMarker::None && isHostKeyOf(row, host);
}

} // namespace

void HostKeysCommand::start(const QStringList &arguments)
{
    QCommandLineParser parser;
    parser.addOption({u"json"_s, u"One JSON document."_s});
    parser.addPositionalArgument(u"ls [TEXT] | forget HOST | add LINE"_s, u"What to do; ls where nothing is said."_s);
    if (!parse(parser, u"hostkeys"_s, arguments))
        return;
    const QStringList words = parser.positionalArguments();
    const QString what = words.value(0, u"ls"_s);
    const HostKeyPlaces places = HostKeyPlaces::ofThisComputer();
    if (what == "add"_L1 && words.size() == 2) {
        const Done added = addKnownHostLine(places.knownHosts.value(0), words.at(1).toUtf8());
        return added ? finishLater(ExitOk) : fail(added.error());
    }
    const bool isList = what == "ls"_L1 && words.size() <= 2;
    if (!isList && !(what == "forget"_L1 && words.size() == 2))
        return usage(u"hostkeys takes ls [TEXT], forget HOST or add LINE"_s);

    HostKeyList list = listHostKeys(places);
    for (const Error &error : std::as_const(list.errors))
        sayError(error);
    if (isList) {
        list.rows.removeIf([&](const HostKeyRow &row) { return !matchesHostKey(row, words.value(1)); });
        show(list.rows, parser.isSet(u"json"_s));
        return finishLater(list.errors.isEmpty() ? ExitOk : ExitFailed);
    }
    list.rows.removeIf([&](const HostKeyRow &row) { return !isMeant(row, words.at(1)); });
    if (list.rows.isEmpty())
        return fail(Error{ErrorKind::NotFound, Layer::LocalDisk, u"no key is kept for it"_s, words.at(1)});
    const Done done = forgetHostKeys(list.rows);
    if (!done)
        return fail(done.error());
    for (const HostKeyRow &row : std::as_const(list.rows))
        printLine(u"forgotten: %1 %2 (%3)"_s.arg(row.name.isEmpty() ? words.at(1) : row.name, fingerprintOf(row.entry.key), row.entry.where()));
    finishLater(ExitOk);
}

} // namespace Sandpiper
