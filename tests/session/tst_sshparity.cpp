// The contract of every shell, for SSH channels of a real OpenSSH server.
#include "session/sshlink.h"

#include "tests/session/shellparity.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/testsshd.h"

#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

class SshPeer : public ShellPeer
{
public:
    explicit SshPeer(const TestSshd &server)
        : m_options(server.options())
        , m_proxy(server.port())
    {
        m_options.endpoint.port = m_proxy.port();
        m_options.keepAlive = std::chrono::seconds(3);
    }
    std::unique_ptr<Shell> makeShell(const ShellSpec &spec) override { return makeSshShell(m_options, spec, &m_prompts); }
    CuttableProxy &proxy() override { return m_proxy; }
    bool keepsSessions() const override { return false; }
    std::optional<std::chrono::milliseconds> noticesSilence() const override { return std::chrono::seconds(12); }

private:
    LinkOptions m_options;
    CuttableProxy m_proxy;
    RecordingPrompts m_prompts;
};

} // namespace

class TestSshParity : public ShellParity
{
    Q_OBJECT
protected:
    std::unique_ptr<ShellPeer> makePeer() override
    {
        if (!m_server)
            m_server = std::make_unique<TestSshd>();
        if (m_server->problem().isEmpty())
            return std::make_unique<SshPeer>(*m_server);
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
    }

private:
    std::unique_ptr<TestSshd> m_server;
};

QTEST_GUILESS_MAIN(TestSshParity)
#include "tst_sshparity.moc"
