// The whole list of sandboxes, page after page.
#pragma once

#include "session/providers/tensorlakejson.h"

#include <QFutureWatcher>
#include <QPointer>
#include <QPromise>
#include <QSet>

#include <memory>

namespace Sandpiper {

// Deletes itself when it has answered, or when the future is cancelled.
class TensorlakeList : public QObject
{
    Q_OBJECT
public:
    using Answer = Result<QList<Sandbox>>;
    // http is borrowed and outlives this; cache and context are shared with work on pool threads.
    TensorlakeList(HttpClient *http, std::shared_ptr<const TensorlakeContext> context, std::shared_ptr<CapabilityCache> cache,
                   SandboxProvider::ListScope scope, QObject *parent);

    [[nodiscard]] QFuture<Answer> future() const { return m_promise.future(); }

private:
    void ask(const QUrl &url);
    void onReply(const Result<HttpReply> &reply, const QUrl &url);
    void onPage(Result<TensorlakePage> page);
    void conclude();
    void finish(Answer answer);

    HttpClient *m_http;
    std::shared_ptr<const TensorlakeContext> m_context;
    std::shared_ptr<CapabilityCache> m_cache;
    SandboxProvider::ListScope m_scope;
    QPointer<HttpCall> m_call;
    QSet<QUrl> m_asked;
    QList<Sandbox> m_found;
    QPromise<Answer> m_promise;
    QFutureWatcher<Answer> m_watcher;
    bool m_isFinished = false;
};

} // namespace Sandpiper
