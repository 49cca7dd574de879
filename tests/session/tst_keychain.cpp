#include "session/keychain.h"
#include "tests/support/waited.h"

#include <QDirIterator>
#include <QFile>
#include <QProcess>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include <memory>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

// Run with one of these as argument, in an environment that start() has made.
const QString realRun = u"--with-keyring"_s;
const QString absentRun = u"--without"_s;

bool anyFileHolds(const QString &folder, const QByteArray &needle)
{
    QDirIterator files(folder, QDir::Files | QDir::Hidden, QDirIterator::Subdirectories);
    while (files.hasNext()) {
        QFile file(files.next());
        if (file.open(QIODevice::ReadOnly) && file.readAll().contains(needle))
            return true;
    }
    return false;
}

} // namespace

// The bus and the keyring of a desktop are found once per process, so each kind of desktop is a
// process of its own: this class starts them, the classes below are what they run.
class TestKeychain : public QObject
{
    Q_OBJECT
private slots:
    void memoryKeepsAndForgets()
    {
        const auto keychain = makeMemoryKeychain();
        QCOMPARE(keychain->persistence(), Keychain::Persistence::ThisRunOnly);
        QVERIFY(waited(keychain->write(u"k"_s, Secret("one"))));
        QVERIFY(waited(keychain->write(u"k"_s, Secret("two"))));
        QVERIFY(waited(keychain->read(u"k"_s)).value()->equals("two"));
        QVERIFY(waited(keychain->remove(u"k"_s)));
        QCOMPARE(waited(keychain->read(u"k"_s)).error().kind, ErrorKind::NotFound);
        QVERIFY(waited(keychain->remove(u"k"_s)));
    }

    void theVariableChoosesMemory()
    {
        qputenv("SANDPIPER_KEYCHAIN", "memory");
        QCOMPARE(makeSystemKeychain()->persistence(), Keychain::Persistence::ThisRunOnly);
    }

    void secretsGoToARealKeyring()
    {
        if (QStandardPaths::findExecutable(u"gnome-keyring-daemon"_s).isEmpty()
            || QStandardPaths::findExecutable(u"dbus-run-session"_s).isEmpty()) {
            QVERIFY2(qEnvironmentVariable("CI") != "true"_L1, "gnome-keyring and dbus-run-session are needed");
            QSKIP("gnome-keyring-daemon or dbus-run-session is not installed");
        }
        // The keyring is unlocked with an empty passphrase and lives as long as its bus.
        start(u"dbus-run-session"_s,
              {u"--"_s, u"sh"_s, u"-c"_s,
               u"printf '\\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null && exec \"$0\" \"$1\""_s,
               QCoreApplication::applicationFilePath(), realRun});
    }

    void withoutAServiceMemoryTakesOver_data()
    {
        QTest::addColumn<QString>("bus");
        QTest::newRow("no bus") << u"unix:path=/nonexistent/bus"_s;
        QTest::newRow("a bus without a service") << QString();
    }
    void withoutAServiceMemoryTakesOver()
    {
        QFETCH(QString, bus);
        if (!bus.isEmpty()) {
            start(QCoreApplication::applicationFilePath(), {absentRun}, bus);
            return;
        }
        if (QStandardPaths::findExecutable(u"dbus-daemon"_s).isEmpty())
            QSKIP("dbus-daemon is not installed");
        // A bus of its own that can start nothing.
        QTemporaryDir dir;
        QFile config(dir.filePath(u"bus.conf"_s));
        QVERIFY(config.open(QIODevice::WriteOnly));
        config.write("<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" "
                     "\"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n<busconfig><type>session</type>"
                     "<listen>unix:dir=/tmp</listen><policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>"
                     "<allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>\n");
        config.close();
        QProcess daemon;
        daemon.start(u"dbus-daemon"_s, {u"--nofork"_s, u"--print-address"_s, u"--config-file="_s + config.fileName()});
        QVERIFY(daemon.waitForStarted());
        QTRY_VERIFY_WITH_TIMEOUT(daemon.canReadLine(), 30s);
        start(QCoreApplication::applicationFilePath(), {absentRun}, QString::fromUtf8(daemon.readLine()).trimmed());
        daemon.kill();
        daemon.waitForFinished();
    }

private:
    static void start(const QString &program, const QStringList &arguments, const QString &bus = {})
    {
        QTemporaryDir home;
        auto environment = QProcessEnvironment::systemEnvironment();
        environment.remove(u"SANDPIPER_KEYCHAIN"_s);
        environment.remove(u"DISPLAY"_s);
        for (const QString &name : {u"HOME"_s, u"XDG_DATA_HOME"_s, u"XDG_CONFIG_HOME"_s, u"XDG_RUNTIME_DIR"_s, u"XDG_CACHE_HOME"_s,
                                    u"XDG_STATE_HOME"_s})
            environment.insert(name, home.path());
        if (!bus.isEmpty())
            environment.insert(u"DBUS_SESSION_BUS_ADDRESS"_s, bus);
        QProcess process;
        process.setProcessEnvironment(environment);
        process.setProcessChannelMode(QProcess::MergedChannels);
        process.start(program, arguments);
        QVERIFY(process.waitForFinished(100'000));
        const QByteArray output = process.readAll();
        QVERIFY2(process.exitStatus() == QProcess::NormalExit && process.exitCode() == 0, output.constData());
    }
};

class WithKeyring : public QObject
{
    Q_OBJECT
private slots:
    void aSecretComesBack()
    {
        const QByteArray value = QByteArray("pass\0word\xff\n", 11);
        const auto keychain = makeSystemKeychain();
        QCOMPARE(keychain->persistence(), Keychain::Persistence::Unknown);
        QSignalSpy changes(keychain.get(), &Keychain::persistenceChanged);
        QVERIFY(waited(keychain->write(u"account/a b/1"_s, Secret(value))));
        QCOMPARE(keychain->persistence(), Keychain::Persistence::Lasting);
        QCOMPARE(changes.size(), 1);
        // Another object finds it: it does not come from memory.
        QVERIFY(waited(makeSystemKeychain()->read(u"account/a b/1"_s)).value()->equals(value));
        QVERIFY(waited(keychain->remove(u"account/a b/1"_s)));
        QCOMPARE(waited(keychain->read(u"account/a b/1"_s)).error().kind, ErrorKind::NotFound);
        QVERIFY(waited(keychain->remove(u"account/a b/1"_s)));
        QCOMPARE(changes.size(), 1);
    }

    void aMissingSecretProvesThatTheKeyringIsThere()
    {
        const auto keychain = makeSystemKeychain();
        QCOMPARE(waited(keychain->read(u"none"_s)).error().kind, ErrorKind::NotFound);
        QCOMPARE(keychain->persistence(), Keychain::Persistence::Lasting);
    }

    void manyAtOnceAllArrive()
    {
        const auto keychain = makeSystemKeychain();
        QList<QFuture<Done>> writes;
        for (int i = 0; i < 20; ++i)
            writes.append(keychain->write(u"pty/x/%1"_s.arg(i), Secret(QByteArray::number(i))));
        for (auto &write : writes)
            QVERIFY(waited(write));
        for (int i = 0; i < 20; ++i)
            QVERIFY(waited(keychain->read(u"pty/x/%1"_s.arg(i))).value()->equals(QByteArray::number(i)));
    }

    void aKeychainThatGoesAwayLeavesNothingBehind()
    {
        auto keychain = makeSystemKeychain();
        QFuture<Done> write = keychain->write(u"gone"_s, Secret("x"));
        keychain.reset();
        QTRY_VERIFY_WITH_TIMEOUT(write.isFinished(), 30s);
        // The store's late answer must find nobody, and hurt nobody.
        QVERIFY(waited(makeSystemKeychain()->write(u"after"_s, Secret("y"))));
    }
};

class WithoutService : public QObject
{
    Q_OBJECT
private slots:
    void secretsLastForThisRunAndTouchNoDisk()
    {
        const QByteArray value = "sesame-open-9137";
        const auto keychain = makeSystemKeychain();
        QSignalSpy changes(keychain.get(), &Keychain::persistenceChanged);
        QVERIFY(waited(keychain->write(u"account/a"_s, Secret(value))));
        QCOMPARE(keychain->persistence(), Keychain::Persistence::ThisRunOnly);
        QCOMPARE(changes.size(), 1);
        QVERIFY(waited(keychain->read(u"account/a"_s)).value()->equals(value));
        QVERIFY(!anyFileHolds(QDir::homePath(), value));
        QVERIFY(!anyFileHolds(QDir::homePath(), value.toBase64()));
        QVERIFY(waited(keychain->remove(u"account/a"_s)));
        QCOMPARE(waited(keychain->read(u"account/a"_s)).error().kind, ErrorKind::NotFound);
        QCOMPARE(changes.size(), 1);
    }

    void theFirstReadToo()
    {
        const auto keychain = makeSystemKeychain();
        QCOMPARE(waited(keychain->read(u"account/a"_s)).error().kind, ErrorKind::NotFound);
        QCOMPARE(keychain->persistence(), Keychain::Persistence::ThisRunOnly);
    }
};

int main(int argc, char *argv[])
{
    QCoreApplication app(argc, argv);
    QStringList arguments = app.arguments();
    if (arguments.removeAll(realRun) > 0) {
        WithKeyring test;
        return QTest::qExec(&test, arguments);
    }
    if (arguments.removeAll(absentRun) > 0) {
        WithoutService test;
        return QTest::qExec(&test, arguments);
    }
    TestKeychain test;
    return QTest::qExec(&test, arguments);
}
#include "tst_keychain.moc"
