// What `sandpiper-cli fs` reads and prints, without a server.
#include "app/cli/fsparts.h"
#include "app/cli/rawarguments.h"

#include <QJsonDocument>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

class TestFsParts : public QObject
{
    Q_OBJECT
private slots:
    void aPlaceIsATargetAndAPath_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("target"); // ACCOUNT/NAME, or USER@HOST:PORT
        QTest::addColumn<QByteArray>("path");
        QTest::newRow("name") << "box:/etc/hosts"_ba << u"/box"_s << "/etc/hosts"_ba;
        QTest::newRow("account") << "my account/box:a"_ba << u"my account/box"_s << "a"_ba;
        QTest::newRow("login folder") << "box:"_ba << u"/box"_s << ""_ba;
        QTest::newRow("colons in the path") << "box:a:b:c"_ba << u"/box"_s << "a:b:c"_ba;
        QTest::newRow("any bytes") << "box:\xff\n\x01 "_ba << u"/box"_s << "\xff\n\x01 "_ba;
        QTest::newRow("ssh") << "ssh://u@h:/a"_ba << u"u@h:22"_s << "/a"_ba;
        QTest::newRow("ssh, relative") << "ssh://u@h:a b"_ba << u"u@h:22"_s << "a b"_ba;
        QTest::newRow("ssh and port") << "ssh://u@h:2222:/a"_ba << u"u@h:2222"_s << "/a"_ba;
        QTest::newRow("ssh, port, login folder") << "ssh://u@h:2222:"_ba << u"u@h:2222"_s << ""_ba;
        QTest::newRow("ssh, a number as path") << "ssh://u@h:22:33"_ba << u"u@h:22"_s << "33"_ba;
        QTest::newRow("ssh, digits in front of the path") << "ssh://u@h:2024-notes"_ba << u"u@h:22"_s << "2024-notes"_ba;
        QTest::newRow("ssh, IPv6") << "ssh://u@[::1]:2222:/a:b"_ba << u"u@::1:2222"_s << "/a:b"_ba;
        QTest::newRow("ssh, IPv6 without a port") << "ssh://u@[::1]:/a"_ba << u"u@::1:22"_s << "/a"_ba;
        for (const char *wrong : {"", "box", ":/a", "a/:b", "ssh://u@h", "ssh://u@h:22", "ssh://h:/a", "ssh://u:p@h:/a", "ssh://u@h:0:/a", "ssh://u@h:99999:/a", "ssh://u@[::1:/a"})
            QTest::addRow("wrong: %s", wrong) << QByteArray(wrong) << QString() << ""_ba;
        QTest::newRow("wrong: NUL") << QByteArray("box:a\0b", 7) << QString() << ""_ba;
    }
    void aPlaceIsATargetAndAPath()
    {
        QFETCH(QByteArray, text);
        QFETCH(QString, target);
        const CliResult<FsPlace> place = parseFsPlace(text);
        QCOMPARE(place.has_value(), !target.isEmpty());
        if (!place) {
            QCOMPARE(place.error().error.kind, ErrorKind::InvalidInput);
            QVERIFY(!place.error().sentence.isEmpty());
            return;
        }
        QCOMPARE(place->target.ssh ? u"%1@%2:%3"_s.arg(place->target.ssh->user, place->target.ssh->host).arg(place->target.ssh->port)
                                   : place->target.account + u'/' + place->target.name,
                 target);
        QTEST(place->path.bytes(), "path");
        QVERIFY(isFsPlace(text));
    }
    void aPathHereIsNoPlace()
    {
        for (const QByteArray &here : {"notes"_ba, "folder/notes"_ba, "./a:b"_ba, "../a:b"_ba, "/a:b"_ba, ".a:b"_ba, ""_ba})
            QVERIFY2(!isFsPlace(here), here.constData());
    }

    void aModeIsOctal_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<int>("mode"); // -1: none
        QTest::newRow("usual") << u"644"_s << 0644;
        QTest::newRow("with a zero") << u"0755"_s << 0755;
        QTest::newRow("special") << u"7777"_s << 07777;
        for (const char *wrong : {"", "8", "10000", "-1", "+1", " 1", "u+x", "0x1"})
            QTest::addRow("wrong: %s", wrong) << QString::fromLatin1(wrong) << -1;
    }
    void aModeIsOctal()
    {
        QFETCH(QString, text);
        const CliResult<quint32> mode = parseFsMode(text);
        QTEST(mode ? int(*mode) : -1, "mode");
    }

    void modesAreShownAsLsDoes_data()
    {
        QTest::addColumn<quint32>("mode");
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("file") << 0100644u << "-rw-r--r--"_ba;
        QTest::newRow("folder") << 0040755u << "drwxr-xr-x"_ba;
        QTest::newRow("link") << 0120777u << "lrwxrwxrwx"_ba;
        QTest::newRow("pipe") << 0010600u << "prw-------"_ba;
        QTest::newRow("socket") << 0140600u << "srw-------"_ba;
        QTest::newRow("devices") << 0020660u << "crw-rw----"_ba;
        QTest::newRow("disk") << 0060660u << "brw-rw----"_ba;
        QTest::newRow("set-uid") << 0104755u << "-rwsr-xr-x"_ba;
        QTest::newRow("set-gid, not executable") << 0102640u << "-rw-r-S---"_ba;
        QTest::newRow("sticky") << 0041777u << "drwxrwxrwt"_ba;
        QTest::newRow("sticky, not executable") << 0041776u << "drwxrwxrwT"_ba;
        QTest::newRow("nothing is known") << 0u << "?---------"_ba;
    }
    void modesAreShownAsLsDoes()
    {
        QFETCH(quint32, mode);
        QTEST(fsModeText(mode), "text");
    }

    void jsonHasWhatIsKnownAndBytesBesideText()
    {
        FileAttributes attributes;
        attributes.mode = 0100600;
        attributes.size = 5'000'000'000;
        attributes.owner = FileOwner{0, 7};
        attributes.times = FileTimes{0, 1'700'000'000};
        OwnerNames names;
        names.users.insert(0, "root");
        QJsonObject object = fsJson(attributes, names);
        addFsBytes(object, u"name"_s, "caf\xe9");
        QCOMPARE(QJsonDocument(object).toJson(QJsonDocument::Compact),
                 R"({"accessed_at":"1970-01-01T00:00:00Z","gid":7,"mode":"0600","modified_at":"2023-11-14T22:13:20Z","name":"caf�","name_base64":"Y2Fm6Q==","owner":"root","size":5000000000,"type":"file","uid":0})"_ba);
        QJsonObject plain;
        addFsBytes(plain, u"name"_s, "caf\xc3\xa9");
        QJsonObject marked;
        addFsBytes(marked, u"name"_s, "\xef\xbb\xbf" "a");
        QCOMPARE(marked.value(u"name"_s).toString().toUtf8(), "\xef\xbb\xbf" "a"_ba);
        QCOMPARE(plain, (QJsonObject{{u"name"_s, u"café"_s}}));
        QCOMPARE(fsJson(FileAttributes(), {}), (QJsonObject{{u"type"_s, u"unknown"_s}}));
    }

    void argumentsKeepTheirBytes()
    {
        QByteArray program = "cli";
        QByteArray first = "fs";
        QByteArray second = "-l";
        QByteArray third = "box:\xff";
        QByteArray fourth = "box:\xfe";
        char *argv[] = {program.data(), first.data(), second.data(), third.data(), fourth.data(), nullptr};
        keepRawArguments(5, argv);
        const QString lost = QString::fromLocal8Bit(third);
        QCOMPARE(rawArguments({u"fs"_s, lost, lost}), (QByteArrayList{"fs", third, fourth}));
        QCOMPARE(rawArguments({u"fs"_s, u"é"_s}), (QByteArrayList{"fs", "\xc3\xa9"}));
    }
};

QTEST_GUILESS_MAIN(TestFsParts)
#include "tst_fsparts.moc"
