// The accounts of this user: a versioned JSON file without secrets, written atomically. GUI thread.
#pragma once

#include "session/error.h"

#include <QList>
#include <QObject>
#include <optional>
#include <QUrl>

namespace Sandpiper {

struct Account
{
    QString id;     // stable, never shown
    QString vendor; // "tensorlake", "local"
    QString name;   // shown
    QUrl apiUrl;
    QUrl proxyUrl;        // the user's override for the in-sandbox API; usually empty
    QString organization; // where the vendor wants it
    QString project;
    QByteArray pinnedCa; // PEM; where set, the only authority trusted for this account
    bool fromEnvironment = false; // made on the fly; never stored

    friend bool operator==(const Account &, const Account &) = default;
};

class AccountStore : public QObject
{
    Q_OBJECT
public:
    // file: accounts.json; the folder is made when needed. A file that cannot be read is kept aside
    // under another name, never overwritten, and told by loadError().
    explicit AccountStore(const QString &file, QObject *parent = nullptr);

    [[nodiscard]] QList<Account> accounts() const;
    [[nodiscard]] std::optional<Error> loadError() const;
    // InvalidInput: empty or taken name, or a URL that is neither https nor http to this computer.
    Done add(const Account &account);
    Done update(const Account &account);
    Done remove(const QString &id);

signals:
    void changed();

private:
    Done save(const QList<Account> &accounts);
    QString m_file;
    QList<Account> m_accounts;
    std::optional<Error> m_loadError;
};

// Accounts that the vendors' own environment variables make on the fly (TENSORLAKE_API_KEY, …), each
// with the secret's variable name; the secret is read by readEnvironmentSecret().
[[nodiscard]] QList<Account> accountsFromEnvironment();

} // namespace Sandpiper
