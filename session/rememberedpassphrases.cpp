#include "session/rememberedpassphrases.h"

#include <QFutureWatcher>
#include <QPromise>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

using Answer = std::shared_ptr<PromptAnswer>;

struct RememberedPassphrases::Question
{
    Prompt prompt;
    QPromise<Answer> promise;
    QFutureWatcher<Answer> watcher; // of our own future: the asker may cancel it
    QFuture<Answer> atUser;
    bool isOver = false;
};

namespace {

QString placeOf(const Prompt &prompt)
{
    return u"passphrase/"_s + prompt.keyFingerprint;
}

} // namespace

RememberedPassphrases::RememberedPassphrases(PromptHandler *asker, Keychain *keychain, QObject *parent)
    : QObject(parent)
    , m_asker(asker)
    , m_keychain(keychain)
{
}

RememberedPassphrases::~RememberedPassphrases()
{
    while (!m_questions.empty())
        finish(m_questions.back(), std::make_shared<PromptAnswer>());
}

QFuture<Answer> RememberedPassphrases::ask(const Prompt &prompt)
{
    if (prompt.kind != Prompt::Kind::Passphrase || prompt.keyFingerprint.isEmpty())
        return m_asker->ask(prompt);
    const auto question = std::make_shared<Question>();
    question->prompt = prompt;
    const bool lasts = m_keychain->persistenceOf(placeOf(prompt)) != Keychain::Persistence::ThisRunOnly;
    question->prompt.keeping = lasts ? Prompt::Keeping::Keychain : Prompt::Keeping::ThisRunOnly;
    question->promise.start();
    const QFuture<Answer> future = question->promise.future();
    connect(&question->watcher, &QFutureWatcherBase::canceled, this, [this, weak = std::weak_ptr(question)] {
        if (const auto open = weak.lock())
            finish(open, nullptr);
    });
    question->watcher.setFuture(future);
    m_questions.push_back(question);
    if (prompt.attempt > 1) {
        // It was wrong, wherever it came from. Whoever is asked now has not failed yet if the keychain did.
        (void)m_keychain->remove(placeOf(prompt));
        if (m_fromKeychain.remove(prompt.keyFingerprint))
            question->prompt.attempt = 1;
        askUser(question);
        return future;
    }
    m_keychain->read(placeOf(prompt)).then(this, [this, question](const Result<std::shared_ptr<Secret>> &kept) {
        if (question->isOver)
            return;
        if (!kept)
            return askUser(question);
        m_fromKeychain.insert(question->prompt.keyFingerprint);
        auto answer = std::make_shared<PromptAnswer>();
        answer->kind = PromptAnswer::Kind::Accepted;
        answer->values.push_back((*kept)->clone());
        finish(question, answer);
    });
    return future;
}

void RememberedPassphrases::askUser(const std::shared_ptr<Question> &question)
{
    question->atUser = m_asker->ask(question->prompt);
    question->atUser
            .then(this,
                  [this, question](const Answer &answer) {
                      const bool isKept = answer && answer->keep && answer->kind == PromptAnswer::Kind::Accepted && !answer->values.empty();
                      if (isKept && !question->isOver)
                          (void)m_keychain->write(placeOf(question->prompt), answer->values.front());
                      finish(question, answer);
                  })
            .onCanceled(this, [this, question] { finish(question, nullptr); });
}

void RememberedPassphrases::finish(const std::shared_ptr<Question> &question, const Answer &answer)
{
    if (std::exchange(question->isOver, true))
        return;
    std::erase(m_questions, question);
    question->watcher.disconnect(this);
    question->atUser.cancel();
    if (!question->promise.isCanceled()) {
        auto cancelled = std::make_shared<PromptAnswer>();
        cancelled->kind = PromptAnswer::Kind::Cancelled;
        question->promise.addResult(answer ? answer : cancelled);
    }
    question->promise.finish();
}

} // namespace Sandpiper
