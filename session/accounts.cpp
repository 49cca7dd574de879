#include "session/accounts.h"

#include "session/address.h"
#include "session/paths.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QUuid>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype maxAccounts = 1000;

QJsonObject toJson(const Account &account)
{
    return {{u"id"_s, account.id},
            {u"vendor"_s, account.vendor},
            {u"name"_s, account.name},
            {u"api_url"_s, account.apiUrl.toString()},
            {u"proxy_url"_s, account.proxyUrl.toString()},
            {u"organization"_s, account.organization},
            {u"project"_s, account.project},
            {u"pinned_ca"_s, QString::fromLatin1(account.pinnedCa)}};
}

std::optional<Account> fromJson(const QJsonObject &json)
{
    Account account;
    account.id = json.value("id"_L1).toString();
    account.vendor = json.value("vendor"_L1).toString();
    account.name = json.value("name"_L1).toString();
    account.apiUrl = QUrl(json.value("api_url"_L1).toString(), QUrl::StrictMode);
    account.proxyUrl = QUrl(json.value("proxy_url"_L1).toString(), QUrl::StrictMode);
    account.organization = json.value("organization"_L1).toString();
    account.project = json.value("project"_L1).toString();
    account.pinnedCa = json.value("pinned_ca"_L1).toString().toLatin1();
    if (account.id.isEmpty() || account.vendor.isEmpty() || account.name.isEmpty())
        return std::nullopt;
    // A pin that got lost must not become trust in everybody.
    const QJsonValue pin = json.value("pinned_ca"_L1);
    if (!pin.isUndefined() && !pin.isString())
        return std::nullopt;
    return account;
}

QList<Account> parsed(const QJsonArray &items)
{
    QList<Account> accounts;
    for (const QJsonValue &item : items) {
        const auto account = fromJson(item.toObject());
        const auto isTaken = [&account](const Account &other) { return other.id == account->id || other.name == account->name; };
        if (account && accounts.size() < maxAccounts && std::ranges::none_of(accounts, isTaken))
            accounts.append(*account);
    }
    return accounts;
}

Done checked(const Account &account, const QList<Account> &others)
{
    const auto refused = [&account](const QString &why) {
        return failure(ErrorKind::InvalidInput, Layer::Provider, why, account.name);
    };
    if (account.id.isEmpty() || account.vendor.isEmpty())
        return refused(u"the account has no id or no vendor"_s);
    if (account.fromEnvironment)
        return refused(u"an account from environment variables is not stored"_s);
    if (account.name.trimmed().isEmpty())
        return refused(u"the account needs a name"_s);
    // "account/sandbox" is how a command line names a sandbox.
    if (account.name.contains(u'/') || account.name != tamed(account.name, 100))
        return refused(u"the name must be at most 100 plain characters, without '/'"_s);
    for (const Account &other : others) {
        if (other.id != account.id && other.name.compare(account.name, Qt::CaseInsensitive) == 0)
            return refused(u"another account has this name"_s);
    }
    if (Done url = checkApiUrl(account.apiUrl); !url)
        return url;
    if (account.proxyUrl.isEmpty())
        return {};
    return checkApiUrl(account.proxyUrl);
}

} // namespace

AccountStore::AccountStore(const QString &file, QObject *parent)
    : QObject(parent)
    , m_file(file, u"accounts"_s)
{
    m_accounts = parsed(m_file.load([](const QJsonArray &items) { return parsed(items).size() == items.size(); }));
}

QList<Account> AccountStore::accounts() const
{
    return m_accounts;
}

std::optional<Error> AccountStore::loadError() const
{
    return m_file.error();
}

Done AccountStore::change(const std::function<Done(QList<Account> &)> &edit)
{
    QList<Account> accounts;
    const Done saved = m_file.change([&](const std::optional<QJsonArray> &now) -> Result<QJsonArray> {
        accounts = now ? parsed(*now) : m_accounts;
        if (now && accounts.size() != now->size())
            accounts = m_accounts;
        if (const Done edited = edit(accounts); !edited)
            return std::unexpected(edited.error());
        QJsonArray items;
        for (const Account &account : std::as_const(accounts))
            items.append(toJson(account));
        return items;
    });
    if (!saved)
        return saved;
    m_accounts = accounts;
    emit changed();
    return {};
}

Done AccountStore::add(const Account &account)
{
    return change([&account](QList<Account> &accounts) -> Done {
        for (const Account &other : std::as_const(accounts)) {
            if (other.id == account.id)
                return failure(ErrorKind::InvalidInput, Layer::Provider, u"this account exists already"_s, account.name);
        }
        if (accounts.size() >= maxAccounts)
            return failure(ErrorKind::TooLarge, Layer::Provider, u"too many accounts"_s, account.name);
        if (Done valid = checked(account, accounts); !valid)
            return valid;
        accounts.append(account);
        return {};
    });
}

Done AccountStore::update(const Account &account)
{
    return change([&account](QList<Account> &accounts) -> Done {
        if (Done valid = checked(account, accounts); !valid)
            return valid;
        for (Account &known : accounts) {
            if (known.id == account.id) {
                known = account;
                return {};
            }
        }
        return failure(ErrorKind::NotFound, Layer::LocalDisk, {}, account.name);
    });
}

Done AccountStore::remove(const QString &id)
{
    return change([&id](QList<Account> &accounts) -> Done {
        if (accounts.removeIf([&id](const Account &a) { return a.id == id; }) == 0)
            return failure(ErrorKind::NotFound, Layer::LocalDisk, {}, id);
        return {};
    });
}

QString newAccountId()
{
    return QUuid::createUuid().toString(QUuid::WithoutBraces);
}

} // namespace Sandpiper
