#include "session/ptyshell.h"
#include "tests/session/shellparity.h"
#include "tests/support/fakeptyserver.h"

#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

PtyTiming shortTiming()
{
    PtyTiming timing;
    timing.socket.pingInterval = 1s;
    return timing;
}

class FakePeer : public ShellPeer
{
public:
    std::unique_ptr<Shell> makeShell(const ShellSpec &spec) override
    {
        return std::make_unique<PtyShell>(m_server.endpoint(spec, m_proxy.port()), std::nullopt, shortTiming());
    }
    CuttableProxy &proxy() override { return m_proxy; }
    bool keepsSessions() const override { return true; }
    bool resizeElsewhere(Shell &shell, TerminalSize size) override
    {
        return m_server.resize(static_cast<PtyShell &>(shell).handle()->sessionId, size).has_value();
    }
    std::optional<std::chrono::milliseconds> noticesSilence() const override { return 3s; }

private:
    FakePtyServer m_server;
    CuttableProxy m_proxy{m_server.port()};
};

} // namespace

class TestPtyShell : public ShellParity
{
    Q_OBJECT
protected:
    std::unique_ptr<ShellPeer> makePeer() override { return std::make_unique<FakePeer>(); }
};

QTEST_GUILESS_MAIN(TestPtyShell)
#include "tst_ptyshell.moc"
