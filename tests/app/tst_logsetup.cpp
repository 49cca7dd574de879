#include "app/logsetup.h"

#include <QFile>
#include <QFileInfo>
#include <QLoggingCategory>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <thread>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

static Q_LOGGING_CATEGORY(lcTest, "sandpiper.test.topic", QtInfoMsg)

class TestLogSetup : public QObject
{
    Q_OBJECT
private slots:
    void whatLooksLikeACredentialIsBlottedOut_data()
    {
        QTest::addColumn<QString>("line");
        QTest::addColumn<QString>("secret");
        QTest::newRow("bearer") << u"Authorization: Bearer abc.def-123456"_s << u"abc.def-123456"_s;
        QTest::newRow("query") << u"GET /ws?token=abcdef123456&x=1"_s << u"abcdef123456"_s;
        QTest::newRow("json") << u"{\"api_key\": \"abcdef123456\"}"_s << u"abcdef123456"_s;
        QTest::newRow("vendor's key") << u"using tl_apiKey_abcDEF1234567890"_s << u"abcDEF1234567890"_s;
        QTest::newRow("user info") << u"https://me:hunter2@host/"_s << u"hunter2"_s;
        QTest::newRow("password") << u"password=hunter2x"_s << u"hunter2x"_s;
        QTest::newRow("private key") << u"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAAxyz"_s << u"AAAAxyz"_s;
    }
    void whatLooksLikeACredentialIsBlottedOut()
    {
        QFETCH(QString, line);
        QFETCH(QString, secret);
        QVERIFY2(!redacted(line).contains(secret), qPrintable(redacted(line)));
    }

    void ordinaryLinesStayAsTheyAre_data()
    {
        QTest::addColumn<QString>("line");
        QTest::newRow("story") << u"connected to my-env, retrying in 4 s"_s;
        QTest::newRow("fingerprint") << u"host key SHA256:Zr8qYbIu0p1h9fNqk1rQ5m4D2l0sXwE3v7tB6cA9yUo"_s;
        QTest::newRow("address") << u"https://api.example.com:8443/v1/sandboxes"_s;
    }
    void ordinaryLinesStayAsTheyAre()
    {
        QFETCH(QString, line);
        QCOMPARE(redacted(line), line);
    }

    void linesReachAFileOfThisUserAloneAndListeners()
    {
        QTemporaryDir dir;
        const QString file = dir.filePath(u"log"_s);
        {
            LogSetup log(file);
            QSignalSpy lines(&log, &LogSetup::lineLogged);
            qCInfo(lcTest) << "told once, token=abcdef123456";
            std::thread other([] { qCWarning(lcTest) << "from another thread"; });
            other.join();
            QTRY_COMPARE_WITH_TIMEOUT(lines.size(), 2, 15000);
            QVERIFY(lines.first().first().toString().contains(u"test.topic"_s));
            QVERIFY(!lines.first().first().toString().contains(u"abcdef"_s));
        }
        const auto others = QFile::ReadGroup | QFile::WriteGroup | QFile::ReadOther | QFile::WriteOther;
        QVERIFY(!(QFileInfo(file).permissions() & others));
        QFile read(file);
        QVERIFY(read.open(QIODevice::ReadOnly));
        const QByteArray content = read.readAll();
        QCOMPARE(content.count('\n'), 2);
        QVERIFY(!content.contains("abcdef123456"));
    }

    void aFileThatCannotBeWrittenStopsNothing()
    {
        LogSetup log(u"/nowhere/at/all/log"_s);
        QSignalSpy lines(&log, &LogSetup::lineLogged);
        qCInfo(lcTest) << "still heard";
        QTRY_COMPARE_WITH_TIMEOUT(lines.size(), 1, 15000);
    }
};

QTEST_GUILESS_MAIN(TestLogSetup)
#include "tst_logsetup.moc"
