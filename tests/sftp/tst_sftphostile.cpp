// Servers that attack, and one that offers what it does not have: each question ends once, with a reason.
#include "tests/support/sftprun.h"
#include "tests/support/testsshd.h"

#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr int kPatience = 60'000;

// Of the protocol, as arguments of the server want it.
constexpr char kStat[] = "17";
constexpr char kOpen[] = "3";
constexpr char kRead[] = "5";
constexpr char kWrite[] = "6";
constexpr char kReaddir[] = "12";

QString attack(const char *at, const char *what)
{
    return u"at=%1 do=%2"_s.arg(QLatin1StringView(at), QLatin1StringView(what));
}

} // namespace

class TestSftpHostile : public QObject
{
    Q_OBJECT

    AwkwardSftp m_awkward;
    QStringList subsystem(const QString &habits) const { return {m_awkward.subsystem(habits)}; }

private slots:
    void whatIsNoAnswerEndsEverythingOnce_data()
    {
        QTest::addColumn<QString>("habits");
        QTest::addColumn<ErrorKind>("kind");
        QTest::addColumn<QString>("words");
        const auto row = [](const char *name, const char *what, ErrorKind kind, const QString &words) {
            QTest::newRow(name) << attack(kStat, what) << kind << words;
        };
        row("length 0", "00000000", ErrorKind::Protocol, u"0 bytes"_s);
        row("length 2^32-1", "ffffffff", ErrorKind::Protocol, u"4294967295 bytes"_s);
        row("one byte too long", "00040401", ErrorKind::Protocol, u"263169 bytes"_s);
        row("truncated", "0000000969494400000001", ErrorKind::Protocol, u"truncated"_s);
        row("unknown id", "00000009657fffffff00000000", ErrorKind::Protocol, u"nothing that was asked"_s);
        row("answered twice", "00000009654944000000020000000965494400000002", ErrorKind::Protocol, u"nothing that was asked"_s);
        row("unknown type", "00000005634944", ErrorKind::Protocol, u"type 99"_s);
        row("version again", "000000050200000003", ErrorKind::Protocol, u"type 2"_s);
        row("a million names", "0000000968494400100000", ErrorKind::Protocol, u"1048576 names"_s);
        row("a flood", "flood", ErrorKind::Protocol, u"nothing that was asked"_s);
        row("an early end", "exit", ErrorKind::ConnectionLost, u"status 3"_s);
        row("an end within a packet", "0000ffff6949", ErrorKind::Protocol, QString());
        QTest::newRow("a handle too long") << attack(kOpen, "0000010a66494400000101") << ErrorKind::Protocol << QString();
        QTest::newRow("a greeting") << u"greeting"_s << ErrorKind::Protocol << u"Welcome to this server"_s;
    }
    void whatIsNoAnswerEndsEverythingOnce()
    {
        QFETCH(QString, habits);
        QFETCH(ErrorKind, kind);
        QFETCH(QString, words);
        TestSshd server(TestSshd::Kind::OpenSsh, subsystem(habits));
        SANDPIPER_NEED_SSHD(server);
        // Where a packet begins that never ends, the end of the patience is the end of all.
        const bool isHalf = words.isEmpty();
        SftpRun run(server.options(), isHalf ? SftpPatience{1s, 2s} : SftpPatience{});
        QList<QFuture<Result<FileAttributes>>> questions;
        for (int i = 0; i < 20; ++i)
            questions += run.client->stat(remotePath("/"));
        const ReadFile read(run.client.get(), {.path = remotePath("/etc/passwd")});
        QVERIFY(waitUntil([&] { return !run.ends.isEmpty(); }, kPatience));
        QCOMPARE(run.ends.size(), 1);
        if (!isHalf) {
            QVERIFY2(run.ends.first().kind == kind, run.why().constData());
            QVERIFY2(run.ends.first().detail.contains(words), run.why().constData());
        }
        for (const auto &question : std::as_const(questions))
            QVERIFY(question.isFinished());
        QCOMPARE(read.ends.size(), 1);
        QVERIFY(!read.isWhole());
        QCOMPARE(run.link->state(), LinkState::Ready); // the shell beside it goes on
    }

    void aQuestionThatIsNotAnsweredEndsInTime()
    {
        TestSshd server(TestSshd::Kind::OpenSsh, subsystem(attack(kStat, "silence")));
        SANDPIPER_NEED_SSHD(server);
        SftpRun run(server.options(), {1s, 10s});
        const auto question = run.client->stat(remotePath("/etc"));
        const Result<FileAttributes> answer = waited(question);
        QVERIFY(!answer);
        QCOMPARE(answer.error().kind, ErrorKind::Timeout);
        QCOMPARE(answer.error().subject, u"/etc"_s);
        QVERIFY(waitUntil([&] { return !run.ends.isEmpty(); }, kPatience));
        QCOMPARE(run.ends.first().kind, ErrorKind::ConnectionLost);
    }

    void anAnswerOfTheWrongKindIsOfThatQuestionOnly()
    {
        TestSshd server(TestSshd::Kind::OpenSsh, subsystem(attack(kStat, "0000000966494400000000")));
        SANDPIPER_NEED_SSHD(server);
        SftpRun run(server.options());
        QCOMPARE(waited(run.client->stat(remotePath("/"))).error().kind, ErrorKind::Protocol);
        QVERIFY(waited(run.client->stat(remotePath("/"))).has_value());
        QVERIFY(run.ends.isEmpty());
    }

    void aReadThatGivesMoreThanWasAskedForIsRefused()
    {
        TestSshd server(TestSshd::Kind::OpenSsh, subsystem(attack(kRead, "long")));
        SANDPIPER_NEED_SSHD(server);
        SftpRun run(server.options());
        const ReadFile read(run.client.get(), {.path = remotePath("/etc/passwd")});
        QCOMPARE(read.ends.size(), 1);
        QVERIFY(!read.isWhole());
        QCOMPARE(read.ends.first().error().kind, ErrorKind::Protocol);
        QCOMPARE(read.bytes, ""_ba);
        QVERIFY(ReadFile(run.client.get(), {.path = remotePath("/etc/passwd")}).isWhole());
    }

    void aFileThatEndsEarlyIsToldApart_data()
    {
        QTest::addColumn<qsizetype>("size");
        QTest::addColumn<bool>("isError");
        // The end is said of the first piece: a small file has only that one, of a large one more arrives.
        QTest::newRow("with nothing behind") << qsizetype(1000) << false;
        QTest::newRow("with something behind") << qsizetype(1'000'000) << true;
    }
    void aFileThatEndsEarlyIsToldApart()
    {
        QFETCH(qsizetype, size);
        QFETCH(bool, isError);
        // The first READ goes out alone, so with more in flight it is a later one that lies.
        TestSshd server(TestSshd::Kind::OpenSsh, subsystem(attack(kRead, "0000000965494400000001")));
        SANDPIPER_NEED_SSHD(server);
        SftpRun run(server.options());
        const FilePath path = remotePath(server.folder().toLocal8Bit() + "/file");
        QVERIFY(writeFile(run.client.get(), {.path = path}, QByteArray(size, 'x')));
        const ReadFile read(run.client.get(), {.path = path});
        QCOMPARE(read.ends.size(), 1);
        if (!read.isWhole()) {
            QVERIFY(isError);
            QCOMPARE(read.ends.first().error().kind, ErrorKind::Io);
        } else {
            QCOMPARE(read.ends.first().value(), (ReadEnd{0, true}));
        }
        QCOMPARE(read.bytes, ""_ba);
    }

    void aRefusedWriteEndsTheFile()
    {
        TestSshd server(TestSshd::Kind::OpenSsh, subsystem(attack(kWrite, "0000000965494400000003")));
        SANDPIPER_NEED_SSHD(server);
        SftpRun run(server.options());
        const FilePath path = remotePath(server.folder().toLocal8Bit() + "/file");
        const Done written = writeFile(run.client.get(), {.path = path}, QByteArray(3 << 20, 'x'));
        QVERIFY(!written);
        QCOMPARE(written.error().kind, ErrorKind::PermissionDenied);
        QCOMPARE(written.error().subject, path.shown());
        QVERIFY(waited(run.client->stat(path)).has_value());
    }

    void namesThatNoFileCanHaveAreLeftOut()
    {
        TestSshd server(TestSshd::Kind::OpenSsh, subsystem(attack(kReaddir, "names")));
        SANDPIPER_NEED_SSHD(server);
        SftpRun run(server.options());
        QVERIFY(waited(run.client->makeFolder(remotePath(server.folder().toLocal8Bit() + "/empty"))));
        const ListedFolder listed(run.client.get(), remotePath(server.folder().toLocal8Bit() + "/empty"));
        QCOMPARE(listed.ends.size(), 1);
        QVERIFY(listed.ends.first());
        QByteArrayList expected{"good"_ba, "new\nline"_ba, "\x1b[2J"_ba, "\xe2\x80\xae" "exe.gpj"_ba, "\xff\xfe"_ba};
        std::sort(expected.begin(), expected.end());
        QCOMPARE(listed.names(), expected);
        QCOMPARE(listed.ends.first().value(), (ListEnd{5, 6}));
    }

    void whatIsOfferedAndMissingIsDoneWithout()
    {
        TestSshd server(TestSshd::Kind::OpenSsh,
                        subsystem(u"offer=posix-rename@openssh.com offer=limits@openssh.com offer=fstatvfs@openssh.com offer=copy-data"_s));
        SANDPIPER_NEED_SSHD(server);
        SftpRun run(server.options());
        const auto at = [&](const char *name) { return remotePath(server.folder().toLocal8Bit() + '/' + name); };
        QVERIFY(run.becomesReady());
        QVERIFY(writeFile(run.client.get(), {.path = at("a")}, "x"_ba));
        QVERIFY(waited(run.client->rename(at("a"), at("b"), RenamePolicy::Replace)));
        QVERIFY(writeFile(run.client.get(), {.path = at("a")}, "y"_ba));
        QCOMPARE(waited(run.client->rename(at("a"), at("b"), RenamePolicy::Replace)).error().kind, ErrorKind::Conflict);
        QCOMPARE(waited(run.client->copyFile(at("a"), at("c"))).error().kind, ErrorKind::Unsupported);
        // What was begun is taken back.
        QCOMPARE(waited(run.client->stat(at("c"))).error().kind, ErrorKind::NotFound);
        QCOMPARE(waited(run.client->space(at("a"))).error().kind, ErrorKind::Unsupported);
        QVERIFY(run.ends.isEmpty());
    }
};

QTEST_GUILESS_MAIN(TestSftpHostile)
#include "tst_sftphostile.moc"
