#include "session/providers/factory.h"

#include "session/gatewayprovider.h"
#include "session/providers/tensorlakeprovider.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

QList<VendorInfo> vendors()
{
    return {VendorInfo{u"tensorlake"_s,
                       u"Tensorlake"_s,
                       QUrl(u"https://api.tensorlake.ai"_s),
                       {AccountField::ApiUrl},
                       {AccountField::Organization, AccountField::Project, AccountField::ProxyUrl,
                        AccountField::PinnedCa},
                       u"API key or personal access token"_s,
                       QUrl(u"https://docs.tensorlake.ai/platform/authentication"_s)}};
}

QString localVendorId()
{
    return u"local"_s;
}

QString vendorName(const QString &vendorId)
{
    if (vendorId == localVendorId())
        return u"This computer"_s;
    for (const VendorInfo &vendor : vendors()) {
        if (vendor.id == vendorId)
            return vendor.displayName;
    }
    return vendorId;
}

std::unique_ptr<SandboxProvider> makeProvider(const Account &account, std::shared_ptr<Secret> secret)
{
    if (account.vendor == "tensorlake"_L1) {
        TensorlakeProvider::Setup setup;
        setup.secret = std::move(secret);
        // SSH keys belong to a user, an API key to a project: where the environment has a personal
        // token too, it is the one for keys.
        QByteArray token = qgetenv("TENSORLAKE_PAT").trimmed();
        if (account.fromEnvironment && !token.isEmpty())
            setup.userSecret = std::make_shared<Secret>(Secret::taking(token));
        return std::make_unique<TensorlakeProvider>(account, setup);
    }
    return nullptr;
}

Account thisComputerAccount(const QUrl &apiUrl)
{
    Account account;
    account.id = u"this-computer"_s;
    account.vendor = localVendorId();
    account.name = vendorName(account.vendor);
    account.apiUrl = apiUrl;
    return account;
}

std::unique_ptr<SandboxProvider> makeGatewayProvider(const GatewayAddress &gateway)
{
    TensorlakeProvider::Setup setup;
    setup.secret = gateway.apiKey;
    setup.localSsh = gateway.ssh;
    setup.isThisComputer = true;
    return std::make_unique<TensorlakeProvider>(thisComputerAccount(gateway.apiUrl), setup);
}

} // namespace Sandpiper
