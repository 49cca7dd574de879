// Files on real servers: OpenSSH's two, dropbear with OpenSSH's, and one without any extension that reorders, caps
// and refuses. And what becomes of it all when something is lost.
#include "tests/sftp/sftpparity.h"
#include "tests/support/testsshd.h"

#include <QTest>

#include <map>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 60'000;

} // namespace

class TestSftpClient : public SftpParity
{
    Q_OBJECT

    AwkwardSftp m_awkward;
    std::map<QString, std::unique_ptr<TestSshd>> m_servers;

protected:
    QStringList kinds() const override { return {u"internal-sftp"_s, u"sftp-server"_s, u"dropbear"_s, u"awkward"_s}; }
    QByteArray folderOf(const QString &kind) const override { return m_servers.at(kind)->folder().toLocal8Bit(); }
    LinkOptions optionsOf(const QString &kind, QString &problem) override
    {
        std::unique_ptr<TestSshd> &server = m_servers[kind];
        if (!server) {
            if (kind == "dropbear"_L1)
                server = std::make_unique<TestSshd>(TestSshd::Kind::Dropbear);
            else if (kind == "sftp-server"_L1)
                server = std::make_unique<TestSshd>(TestSshd::Kind::OpenSsh, QStringList{u"Subsystem sftp /usr/lib/openssh/sftp-server"_s});
            else if (kind == "awkward"_L1)
                server = std::make_unique<TestSshd>(TestSshd::Kind::OpenSsh, QStringList{m_awkward.subsystem(u"reorder zero-names cap=10000 no-setstat"_s)});
            else
                server = std::make_unique<TestSshd>();
        }
        problem = server->problem();
        return problem.isEmpty() ? server->options() : LinkOptions();
    }

private slots:
    // Not after Qt Test has returned: where its watchdog lay on the stack the thread sanitizer takes us for a race.
    void cleanupTestCase() { m_servers.clear(); }

    void aQuestionCancelledBeforeItsTurnIsNotCarriedOut()
    {
        begin(u"internal-sftp"_s);
        if (QTest::currentTestResolved())
            return;
        QList<QFuture<Done>> made;
        for (int i = 0; i < 600; ++i)
            made += client()->makeFolder(at(QByteArray::number(i)));
        for (QFuture<Done> &one : made.last(300))
            one.cancel();
        QVERIFY(waited(made[299]));
        QVERIFY(waited(client()->stat(m_root)).has_value());
        QCOMPARE(ListedFolder(client(), m_root).rows.size(), 300);
    }

    void whatIsUnderWayEndsOnceWithTheConnection_data()
    {
        QTest::addColumn<QString>("how");
        QTest::newRow("the server dies") << u"kill"_s;
        QTest::newRow("the link is closed") << u"close"_s;
        QTest::newRow("the link is deleted") << u"delete"_s;
        QTest::newRow("the client is deleted") << u"client"_s;
    }
    void whatIsUnderWayEndsOnceWithTheConnection()
    {
        QFETCH(QString, how);
        TestSshd server;
        SANDPIPER_NEED_SSHD(server);
        SftpRun run(server.options());
        QVERIFY2(run.becomesReady(), run.why().constData());
        const FilePath large = remotePath(server.folder().toLocal8Bit() + "/large");
        QVERIFY(writeFile(run.client.get(), {.path = large}, filePattern(8 << 20)));
        QList<ErrorKind> ends;
        const auto reader = run.client->read({.path = large});
        connect(reader.get(), &SftpReader::finished, reader.get(), [&](const Result<ReadEnd> &end) { ends += end ? ErrorKind::Unsupported : end.error().kind; });
        const auto writer = run.client->write({.path = remotePath(server.folder().toLocal8Bit() + "/new")});
        connect(writer.get(), &SftpWriter::finished, writer.get(), [&](const Done &end) { ends += end ? ErrorKind::Unsupported : end.error().kind; });
        bool isRead = false;
        connect(reader.get(), &SftpReader::received, reader.get(), [&] { isRead = true; });
        QVERIFY(waitUntil([&] { return isRead; }, kPatience));
        QList<QFuture<Result<FileAttributes>>> questions;
        if (how == "kill"_L1)
            server.kill();
        for (int i = 0; i < 1000; ++i)
            questions += run.client->stat(large);
        if (how == "close"_L1)
            run.link->close();
        else if (how == "delete"_L1)
            run.link.reset();
        else if (how == "client"_L1)
            run.client.reset();
        QVERIFY(waitUntil([&] { return ends.size() == 2; }, kPatience));
        const bool isOurs = how != "kill"_L1;
        QCOMPARE(ends, QList<ErrorKind>(2, isOurs ? ErrorKind::Cancelled : ErrorKind::ConnectionLost));
        int answered = 0;
        for (const auto &question : std::as_const(questions)) {
            QVERIFY(question.isFinished());
            answered += question.result().has_value();
        }
        QVERIFY(answered < 1000);
        if (run.client) {
            QCOMPARE(run.ends.size(), 1);
            // What comes too late is told so as well.
            QVERIFY(!waited(run.client->stat(large)));
            const ReadFile late(run.client.get(), {.path = large});
            QVERIFY(!late.isWhole());
        }
    }

    void aServerWithoutSftpSaysSo_data()
    {
        QTest::addColumn<QString>("config");
        QTest::addColumn<ErrorKind>("kind");
        QTest::addColumn<QString>("words");
        QTest::newRow("no such program") << u"Subsystem sftp /no/such/program"_s << ErrorKind::Unsupported << u"status 127"_s;
        QTest::newRow("a program that fails") << u"Subsystem sftp /bin/false"_s << ErrorKind::Unsupported << u"status 1"_s;
        QTest::newRow("a program that talks") << u"Subsystem sftp /bin/echo Welcome to this server"_s << ErrorKind::Protocol << u"Welcome"_s;
        QTest::newRow("a command in its place") << u"ForceCommand echo no files here"_s << ErrorKind::Protocol << u"no files"_s;
    }
    void aServerWithoutSftpSaysSo()
    {
        QFETCH(QString, config);
        QFETCH(ErrorKind, kind);
        QFETCH(QString, words);
        TestSshd server(TestSshd::Kind::OpenSsh, {config});
        SANDPIPER_NEED_SSHD(server);
        SftpRun run(server.options());
        const auto question = run.client->stat(remotePath("/"));
        QVERIFY(waitUntil([&] { return !run.ends.isEmpty(); }, kPatience));
        QCOMPARE(run.ends.size(), 1);
        QVERIFY2(run.ends.first().kind == kind, run.why().constData());
        QCOMPARE(run.ends.first().layer, Layer::Sftp);
        QVERIFY2(run.ends.first().detail.contains(words), run.why().constData());
        QVERIFY(question.isFinished());
        QCOMPARE(question.result().error().kind, kind);
        QVERIFY(run.link->state() == LinkState::Ready);
    }
};

QTEST_GUILESS_MAIN(TestSftpClient)
#include "tst_sftpclient.moc"
