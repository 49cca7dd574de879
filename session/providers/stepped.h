// One answer to what takes several questions, one after the other. GUI thread.
#pragma once

#include <QFutureWatcher>
#include <QPromise>

#include <memory>

namespace Sandpiper {

// Copied into the continuations of the steps, which share it.
template <typename Answer>
class Stepped
{
public:
    // context: whose thread and life the steps have.
    explicit Stepped(QObject *context)
        : m_promise(std::make_shared<QPromise<Answer>>())
        , m_watcher(new QFutureWatcher<Answer>(context))
    {
        m_promise->start();
        m_watcher->setFuture(m_promise->future());
        QObject::connect(m_watcher, &QFutureWatcherBase::finished, m_watcher, &QObject::deleteLater);
    }
    [[nodiscard]] QFuture<Answer> future() const { return m_promise->future(); }
    // Whoever cancels the whole cancels this step of it too.
    void cancelWith(QFuture<Answer> step) const
    {
        QObject::connect(m_watcher, &QFutureWatcherBase::canceled, m_watcher, [step]() mutable { step.cancel(); });
    }
    void answer(const Answer &result) const // once
    {
        m_promise->addResult(result);
        m_promise->finish();
    }

private:
    std::shared_ptr<QPromise<Answer>> m_promise;
    QFutureWatcher<Answer> *m_watcher; // until it is answered
};

} // namespace Sandpiper
