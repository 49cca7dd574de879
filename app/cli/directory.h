// The accounts and their providers, and what a TARGET on the command line means. Main thread.
#pragma once

#include "app/cli/clierror.h"
#include "session/accounts.h"
#include "session/availablekeys.h"
#include "session/keychain.h"
#include "session/logins.h"
#include "session/networkstore.h"
#include "session/provider.h"
#include "session/providers/sshhosts.h"
#include "session/prompt.h"

#include <QFuture>
#include <QObject>

#include <memory>
#include <vector>

namespace Sandpiper {

struct Target
{
    Sandbox sandbox;
    SandboxProvider *provider = nullptr; // borrowed from the directory; null for ssh:// and SSH hosts
    QString accountName;
    SignIn signIn; // of resolveToConnect()
};

// Pure: the parts of a TARGET.
struct TargetText
{
    QString account; // empty: any
    QString name;    // name or id
    std::optional<SshEndpoint> ssh; // ssh://user@host:port
    friend bool operator==(const TargetText &, const TargetText &) = default;
};
[[nodiscard]] CliResult<TargetText> parseTarget(const QString &text);

class Directory : public QObject
{
    Q_OBJECT
public:
    struct Entry
    {
        Account account;
        std::unique_ptr<SandboxProvider> provider; // null: see error
        Error error;
    };
    enum class Gateway {
        FindOnly,  // never starts it: listings
        WhereUsed, // starts it where this computer has had sandboxes
        Start,     // needed now
    };

    explicit Directory(QObject *parent = nullptr);
    ~Directory() override;

    [[nodiscard]] AccountStore *accounts() { return &m_accounts; }
    [[nodiscard]] Keychain *keychain() { return m_keychain.get(); }
    // Reads accounts and their secrets. Never fails as a whole: each entry has its error.
    [[nodiscard]] QFuture<void> load(Gateway gateway);
    [[nodiscard]] const std::vector<std::unique_ptr<Entry>> &entries() const { return m_entries; }
    // By name or id; without one: the only account, else This computer. The mistake names them all.
    [[nodiscard]] CliResult<Entry *> entry(const QString &account) const;
    // Sandboxes of the accounts first, then SSH hosts: of the user's ssh_config, and their own. NotFound and Conflict list
    // the candidates. After load().
    [[nodiscard]] QFuture<CliResult<Target>> resolve(const TargetText &text);
    // The same, and with what to sign in there.
    [[nodiscard]] QFuture<CliResult<Target>> resolveToConnect(const TargetText &text);
    // Which keys an account knows is asked once, and waited for a few seconds at most. provider: its own,
    // borrowed; may be null.
    [[nodiscard]] QFuture<SignIn> signInTo(const Sandbox &sandbox, SandboxProvider *provider);
    // The keys of this computer and of the chosen agent, once they are read.
    [[nodiscard]] QFuture<const AvailableKeys *> readKeys();
    // A connection's questions: what the keychain does not answer is asked on the terminal. The directory
    // must outlive them.
    [[nodiscard]] std::unique_ptr<PromptHandler> makePrompts();

private:
    struct Search;
    struct KeySearch;
    void matchKey(const std::shared_ptr<KeySearch> &search, SandboxProvider *provider);
    void lookAmongHosts(const std::shared_ptr<Search> &search);
    void nameCandidates(const std::shared_ptr<Search> &search);
    void add(const Account &account, const Result<std::shared_ptr<Secret>> &secret);
    void addLocal(Gateway gateway, const std::function<void()> &done);
    AccountStore m_accounts;
    OwnHosts m_ownHosts;
    SshHostsProvider m_hosts;
    std::unique_ptr<Keychain> m_keychain;
    NetworkStore m_network;
    LoginStore m_logins;
    AvailableKeys m_keys;
    QHash<SandboxProvider *, QFuture<Result<QList<SshKey>>>> m_registeredKeys;
    std::vector<std::unique_ptr<Entry>> m_entries;
};

} // namespace Sandpiper
