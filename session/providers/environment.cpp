#include "session/accounts.h"


using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// Stable ids, so that what is kept for a sandbox (tabs, settings) is found again at the next start.
constexpr QLatin1StringView keyAccount("env-tensorlake-key");
constexpr QLatin1StringView tokenAccount("env-tensorlake-pat");

QString variable(const char *name)
{
    return qEnvironmentVariable(name).trimmed();
}

// What is no URL must not look like a variable that is not set: that would mean the default.
QUrl urlFrom(const QString &text)
{
    const QUrl url(text, QUrl::StrictMode);
    return !url.isValid() && !text.isEmpty() ? QUrl(u"invalid:address"_s) : url;
}

} // namespace

QList<Account> accountsFromEnvironment()
{
    const bool hasKey = !variable("TENSORLAKE_API_KEY").isEmpty();
    const bool hasToken = !variable("TENSORLAKE_PAT").isEmpty();
    if (!hasKey && !hasToken)
        return {};
    Account account;
    account.vendor = u"tensorlake"_s;
    account.name = u"Tensorlake (environment)"_s;
    account.fromEnvironment = true;
    const QString api = variable("TENSORLAKE_API_URL");
    account.apiUrl = api.isEmpty() ? QUrl(u"https://api.tensorlake.ai"_s) : urlFrom(api);
    account.proxyUrl = urlFrom(variable("TENSORLAKE_SANDBOX_PROXY_URL"));
    // The key wins, as in the vendor's own tools. It is bound to one project and needs no scope.
    if (hasKey) {
        account.id = keyAccount;
        return {account};
    }
    account.id = tokenAccount;
    account.organization = variable("TENSORLAKE_ORGANIZATION_ID");
    account.project = variable("TENSORLAKE_PROJECT_ID");
    return {account};
}

Result<std::shared_ptr<Secret>> readEnvironmentSecret(const Account &account)
{
    QByteArray value;
    if (account.fromEnvironment && account.id == keyAccount)
        value = qgetenv("TENSORLAKE_API_KEY").trimmed();
    else if (account.fromEnvironment && account.id == tokenAccount)
        value = qgetenv("TENSORLAKE_PAT").trimmed();
    if (value.isEmpty())
        return failure(ErrorKind::NotFound, Layer::Auth, {}, account.name);
    return std::make_shared<Secret>(Secret::taking(value));
}

} // namespace Sandpiper
