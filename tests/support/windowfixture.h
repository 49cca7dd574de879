// What a window needs around it, in memory: accounts, keychain, registry, hub and fake vendors.
#pragma once

#include "tests/support/fakeprovider.h"
#include "ui/accounthub.h"
#include "ui/preferences.h"

#include <QTemporaryDir>

namespace Sandpiper {

class WindowFixture
{
public:
    // names: stored accounts, one fake vendor each; their ids are their names.
    explicit WindowFixture(const QStringList &names = {})
        : m_preferences(m_dir.filePath(QStringLiteral("preferences.ini")))
        , m_keychain(makeMemoryKeychain())
        , m_store(m_dir.filePath(QStringLiteral("accounts.json")))
    {
        for (const QString &name : names) {
            Account account;
            account.id = name;
            account.vendor = QStringLiteral("fake");
            account.name = name;
            account.apiUrl = QUrl(QStringLiteral("https://api.example.invalid"));
            (void)m_store.add(account);
            m_keychain->write(QStringLiteral("account/") + name, Secret("stored-secret"));
        }
        AccountHub::Services services;
        services.store = &m_store;
        services.keychain = m_keychain.get();
        services.registry = &m_registry;
        services.makeProvider = [this](const Account &account, std::shared_ptr<Secret> secret) -> std::unique_ptr<SandboxProvider> {
            lastSecret = secret->reveal().toByteArray();
            return make(account.id);
        };
        services.makeLocalProvider = [this](const GatewayAddress &) -> std::unique_ptr<SandboxProvider> {
            return make(QStringLiteral("local"));
        };
        services.findGateway = [this]() -> Result<GatewayAddress> {
            if (gatewayRuns)
                return address();
            return failure(ErrorKind::NotFound, Layer::LocalDisk);
        };
        services.ensureGateway = [this] {
            ++gatewayStarts;
            return QtFuture::makeReadyValueFuture(gatewayError ? Result<GatewayAddress>(std::unexpected(*gatewayError))
                                                               : Result<GatewayAddress>(address()));
        };
        services.environmentSecret = [](const Account &) { return std::shared_ptr<Secret>(); };
        services.localAccount.id = QStringLiteral("local");
        services.localAccount.vendor = QStringLiteral("fake");
        services.localAccount.name = QStringLiteral("This computer");
        m_hub = std::make_unique<AccountHub>(services);
    }

    // Called for every provider when it is made, so that a test can fill it first.
    std::function<void(FakeProvider *)> prepare;
    bool gatewayRuns = false;
    int gatewayStarts = 0;
    std::optional<Error> gatewayError;
    QByteArray lastSecret;
    // The provider of this account now; the registry owns it.
    QHash<QString, QPointer<FakeProvider>> providers;

    [[nodiscard]] QString path(const QString &name) const { return m_dir.filePath(name); }
    [[nodiscard]] Preferences &preferences() { return m_preferences; }
    [[nodiscard]] Keychain &keychain() { return *m_keychain; }
    [[nodiscard]] AccountStore &store() { return m_store; }
    [[nodiscard]] SandboxRegistry &registry() { return m_registry; }
    [[nodiscard]] AccountHub &hub() { return *m_hub; }

private:
    static GatewayAddress address()
    {
        GatewayAddress one;
        one.apiUrl = QUrl(QStringLiteral("http://127.0.0.1:1"));
        one.apiKey = std::make_shared<Secret>("gateway-key");
        return one;
    }
    std::unique_ptr<SandboxProvider> make(const QString &account)
    {
        auto provider = std::make_unique<FakeProvider>(account);
        providers.insert(account, provider.get());
        if (prepare)
            prepare(provider.get());
        return provider;
    }
    QTemporaryDir m_dir;
    Preferences m_preferences;
    std::unique_ptr<Keychain> m_keychain;
    AccountStore m_store;
    SandboxRegistry m_registry;
    std::unique_ptr<AccountHub> m_hub;
};

} // namespace Sandpiper
