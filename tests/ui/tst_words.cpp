#include "session/sshkeyfile.h"
#include "ui/sandboxtext.h"

#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

// Made with ssh-keygen -t ed25519; fingerprint by ssh-keygen -lf.
const QByteArray sample = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP4jg2wYhB6g1udVqfM4sFFP42E3esBaY34jSOJ68AYI user@host";
const QString sampleFingerprint = u"SHA256:+jQv79ShAs55N9iLTDZO2G8SPT57xaAnN0n3LL8zphU"_s;

} // namespace

class TestWords : public QObject
{
    Q_OBJECT
private slots:
    void aSpanIsOneUnit_data()
    {
        QTest::addColumn<qint64>("seconds");
        QTest::addColumn<QString>("text");
        QTest::newRow("clock went back") << qint64(-5) << u"0 s"_s;
        QTest::newRow("seconds") << qint64(59) << u"59 s"_s;
        QTest::newRow("minutes") << qint64(60) << u"1 min"_s;
        QTest::newRow("hours") << qint64(7200) << u"2 h"_s;
        QTest::newRow("days") << qint64(3 * 86400 + 5) << u"3 d"_s;
    }
    void aSpanIsOneUnit()
    {
        QFETCH(qint64, seconds);
        QTEST(shortSpan(seconds), "text");
    }

    void namesSortAsPeopleCount_data()
    {
        QTest::addColumn<QString>("before");
        QTest::addColumn<QString>("after");
        QTest::newRow("numbers") << u"box-2"_s << u"box-10"_s;
        QTest::newRow("case") << u"Alpha"_s << u"beta"_s;
        QTest::newRow("zeros in front") << u"box-007"_s << u"box-10"_s;
        QTest::newRow("prefix") << u"box"_s << u"box-1"_s;
        QTest::newRow("a huge number") << u"9"_s << QString(40, u'8');
    }
    void namesSortAsPeopleCount()
    {
        QFETCH(QString, before);
        QFETCH(QString, after);
        QVERIFY(sortKey(before) < sortKey(after));
    }

    void theSecondLineSaysWhatMatters()
    {
        Sandbox box;
        box.id = {u"v"_s, u"a"_s, u"i"_s};
        box.state = SandboxState::Running;
        box.image = u"debian:13"_s;
        const QDateTime now = QDateTime::currentDateTimeUtc();
        box.createdAt = now.addSecs(-7200);
        box.expiresAt = now.addSecs(720);
        QCOMPARE(secondLine(box, now), u"debian:13 · 2 h old · 12 min left"_s);
        box.state = SandboxState::Suspended;
        QCOMPARE(secondLine(box, now), u"Suspended · debian:13 · 2 h old"_s);
        box.state = SandboxState::Unknown;
        box.stateText = u"migrating"_s;
        QVERIFY(secondLine(box, now).startsWith(u"migrating"_s));
        QVERIFY(spokenRow(box, 2, now).contains(u'2'));
    }

    void terminatingNamesWhatIsLost()
    {
        Sandbox box;
        box.name = u"my-env"_s;
        QVERIFY(terminateLoss(box, 0).contains(u"my-env"_s));
        QVERIFY(terminateLoss(box, 3).contains(u'3'));
    }

    void resumingHereCostsNothing()
    {
        QVERIFY(resumeCost(QUrl(u"http://127.0.0.1:8123"_s)) != resumeCost(QUrl(u"https://api.example.com"_s)));
    }

    void everyCapabilityHasAName()
    {
        for (int c = 0; c <= int(Capability::Isolation); ++c)
            QVERIFY(!capabilityName(Capability(c)).isEmpty());
    }

    void aPublicKeyIsRead()
    {
        const Result<PublicKeyLine> key = parsePublicKey(sample + "\n");
        QVERIFY(key);
        QCOMPARE(key->type, u"ssh-ed25519"_s);
        QCOMPARE(key->comment, u"user@host"_s);
        QCOMPARE(key->fingerprint, sampleFingerprint);
        QCOMPARE(key->line, sample);
    }

    void whatIsNoPublicKeyIsRefused_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("empty") << QByteArray();
        QTest::newRow("one word") << "ssh-ed25519"_ba;
        QTest::newRow("private key") << "-----BEGIN OPENSSH PRIVATE KEY-----\nx"_ba;
        QTest::newRow("two keys") << sample + "\n" + sample;
        QTest::newRow("broken base64") << "ssh-ed25519 AAAA*C3N user"_ba;
        QTest::newRow("too short") << "ssh-ed25519 AAA= user"_ba;
        QTest::newRow("names another type") << "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIP4jg2wYhB6g1udVqfM4sFFP42E3esBaY34jSOJ68AYI"_ba;
        QTest::newRow("length beyond the end") << "ssh-ed25519 /////3NzaC1lZDI1NTE5"_ba;
        QTest::newRow("every byte") << [] {
            QByteArray all;
            for (int b = 0; b < 256; ++b)
                all.append(char(b));
            return all;
        }();
    }
    void whatIsNoPublicKeyIsRefused()
    {
        QFETCH(QByteArray, text);
        const Result<PublicKeyLine> key = parsePublicKey(text);
        QVERIFY(!key);
        QCOMPARE(key.error().kind, ErrorKind::InvalidInput);
    }

    void keysOfAFolderAreListedByTheirPublicHalves()
    {
        QTemporaryDir dir;
        const auto put = [&dir](const QString &name, const QByteArray &content) {
            QFile file(dir.filePath(name));
            QVERIFY(file.open(QIODevice::WriteOnly));
            file.write(content);
        };
        put(u"id_a.pub"_s, sample + '\n');
        put(u"other.pub"_s, "not a key");
        put(u"config"_s, "Host x");
        const QList<KeyFile> keys = keyFilesIn(dir.path());
        QCOMPARE(keys.size(), 1);
        QCOMPARE(keys.first().key.fingerprint, sampleFingerprint);
        QCOMPARE(keys.first().form, KeyFile::Form::PublicOnly);
        QVERIFY(keyFilesIn(dir.filePath(u"none"_s)).isEmpty());
        put(u"huge.pub"_s, QByteArray(200'000, 'a'));
        QCOMPARE(readPublicKeyFile(dir.filePath(u"huge.pub"_s)).error().kind, ErrorKind::TooLarge);
    }
};

QTEST_GUILESS_MAIN(TestWords)
#include "tst_words.moc"
