#include "ui/promptpresenter.h"

#include "ui/promptdialog.h"

#include <QFutureWatcher>
#include <QPromise>
#include <QWidget>

#include <algorithm>

namespace Sandpiper {

using Answer = std::shared_ptr<PromptAnswer>;

struct PromptPresenter::Question
{
    quint64 id = 0;
    Prompt prompt;
    QPromise<Answer> promise;
    QFutureWatcher<Answer> watcher;
    QPointer<PromptDialog> dialog;
};

namespace {

// Enough for every tab of a busy day; more is not a person's doing.
constexpr size_t maxWaiting = 200;

Answer plain(PromptAnswer::Kind kind)
{
    auto answer = std::make_shared<PromptAnswer>();
    answer->kind = kind;
    return answer;
}

} // namespace

PromptPresenter::PromptPresenter(QWidget *window, QObject *parent)
    : QObject(parent)
    , m_window(window)
{
}

PromptPresenter::~PromptPresenter()
{
    while (!m_questions.empty())
        finish(m_questions.back()->id, plain(PromptAnswer::Kind::Refused));
}

PromptDialog *PromptPresenter::shown() const
{
    return m_questions.empty() ? nullptr : m_questions.front()->dialog.data();
}

QFuture<Answer> PromptPresenter::ask(const Prompt &prompt)
{
    auto question = std::make_unique<Question>();
    question->id = ++m_lastId;
    question->prompt = prompt;
    question->promise.start();
    const QFuture<Answer> future = question->promise.future();
    const quint64 id = question->id;
    connect(&question->watcher, &QFutureWatcherBase::canceled, this,
            [this, id] { finish(id, plain(PromptAnswer::Kind::Cancelled)); });
    question->watcher.setFuture(future);
    const bool askable = m_window && m_questions.size() < maxWaiting
        && prompt.fields.size() <= PromptDialog::maxFields;
    m_questions.push_back(std::move(question));
    if (!askable)
        finish(id, plain(PromptAnswer::Kind::Refused));
    else if (prompt.kind == Prompt::Kind::Touch)
        // A notice waits for no question before it, and holds none up.
        QMetaObject::invokeMethod(this, [this, id] { showById(id); }, Qt::QueuedConnection);
    else
        // Not from inside ask(): the asker does not have its future yet.
        QMetaObject::invokeMethod(this, &PromptPresenter::showNext, Qt::QueuedConnection);
    return future;
}

void PromptPresenter::showNext()
{
    const auto isQuestion = [](const auto &one) { return one->prompt.kind != Prompt::Kind::Touch; };
    const auto first = std::ranges::find_if(m_questions, isQuestion);
    if (first != m_questions.end() && !(*first)->dialog)
        showById((*first)->id);
}

void PromptPresenter::showById(quint64 id)
{
    const auto it = std::ranges::find_if(m_questions, [id](const auto &one) { return one->id == id; });
    if (it == m_questions.end())
        return;
    Question &question = **it;
    if (!m_window) {
        finish(id, plain(PromptAnswer::Kind::Refused));
        return;
    }
    auto *dialog = new PromptDialog(question.prompt, m_window);
    question.dialog = dialog;
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &PromptDialog::answered, this,
            [this, id](const Answer &answer) { finish(id, answer); });
    connect(dialog, &PromptDialog::hostKeysWanted, this, &PromptPresenter::hostKeysWanted);
    // The window went, and the dialog with it.
    connect(dialog, &QObject::destroyed, this,
            [this, id] { finish(id, plain(PromptAnswer::Kind::Refused)); });
    if (question.prompt.kind == Prompt::Kind::Touch)
        dialog->show();
    else
        dialog->open();
    emit attentionNeeded(question.prompt.target);
}

void PromptPresenter::finish(quint64 id, const Answer &answer)
{
    const auto it = std::ranges::find_if(m_questions, [id](const auto &q) { return q->id == id; });
    if (it == m_questions.end())
        return;
    const std::unique_ptr<Question> question = std::move(*it);
    m_questions.erase(it);
    question->watcher.disconnect(this);
    if (question->dialog) {
        question->dialog->disconnect(this);
        question->dialog->hide();
        question->dialog->deleteLater();
    }
    if (!question->promise.isCanceled())
        question->promise.addResult(answer);
    question->promise.finish();
    QMetaObject::invokeMethod(this, &PromptPresenter::showNext, Qt::QueuedConnection);
}

} // namespace Sandpiper
