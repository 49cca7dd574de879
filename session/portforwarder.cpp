#include "session/portforwarder.h"

#include "session/background.h"

#include <QHostAddress>
#include <QSet>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr quint16 kUnprivileged = 1024;
constexpr quint16 kOutOfTheWay = 8000; // 80 there is 8080 here
constexpr int kMostPortsTried = 5;

bool isItself(const ForwardSpec::End &end)
{
    return end.path.isEmpty() && end.address && (*end.address == "localhost"_L1 || QHostAddress(*end.address).isLoopback());
}

void settle(QPromise<Result<ForwardSpec::End>> &promise, const Result<ForwardSpec::End> &result)
{
    promise.addResult(result);
    promise.finish();
}

} // namespace

PortForwarder::PortForwarder(ForwardManager *forwards, Services services, QObject *parent)
    : QObject(parent)
    , m_forwards(forwards)
    , m_services(std::move(services))
{
    connect(forwards, &ForwardManager::changed, this, &PortForwarder::follow);
    connect(forwards, &ForwardManager::listChanged, this, &PortForwarder::followAll);
}

PortForwarder::~PortForwarder()
{
    for (const Waiting &waiting : m_waiting) {
        waiting.cancelTimer();
        settle(*waiting.promise, failure(ErrorKind::Cancelled, Layer::Ssh));
    }
}

std::optional<ForwardWish> PortForwarder::wishFor(const SandboxId &sandbox, quint16 port) const
{
    std::optional<ForwardWish> found;
    for (const ForwardWish &wish : m_forwards->wishes()->wishes()) {
        const bool leadsThere = wish.sandbox == sandbox && wish.spec.kind == ForwardSpec::Kind::Local && wish.spec.listen.path.isEmpty()
                && wish.spec.target.port == port && isItself(wish.spec.target);
        if (leadsThere && (!found || (wish.isOn && !found->isOn)))
            found = wish;
    }
    return found;
}

bool PortForwarder::isForwarded(const SandboxId &sandbox, quint16 port) const
{
    if (const std::optional<ForwardWish> wish = wishFor(sandbox, port); wish && wish->isOn)
        return true;
    return std::ranges::any_of(m_forwards->wishes()->wishes(), [&](const ForwardWish &wish) {
        return wish.sandbox == sandbox && wish.isOn && !listensHere(wish.spec.kind)
                && (wish.spec.listen.port == port || m_forwards->status(wish.id).at.port == port);
    });
}

QFuture<Result<ForwardSpec::End>> PortForwarder::forward(const SandboxPort &wanted, Keep keep)
{
    auto promise = std::make_shared<Promise>();
    promise->start();
    std::optional<ForwardWish> there = wishFor(wanted.sandbox, wanted.port);
    if (!there) {
        const quint16 from = wanted.port < kUnprivileged ? quint16(wanted.port + kOutOfTheWay) : wanted.port;
        choosePort(from, [this, wanted, keep, promise](quint16 here) { add(wanted, keep, here, promise); });
        return promise->future();
    }
    const bool isTried = there->isOn; // it may have failed: whoever asks again wants it tried again
    const ForwardWish before = *there;
    there->isOn = true;
    there->startsWithSandbox = there->startsWithSandbox || keep == Keep::WithSandbox;
    if (const Done done = *there == before ? Done() : m_forwards->update(*there); !done) {
        settle(*promise, std::unexpected(done.error()));
        return promise->future();
    }
    if (isTried)
        m_forwards->retryNow(there->id);
    await(there->id, false, promise);
    return promise->future();
}

// Ports that other forwards are to listen at count as taken, also while these wait.
void PortForwarder::choosePort(quint16 from, std::function<void(quint16)> then)
{
    QSet<quint16> promised;
    for (const ForwardWish &wish : m_forwards->wishes()->wishes()) {
        if (wish.isOn && listensHere(wish.spec.kind))
            promised.insert(wish.spec.listen.port);
    }
    inBackground(
            this,
            [from, promised, freePort = m_services.freePort] {
                quint16 port = freePort(from);
                while (promised.contains(port) && port > 0 && port < 0xffff)
                    port = freePort(quint16(port + 1));
                return port;
            },
            std::move(then));
}

void PortForwarder::add(const SandboxPort &wanted, Keep keep, quint16 here, const std::shared_ptr<Promise> &promise)
{
    if (promise->isCanceled())
        return promise->finish();
    if (const std::optional<ForwardWish> there = wishFor(wanted.sandbox, wanted.port); there && there->isOn)
        return await(there->id, false, promise); // two wanted it at a time
    ForwardWish wish;
    wish.sandbox = wanted.sandbox;
    wish.sandboxName = wanted.sandboxName;
    wish.name = wanted.name;
    wish.spec.kind = ForwardSpec::Kind::Local;
    wish.spec.listen.port = here;
    wish.spec.target.address = wanted.host;
    wish.spec.target.port = wanted.port;
    wish.isOn = true;
    wish.startsWithSandbox = keep == Keep::WithSandbox;
    const Result<QStringList> added = m_forwards->add({wish});
    if (!added)
        return settle(*promise, std::unexpected(added.error()));
    await(added->constFirst(), true, promise);
}

void PortForwarder::await(const QString &id, bool isOurs, const std::shared_ptr<Promise> &promise)
{
    auto cancel = m_services.after(m_services.patience, this, [this, promise] {
        const auto waiting = std::ranges::find(m_waiting, promise, &Waiting::promise);
        if (waiting == m_waiting.end())
            return;
        const std::optional<Error> why = m_forwards->status(waiting->id).error;
        finish(size_t(waiting - m_waiting.begin()), std::unexpected(why.value_or(Error{ErrorKind::Timeout, Layer::Ssh, u"the forward was not ready in time"_s, {}})));
    });
    m_waiting.push_back({id, isOurs, 0, promise, std::move(cancel)});
    follow(id);
}

void PortForwarder::followAll()
{
    QStringList ids;
    for (const Waiting &waiting : m_waiting)
        ids.append(waiting.id);
    for (const QString &id : std::as_const(ids))
        follow(id);
}

void PortForwarder::follow(const QString &id)
{
    const ForwardManager::Status status = m_forwards->status(id);
    const std::optional<ForwardWish> wish = m_forwards->wishes()->wish(id);
    const auto isOfIt = [&](const Waiting &waiting) { return waiting.id == id; };
    for (auto waiting = std::ranges::find_if(m_waiting, isOfIt); waiting != m_waiting.end();) {
        const auto index = size_t(waiting - m_waiting.begin());
        if (!wish || !wish->isOn) {
            finish(index, failure(ErrorKind::Cancelled, Layer::Ssh));
        } else if (status.state == ForwardManager::State::Listening) {
            finish(index, status.at);
        } else if (status.isAsleep || (status.state == ForwardManager::State::Failed && status.error)) {
            const Error why = status.error.value_or(Error{ErrorKind::SandboxNotRunning, Layer::SandboxState, {}, wish->sandboxName});
            if (!waiting->isOurs || why.kind != ErrorKind::Conflict || waiting->tries >= kMostPortsTried)
                finish(index, std::unexpected(why));
            else
                return useAnotherPort(*waiting);
        } else {
            return; // it will
        }
        waiting = std::ranges::find_if(m_waiting, isOfIt);
    }
}

// Somebody was faster.
void PortForwarder::useAnotherPort(Waiting &waiting)
{
    ++waiting.tries;
    const std::optional<ForwardWish> wish = m_forwards->wishes()->wish(waiting.id);
    choosePort(quint16(wish->spec.listen.port + 1), [this, id = waiting.id](quint16 port) {
        std::optional<ForwardWish> other = m_forwards->wishes()->wish(id);
        if (!other || m_forwards->status(id).state != ForwardManager::State::Failed)
            return;
        other->spec.listen.port = port;
        if (const Done done = m_forwards->update(*other); done)
            return;
        const auto one = std::ranges::find(m_waiting, id, &Waiting::id);
        if (one != m_waiting.end())
            finish(size_t(one - m_waiting.begin()), std::unexpected(m_forwards->status(id).error.value_or(Error())));
    });
}

void PortForwarder::finish(size_t index, const Result<ForwardSpec::End> &result)
{
    const Waiting waiting = std::move(m_waiting[index]);
    m_waiting.erase(m_waiting.begin() + ptrdiff_t(index));
    waiting.cancelTimer();
    settle(*waiting.promise, result);
}

} // namespace Sandpiper
