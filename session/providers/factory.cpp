#include "session/providers/factory.h"

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

} // namespace Sandpiper
