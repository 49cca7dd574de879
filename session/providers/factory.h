// The vendors Sandpiper knows, and the way to a provider for an account. GUI thread.
// Nothing outside this folder names a vendor.
#pragma once

#include "session/accounts.h"
#include "session/provider.h"

#include <QList>

namespace Sandpiper {

// What "Add account" asks for, in the order to ask it. The secret is asked for always.
enum class AccountField {
    ApiUrl,
    ProxyUrl,
    Organization, // needed together with Project, and only with a personal token
    Project,
    PinnedCa, // PEM of the one authority to trust, for a private installation
};

struct VendorInfo
{
    QString id; // Account::vendor
    QString displayName;
    QUrl defaultApiUrl;
    QList<AccountField> required;
    QList<AccountField> optional;
    QString secretLabel; // "API key or personal access token"
    QUrl helpUrl;        // where such a secret is to be had
};

// Vendors for which accounts can be added; This computer is not among them, it is simply there.
[[nodiscard]] QList<VendorInfo> vendors();
// "Tensorlake"; the id itself where it is none of ours. Knows This computer too.
[[nodiscard]] QString vendorName(const QString &vendorId);
// Account::vendor of This computer.
[[nodiscard]] QString localVendorId();

// secret must not be null. Null where Account::vendor is none of ours, or This computer: see
// session/gatewayprovider.h.
// What is wrong with the account (its URL, say) is told by every call of the provider.
[[nodiscard]] std::unique_ptr<SandboxProvider> makeProvider(const Account &account, std::shared_ptr<Secret> secret);

} // namespace Sandpiper
