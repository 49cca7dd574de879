#include "app/cli/command.h"
#include "app/cli/directory.h"
#include "app/cli/output.h"
#include "app/cli/servekeys.h"
#include "app/cli/terminal.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

class TestCliParts : public QObject
{
    Q_OBJECT
private slots:
    void aTargetHasItsParts_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("account");
        QTest::addColumn<QString>("name");
        QTest::newRow("name") << u"my-env"_s << QString() << u"my-env"_s;
        QTest::newRow("account and name") << u"Tensorlake/my-env"_s << u"Tensorlake"_s << u"my-env"_s;
        QTest::newRow("account with a slash") << u"work/eu/my-env"_s << u"work/eu"_s << u"my-env"_s;
    }
    void aTargetHasItsParts()
    {
        QFETCH(QString, text);
        const CliResult<TargetText> target = parseTarget(text);
        QVERIFY(target);
        QTEST(target->account, "account");
        QTEST(target->name, "name");
        QVERIFY(!target->ssh);
    }

    void anSshAddressIsATarget()
    {
        const CliResult<TargetText> target = parseTarget(u"ssh://me@example.test:2222"_s);
        QVERIFY(target && target->ssh);
        QCOMPARE(target->ssh->host, u"example.test"_s);
        QCOMPARE(target->ssh->user, u"me"_s);
        QCOMPARE(target->ssh->port, quint16(2222));
        QCOMPARE(parseTarget(u"ssh://me@[::1]"_s)->ssh->port, quint16(22));
    }

    void aHostOfSshConfigIsATargetAndACandidate()
    {
        QTemporaryDir home;
        QVERIFY(QDir(home.path()).mkdir(u".ssh"_s));
        QFile config(home.filePath(u".ssh/config"_s));
        QVERIFY(config.open(QIODevice::WriteOnly) && config.write("Host web db *.internal\n HostName web.example\n") > 0);
        config.close();
        const QByteArray before = qgetenv("HOME");
        qputenv("HOME", home.path().toLocal8Bit());
        Directory directory; // not loaded: no accounts
        const auto web = directory.resolve({{}, u"web"_s, std::nullopt});
        const auto other = directory.resolve({{}, u"other"_s, std::nullopt});
        const auto ofAccount = directory.resolve({u"account"_s, u"web"_s, std::nullopt});
        QTRY_VERIFY(web.isFinished() && other.isFinished() && ofAccount.isFinished());
        qputenv("HOME", before);
        QVERIFY(web.result());
        QCOMPARE(web.result()->sandbox.ssh->alias, u"web"_s);
        QVERIFY(web.result()->sandbox.ssh->host.isEmpty() && !web.result()->provider);
        QVERIFY(!other.result());
        QCOMPARE(other.result().error().sentence, u"there is no sandbox and no SSH host 'other'; there are: db, web"_s);
        QVERIFY(!ofAccount.result());
    }

    void aTargetThatIsNoneIsRefused_data()
    {
        QTest::addColumn<QString>("text");
        QTest::newRow("empty") << QString();
        QTest::newRow("no name") << u"account/"_s;
        QTest::newRow("no account") << u"/name"_s;
        QTest::newRow("NUL") << u"a\0b"_s;
        QTest::newRow("ssh without user") << u"ssh://host"_s;
        QTest::newRow("ssh without host") << u"ssh://me@"_s;
        QTest::newRow("ssh with a password") << u"ssh://me:secret@host"_s;
        QTest::newRow("ssh with a path") << u"ssh://me@host/etc"_s;
        QTest::newRow("ssh with a wild port") << u"ssh://me@host:99999"_s;
        QTest::newRow("ssh with port 0") << u"ssh://me@host:0"_s;
    }
    void aTargetThatIsNoneIsRefused()
    {
        QFETCH(QString, text);
        const CliResult<TargetText> target = parseTarget(text);
        QVERIFY(!target);
        QCOMPARE(target.error().error.kind, ErrorKind::InvalidInput);
        QVERIFY(!target.error().sentence.isEmpty());
    }

    void detachKeysLetGo_data()
    {
        QTest::addColumn<QString>("keys");
        QTest::addColumn<QByteArrayList>("typed");
        QTest::addColumn<QByteArray>("passed");
        QTest::addColumn<bool>("matched");
        QTest::newRow("default") << u"ctrl-]"_s << QByteArrayList{"ls\r", "\x1d", "more"} << "ls\r"_ba << true;
        QTest::newRow("within one read") << u"ctrl-]"_s << QByteArrayList{"ls\x1dmore"} << "ls"_ba << true;
        QTest::newRow("two keys") << u"ctrl-p,ctrl-q"_s << QByteArrayList{"a\x10", "\x11z"} << "a"_ba << true;
        QTest::newRow("first key alone passes later") << u"ctrl-p,ctrl-q"_s << QByteArrayList{"\x10", "x"} << "\x10x"_ba << false;
        QTest::newRow("first key twice") << u"ctrl-p,ctrl-q"_s << QByteArrayList{"\x10\x10\x11"} << "\x10"_ba << true;
        QTest::newRow("a sequence that overlaps itself") << u"a,a,b"_s << QByteArrayList{"aaab"} << "a"_ba << true;
        QTest::newRow("none") << u"none"_s << QByteArrayList{"\x1d"} << "\x1d"_ba << false;
        QTest::newRow("small letter") << u"ctrl-a"_s << QByteArrayList{"\x01"} << ""_ba << true;
    }
    void detachKeysLetGo()
    {
        QFETCH(QString, keys);
        QFETCH(QByteArrayList, typed);
        CliResult<DetachKeys> detach = DetachKeys::parse(keys);
        QVERIFY(detach);
        QByteArray passed;
        for (const QByteArray &bytes : typed)
            passed += detach->matched() ? QByteArray() : detach->filter(bytes, DetachKeys::Time());
        QTEST(passed, "passed");
        QTEST(detach->matched(), "matched");
    }

    void aBeginningThatWaitsTooLongGoesToTheShell()
    {
        DetachKeys keys = *DetachKeys::parse(u"ctrl-p,ctrl-q"_s);
        const DetachKeys::Time start{std::chrono::hours(1)};
        QVERIFY(!keys.deadline());
        QCOMPARE(keys.filter("\x10", start), ""_ba);
        QCOMPARE(keys.deadline(), std::optional(start + DetachKeys::patience));
        QCOMPARE(keys.expired(start + DetachKeys::patience - std::chrono::milliseconds(1)), ""_ba);
        QCOMPARE(keys.expired(start + DetachKeys::patience), "\x10"_ba);
        QVERIFY(!keys.deadline());
        // And the second key alone is a key like any other.
        QCOMPARE(keys.filter("\x11", start + DetachKeys::patience), "\x11"_ba);
        QVERIFY(!keys.matched());
        // The same where nobody asked in between.
        QCOMPARE(keys.filter("\x10", start), ""_ba);
        QCOMPARE(keys.filter("\x11", start + std::chrono::hours(1)), "\x10\x11"_ba);
        QVERIFY(!keys.matched());
    }

    void keysThatAreNoneAreRefused_data()
    {
        QTest::addColumn<QString>("keys");
        for (const QString &keys : {u""_s, u"ctrl-"_s, u"ctrl-ab"_s, u"ctrl-1"_s, u"abc"_s, u"ctrl-p,"_s, u"ä"_s, u","_s, u"a,,b"_s, u"ctrl-\x1b"_s, u"none,a"_s,
                                    u"ctrl-ctrl-a"_s, u"\n"_s, QString(1000, u'a'), QString(u"a,"_s).repeated(16) + u'a'})
            QTest::newRow(qPrintable(u"'%1'"_s.arg(QString::fromLatin1(keys.left(40).toUtf8().toPercentEncoding())))) << keys;
    }
    void keysThatAreNoneAreRefused()
    {
        QFETCH(QString, keys);
        QVERIFY(!DetachKeys::parse(keys));
    }

    void anExitCodeThatNoProcessHasIsNoSuccess_data()
    {
        QTest::addColumn<int>("told");
        QTest::addColumn<int>("status");
        QTest::newRow("success") << 0 << 0;
        QTest::newRow("the largest") << 255 << 255;
        QTest::newRow("its low byte is zero") << 256 << 255;
        QTest::newRow("negative") << -1 << 255;
        QTest::newRow("negative, its low byte is zero") << -256 << 255;
    }
    void anExitCodeThatNoProcessHasIsNoSuccess()
    {
        QFETCH(int, told);
        QTEST(statusOfExit(told), "status");
    }

    void serveLetsNobodyInByALineItDoesNotHonour_data()
    {
        QTest::addColumn<QByteArray>("line");
        QTest::addColumn<bool>("letsIn");
        const QByteArray key = "ssh-ed25519 " + (QByteArray::fromHex("0000000b") + "ssh-ed25519" + QByteArray::fromHex("00000020") + QByteArray(32, 'k')).toBase64();
        const auto row = [](const char *name, const QByteArray &line, bool letsIn = false) { QTest::newRow(name) << line << letsIn; };
        row("a key", key, true);
        row("a key with a comment", key + " me@here command=\"x\"", true);
        row("a key between blanks", "\t" + key + " \r", true);
        row("a command", "command=\"/bin/date\" " + key);
        row("an address", "from=\"10.0.0.0/8\" " + key);
        row("an end", "expiry-time=\"20200101\" " + key);
        row("restrict", "restrict " + key);
        row("an authority", "cert-authority " + key);
        row("a key inside of an option", "command=\"" + key + "\" " + key);
        row("another type in front", "ssh-rsa " + key.split(' ').at(1));
        row("no base64", "ssh-ed25519 !!!!");
        row("cut", key.first(20));
        row("only a type", "ssh-ed25519");
        row("half a megabyte", QByteArray(1 << 19, 'x'));
        row("zeros and control characters", QByteArray(100, '\0') + "\x1b]0;x\x07");
        row("a private key", "-----BEGIN OPENSSH PRIVATE KEY-----");
    }
    void serveLetsNobodyInByALineItDoesNotHonour()
    {
        QFETCH(QByteArray, line);
        QFETCH(bool, letsIn);
        const ServeKeys keys = authorizedKeys("# these\n\n" + line + '\n', u"allowed"_s);
        QCOMPARE(keys.blobs.size(), letsIn ? 1 : 0);
        // And says so, by its number and not by its text.
        QCOMPARE(keys.notes, letsIn ? QStringList() : QStringList{u"allowed, line 3 is left out: it is no public key, or has options."_s});
    }

    void aTableAlignsAndTamesItsCells()
    {
        QCOMPARE(tableText({u"A"_s, u"LONG"_s}, {{u"x\x1b[31m"_s, u"y"_s}, {u"1"_s, {}}}), u"A       LONG\nx [31m  y\n1\n"_s);
    }
};

QTEST_GUILESS_MAIN(TestCliParts)
#include "tst_cliparts.moc"
