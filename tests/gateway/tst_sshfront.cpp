// The SSH side of the gateway, with OpenSSH's own programs as its clients and real sandboxes behind it.

#include "gateway/keystore.h"
#include "gateway/sandboxstore.h"
#include "gateway/sshfront.h"
#include "tests/support/outcome.h"

#include <libssh/libssh.h>

#include <QCryptographicHash>
#include <QFile>
#include <QProcess>
#include <QScopeGuard>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <QTest>

#include <future>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int patience = 40'000; // milliseconds: two slow cores under a sanitizer

QByteArray fileContent(const QString &path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

} // namespace

class TestSshFront : public QObject
{
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> m_dir;
    std::unique_ptr<SandboxStore> m_sandboxes;
    std::unique_ptr<KeyStore> m_keys;
    std::unique_ptr<SshFront> m_front;
    quint16 m_port = 0;
    QString m_box;

    QString path(const QString &name) const { return m_dir->filePath(name); }

    void makeKey(const QString &name)
    {
        QCOMPARE(QProcess::execute(u"ssh-keygen"_s,
                                   {u"-q"_s, u"-t"_s, u"ed25519"_s, u"-N"_s, QString(), u"-C"_s, QString(), u"-f"_s, path(name)}),
                 0);
    }

    QStringList common(const QString &key) const
    {
        return {u"-F"_s, u"none"_s, u"-o"_s, u"StrictHostKeyChecking=yes"_s,
                u"-o"_s, u"UserKnownHostsFile="_s + path(u"known_hosts"_s), u"-o"_s, u"GlobalKnownHostsFile=none"_s,
                u"-o"_s, u"IdentitiesOnly=yes"_s, u"-i"_s, path(key), u"-o"_s, u"BatchMode=yes"_s};
    }

    std::unique_ptr<QProcess> start(const QString &user, const QStringList &options, const QString &command,
                                    const QString &key = u"key"_s)
    {
        auto process = std::make_unique<QProcess>();
        QStringList arguments = common(key) + options + QStringList{u"-p"_s, QString::number(m_port), user + u"@127.0.0.1"_s};
        if (!command.isEmpty())
            arguments << command;
        process->start(u"ssh"_s, arguments);
        return process;
    }

    static Outcome finish(QProcess &process) { return outcomeOf(process, patience); }

    Outcome run(const QString &command, const QByteArray &input = {}, const QStringList &options = {},
                const QString &user = {}, const QString &key = u"key"_s)
    {
        const auto process = start(user.isEmpty() ? m_box : user, options, command, key);
        return outcomeOf(*process, input, patience);
    }

    bool reaches(const QString &name, LocalState state) const
    {
        return QTest::qWaitFor(
                [&] {
                    const auto sandbox = m_sandboxes->lookup(name);
                    return sandbox && sandbox->state == state;
                },
                patience);
    }

private slots:
    void initTestCase()
    {
        qunsetenv("SSH_AUTH_SOCK");
        m_dir = std::make_unique<QTemporaryDir>();
        SandboxStore::Options options;
        options.folder = path(u"sandboxes"_s);
        options.runFolder = path(u"run"_s);
        options.initProgram = qEnvironmentVariable("SANDPIPER_BIN") + u"/sandpiper-sandbox-init"_s;
        m_sandboxes = std::make_unique<SandboxStore>(options);
        if (!m_sandboxes->unusableBecause().isEmpty() && !qEnvironmentVariableIsSet("SANDPIPER_REQUIRE_SSHD"))
            QSKIP(qPrintable(m_sandboxes->unusableBecause()));
        m_keys = std::make_unique<KeyStore>(path(u"keys.json"_s));
        makeKey(u"key"_s);
        makeKey(u"stranger"_s);
        makeKey(u"inner"_s);
        QVERIFY(m_keys->add(u"test"_s, fileContent(path(u"key.pub"_s)).trimmed()));
        SshFront::Options front;
        front.hostKeyFile = path(u"host_key"_s);
        front.innerKeyFile = path(u"inner"_s);
        m_front = std::make_unique<SshFront>(front, m_sandboxes.get(), m_keys.get());
        const Result<quint16> port = m_front->listen();
        QVERIFY2(port, port ? "" : qPrintable(describe(port.error())));
        m_port = *port;
        QFile known(path(u"known_hosts"_s));
        QVERIFY(known.open(QIODevice::WriteOnly));
        known.write("[127.0.0.1]:" + QByteArray::number(m_port) + ' ' + m_front->hostKeyLine() + '\n');
        known.close();

        LocalCreate wish;
        wish.name = u"box"_s;
        const Result<LocalSandbox> made = m_sandboxes->create(wish);
        QVERIFY2(made, made ? "" : qPrintable(describe(made.error())));
        m_box = u"box"_s;
        QVERIFY(reaches(m_box, LocalState::Running));
    }

    void cleanupTestCase()
    {
        m_front.reset();
        m_sandboxes.reset();
        m_keys.reset();
        m_dir.reset();
    }

    void aCommandGivesItsStatus_data()
    {
        QTest::addColumn<QString>("command");
        QTest::addColumn<int>("status");
        QTest::newRow("success") << u"true"_s << 0;
        QTest::newRow("failure") << u"exit 3"_s << 3;
        QTest::newRow("not found") << u"no-such-program"_s << 127;
        QTest::newRow("ended by a signal") << u"kill -TERM $$"_s << 255;
    }
    void aCommandGivesItsStatus()
    {
        QFETCH(QString, command);
        const Outcome outcome = run(command);
        QTEST(outcome.status, "status");
    }

    void outputAndErrorsStayApart()
    {
        const Outcome outcome = run(u"echo out; echo err >&2"_s);
        QCOMPARE(outcome.output, "out\n"_ba);
        QVERIFY2(outcome.errors.contains("err\n"), outcome.errors.constData());
    }

    void theUserIsTheSandboxesOwn()
    {
        QCOMPARE(run(u"id -un; hostname; cd; pwd"_s).output, "tl-user\ntl-sbx\n/home/tl-user\n"_ba);
    }

    void tenMegabytesThereAndBackAreTheSame()
    {
        QByteArray input;
        for (qint64 i = 0; input.size() < 10'000'000; ++i)
            input += QByteArray::number(i * 2654435761, 36) + '\n';
        const Outcome outcome = run(u"cat"_s, input);
        QCOMPARE(outcome.status, 0);
        QCOMPARE(QCryptographicHash::hash(outcome.output, QCryptographicHash::Sha256),
                 QCryptographicHash::hash(input, QCryptographicHash::Sha256));
    }

    void aTerminalIsATerminal()
    {
        const Outcome outcome = run(u"tty >/dev/null && echo yes; echo $TERM"_s, {}, {u"-tt"_s});
        QVERIFY2(outcome.output.contains("yes"), outcome.output.constData());
        QCOMPARE(outcome.status, 0);
    }

    void theTerminalsShellEndsWithItsStatus()
    {
        const Outcome outcome = run({}, "echo mark-$((40+2)); sleep 600 & exit 7\n", {u"-tt"_s});
        QVERIFY2(outcome.output.contains("mark-42"), outcome.output.constData());
        QCOMPARE(outcome.status, 7);
    }

    void theEnvironmentArrives()
    {
        const Outcome outcome = run(u"echo $FIRST-$LC_SECOND"_s, {}, {u"-o"_s, u"SetEnv=FIRST=one LC_SECOND=two"_s});
        QCOMPARE(outcome.output, "one-two\n"_ba);
    }

    void filesGoThereAndBack()
    {
        QFile file(path(u"sent"_s));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(QByteArray(300'000, 'x'));
        file.close();
        QFile batch(path(u"batch"_s));
        QVERIFY(batch.open(QIODevice::WriteOnly));
        batch.write("put " + path(u"sent"_s).toUtf8() + " there\nget there " + path(u"back"_s).toUtf8() + "\nls -l\n");
        batch.close();
        QProcess sftp;
        sftp.start(u"sftp"_s, common(u"key"_s)
                           + QStringList{u"-b"_s, path(u"batch"_s), u"-P"_s, QString::number(m_port), m_box + u"@127.0.0.1"_s});
        const Outcome outcome = finish(sftp);
        QVERIFY2(outcome.status == 0, outcome.errors.constData());
        QCOMPARE(fileContent(path(u"back"_s)), QByteArray(300'000, 'x'));
    }

    void aLocalForwardReachesThePortInside()
    {
        const auto server = start(m_box, {}, u"python3 -c 'import socket\ns=socket.create_server((\"127.0.0.1\",8000))\n"
                                             "print(\"ready\",flush=True)\nc,_=s.accept()\nc.sendall(b\"hello \"+c.recv(99))'"_s);
        QVERIFY(QTest::qWaitFor([&] { return server->bytesAvailable() > 0; }, patience));
        const auto client = start(m_box, {u"-W"_s, u"127.0.0.1:8000"_s}, {});
        client->write("there");
        const Outcome outcome = finish(*client);
        QVERIFY2(outcome.output == "hello there", outcome.errors.constData());
        QCOMPARE(finish(*server).status, 0);
    }

    void aForwardToNothingIsRefused()
    {
        const Outcome outcome = run({}, {}, {u"-W"_s, u"127.0.0.1:9"_s});
        QCOMPARE(outcome.status, 255);
        QVERIFY2(outcome.errors.contains("open failed"), outcome.errors.constData());
    }

    void aRemoteForwardReachesUs()
    {
        QTcpServer here;
        QVERIFY(here.listen(QHostAddress::LocalHost));
        connect(&here, &QTcpServer::newConnection, &here, [&here] {
            QTcpSocket *socket = here.nextPendingConnection();
            socket->write("from outside\n");
            socket->disconnectFromHost();
        });
        const QString spec = u"8123:127.0.0.1:%1"_s.arg(here.serverPort());
        const Outcome outcome = run(u"exec 3<>/dev/tcp/127.0.0.1/8123; cat <&3"_s, {},
                                    {u"-o"_s, u"ExitOnForwardFailure=yes"_s, u"-R"_s, spec});
        QCOMPARE(outcome.output, "from outside\n"_ba);
    }

    void aRemoteForwardOnAnyPortTellsWhich()
    {
        const auto client = start(m_box, {u"-v"_s, u"-o"_s, u"ExitOnForwardFailure=yes"_s, u"-R"_s, u"0:127.0.0.1:9"_s}, u"true"_s);
        const Outcome outcome = finish(*client);
        QCOMPARE(outcome.status, 0);
        QVERIFY2(outcome.errors.contains("Allocated port"), outcome.errors.constData());
    }

    void unixSocketForwardsAreRefused()
    {
        const Outcome remote = run(u"true"_s, {},
                                   {u"-o"_s, u"ExitOnForwardFailure=yes"_s, u"-R"_s, u"/tmp/there.sock:"_s + path(u"here.sock"_s)});
        QCOMPARE(remote.status, 255);
    }

    void theClientsAgentIsReachableInside()
    {
        QProcess agent;
        agent.start(u"ssh-agent"_s, {u"-D"_s, u"-a"_s, path(u"agent"_s)});
        const auto endAgent = qScopeGuard([&agent] {
            agent.terminate();
            agent.waitForFinished();
        });
        QVERIFY(QTest::qWaitFor([&] { return QFile::exists(path(u"agent"_s)); }, patience));
        qputenv("SSH_AUTH_SOCK", QFile::encodeName(path(u"agent"_s)));
        const auto forget = qScopeGuard([] { qunsetenv("SSH_AUTH_SOCK"); });
        QProcess add;
        add.start(u"ssh-add"_s, {u"-q"_s, path(u"stranger"_s)});
        QCOMPARE(finish(add).status, 0);
        const Outcome outcome = run(u"ssh-add -L"_s, {}, {u"-A"_s});
        QVERIFY2(outcome.output.startsWith(fileContent(path(u"stranger.pub"_s)).trimmed()), outcome.errors.constData());
    }

    void anUnknownKeyIsToldSo()
    {
        // libssh's own client, because OpenSSH's leaves before it could read the reason.
        const QByteArray keyFile = QFile::encodeName(path(u"stranger"_s));
        auto asked = std::async(std::launch::async, [keyFile, wanted = m_port] {
            ssh_key key = nullptr;
            ssh_session session = ssh_new();
            ssh_event event = ssh_event_new();
            const auto clean = qScopeGuard([&] {
                ssh_event_free(event);
                ssh_disconnect(session);
                ssh_free(session);
                ssh_key_free(key);
            });
            unsigned int port = wanted;
            bool off = false;
            ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &off);
            ssh_options_set(session, SSH_OPTIONS_HOST, "127.0.0.1");
            ssh_options_set(session, SSH_OPTIONS_PORT, &port);
            ssh_options_set(session, SSH_OPTIONS_USER, "box");
            if (ssh_pki_import_privkey_file(keyFile.constData(), nullptr, nullptr, nullptr, &key) != SSH_OK
                || ssh_connect(session) != SSH_OK || ssh_userauth_publickey(session, nullptr, key) != SSH_AUTH_DENIED)
                return "no denial: "_ba + ssh_get_error(session);
            ssh_event_add_session(event, session);
            for (int turn = 0; turn < 400 && ssh_event_dopoll(event, 100) != SSH_ERROR; ++turn) { }
            const QByteArray why = ssh_get_error(session);
            ssh_event_remove_session(event, session);
            return why;
        });
        QVERIFY(QTest::qWaitFor([&] { return asked.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }, patience));
        const QByteArray why = asked.get();
        QVERIFY2(why.contains("is not registered with Tensorlake"), why.constData());
    }

    void aRefusedSandboxIsNamed_data()
    {
        QTest::addColumn<QString>("user");
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("unknown") << u"nope"_s << "sandbox nope is not present in any of your projects"_ba;
        QTest::newRow("port without a listener") << u"2299-box"_s << "nothing listens on port 2299 in sandbox box"_ba;
    }
    void aRefusedSandboxIsNamed()
    {
        QFETCH(QString, user);
        QFETCH(QByteArray, text);
        const Outcome outcome = run(u"true"_s, {}, {}, user);
        QCOMPARE(outcome.status, 255);
        QVERIFY2(outcome.errors.contains(text), outcome.errors.constData());
    }

    void aPortThatDoesNotSpeakSshSaysSo()
    {
        const auto server = start(m_box, {}, u"python3 -c 'import socket\ns=socket.create_server((\"127.0.0.1\",8001))\n"
                                             "print(\"ready\",flush=True)\nc,_=s.accept()\nc.sendall(b\"HTTP/1.1 400 no\\r\\n\\r\\n\")\nc.recv(1)'"_s);
        QVERIFY(QTest::qWaitFor([&] { return server->bytesAvailable() > 0; }, patience));
        const Outcome outcome = run(u"true"_s, {}, {}, u"8001-box"_s);
        QVERIFY2(outcome.errors.contains("nothing speaks SSH on port 8001 in sandbox box"), outcome.errors.constData());
        finish(*server);
    }

    void anSshServerInsideIsReachedByItsPort()
    {
        const QByteArray publicLine = fileContent(path(u"inner.pub"_s)).trimmed();
        QCOMPARE(run(u"cd; mkdir -p -m 700 .ssh && cat > .ssh/authorized_keys && chmod 600 .ssh/authorized_keys"_s, publicLine + '\n').status, 0);
        const auto server = start(m_box, {}, u"cd; dropbearkey -t ed25519 -f hostkey >/dev/null 2>&1; exec dropbear -F -E -r hostkey -p 127.0.0.1:2222 -P ./pid"_s);
        const auto stop = qScopeGuard([&] {
            run(u"kill $(cat ~/pid)"_s);
            finish(*server);
        });
        QVERIFY(QTest::qWaitFor(
                [&] { return run(u"exec 3<>/dev/tcp/127.0.0.1/2222 && read -r line <&3 && echo $line"_s).output.startsWith("SSH-2.0-dropbear"); },
                patience));
        const Outcome outcome = run(u"cat; echo err >&2; exit 5"_s, "through", {}, u"2222-box"_s);
        QVERIFY2(outcome.output == "through", outcome.errors.constData());
        QVERIFY(outcome.errors.contains("err"));
        QCOMPARE(outcome.status, 5);
    }

    void garbageDoesNotStopTheOthers()
    {
        QTcpSocket hostile;
        hostile.connectToHost(QHostAddress::LocalHost, m_port);
        QVERIFY(QTest::qWaitFor([&] { return hostile.state() == QAbstractSocket::ConnectedState; }, patience));
        hostile.write(QByteArray(100'000, '\xff'));
        QCOMPARE(run(u"echo fine"_s).output, "fine\n"_ba);
        QVERIFY(QTest::qWaitFor([&] { return hostile.state() == QAbstractSocket::UnconnectedState; }, patience));
    }

    void aSuspendedSandboxEndsItsConnectionsAndSaysWhy()
    {
        LocalCreate wish;
        wish.name = u"sleeper"_s;
        QVERIFY(m_sandboxes->create(wish));
        QVERIFY(reaches(u"sleeper"_s, LocalState::Running));
        const auto client = start(u"sleeper"_s, {}, u"echo ready; sleep 600"_s);
        QVERIFY(QTest::qWaitFor([&] { return client->bytesAvailable() > 0; }, patience));
        const QString id = m_sandboxes->lookup(u"sleeper"_s)->id;
        QVERIFY(m_sandboxes->suspend(id));
        const Outcome cut = finish(*client);
        QCOMPARE(cut.status, 255);
        QVERIFY2(cut.errors.contains("is currently suspend"), cut.errors.constData());
        QVERIFY(reaches(id, LocalState::Suspended));
        const Outcome refused = run(u"true"_s, {}, {}, u"sleeper"_s);
        QVERIFY2(refused.errors.contains("sandbox sleeper is currently suspended"), refused.errors.constData());
        QVERIFY(m_sandboxes->terminate(id));
    }

    void connectionsThatAreOverAreForgotten()
    {
        QCOMPARE(run(u"true"_s).status, 0);
        QVERIFY(QTest::qWaitFor([&] { return m_front->connectionCount() == 0; }, patience));
    }
};

QTEST_GUILESS_MAIN(TestSshFront)
#include "tst_sshfront.moc"
