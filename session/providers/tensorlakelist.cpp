#include "session/providers/tensorlakelist.h"

#include "session/address.h"
#include "session/background.h"

#include <QLoggingCategory>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

static Q_LOGGING_CATEGORY(lcList, "sandpiper.session.list", QtInfoMsg)

namespace Sandpiper {
namespace {

constexpr qsizetype maxPages = 1'000;
constexpr qsizetype maxSandboxes = 100'000;
// Below this a page is read faster than it is handed to another thread and back.
constexpr qsizetype smallBody = 16 << 10;

// One order, whatever order the vendor's pages come in, so that two polls of the same list are equal.
QList<Sandbox> ordered(QList<Sandbox> list)
{
    std::stable_sort(list.begin(), list.end(), [](const Sandbox &a, const Sandbox &b) {
        return a.createdAt == b.createdAt ? a.id.id < b.id.id : a.createdAt > b.createdAt;
    });
    // A sandbox that moved between pages while we read them is there twice.
    list.erase(std::unique(list.begin(), list.end(), [](const Sandbox &a, const Sandbox &b) { return a.id == b.id; }), list.end());
    return list;
}

} // namespace

TensorlakeList::TensorlakeList(HttpClient *http, std::shared_ptr<const TensorlakeContext> context,
                               std::shared_ptr<CapabilityCache> cache, SandboxProvider::ListScope scope, QObject *parent)
    : QObject(parent)
    , m_http(http)
    , m_context(std::move(context))
    , m_cache(std::move(cache))
    , m_scope(scope)
{
    m_promise.start();
    connect(&m_watcher, &QFutureWatcherBase::canceled, this, [this] {
        if (m_call)
            m_call->cancel();
        finish(failure(ErrorKind::Cancelled, Layer::Http));
    });
    m_watcher.setFuture(m_promise.future());
    ask(m_context->routes.listSandboxes().url);
}

void TensorlakeList::ask(const QUrl &url)
{
    m_asked.insert(url);
    HttpRequest request = m_context->routes.listSandboxes();
    request.url = url;
    m_call = m_http->send(request);
    connect(m_call, &HttpCall::finished, this, [this, url](const Result<HttpReply> &reply) { onReply(reply, url); });
}

void TensorlakeList::onReply(const Result<HttpReply> &reply, const QUrl &url)
{
    if (!reply)
        return finish(std::unexpected(reply.error()));
    if (!reply->isSuccess())
        return finish(std::unexpected(tensorlakeError(*reply, TensorlakePlane::Platform, hostText(url))));
    const auto work = [body = reply->body, url, context = m_context, cache = m_cache] {
        return tensorlakePage(body, url, *context, cache.get());
    };
    if (reply->body.size() <= smallBody)
        return onPage(work());
    inBackground(this, work, [this](Result<TensorlakePage> page) { onPage(std::move(page)); });
}

void TensorlakeList::onPage(Result<TensorlakePage> page)
{
    if (m_isFinished)
        return;
    if (!page) {
        Error error = page.error();
        error.subject = hostText(m_context->routes.listSandboxes().url);
        return finish(std::unexpected(error));
    }
    if (page->skipped > 0)
        qCWarning(lcList) << page->skipped << "entries of a list have no usable id and are left out";
    if (m_scope == SandboxProvider::ListScope::Live)
        page->sandboxes.removeIf([](const Sandbox &sandbox) { return sandbox.state == SandboxState::Terminated; });
    m_found += page->sandboxes;
    const auto broken = [this](ErrorKind kind, const QString &why) {
        finish(failure(kind, Layer::Provider, why, hostText(m_context->routes.listSandboxes().url)));
    };
    if (m_found.size() > maxSandboxes)
        return broken(ErrorKind::TooLarge, u"more than %1 sandboxes"_s.arg(maxSandboxes));
    if (page->next.isEmpty())
        return conclude();
    if (m_asked.contains(page->next))
        return broken(ErrorKind::Protocol, u"the pages of the list lead in a circle"_s);
    if (m_asked.size() >= maxPages)
        return broken(ErrorKind::TooLarge, u"the list has more than %1 pages"_s.arg(maxPages));
    ask(page->next);
}

void TensorlakeList::conclude()
{
    if (m_found.size() <= 100)
        return finish(ordered(std::move(m_found)));
    inBackground(this, [found = std::move(m_found)] { return ordered(found); },
                 [this](QList<Sandbox> list) { finish(std::move(list)); });
}

void TensorlakeList::finish(Answer answer)
{
    if (std::exchange(m_isFinished, true))
        return;
    m_promise.addResult(std::move(answer));
    m_promise.finish();
    deleteLater();
}

} // namespace Sandpiper
