// A user for tests: answers from a list, and remembers what was asked. GUI thread.
#pragma once

#include "session/prompt.h"

#include <QPromise>

#include <deque>
#include <functional>
#include <memory>

namespace Sandpiper {

class RecordingPrompts : public PromptHandler
{
public:
    struct Reply
    {
        PromptAnswer::Kind kind = PromptAnswer::Kind::Accepted;
        QByteArrayList values;
        bool keep = false;
    };
    QFuture<std::shared_ptr<PromptAnswer>> ask(const Prompt &prompt) override
    {
        asked.append(prompt);
        m_open.push_back(std::make_unique<QPromise<std::shared_ptr<PromptAnswer>>>());
        auto &promise = *m_open.back();
        promise.start();
        const QFuture<std::shared_ptr<PromptAnswer>> future = promise.future();
        questions.append(future);
        if (!replies.empty()) {
            const Reply reply = replies.front();
            replies.pop_front();
            answer(reply);
        } else if (!leavesOpen) {
            answer({PromptAnswer::Kind::Refused, {}});
        }
        return future;
    }
    // The question that is open.
    void answer(const Reply &reply)
    {
        auto given = std::make_shared<PromptAnswer>();
        given->kind = reply.kind;
        given->keep = reply.keep;
        for (const QByteArray &value : reply.values)
            given->values.emplace_back(value);
        m_open.back()->addResult(given);
        m_open.back()->finish();
    }

    std::deque<Reply> replies; // one for each question; then nobody is there any more, or:
    bool leavesOpen = false;   // whoever is asked says nothing
    QList<Prompt> asked;
    QList<QFuture<std::shared_ptr<PromptAnswer>>> questions;

private:
    std::vector<std::unique_ptr<QPromise<std::shared_ptr<PromptAnswer>>>> m_open;
};

} // namespace Sandpiper
