// sandpiper-cli exec as scripts and people use it: real servers, real pipes, a real terminal.
#include "tests/support/everybyte.h"
#include "tests/support/testgateway.h"
#include "tests/support/testsshd.h"

#include <QDir>
#include <QFile>
#include <QProcess>
#include <QTest>

#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 120'000; // milliseconds

// sandpiper-cli in a terminal of its own.
class InTerminal
{
public:
    explicit InTerminal(const QStringList &arguments)
    {
        winsize size = {24, 80, 0, 0};
        m_pid = ::forkpty(&m_controller, nullptr, nullptr, &size);
        if (m_pid != 0)
            return;
        QByteArrayList words{QFile::encodeName(TestGateway::program(u"sandpiper-cli"_s))};
        for (const QString &word : arguments)
            words << word.toUtf8();
        QList<char *> argv;
        for (QByteArray &word : words)
            argv << word.data();
        argv << nullptr;
        ::execv(argv.first(), argv.data());
        ::_exit(127);
    }
    ~InTerminal()
    {
        if (m_pid > 0)
            ::kill(m_pid, SIGKILL);
        ::close(m_controller);
        if (m_pid > 0)
            ::waitpid(m_pid, nullptr, 0);
    }
    void resize(quint16 rows, quint16 columns)
    {
        const winsize size = {rows, columns, 0, 0};
        ::ioctl(m_controller, TIOCSWINSZ, &size);
    }
    // Reads until this is on the screen, or for ever so long.
    bool shows(const QByteArray &text)
    {
        char piece[4096];
        pollfd readable = {m_controller, POLLIN, 0};
        while (!m_screen.contains(text) && ::poll(&readable, 1, kPatience) > 0) {
            const ssize_t got = ::read(m_controller, piece, sizeof piece);
            if (got <= 0)
                break;
            m_screen.append(piece, got);
        }
        return m_screen.contains(text);
    }
    int status()
    {
        (void)shows("\xff\xff"); // what is left, to its end
        int status = 0;
        ::waitpid(std::exchange(m_pid, -1), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    QByteArray screen() const { return m_screen; }

private:
    int m_controller = -1;
    pid_t m_pid = -1;
    QByteArray m_screen;
};

} // namespace

class TestCliExec : public QObject
{
    Q_OBJECT

    std::unique_ptr<TestGateway> m_gateway;
    std::unique_ptr<TestSshd> m_openSsh;
    std::unique_ptr<TestSshd> m_dropbear;
    QTemporaryDir m_home;

    static QString cli() { return TestGateway::program(u"sandpiper-cli"_s); }
    QString target(const QString &kind) const
    {
        if (kind == "gateway"_L1)
            return u"box"_s;
        const TestSshd &server = kind == "openssh"_L1 ? *m_openSsh : *m_dropbear;
        return u"ssh://%1@127.0.0.1:%2"_s.arg(server.user()).arg(server.port());
    }
    // Lets the servers in as a user's own files do.
    bool introduce(const TestSshd &server, const QString &keyName)
    {
        QFile hosts(m_home.filePath(u".ssh/known_hosts"_s));
        const QByteArray line = "[127.0.0.1]:" + QByteArray::number(server.port()) + ' ' + server.hostKey() + '\n';
        return QFile::copy(server.identity(), m_home.filePath(u".ssh/"_s + keyName))
                && hosts.open(QIODevice::Append) && hosts.write(line) == line.size();
    }
    void addServers()
    {
        QTest::addColumn<QString>("kind");
        for (const char *kind : {"gateway", "openssh", "dropbear"})
            QTest::newRow(kind) << QString::fromLatin1(kind);
    }
    // Nothing of what is asked here takes long; whoever does not end is stuck.
    static bool finishes(QProcess &process)
    {
        if (QTest::qWaitFor([&] { return process.state() == QProcess::NotRunning; }, kPatience))
            return true;
        process.kill();
        return false;
    }

private slots:
    void initTestCase()
    {
        m_gateway = std::make_unique<TestGateway>(TestGateway::Options{TestGateway::Layout::UserFolders});
        const QString problem = m_gateway->start();
        QVERIFY2(problem.isEmpty(), qPrintable(problem));
        SANDPIPER_NEED_SANDBOXES(*m_gateway);
        m_openSsh = std::make_unique<TestSshd>(TestSshd::Kind::OpenSsh);
        m_dropbear = std::make_unique<TestSshd>(TestSshd::Kind::Dropbear);
        for (const TestSshd *server : {m_openSsh.get(), m_dropbear.get()}) {
            SANDPIPER_NEED_SSHD(*server);
        }
        m_gateway->apply();
        qunsetenv("SSH_AUTH_SOCK");
        qputenv("HOME", QFile::encodeName(m_home.path()));
        QVERIFY(QDir().mkpath(m_home.filePath(u".ssh"_s)));
        QVERIFY(introduce(*m_openSsh, u"id_ed25519"_s));
        QVERIFY(introduce(*m_dropbear, u"id_ecdsa"_s));
        QCOMPARE(QProcess::execute(cli(), {u"create"_s, u"box"_s}), 0);
    }

    void everyByteOfALongInputComesBack_data() { addServers(); }
    void everyByteOfALongInputComesBack()
    {
        QFETCH(QString, kind);
        const QByteArray bytes = everyByte(4'000'000);
        QProcess exec;
        exec.start(cli(), {u"exec"_s, target(kind), u"--"_s, u"sh"_s, u"-c"_s, u"cat; echo done >&2"_s});
        exec.write(bytes);
        exec.closeWriteChannel();
        QVERIFY(finishes(exec));
        QCOMPARE(exec.exitCode(), 0);
        QVERIFY(exec.readAllStandardOutput() == bytes);
        QCOMPARE(exec.readAllStandardError(), "done\n"_ba);
    }

    void inputThatNobodyTakesWaitsInThePipe_data() { addServers(); }
    void inputThatNobodyTakesWaitsInThePipe()
    {
        QFETCH(QString, kind);
        int pipe[2] = {-1, -1};
        QCOMPARE(::pipe2(pipe, O_CLOEXEC | O_NONBLOCK), 0);
        // What we write to has no end; the command reads nothing until it is told by a file.
        const QString flag = u"/tmp/go-%1"_s.arg(::getpid());
        const QString command = u"while ! [ -e %1 ]; do sleep 0.1; done; wc -c; rm %1"_s.arg(flag);
        const pid_t pid = ::fork();
        if (pid == 0) {
            ::dup2(pipe[0], STDIN_FILENO);
            const int file = ::open(QFile::encodeName(m_home.filePath(u"count"_s)).constData(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
            ::dup2(file, STDOUT_FILENO);
            ::fcntl(STDIN_FILENO, F_SETFL, 0);
            ::execl(cli().toUtf8().constData(), "sandpiper-cli", "exec", target(kind).toUtf8().constData(), "--", "sh", "-c",
                    command.toUtf8().constData(), nullptr);
            ::_exit(127);
        }
        ::close(pipe[0]);
        const QByteArray piece(65536, 'x');
        qint64 taken = 0;
        pollfd writable = {pipe[1], POLLOUT, 0};
        while (taken < (64 << 20) && ::poll(&writable, 1, 3000) > 0) {
            const ssize_t done = ::write(pipe[1], piece.constData(), size_t(piece.size()));
            taken += done > 0 ? done : 0;
        }
        const bool isBounded = taken < (16 << 20);
        ::close(pipe[1]);
        QCOMPARE(QProcess::execute(cli(), {u"exec"_s, u"-n"_s, target(kind), u"--"_s, u"touch"_s, flag}), 0);
        int status = 0;
        QCOMPARE(::waitpid(pid, &status, 0), pid);
        QVERIFY2(isBounded, qPrintable(QString::number(taken)));
        QCOMPARE(WEXITSTATUS(status), 0);
        QFile count(m_home.filePath(u"count"_s));
        QVERIFY(count.open(QIODevice::ReadOnly));
        QCOMPARE(count.readAll().trimmed().toLongLong(), taken);
    }

    void aReaderThatHasEnoughEndsIt_data() { addServers(); }
    void aReaderThatHasEnoughEndsIt()
    {
        QFETCH(QString, kind);
        QProcess shell;
        shell.start(u"bash"_s, {u"-c"_s, u"\"$0\" exec -n \"$1\" -- yes | head -1; echo ${PIPESTATUS[0]}"_s, cli(), target(kind)});
        QVERIFY(finishes(shell));
        QCOMPARE(shell.readAllStandardOutput(), "y\n141\n"_ba);
        QCOMPARE(shell.readAllStandardError(), QByteArray());
    }

    void aSignalIsAStatusAsShellsHaveIt_data() { addServers(); }
    void aSignalIsAStatusAsShellsHaveIt()
    {
        QFETCH(QString, kind);
        QProcess exec;
        exec.start(cli(), {u"exec"_s, u"-n"_s, target(kind), u"--"_s, u"sh"_s, u"-c"_s, u"kill -KILL $$"_s});
        QVERIFY(finishes(exec));
        QCOMPARE(exec.exitCode(), 128 + SIGKILL);
    }

    void inputIsLeftAloneWhereItIsNotWanted_data() { addServers(); }
    void inputIsLeftAloneWhereItIsNotWanted()
    {
        QFETCH(QString, kind);
        QProcess shell;
        shell.start(u"bash"_s, {u"-c"_s, u"printf 'a\\nb\\n' | while read -r line; do \"$0\" exec -n \"$1\" -- sh -c 'cat; echo \"$0\"' \"$line\"; done"_s, cli(), target(kind)});
        QVERIFY(finishes(shell));
        QCOMPARE(shell.readAllStandardOutput(), "a\nb\n"_ba);
    }

    void aTerminalHasItsSizeAndLearnsOfChanges_data() { addServers(); }
    void aTerminalHasItsSizeAndLearnsOfChanges()
    {
        QFETCH(QString, kind);
        InTerminal exec({u"exec"_s, u"-t"_s, target(kind), u"--"_s, u"sh"_s, u"-c"_s,
                         u"trap 'stty size; exit 7' WINCH; stty size; while :; do sleep 0.1; done"_s});
        QVERIFY2(exec.shows("24 80"), exec.screen().constData());
        exec.resize(40, 100);
        QVERIFY2(exec.shows("40 100"), exec.screen().constData());
        QCOMPARE(exec.status(), 7);
    }
};

QTEST_GUILESS_MAIN(TestCliExec)
#include "tst_cliexec.moc"
