// Whether what was moved holds the same on both sides, on real servers: by their own sha256sum, and without it.
#include "sftp/transferverify.h"
#include "tests/support/sftprun.h"
#include "tests/support/testsshd.h"

#include <QDir>
#include <QTest>

#include <fcntl.h>
#include <unistd.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 120'000;

bool write(const QString &file, const QByteArray &bytes)
{
    QFile to(file);
    return to.open(QIODevice::WriteOnly) && to.write(bytes) == bytes.size();
}

} // namespace

class TestTransferVerify : public QObject
{
    Q_OBJECT

    QTemporaryDir m_programs;

    // A program of this name, in front of the system's; each call of it is a line in "calls" beside it.
    QString pathWith(const QByteArray &script)
    {
        const QString folder = m_programs.filePath(QString::number(qHash(script), 16));
        const QString file = folder + u"/sha256sum"_s;
        if (!QDir().mkpath(folder) || !write(file, "#!/bin/sh\necho call >>'" + folder.toLocal8Bit() + "/calls'\n" + script))
            return {};
        QFile::setPermissions(file, QFile::Permissions(0x7755));
        QFile::setPermissions(folder, QFile::Permissions(0x7777));
        return folder;
    }

private slots:
    void initTestCase() { QFile::setPermissions(m_programs.path(), QFile::Permissions(0x7755)); }

    void eachIsComparedByWhatItHolds_data()
    {
        QTest::addColumn<QByteArray>("script"); // of its sha256sum
        QTest::addColumn<QStringList>("config");
        QTest::newRow("by a command") << "exec /usr/bin/sha256sum \"$@\"\n"_ba << QStringList();
        QTest::newRow("a command that knows nothing") << "exit 1\n"_ba << QStringList();
        QTest::newRow("a command that lies") << "shift; for f; do printf '%064d  %s\\n' 0 \"$f\"; done\n"_ba << QStringList();
        QTest::newRow("no commands at all") << QByteArray() << QStringList{u"ForceCommand internal-sftp"_s};
    }
    void eachIsComparedByWhatItHolds()
    {
        QFETCH(QByteArray, script);
        QFETCH(QStringList, config);
        const QString programs = script.isEmpty() ? QString() : pathWith(script);
        if (!programs.isEmpty())
            config.append(u"SetEnv PATH=%1:/usr/bin:/bin"_s.arg(programs));
        const TestSshd server(TestSshd::Kind::OpenSsh, config);
        SANDPIPER_NEED_SSHD(server);
        const QTemporaryDir folder(server.folder() + u"/XXXXXX"_s);
        const QString here = folder.filePath(u"here"_s);
        const QString there = folder.filePath(u"there"_s);
        QVERIFY(QDir().mkpath(here) && QDir().mkpath(there));
        const QByteArrayList same{"plain", "-", "-c", "two  spaces", "a\nb", "back\\slash\\n", "caf\xe9", "cr\rcr"};
        const auto tree = LocalTree::open(remotePath(QFile::encodeName(here)));
        QVERIFY(tree);
        QList<TransferVerify::File> files;
        const auto add = [&](const QByteArray &name) {
            const FilePath path = remotePath(name);
            files.append({*tree, path, remotePath(QFile::encodeName(there)).joined(path), 0});
        };
        const auto put = [](const QString &in, const QByteArray &name, const QByteArray &bytes) {
            // QFile would take names for text.
            const int fd = ::open((QFile::encodeName(in) + '/' + name).constData(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
            const bool isWritten = ::write(fd, bytes.constData(), size_t(bytes.size())) == bytes.size();
            ::close(fd);
            return isWritten;
        };
        for (const QByteArray &name : same) {
            QVERIFY(put(here, name, "content of " + name) && put(there, name, "content of " + name));
            add(name);
        }
        QVERIFY(put(here, "other", "one") && put(there, "other", "two"));
        add("other");
        QVERIFY(put(here, "only here", "one") && put(there, "only there", "one"));
        add("only here");
        add("only there");
        // More than one command takes.
        for (int i = 0; i < 1200; ++i) {
            const QByteArray name = "f" + QByteArray::number(i);
            QVERIFY(put(here, name, name) && put(there, name, i == 1111 ? QByteArray("other") : name));
            add(name);
        }
        SftpRun run(server.options());
        QVERIFY2(run.becomesReady(), run.why().constData());
        TransferVerify verify(files, {[&] { return run.link.get(); }, [&] { return run.client.get(); }});
        QHash<QByteArray, QByteArray> said;
        int ends = 0;
        connect(&verify, &TransferVerify::compared, this, [&](qsizetype index, const Result<bool> &isSame) {
            const QByteArray name = files.at(index).local.name();
            said[name] += !isSame ? isSame.error().kind == ErrorKind::NotFound ? "missing" : "error" : *isSame ? "same" : "other";
        });
        connect(&verify, &TransferVerify::finished, this, [&] { ++ends; });
        verify.goOn();
        QVERIFY(waitUntil([&] { return ends > 0; }, kPatience));
        QCOMPARE(said.size(), files.size());
        for (const auto &[name, words] : said.asKeyValueRange()) {
            const bool isOther = name == "other" || name == "f1111";
            QCOMPARE(name + ": " + words, name + ": " + (isOther ? "other" : name.startsWith("only ") ? "missing" : "same"));
        }
        // The commands were run, and those that are of no use not again and again.
        if (!programs.isEmpty()) {
            QFile calls(programs + u"/calls"_s);
            QVERIFY(calls.open(QIODevice::ReadOnly));
            QCOMPARE(calls.readAll().count('\n'), script.startsWith("exit") ? 1 : 3);
        }
    }

    void aLostConnectionIsWaitedFor()
    {
        const TestSshd server;
        SANDPIPER_NEED_SSHD(server);
        const QTemporaryDir folder(server.folder() + u"/XXXXXX"_s);
        QVERIFY(write(folder.filePath(u"file"_s), "content"));
        const FilePath path = remotePath(QFile::encodeName(folder.path()));
        const auto tree = LocalTree::open(path);
        QVERIFY(tree);
        std::unique_ptr<SftpRun> run;
        QByteArray said;
        TransferVerify verify({{*tree, remotePath("file"), path.joined(remotePath("file")), 7}},
                              {[&] { return run ? run->link.get() : nullptr; }, [&] { return run ? run->client.get() : nullptr; }});
        connect(&verify, &TransferVerify::compared, this, [&](qsizetype, const Result<bool> &isSame) { said += isSame && *isSame ? "same" : "not"; });
        connect(&verify, &TransferVerify::finished, this, [&] { said += ", end"; });
        verify.goOn();
        run = std::make_unique<SftpRun>(server.options());
        QVERIFY(run->becomesReady());
        verify.goOn();
        run.reset(); // the command goes with it
        run = std::make_unique<SftpRun>(server.options());
        QVERIFY(run->becomesReady());
        QVERIFY(waitUntil([&] {
            verify.goOn();
            return !said.isEmpty();
        }, kPatience));
        QCOMPARE(said, "same, end"_ba);
    }
};

QTEST_GUILESS_MAIN(TestTransferVerify)
#include "tst_transferverify.moc"
