// A transfer whose program is killed again and again: what is there in the end is what was to be there, whole and
// once.
#include "tests/support/testsshd.h"

#include <QRandomGenerator>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 120'000;
constexpr int kFiles = 2'000;

QByteArray shell(const QString &script)
{
    QProcess process;
    process.start(u"bash"_s, {u"-c"_s, u"set -e; "_s + script});
    (void)process.waitForFinished(kPatience);
    return process.readAllStandardOutput() + process.readAllStandardError();
}

QByteArray contents(const QString &folder)
{
    return shell(u"cd '%1'; find . -printf '%P\\t%y\\t%m\\n' | LC_ALL=C sort; find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum"_s.arg(folder));
}

} // namespace

class TestTransferKill : public QObject
{
    Q_OBJECT

private slots:
    void nothingIsLostHalfOrTwice_data()
    {
        QTest::addColumn<QString>("way");
        QTest::newRow("fetch") << u"fetch"_s;
        QTest::newRow("send") << u"send"_s;
        QTest::newRow("relay") << u"relay"_s;
        QTest::newRow("within this computer") << u"here"_s;
    }
    void nothingIsLostHalfOrTwice()
    {
        QFETCH(QString, way);
        TestSshd server;
        SANDPIPER_NEED_SSHD(server);
        const QTemporaryDir here(server.folder() + u"/XXXXXX"_s);
        const QString source = here.filePath(u"source"_s);
        QCOMPARE(shell(u"mkdir -p '%1'; cd '%1'; for d in $(seq 20); do mkdir d$d; for f in $(seq %2); do head -c $((f * d * 7)) /dev/urandom >d$d/f$f; done; done; head -c 40000000 /dev/urandom >large"_s
                               .arg(source)
                               .arg(kFiles / 20)),
                 "");
        const int kills = qEnvironmentVariableIsSet("SANDPIPER_LONG_TESTS") ? 100 : 5; // of each way
        // A seed that is told, so that a failure can be seen again.
        const quint32 seed = qEnvironmentVariableIsSet("SANDPIPER_SEED") ? quint32(qEnvironmentVariableIntValue("SANDPIPER_SEED")) : QRandomGenerator::global()->generate();
        QRandomGenerator random(seed);
        qInfo("SANDPIPER_SEED=%u", seed);
        for (int killed = 0, round = 0; killed < kills; ++round) {
            QVERIFY(round < 50 * kills);
            const QString target = here.filePath(u"target%1"_s.arg(round));
            const QString journal = here.filePath(u"journal%1"_s.arg(round));
            const QStringList arguments{way, source, target, journal, QString::number(server.port()), server.user(), server.identity(), QString::fromUtf8(server.hostKey())};
            // Several times within one transfer, until it has come to its end.
            QProcess worker;
            worker.setProcessChannelMode(QProcess::ForwardedErrorChannel);
            for (bool isOver = false; !isOver;) {
                worker.start(QCoreApplication::applicationDirPath() + u"/transfer_worker"_s, arguments);
                const int wait = killed < kills ? int(random.bounded(3'000)) : kPatience;
                isOver = worker.waitForFinished(wait);
                if (!isOver) {
                    worker.kill();
                    QVERIFY(worker.waitForFinished(kPatience));
                    ++killed;
                }
            }
            QCOMPARE(worker.exitStatus(), QProcess::NormalExit);
            QCOMPARE(worker.exitCode(), 0);
            QVERIFY(contents(target + u"/source"_s) == contents(source));
            QCOMPARE(shell(u"find '%1' -name '.sandpiper*'; rm -rf '%1'"_s.arg(target)), "");
        }
    }
};

QTEST_GUILESS_MAIN(TestTransferKill)
#include "tst_transferkill.moc"
