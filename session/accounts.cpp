#include "session/accounts.h"

#include "session/address.h"
#include "session/paths.h"

#include <QDateTime>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLockFile>
#include <QUuid>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr int fileVersion = 1;
constexpr qsizetype maxAccounts = 1000;

Error fileError(ErrorKind kind, const QString &detail, const QString &file)
{
    return {kind, Layer::LocalDisk, detail, file};
}

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

struct Parsed
{
    QList<Account> accounts;
    bool damaged = false; // some of it could not be understood
    bool tooNew = false;
};

Parsed parsed(const QByteArray &content)
{
    const QJsonDocument document = QJsonDocument::fromJson(content);
    const QJsonObject root = document.object();
    Parsed result;
    if (root.value("version"_L1).toInt() > fileVersion) {
        result.tooNew = true;
        return result;
    }
    if (root.value("version"_L1).toInt() != fileVersion || !root.value("accounts"_L1).isArray()) {
        result.damaged = true;
        return result;
    }
    const QJsonArray items = root.value("accounts"_L1).toArray();
    for (const QJsonValue &item : items) {
        const auto account = fromJson(item.toObject());
        const auto isTaken = [&account](const Account &other) {
            return other.id == account->id || other.name == account->name;
        };
        if (account && result.accounts.size() < maxAccounts
            && std::none_of(result.accounts.cbegin(), result.accounts.cend(), isTaken))
            result.accounts.append(*account);
        else
            result.damaged = true;
    }
    return result;
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

// The damaged file under a name that nothing else has; the time makes it findable.
QString asideName(const QString &file)
{
    const QString base = file + u".damaged-"_s + QDateTime::currentDateTimeUtc().toString(u"yyyyMMdd-HHmmss"_s);
    QString name = base;
    for (int i = 2; QFileInfo::exists(name); ++i)
        name = base + u'-' + QString::number(i);
    return name;
}

} // namespace

AccountStore::AccountStore(const QString &file, QObject *parent)
    : QObject(parent)
    , m_file(file)
{
    load();
}

QList<Account> AccountStore::accounts() const
{
    return m_accounts;
}

std::optional<Error> AccountStore::loadError() const
{
    return m_loadError;
}

void AccountStore::load()
{
    const Result<QByteArray> content = readFile(m_file);
    if (!content) {
        m_readOnly = content.error().kind != ErrorKind::NotFound;
        if (m_readOnly)
            m_loadError = content.error();
        return;
    }
    Parsed result = parsed(*content);
    m_accounts = result.accounts;
    m_readOnly = result.tooNew;
    if (result.tooNew)
        m_loadError = fileError(ErrorKind::Unsupported, u"it was written by a newer Sandpiper"_s, m_file);
    if (!result.damaged)
        return;
    // What could be understood goes on; a copy of all of it stays for the person to look at.
    const QString aside = asideName(m_file);
    const Done kept = writePrivateFile(aside, *content);
    m_readOnly = !kept;
    m_loadError = fileError(ErrorKind::Protocol,
                            kept ? u"what it held is kept in "_s + aside : kept.error().detail, m_file);
}

Done AccountStore::change(const std::function<Done(QList<Account> &)> &edit)
{
    if (m_readOnly)
        return std::unexpected(*m_loadError);
    if (Done folder = makePrivateFolder(QFileInfo(m_file).absolutePath()); !folder)
        return folder;
    // Window and command line may both be at work. Never long: the file is small.
    QLockFile lock(m_file + u".lock"_s);
    if (!lock.tryLock(500))
        return std::unexpected(fileError(ErrorKind::Io, u"another program is changing it"_s, m_file));
    QList<Account> accounts = m_accounts;
    if (const auto content = readFile(m_file)) {
        const Parsed now = parsed(*content);
        if (now.tooNew)
            return std::unexpected(fileError(ErrorKind::Unsupported, u"it was written by a newer Sandpiper"_s, m_file));
        if (!now.damaged)
            accounts = now.accounts;
    }
    if (Done edited = edit(accounts); !edited)
        return edited;
    QJsonArray items;
    for (const Account &account : std::as_const(accounts))
        items.append(toJson(account));
    const QJsonObject root{{u"version"_s, fileVersion}, {u"accounts"_s, items}};
    if (Done written = writePrivateFile(m_file, QJsonDocument(root).toJson()); !written)
        return written;
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
