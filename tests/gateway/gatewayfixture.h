// A Gateway in this process with times of the test's choosing, and one sandbox in it.
#pragma once

#include "gateway/gateway.h"
#include "tests/support/gatewayclient.h"
#include "tests/support/testgateway.h"

#include <QTest>

namespace Sandpiper {

class GatewayFixture
{
public:
    GatewayFixture() : m_folder(QStringLiteral("/tmp/sbxgw-XXXXXX")) {}

    Gateway::Options options;

    // Empty: it listens.
    [[nodiscard]] QString start()
    {
        const Result<GatewayFolders> folders = GatewayFolders::make(m_folder.path());
        if (!folders)
            return describe(folders.error());
        options.folders = *folders;
        options.initProgram = TestGateway::program(QStringLiteral("sandpiper-sandbox-init"));
        Result<std::unique_ptr<GatewayLock>> lock = GatewayLock::take(folders->lockFile());
        if (!lock || !*lock)
            return QStringLiteral("the lock cannot be had");
        Result<std::unique_ptr<Gateway>> started = Gateway::start(options, std::move(*lock));
        if (!started)
            return describe(started.error());
        gateway = std::move(*started);
        return {};
    }
    [[nodiscard]] QString unusableBecause() const
    {
        return gateway->startLine().value(QStringLiteral("unusable_because")).toString();
    }
    [[nodiscard]] QByteArray apiKey() const
    {
        return gateway->startLine().value(QStringLiteral("api_key")).toString().toLatin1();
    }
    // Of the life-cycle and platform planes.
    [[nodiscard]] GatewayClient client() const { return GatewayClient(gateway->httpPort(), apiKey()); }
    // Of one sandbox's plane.
    [[nodiscard]] GatewayClient client(const QByteArray &sandbox) const
    {
        GatewayClient in = client();
        in.headers = {{"X-Tensorlake-Sandbox-Id", sandbox}};
        return in;
    }
    // Its id; empty where it failed.
    [[nodiscard]] QByteArray makeSandbox(const QString &name) const
    {
        const HttpAnswer answer = client().ask("POST", "/sandboxes", QJsonObject{{QStringLiteral("name"), name}});
        return answer.json().value(QStringLiteral("status")).toString() == QStringLiteral("running")
                ? answer.json().value(QStringLiteral("sandbox_id")).toString().toLatin1()
                : QByteArray();
    }

    std::unique_ptr<Gateway> gateway;

private:
    QTemporaryDir m_folder;
};

} // namespace Sandpiper
