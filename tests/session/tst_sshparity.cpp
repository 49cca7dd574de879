// The contract of every shell, for SSH channels of a real OpenSSH server, over every kind of transport.
#include "session/sshlink.h"

#include "tests/session/shellparity.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/testsshd.h"
#include "tests/support/tunnelserver.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

enum class Over { Tcp, Program, WebSocket, Jump };

class SshPeer : public ShellPeer
{
public:
    SshPeer(const TestSshd &server, Over over)
        : m_options(server.options())
        , m_tunnel(over == Over::WebSocket ? std::make_unique<TunnelServer>(server.stdioCommand()) : nullptr)
        , m_proxy(m_tunnel ? m_tunnel->port() : server.port())
    {
        m_options.endpoint.port = m_proxy.port();
        m_options.keepAlive = std::chrono::seconds(3);
        switch (over) {
        case Over::Tcp:
            break;
        case Over::Program:
            m_options.transport = ProcessTransport{
                {u"bash"_s, u"-c"_s, u"exec 3<>/dev/tcp/127.0.0.1/%1; cat <&3 & exec cat >&3"_s.arg(m_proxy.port())}, {}};
            break;
        case Over::WebSocket: {
            WebSocketRequest request;
            request.url = QUrl(u"ws://127.0.0.1:%1/"_s.arg(m_proxy.port()));
            m_options.transport = WebSocketTransport{request};
            break;
        }
        case Over::Jump:
            m_options.transport = JumpTransport{{{{}, u"jump"_s, 0}}};
            break;
        }
    }
    std::unique_ptr<Shell> makeShell(const ShellSpec &spec) override { return makeSshShell(m_options, spec, &m_prompts); }
    CuttableProxy &proxy() override { return m_proxy; }
    bool keepsSessions() const override { return false; }
    std::optional<std::chrono::milliseconds> noticesSilence() const override { return std::chrono::seconds(12); }

private:
    LinkOptions m_options;
    std::unique_ptr<TunnelServer> m_tunnel;
    CuttableProxy m_proxy;
    RecordingPrompts m_prompts;
};

} // namespace

class TestSshParity : public ShellParity
{
    Q_OBJECT
public:
    explicit TestSshParity(Over over)
        : m_over(over)
    {
    }

protected:
    std::unique_ptr<ShellPeer> makePeer() override
    {
        if (!m_server) {
            m_server = std::make_unique<TestSshd>();
            if (m_over == Over::Jump)
                makeJump();
        }
        if (m_server->problem().isEmpty())
            return std::make_unique<SshPeer>(*m_server, m_over);
        if (TestSshd::mustRun())
            QTest::qFail(qPrintable(m_server->problem()), __FILE__, __LINE__);
        return nullptr;
    }

private slots:
    // Not left to the destructor: QtTest's watchdog, which the thread sanitizer cannot see through, has
    // used the same stretch of stack.
    void cleanupTestCase()
    {
        m_server.reset();
        m_jump.reset();
    }

private:
    // A Host of the user's ssh_config, whose key is known.
    void makeJump()
    {
        m_jump = std::make_unique<TestSshd>();
        QVERIFY(QDir(m_home.path()).mkdir(u".ssh"_s));
        qputenv("HOME", m_home.path().toLocal8Bit());
        QFile config(m_home.filePath(u".ssh/config"_s));
        QVERIFY(config.open(QIODevice::WriteOnly));
        config.write(u"Host jump\n HostName 127.0.0.1\n Port %1\n User %2\n IdentityFile %3\n"_s
                             .arg(m_jump->port()).arg(m_jump->user(), m_jump->identity()).toUtf8());
        QFile known(m_server->knownHosts());
        QVERIFY(known.open(QIODevice::WriteOnly));
        known.write("[127.0.0.1]:" + QByteArray::number(m_jump->port()) + ' ' + m_jump->hostKey() + '\n');
    }

    Over m_over;
    QTemporaryDir m_home;
    std::unique_ptr<TestSshd> m_server;
    std::unique_ptr<TestSshd> m_jump;
};

int main(int argc, char *argv[])
{
    QCoreApplication app(argc, argv);
    int failed = 0;
    for (const auto &[over, name] : {std::pair(Over::Tcp, "TCP"), std::pair(Over::Program, "a program"),
                                     std::pair(Over::WebSocket, "a WebSocket"), std::pair(Over::Jump, "a jump")}) {
        qInfo("over %s", name);
        TestSshParity test(over);
        failed += QTest::qExec(&test, argc, argv);
    }
    return failed;
}
#include "tst_sshparity.moc"
