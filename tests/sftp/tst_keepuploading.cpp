// A folder that is kept as it is here on a real SSH server.
#include "sftp/keepuploading.h"
#include "sftp/localfilesystem.h"
#include "tests/sftp/filesystemrun.h"
#include "tests/sftp/trees.h"
#include "tests/support/testsshd.h"
#include "tests/support/transferrunner.h"

#include <QDir>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 60'000;

}

class TestKeepUploading : public QObject
{
    Q_OBJECT

    struct Stage
    {
        explicit Stage(const LinkOptions &options)
            : runner(options)
            , link(options, &prompts)
            , there(&link, u"box"_s)
            , here(u"here"_s)
        {
            link.connectToHost();
            (void)QDir(dir.path()).mkpath(u"from/sub"_s);
            keep = std::make_unique<KeepUploading>(TreeSync::Places{&here, path("from"), &there, path("to"), TransferRunner::place(u"server"_s), u"box"_s}, runner.queue.get());
            keep->watch()->setPatience(std::chrono::milliseconds(20));
            QObject::connect(keep.get(), &KeepUploading::settled, keep.get(), [this](qint64, const std::optional<Error> &error) {
                ++rounds;
                if (error)
                    errors.append(*error);
            });
        }
        [[nodiscard]] FilePath path(const QByteArray &name) const { return filePath(QFile::encodeName(dir.path()) + '/' + name); }
        void write(const QString &name, const QByteArray &content) const
        {
            QFile file(dir.filePath(name));
            QVERIFY(file.open(QIODevice::WriteOnly));
            file.write(content);
        }
        [[nodiscard]] QByteArray read(const QString &name) const
        {
            QFile file(dir.filePath(name));
            return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray("(not there)");
        }
        QTemporaryDir dir;
        TransferRunner runner;
        RecordingPrompts prompts;
        SshLink link;
        SftpFileSystem there;
        LocalFileSystem here;
        std::unique_ptr<KeepUploading> keep;
        int rounds = 0;
        QList<Error> errors;
    };
    std::unique_ptr<TestSshd> m_sshd;

private slots:
    void initTestCase()
    {
        m_sshd = std::make_unique<TestSshd>();
        SANDPIPER_NEED_SSHD(*m_sshd);
    }

    void whatIsThereGoesFirstAndWhatChangesFollows()
    {
        Stage stage(m_sshd->options());
        stage.write(u"from/one"_s, "1");
        stage.write(u"from/sub/two"_s, "2");
        stage.keep->start();
        QVERIFY(waitUntil([&] { return stage.read(u"to/one"_s) == "1" && stage.read(u"to/sub/two"_s) == "2"; }, kPatience));
        QVERIFY(waitUntil([&] { return stage.rounds >= 2 && !stage.keep->isBusy(); }, kPatience));
        stage.write(u"from/sub/two"_s, "changed");
        QVERIFY(waitUntil([&] { return stage.read(u"to/sub/two"_s) == "changed"; }, kPatience));
        // Also in a folder that is new.
        (void)QDir(stage.dir.path()).mkpath(u"from/new/deep"_s);
        stage.write(u"from/new/deep/three"_s, "3");
        QVERIFY(waitUntil([&] { return stage.read(u"to/new/deep/three"_s) == "3"; }, kPatience));
        stage.write(u"from/new/deep/three"_s, "33");
        QVERIFY(waitUntil([&] { return stage.read(u"to/new/deep/three"_s) == "33"; }, kPatience));
        QVERIFY(stage.errors.isEmpty());
    }

    void nothingIsRemovedThere()
    {
        Stage stage(m_sshd->options());
        (void)QDir(stage.dir.path()).mkpath(u"to"_s);
        stage.write(u"to/theirs"_s, "theirs");
        stage.write(u"from/one"_s, "1");
        stage.keep->start();
        QVERIFY(waitUntil([&] { return stage.read(u"to/one"_s) == "1"; }, kPatience));
        QVERIFY(QFile::remove(stage.dir.filePath(u"from/one"_s)));
        const int before = stage.rounds;
        QVERIFY(waitUntil([&] { return stage.rounds > before + 1 || (stage.rounds > before && !stage.keep->isBusy()); }, kPatience));
        QCOMPARE(stage.read(u"to/one"_s), QByteArray("1"));
        QCOMPARE(stage.read(u"to/theirs"_s), QByteArray("theirs"));
    }

    void stoppedItUploadsNothingMore()
    {
        Stage stage(m_sshd->options());
        stage.keep->start();
        QVERIFY(waitUntil([&] { return stage.rounds >= 1; }, kPatience));
        stage.keep.reset();
        stage.write(u"from/late"_s, "1");
        QVERIFY(stage.runner.queue->transfers().isEmpty() || isOver(stage.runner.queue->progress(stage.runner.queue->transfers().constLast()).state));
        QCOMPARE(stage.read(u"to/late"_s), QByteArray("(not there)"));
    }
};

QTEST_GUILESS_MAIN(TestKeepUploading)
#include "tst_keepuploading.moc"
