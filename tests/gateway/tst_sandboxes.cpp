// Real sandboxes: what runs in them, and how the gateway talks to it.
#include "tests/gateway/sandboxfixture.h"

#include <QSignalSpy>

using namespace Sandpiper;
using namespace Sandpiper::TestSupport;

class SandboxesTest : public QObject
{
    Q_OBJECT

private slots:
    void initTestCase()
    {
        // As in a program started with "&" from a script.
        ::signal(SIGINT, SIG_IGN);
        m_store = m_folder.store();
        QCOMPARE(m_store->unusableBecause(), QString());
        const QString id = newSandbox(*m_store, u"first"_s);
        QVERIFY(!id.isEmpty());
        m_agent = m_store->lookup(id)->agent;
    }
    void cleanupTestCase() { m_store.reset(); }

    void looksLikeTheVendorsSandbox()
    {
        QCOMPARE(run(m_agent, "id -un; hostname; pwd; echo $HOME"),
                 "tl-user\ntl-sbx\n/workspace\n/home/tl-user\n");
        QCOMPARE(run(m_agent, "id -u"), "1000\n");
    }

    void terminalHasItsSizeBeforeTheShellStarts()
    {
        auto process = shell(m_agent, {97, 31});
        QVERIFY(process);
        QVERIFY(type(*process, "stty size; echo do''ne\n"));
        const QByteArray output = readUntil(process->terminal.get(), "done");
        QVERIFY2(output.contains("31 97"), output);
        QVERIFY2(output.contains("tl-user@tl-sbx:/workspace$ "), output);
    }

    void oneShellSeesTheProcessesOfAnother()
    {
        auto one = shell(m_agent);
        QVERIFY(one);
        QVERIFY(type(*one, "exec -a seen-by-others sleep 1000\n"));
        QTRY_VERIFY_WITH_TIMEOUT(run(m_agent, "ps -ef").contains("seen-by-others"), patience);
    }

private:
    StoreFolder m_folder;
    std::unique_ptr<SandboxStore> m_store;
    AgentClient m_agent;
};

QTEST_GUILESS_MAIN(SandboxesTest)
#include "tst_sandboxes.moc"
