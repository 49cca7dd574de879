// Directory: with what a user signs in to a target.
#include "app/cli/directory.h"

#include "app/cli/consoleprompts.h"
#include "session/rememberedpassphrases.h"

#include <QPromise>
#include <QTimer>

#include <chrono>

namespace Sandpiper {
namespace {

constexpr std::chrono::seconds kKeyPatience{3};

// The terminal behind the keychain.
class UserPrompts : public PromptHandler
{
public:
    explicit UserPrompts(Keychain *keychain)
        : m_remembered(&m_console, keychain)
    {
    }
    QFuture<std::shared_ptr<PromptAnswer>> ask(const Prompt &prompt) override { return m_remembered.ask(prompt); }

private:
    ConsolePrompts m_console;
    RememberedPassphrases m_remembered;
};

} // namespace

struct Directory::KeySearch
{
    SignIn signIn;
    QPromise<SignIn> promise;
    bool isOver = false;

    void finish()
    {
        if (std::exchange(isOver, true))
            return;
        promise.addResult(signIn);
        promise.finish();
    }
};

QFuture<CliResult<Target>> Directory::resolveToConnect(const TargetText &text)
{
    const auto promise = std::make_shared<QPromise<CliResult<Target>>>();
    promise->start();
    resolve(text).then(this, [this, promise](CliResult<Target> target) {
        const auto give = [promise](const CliResult<Target> &found) {
            promise->addResult(found);
            promise->finish();
        };
        if (!target)
            return give(target);
        signInTo(target->sandbox, target->provider).then(this, [give, target](const SignIn &signIn) mutable {
            target->signIn = signIn;
            give(target);
        });
    });
    return promise->future();
}

QFuture<SignIn> Directory::signInTo(const Sandbox &sandbox, SandboxProvider *provider)
{
    const auto search = std::make_shared<KeySearch>();
    search->signIn = {m_logins.of(sandbox.id), {}, m_logins.agentSocket()};
    search->promise.start();
    const QFuture<SignIn> future = search->promise.future();
    if (!provider || !sandbox.ssh || !sandbox.ssh->identityFiles.isEmpty() || !search->signIn.choice.key.isEmpty()) {
        search->finish();
        return future;
    }
    if (m_keys.isKnown()) {
        matchKey(search, provider);
        return future;
    }
    connect(&m_keys, &AvailableKeys::changed, this, [this, search, provider] { matchKey(search, provider); }, Qt::SingleShotConnection);
    QTimer::singleShot(kKeyPatience, this, [search] { search->finish(); });
    m_keys.refresh();
    return future;
}

QFuture<const AvailableKeys *> Directory::readKeys()
{
    const auto promise = std::make_shared<QPromise<const AvailableKeys *>>();
    promise->start();
    connect(&m_keys, &AvailableKeys::changed, this, [this, promise] {
        promise->addResult(&m_keys);
        promise->finish();
    }, Qt::SingleShotConnection);
    m_keys.refresh();
    return promise->future();
}

void Directory::matchKey(const std::shared_ptr<KeySearch> &search, SandboxProvider *provider)
{
    const QHash<QString, QString> usable = m_keys.usable();
    if (usable.isEmpty())
        return search->finish();
    auto registered = m_registeredKeys.find(provider);
    if (registered == m_registeredKeys.end())
        registered = m_registeredKeys.insert(provider, provider->keys());
    QTimer::singleShot(kKeyPatience, this, [search] { search->finish(); });
    QFuture<Result<QList<SshKey>>>(*registered).then(this, [search, usable](const Result<QList<SshKey>> &keys) {
        // It only says which one to offer first; without that they are offered as they come.
        if (keys && !search->isOver)
            search->signIn.matchingKey = matchingKey(*keys, usable);
        search->finish();
    });
}

std::unique_ptr<PromptHandler> Directory::makePrompts()
{
    return std::make_unique<UserPrompts>(m_keychain.get());
}

} // namespace Sandpiper
