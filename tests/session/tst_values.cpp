#include "session/error.h"
#include "session/paths.h"
#include "session/sandbox.h"
#include "session/secret.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

class TestValues : public QObject
{
    Q_OBJECT
private slots:
    void foreignTextLosesWhatCouldDeceive_data()
    {
        QTest::addColumn<QString>("foreign");
        QTest::addColumn<QString>("shown");
        QTest::newRow("plain") << u"no such sandbox"_s << u"no such sandbox"_s;
        QTest::newRow("escape sequence") << u"a\x1b[31mred"_s << u"a [31mred"_s;
        QTest::newRow("newlines fold") << u"one\r\n\ttwo"_s << u"one two"_s;
        QTest::newRow("bidirectional override") << u"abc\u202Egpj.exe"_s << u"abc gpj.exe"_s;
        QTest::newRow("only controls") << u"\x01\x02"_s << QString();
        QTest::newRow("too long") << QString(600, u'x') << QString(499, u'x') + QChar(0x2026);
    }
    void foreignTextLosesWhatCouldDeceive()
    {
        QFETCH(QString, foreign);
        QTEST(tamed(foreign), "shown");
    }

    void everyErrorKindHasAName()
    {
        for (int kind = 0; kind <= int(ErrorKind::NoKeychain); ++kind)
            QVERIFY(!nameOf(ErrorKind(kind)).isEmpty());
    }

    void aSecretIsEqualOnlyToItself()
    {
        const Secret secret("correct horse");
        QVERIFY(secret.equals("correct horse"));
        QVERIFY(!secret.equals("correct horsf"));
        QVERIFY(!secret.equals("correct"));
        QVERIFY(!secret.equals(""));
    }

    void takingASecretEmptiesTheGiver()
    {
        QByteArray given = "token"_ba.append('x');
        const Secret secret = Secret::taking(given);
        QVERIFY(given.isEmpty());
        QVERIFY(secret.equals("tokenx"));
    }

    void randomSecretsDiffer()
    {
        const Secret one = Secret::randomHex(32);
        QCOMPARE(one.reveal().size(), 64);
        QVERIFY(!one.equals(Secret::randomHex(32).reveal()));
    }

    void aSandboxIdSurvivesItsText()
    {
        const SandboxId id{u"ten/sor"_s, u"my account"_s, u"ä%2F"_s};
        QCOMPARE(SandboxId::parse(id.toString()), id);
    }

    void brokenSandboxIdsAreRefused_data()
    {
        QTest::addColumn<QString>("text");
        QTest::newRow("empty") << QString();
        QTest::newRow("two parts") << u"a/b"_s;
        QTest::newRow("four parts") << u"a/b/c/d"_s;
        QTest::newRow("an empty part") << u"a//c"_s;
    }
    void brokenSandboxIdsAreRefused()
    {
        QFETCH(QString, text);
        QVERIFY(!SandboxId::parse(text));
    }

    void ourFilesAreOursAlone()
    {
        QTemporaryDir dir;
        qputenv("XDG_CONFIG_HOME", QFile::encodeName(dir.path()));
        const QString folder = configFolder();
        QCOMPARE(folder, dir.path() + u"/sandpiper"_s);
        const auto others = QFile::ReadGroup | QFile::WriteGroup | QFile::ExeGroup | QFile::ReadOther
                | QFile::WriteOther | QFile::ExeOther;
        QVERIFY(!(QFileInfo(folder).permissions() & others));
        QVERIFY(writePrivateFile(folder + u"/x"_s, "secret"));
        QVERIFY(!(QFileInfo(folder + u"/x"_s).permissions() & others));
        QCOMPARE(readFile(folder + u"/x"_s).value(), "secret"_ba);
        QCOMPARE(readFile(folder + u"/x"_s, 5).error().kind, ErrorKind::TooLarge);
        QCOMPARE(readFile(folder + u"/none"_s).error().kind, ErrorKind::NotFound);
    }

    void aFolderOpenToOthersIsClosed()
    {
        QTemporaryDir dir;
        const QString path = dir.path() + u"/state"_s;
        QVERIFY(QDir().mkdir(path));
        QVERIFY(QFile::setPermissions(path, QFile::Permissions(0x7755)));
        QVERIFY(makePrivateFolder(path));
        QVERIFY(!(QFileInfo(path).permissions() & (QFile::ReadOther | QFile::ReadGroup)));
    }

    void aFileInTheWayOfAFolderIsAnError()
    {
        QTemporaryDir dir;
        QVERIFY(writePrivateFile(dir.path() + u"/f"_s, "x"));
        QCOMPARE(makePrivateFolder(dir.path() + u"/f"_s).error().layer, Layer::LocalDisk);
    }
};

QTEST_GUILESS_MAIN(TestValues)
#include "tst_values.moc"
