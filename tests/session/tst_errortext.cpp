#include "session/errortext.h"

#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

class TestErrorText : public QObject
{
    Q_OBJECT
private slots:
    void everyKindOnEveryLayerIsAWholeSentence_data()
    {
        QTest::addColumn<int>("kind");
        QTest::addColumn<int>("layer");
        for (int kind = 0; kind <= int(ErrorKind::NoKeychain); ++kind) {
            for (int layer = 0; layer <= int(Layer::LocalDisk); ++layer) {
                const QString name = nameOf(ErrorKind(kind)) + u" / "_s + nameOf(Layer(layer));
                QTest::newRow(qUtf8Printable(name)) << kind << layer;
            }
        }
    }
    void everyKindOnEveryLayerIsAWholeSentence()
    {
        QFETCH(int, kind);
        QFETCH(int, layer);
        static const QStringList plainWords{u"name lookup"_s, u"connection"_s, u"secure connection|certificate"_s,
                                            u"HTTP"_s, u"WebSocket"_s, u"SSH"_s, u"sign-in"_s, u"vendor"_s,
                                            u"sandbox"_s, u"SFTP"_s, u"disk"_s};
        for (const QString &subject : {u"box-7 100%1"_s, QString()}) {
            const ErrorText text = errorText({ErrorKind(kind), Layer(layer), u"some detail"_s, subject});
            QVERIFY2(text.sentence.endsWith(u'.'), qUtf8Printable(text.sentence));
            QVERIFY2(text.sentence.at(0).isUpper(), qUtf8Printable(text.sentence));
            QVERIFY2(!text.sentence.contains(u".."_s), qUtf8Printable(text.sentence));
            QVERIFY2(subject.isEmpty() ? !text.sentence.contains(u'%') : text.sentence.contains(subject),
                     qUtf8Printable(text.sentence));
            QCOMPARE(text.stepLabel.isEmpty(), text.step == NextStep::None);
            bool named = false;
            for (const QString &word : plainWords.at(layer).split(u'|'))
                named = named || text.sentence.contains(word);
            QVERIFY2(named, qUtf8Printable(text.sentence));
        }
    }

    void whatTheVendorsSayLeadsToTheRightStep_data()
    {
        QTest::addColumn<int>("layer");
        QTest::addColumn<QString>("detail");
        QTest::addColumn<int>("step");
        QTest::addColumn<QString>("part");
        const auto row = [](const char *name, Layer layer, const char *detail, NextStep step, const char *part) {
            QTest::newRow(name) << int(layer) << QString::fromUtf8(detail) << int(step) << QString::fromUtf8(part);
        };
        row("ssh: key unknown", Layer::Ssh, "Public key SHA256:abc is not registered with Tensorlake. Run …",
            NextStep::RegisterKey, "not registered");
        row("ssh: key unknown, told by auth", Layer::Auth, "key is not registered with Tensorlake",
            NextStep::RegisterKey, "not registered");
        row("ssh: not in a project", Layer::Ssh, "sandbox abc is not present in any of your projects",
            NextStep::RefreshList, "any of your projects");
        row("ssh: suspended", Layer::Ssh, "sandbox abc is currently suspended", NextStep::ResumeSandbox,
            "not running");
        row("ssh: terminated", Layer::Ssh, "sandbox abc is currently terminated", NextStep::RefreshList,
            "terminated");
        row("pty: too many", Layer::Provider, "HTTP 429: TOO_MANY_SESSIONS: no more", NextStep::WaitAndRetry,
            "as many terminal sessions");
        row("pty: bad token", Layer::WebSocket, "INVALID_TOKEN", NextStep::StartNewShell, "token");
        row("pty: no session", Layer::WebSocket, "SESSION_NOT_FOUND", NextStep::StartNewShell, "gone");
        row("pty: killed", Layer::WebSocket, "1001 session terminated", NextStep::StartNewShell, "ended from elsewhere");
        row("pty: overflow", Layer::WebSocket, "1008 pre-ready buffer overflow", NextStep::Retry, "more than the server keeps");
        row("pty: lagged", Layer::WebSocket, "1008 output lagged by 812 messages", NextStep::Retry, "faster than it");
        row("pty: flood", Layer::WebSocket, "1008 input rate limit exceeded", NextStep::Retry, "input was sent faster");
        row("sftp: a start file that prints", Layer::Sftp, "the server's first words are not SFTP: “Welcome”", NextStep::None, "start file");
        row("proxy: not running", Layer::SandboxState, "HTTP 503: SANDBOX_NOT_RUNNING", NextStep::ResumeSandbox, "not running");
        row("proxy: unknown", Layer::SandboxState, "HTTP 404: SANDBOX_NOT_FOUND", NextStep::RefreshList, "not known");
        row("proxy: no id", Layer::Http, "HTTP 400: MISSING_SANDBOX_ID", NextStep::ReportBug, "could not tell");
        row("proxy: refused", Layer::Http, "HTTP 502: CONNECTION_REFUSED", NextStep::Retry, "nothing listens");
        row("proxy: closed", Layer::Http, "HTTP 502: CONNECTION_CLOSED", NextStep::Retry, "closed the connection");
        row("proxy: fault", Layer::Http, "HTTP 502: PROXY_ERROR", NextStep::Retry, "could not reach");
        row("proxy: connect", Layer::Http, "HTTP 504: CONNECTION_TIMEOUT", NextStep::Retry, "in time");
        row("proxy: read", Layer::Http, "HTTP 504: READ_TIMEOUT", NextStep::Retry, "in time");
        row("proxy: write", Layer::Http, "HTTP 504: WRITE_TIMEOUT", NextStep::Retry, "in time");
        row("gateway: no shell", Layer::Ssh, "failed to start sandbox shell", NextStep::Retry, "could not start a shell");
        row("gateway: lost", Layer::Ssh, "sandbox command disconnected", NextStep::Retry, "lost");
        row("gateway: forwards", Layer::Ssh, "only session channels are supported", NextStep::None, "forwards no ports");
        row("gateway: scp", Layer::Ssh, "legacy scp mode is not supported; use default scp/sftp mode", NextStep::None, "SFTP");
        row("tunnel: gone", Layer::WebSocket, R"(HTTP 502: {"sandboxId":"i1","message":"not found","code":502})", NextStep::ResumeSandbox, "paused or gone");
        row("tunnel: no server", Layer::WebSocket, R"(HTTP 502: {"sandboxId":"i1","message":"closed","port":8081,"code":502})",
            NextStep::CreateSandbox, "nothing listens");
        row("tunnel: token", Layer::WebSocket, "HTTP 403: missing e2b-traffic-access-token", NextStep::RefreshList, "traffic access token");
        row("tunnel: limit", Layer::WebSocket, R"(HTTP 429: {"connectionLimit":20})", NextStep::WaitAndRetry, "as many connections");
        row("program: gone", Layer::Ssh, "error: sandbox not found: x", NextStep::RefreshList, "any more");
        row("program: half of it", Layer::Provider, "error: libkrunfw not found: /x", NextStep::None, "not installed whole");
        row("program: boot", Layer::Provider, "error: failed to start \"x\"", NextStep::StartSandbox, "could not be started");
        row("program: name", Layer::Provider, "error: sandbox already exists: x", NextStep::RefreshList, "already");
        row("program: busy", Layer::Provider, "error: sandbox still running: x", NextStep::None, "still running");
        row("ssh: many keys", Layer::Ssh, "Too many authentication failures", NextStep::ChooseKey, "too many keys");
        row("stdin closed", Layer::Provider, "HTTP 400: STDIN_NOT_WRITABLE", NextStep::None, "no more input");
    }
    void whatTheVendorsSayLeadsToTheRightStep()
    {
        QFETCH(int, layer);
        QFETCH(QString, detail);
        QFETCH(int, step);
        QFETCH(QString, part);
        const ErrorText text = errorText({ErrorKind::Protocol, Layer(layer), detail, u"my-env"_s});
        QCOMPARE(int(text.step), step);
        QVERIFY2(text.sentence.contains(part), qUtf8Printable(text.sentence));
        QVERIFY2(text.sentence.contains(u"“my-env”"_s), qUtf8Printable(text.sentence));
    }

    void aRefusedHostKeySaysWhy_data()
    {
        QTest::addColumn<QString>("detail");
        QTest::addColumn<QString>("part");
        QTest::newRow("revoked") << u"SHA256:x is marked as revoked in /k:1"_s << u"revoked"_s;
        QTest::newRow("strict") << u"StrictHostKeyChecking allows only known hosts; ssh-rsa SHA256:x is not known"_s << u"only known hosts"_s;
        QTest::newRow("certificates") << u"only a certificate authority is known for this host, and the system's ssh could not check its certificate"_s
                                      << u"system's ssh"_s;
        QTest::newRow("refused") << u"ssh-rsa SHA256:x is not known"_s << u"not accepted"_s;
    }
    void aRefusedHostKeySaysWhy()
    {
        QFETCH(QString, detail);
        QFETCH(QString, part);
        const ErrorText text = errorText({ErrorKind::HostKeyRefused, Layer::Ssh, detail, u"my-env"_s});
        QCOMPARE(text.step, NextStep::ReviewHostKey);
        QVERIFY2(text.sentence.contains(part), qUtf8Printable(text.sentence));
        QVERIFY2(text.sentence.contains(u"“my-env”"_s), qUtf8Printable(text.sentence));
    }

    void aCancelledQuestionIsNeverAVendorsRefusal()
    {
        const ErrorText text = errorText({ErrorKind::Cancelled, Layer::Ssh, u"is currently suspended"_s, {}});
        QCOMPARE(text.step, NextStep::None);
        QVERIFY(text.sentence.contains(u"cancelled"_s));
    }

    void theVendorsReasonIsPartOfTheSentence()
    {
        const ErrorText text = errorText({ErrorKind::Conflict, Layer::Provider, u"name\x1b[2J taken"_s, u"a"_s});
        QVERIFY2(text.sentence.endsWith(u" (name [2J taken)."_s), qUtf8Printable(text.sentence));
    }

    void aHugeDetailStaysShort()
    {
        const ErrorText text = errorText({ErrorKind::ServerError, Layer::Http, QString(100'000, u'x'), QString(5000, u'y')});
        QVERIFY(text.sentence.size() < 600);
    }

    void aFullDiskAsksForSpace()
    {
        QCOMPARE(errorText({ErrorKind::Io, Layer::LocalDisk, u"No space left on device"_s, u"f"_s}).step, NextStep::FreeSpace);
        QCOMPARE(errorText({ErrorKind::Io, Layer::LocalDisk, u"Input/output error"_s, u"f"_s}).step, NextStep::Retry);
    }
};

QTEST_GUILESS_MAIN(TestErrorText)
#include "tst_errortext.moc"
