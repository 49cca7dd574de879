// Files in a sandbox of our gateway.
#include "session/accounts.h"
#include "session/provider.h"
#include "session/providers/factory.h"

#include "tests/sftp/sftpparity.h"
#include "tests/support/testgateway.h"

#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 60'000;

} // namespace

class TestSftpGateway : public SftpParity
{
    Q_OBJECT

    std::unique_ptr<TestGateway> m_gateway;
    std::unique_ptr<SandboxProvider> m_provider;
    QString m_problem;
    LinkOptions m_inSandbox;

protected:
    QStringList kinds() const override { return {u"gateway"_s}; }
    QByteArray folderOf(const QString &) const override { return "/tmp"; }
    bool isOnThisComputer() const override { return false; }
    LinkOptions optionsOf(const QString &, QString &problem) override
    {
        if (!m_gateway)
            m_inSandbox = makeSandbox(m_problem);
        problem = m_problem;
        return m_inSandbox;
    }

private:
    LinkOptions makeSandbox(QString &problem)
    {
        m_gateway = std::make_unique<TestGateway>();
        problem = m_gateway->start();
        if (problem.isEmpty())
            problem = m_gateway->unusableBecause();
        if (!problem.isEmpty())
            return {};
        Account account;
        account.id = account.name = u"test"_s;
        account.vendor = u"tensorlake"_s;
        account.apiUrl = m_gateway->apiUrl();
        m_provider = makeProvider(account, std::make_shared<Secret>(m_gateway->apiKey()));
        CreateRequest request;
        request.name = u"files"_s;
        const auto made = waited(m_provider->create(request));
        Sandbox sandbox;
        const bool runs = made && waitUntil([&] {
            const auto found = waited(m_provider->find(made->id.id));
            sandbox = found.value_or(Sandbox());
            return sandbox.state == SandboxState::Running;
        }, kPatience);
        if (!runs) {
            problem = u"the sandbox does not run"_s;
            return {};
        }
        LinkOptions options = linkOptionsFor(sandbox);
        options.endpoint.host = m_gateway->sshHost();
        options.endpoint.port = m_gateway->sshPort();
        options.endpoint.user = made->id.id;
        options.endpoint.hostKey = m_gateway->hostKey();
        options.endpoint.identityFiles = {m_gateway->clientKey()};
        options.useAgent = options.useDefaultKeys = false;
        return options;
    }
};

QTEST_GUILESS_MAIN(TestSftpGateway)
#include "tst_sftpgateway.moc"
