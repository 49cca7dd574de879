// The accounts of this user: a versioned JSON file without secrets, written atomically. GUI thread.
#pragma once

#include "session/keptfile.h"
#include "session/secret.h"

#include <QList>
#include <QObject>
#include <QUrl>

#include <functional>
#include <memory>
#include <optional>

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
    // file: accounts.json; see KeptFile.
    explicit AccountStore(const QString &file, QObject *parent = nullptr);

    [[nodiscard]] QList<Account> accounts() const;
    [[nodiscard]] std::optional<Error> loadError() const;
    // InvalidInput: empty or taken name, or a URL that is neither https nor http to this computer.
    // NotFound: update() or remove() of an account that is not there. LocalDisk: it was not saved,
    // and nothing has changed. What another process has saved in the meantime is kept.
    Done add(const Account &account);
    Done update(const Account &account);
    Done remove(const QString &id);

signals:
    void changed();

private:
    Done change(const std::function<Done(QList<Account> &)> &edit);
    KeptFile m_file;
    QList<Account> m_accounts;
};

// A fresh Account::id.
[[nodiscard]] QString newAccountId();

// Accounts that the vendors' own environment variables make on the fly. An address there that cannot
// be used stays in the account as it is, so that its first request says so.
[[nodiscard]] QList<Account> accountsFromEnvironment();
// The secret of such an account. NotFound: not from the environment, or the variable is gone.
[[nodiscard]] Result<std::shared_ptr<Secret>> readEnvironmentSecret(const Account &account);

} // namespace Sandpiper
