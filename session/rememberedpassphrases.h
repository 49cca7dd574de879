// Passphrases of keys that their user wanted kept: answered from the keychain before anybody is asked,
// and forgotten once they turn out to be wrong. GUI thread.
#pragma once

#include "session/keychain.h"
#include "session/prompt.h"

#include <QObject>
#include <QSet>

#include <memory>
#include <vector>

namespace Sandpiper {

// In front of another handler, which gets every question that the keychain does not answer. They lie
// as "passphrase/<fingerprint>".
class RememberedPassphrases : public QObject, public PromptHandler
{
    Q_OBJECT
public:
    // Both are borrowed and must outlive it.
    RememberedPassphrases(PromptHandler *asker, Keychain *keychain, QObject *parent = nullptr);
    ~RememberedPassphrases() override; // withdraws what is open

    [[nodiscard]] QFuture<std::shared_ptr<PromptAnswer>> ask(const Prompt &prompt) override;

private:
    struct Question;
    void askUser(const std::shared_ptr<Question> &question);
    void finish(const std::shared_ptr<Question> &question, const std::shared_ptr<PromptAnswer> &answer);

    PromptHandler *m_asker;
    Keychain *m_keychain;
    std::vector<std::shared_ptr<Question>> m_questions; // owned together with the answers under way
    QSet<QString> m_fromKeychain; // keys whose last answer came from there
};

} // namespace Sandpiper
