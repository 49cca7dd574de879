#include "app/singleinstance.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QFile>
#include <QFileInfo>
#include <QLocalSocket>
#include <QProcess>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <cstdio>
#include <csignal>
#include <cstring>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;
using Role = SingleInstance::Role;

namespace {

constexpr auto patience = 20'000;

// Another start of the program: this test again, as a process of its own.
struct Start
{
    QProcess process;
    Start(const QString &folder, const QStringList &arguments)
    {
        process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        process.start(QCoreApplication::applicationFilePath(), QStringList{u"--claim"_s, folder} + arguments);
    }
    ~Start()
    {
        process.kill();
        process.waitForFinished(patience);
    }
    // What it found itself to be.
    [[nodiscard]] QByteArray said()
    {
        while (!process.canReadLine()) {
            if (process.state() == QProcess::NotRunning && !process.canReadLine())
                return {};
            QTest::qWait(5);
        }
        return process.readLine().trimmed();
    }
};

int claimAsProcess(const QStringList &arguments)
{
    const auto claimed = SingleInstance::claim(arguments.at(0), {arguments.sliced(1), {}}, 10s);
    if (!claimed) {
        std::printf("error %s\n", qPrintable(nameOf(claimed.error().kind)));
        return 1;
    }
    std::printf((*claimed)->role() == Role::First ? "first\n" : "later\n");
    std::fflush(stdout);
    return (*claimed)->role() == Role::First ? QCoreApplication::exec() : 0;
}

QByteArray exchange(const QString &socket, const QByteArray &message)
{
    QLocalSocket peer;
    peer.connectToServer(socket);
    if (!QTest::qWaitFor([&] { return peer.state() == QLocalSocket::ConnectedState; }, patience))
        return "not connected";
    peer.write(message);
    (void)QTest::qWaitFor([&] { return peer.state() == QLocalSocket::UnconnectedState || peer.canReadLine(); }, patience);
    return peer.readAll();
}

} // namespace

class TestSingleInstance : public QObject
{
    Q_OBJECT
private slots:
    void init()
    {
        m_dir = std::make_unique<QTemporaryDir>();
        QVERIFY(m_dir->isValid());
    }
    void theFirstStartIsFirst();
    void aLaterStartHandsItsRequestOver();
    void aLaterProcessHandsItsRequestOver();
    void afterAKillTheNextStartIsFirst();
    void manyStartsAtOnceMakeOneFirst();
    void aStartBesideAHungOneSaysSo();
    void nonsenseIsRefusedAndChangesNothing_data();
    void nonsenseIsRefusedAndChangesNothing();
    void aSilentPeerIsLetGo();
    void anotherUserIsRefused();
    void aFolderThatCannotHoldASocketIsAnError_data();
    void aFolderThatCannotHoldASocketIsAnError();
    void requestsSurviveTheWire_data();
    void requestsSurviveTheWire();

private:
    [[nodiscard]] QString folder() const { return m_dir->path(); }
    [[nodiscard]] QString socket() const { return m_dir->filePath(u"sandpiper.sock"_s); }
    std::unique_ptr<QTemporaryDir> m_dir;
};

void TestSingleInstance::theFirstStartIsFirst()
{
    {
        const auto first = SingleInstance::claim(folder(), {});
        QVERIFY(first);
        QCOMPARE((*first)->role(), Role::First);
        struct stat info = {};
        QCOMPARE(::stat(QFile::encodeName(socket()).constData(), &info), 0);
        QCOMPARE(info.st_mode & 0777u, 0600u);
    }
    // It leaves nothing that would be in the way.
    QVERIFY(!QFileInfo::exists(socket()));
    QCOMPARE((*SingleInstance::claim(folder(), {}))->role(), Role::First);
}

void TestSingleInstance::aLaterStartHandsItsRequestOver()
{
    Start first(folder(), {});
    QCOMPARE(first.said(), "first");
    const auto later = SingleInstance::claim(folder(), {{u"--open"_s, u"x"_s}, {}}, 15s);
    QVERIFY(later);
    QCOMPARE((*later)->role(), Role::Later);
}

void TestSingleInstance::aLaterProcessHandsItsRequestOver()
{
    const auto first = SingleInstance::claim(folder(), {});
    QVERIFY(first);
    QList<StartRequest> requests;
    connect(first->get(), &SingleInstance::requested, this, [&](const StartRequest &r) { requests << r; });
    Start later(folder(), {u"sandpiper://tensorlake/a/b?x=ä"_s, u""_s});
    QCOMPARE(later.said(), "later");
    QCOMPARE(requests.size(), 1);
    QCOMPARE(requests.first().arguments, (QStringList{u"sandpiper://tensorlake/a/b?x=ä"_s, u""_s}));
}

void TestSingleInstance::afterAKillTheNextStartIsFirst()
{
    Start first(folder(), {});
    QCOMPARE(first.said(), "first");
    QCOMPARE(::kill(pid_t(first.process.processId()), SIGKILL), 0);
    QVERIFY(first.process.waitForFinished(patience));
    QVERIFY(QFileInfo::exists(socket())); // left behind
    Start next(folder(), {});
    QCOMPARE(next.said(), "first");
}

void TestSingleInstance::manyStartsAtOnceMakeOneFirst()
{
    std::vector<std::unique_ptr<Start>> starts;
    for (int i = 0; i < 5; ++i)
        starts.push_back(std::make_unique<Start>(folder(), QStringList()));
    int first = 0;
    int later = 0;
    for (const auto &start : starts) {
        const QByteArray said = start->said();
        first += said == "first" ? 1 : 0;
        later += said == "later" ? 1 : 0;
    }
    QCOMPARE(first, 1);
    QCOMPARE(later, 4);
}

void TestSingleInstance::aStartBesideAHungOneSaysSo()
{
    Start first(folder(), {});
    QCOMPARE(first.said(), "first");
    QCOMPARE(::kill(pid_t(first.process.processId()), SIGSTOP), 0);
    const auto later = SingleInstance::claim(folder(), {}, 300ms);
    QVERIFY(!later);
    QCOMPARE(later.error().kind, ErrorKind::Timeout);
    ::kill(pid_t(first.process.processId()), SIGKILL);
    QVERIFY(first.process.waitForFinished(patience));
}

void TestSingleInstance::nonsenseIsRefusedAndChangesNothing_data()
{
    QTest::addColumn<QByteArray>("message");
    QTest::newRow("noise") << QByteArray("\x00\xff\x1b[2J\n", 7);
    QTest::newRow("empty line") << QByteArray("\n");
    QTest::newRow("an array") << QByteArray("[]\n");
    QTest::newRow("no version") << QByteArray("{\"arguments\":[]}\n");
    QTest::newRow("numbers") << QByteArray("{\"version\":1,\"arguments\":[1]}\n");
    QTest::newRow("an endless line") << QByteArray(1 << 20, 'x');
    QTest::newRow("a long argument") << "{\"version\":1,\"arguments\":[\"" + QByteArray(5000, 'x') + "\"]}\n";
    QTest::newRow("many arguments") << "{\"version\":1,\"arguments\":[" + QByteArray("\"x\",").repeated(100) + "\"x\"]}\n";
    QTest::newRow("deeply nested") << QByteArray(60'000, '[') + '\n';
}

void TestSingleInstance::nonsenseIsRefusedAndChangesNothing()
{
    QFETCH(QByteArray, message);
    const auto first = SingleInstance::claim(folder(), {});
    QVERIFY(first);
    QSignalSpy requests(first->get(), &SingleInstance::requested);
    QCOMPARE(exchange(socket(), message), QByteArray());
    QCOMPARE(requests.size(), 0);
    QCOMPARE(exchange(socket(), encoded({{u"still here"_s}, {}})), "taken\n");
    QCOMPARE(requests.size(), 1);
}

void TestSingleInstance::aSilentPeerIsLetGo()
{
    const auto first = SingleInstance::claim(folder(), {});
    QVERIFY(first);
    std::vector<std::unique_ptr<QLocalSocket>> silent;
    for (int i = 0; i < SingleInstance::maxPeers; ++i) {
        silent.push_back(std::make_unique<QLocalSocket>());
        silent.back()->connectToServer(socket());
    }
    // All places are taken; they come free again by themselves.
    QTRY_COMPARE_WITH_TIMEOUT(silent.back()->state(), QLocalSocket::UnconnectedState, patience);
    QTRY_COMPARE_WITH_TIMEOUT(exchange(socket(), encoded({})), QByteArray("taken\n"), patience);
}

void TestSingleInstance::anotherUserIsRefused()
{
    if (::geteuid() != 0)
        QSKIP("only root can play another user");
    const auto first = SingleInstance::claim(folder(), {});
    QVERIFY(first);
    QSignalSpy requests(first->get(), &SingleInstance::requested);
    // As if the modes had been opened by mistake: the peer's uid still tells.
    QCOMPARE(::chmod(QFile::encodeName(folder()).constData(), 0755), 0);
    QCOMPARE(::chmod(QFile::encodeName(socket()).constData(), 0666), 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    const QByteArray name = QFile::encodeName(socket());
    std::memcpy(address.sun_path, name.constData(), size_t(name.size()));
    const QByteArray message = encoded({{u"evil"_s}, {}});
    const pid_t child = ::fork();
    QVERIFY(child >= 0);
    if (child == 0) { // only async-signal-safe calls from here
        char answer = 0;
        const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
        if (::setuid(65534) != 0 || ::connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0)
            ::_exit(2);
        (void)!::write(fd, message.constData(), size_t(message.size()));
        ::_exit(::read(fd, &answer, 1) > 0 ? 1 : 0);
    }
    int status = -1;
    // Once it is reaped, asking again fails.
    QVERIFY(QTest::qWaitFor([&] { return ::waitpid(child, &status, WNOHANG) == child; }, patience));
    QVERIFY(WIFEXITED(status));
    QCOMPARE(WEXITSTATUS(status), 0); // connected, and got no answer
    QCOMPARE(requests.size(), 0);
}

void TestSingleInstance::aFolderThatCannotHoldASocketIsAnError_data()
{
    QTest::addColumn<QString>("folder");
    QTest::newRow("none") << QString();
    QTest::newRow("missing") << m_dir->filePath(u"missing"_s);
    const QString deep = m_dir->filePath(QString(120, u'x'));
    QTest::newRow("too long a path") << deep;
}

void TestSingleInstance::aFolderThatCannotHoldASocketIsAnError()
{
    QFETCH(QString, folder);
    if (folder.size() > 100)
        QVERIFY(QDir().mkpath(folder));
    const auto first = SingleInstance::claim(folder, {}, 200ms);
    QVERIFY(!first);
    QCOMPARE(first.error().kind, ErrorKind::Io);
}

void TestSingleInstance::requestsSurviveTheWire_data()
{
    QTest::addColumn<StartRequest>("request");
    QTest::newRow("empty") << StartRequest{};
    QTest::newRow("words") << StartRequest{{u"--open"_s, u"a \"b\"\n\tc"_s, u"漢😀"_s, QString()}, u"token_TIME12"_s};
    QTest::newRow("at the bounds") << StartRequest{QStringList(8, QString(4096, u'x')), {}};
}

void TestSingleInstance::requestsSurviveTheWire()
{
    QFETCH(StartRequest, request);
    const QByteArray line = encoded(request);
    QCOMPARE(line.count('\n'), 1);
    const auto back = decodeStartRequest(line);
    QVERIFY(back);
    QCOMPARE(*back, request);
}

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    const QStringList arguments = QCoreApplication::arguments();
    if (arguments.value(1) == "--claim"_L1)
        return claimAsProcess(arguments.sliced(2));
    TestSingleInstance test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_singleinstance.moc"
