#include "session/sandboxregistry.h"

#include "session/background.h"

#include <QElapsedTimer>
#include <QLoggingCategory>
#include <QPointer>
#include <QSet>
#include <QTimer>

#include <algorithm>

using namespace std::chrono_literals;

static Q_LOGGING_CATEGORY(lcRegistry, "sandpiper.session.registry", QtInfoMsg)

namespace Sandpiper {
namespace {

// Below this, comparing two lists costs less than handing them to another thread.
constexpr qsizetype shortList = 500;

bool isOnItsWay(const Sandbox &sandbox)
{
    switch (sandbox.state) {
    case SandboxState::Pending:
    case SandboxState::Suspending:
    case SandboxState::Snapshotting: return true;
    case SandboxState::Unknown:
    case SandboxState::Running:
    case SandboxState::Suspended:
    case SandboxState::Terminated: return false;
    }
    return false;
}

std::function<void()> afterByTimer(std::chrono::milliseconds delay, QObject *context, std::function<void()> fn)
{
    auto *timer = new QTimer(context);
    timer->setSingleShot(true);
    QObject::connect(timer, &QTimer::timeout, context, [timer, fn = std::move(fn)] {
        timer->deleteLater();
        fn();
    });
    timer->start(delay);
    return [guard = QPointer<QTimer>(timer)] { delete guard.data(); };
}

std::chrono::milliseconds monotonicNow()
{
    QElapsedTimer timer;
    timer.start();
    return std::chrono::milliseconds(timer.msecsSinceReference());
}

} // namespace

struct SandboxRegistry::Entry
{
    AccountView view;
    quint64 serial = 0; // tells it from one that had the same account before
    std::unique_ptr<SandboxProvider> provider;
    QFuture<void> listing;
    QFuture<void> keysAnswer;
    bool isListing = false;
    bool isOutdated = false; // what is being listed is old already
    bool isAskingKeys = false;
    int failures = 0;
    std::chrono::milliseconds lastStart{-1'000'000};
    std::function<void()> stopTimer;
    // What was put in or dropped while a listing was under way is newer than its answer.
    QHash<SandboxId, std::optional<Sandbox>> newer;
    mutable QHash<SandboxId, qsizetype> index; // made when asked for
    mutable bool isIndexed = false;

    [[nodiscard]] qsizetype indexOf(const SandboxId &id) const
    {
        if (!isIndexed) {
            index.clear();
            index.reserve(view.sandboxes.size());
            for (qsizetype i = 0; i < view.sandboxes.size(); ++i)
                index.insert(view.sandboxes.at(i).id, i);
            isIndexed = true;
        }
        return index.value(id, -1);
    }
    void stopWaiting()
    {
        if (auto stop = std::exchange(stopTimer, nullptr))
            stop();
    }
};

SandboxRegistry::SandboxRegistry(QObject *parent)
    : SandboxRegistry(Timing(), parent)
{
}

SandboxRegistry::SandboxRegistry(const Timing &timing, QObject *parent)
    : QObject(parent)
    , m_timing(timing)
{
    if (!m_timing.after)
        m_timing.after = afterByTimer;
    if (!m_timing.now)
        m_timing.now = monotonicNow;
}

SandboxRegistry::~SandboxRegistry()
{
    // A provider that goes breaks its promises, and what waits for them looks for its entry: there
    // must be none to be found.
    const auto gone = std::exchange(m_entries, {});
    for (const auto &one : gone) {
        one->stopWaiting();
        one->listing.cancel();
        one->keysAnswer.cancel();
    }
}

SandboxRegistry::Entry *SandboxRegistry::entry(quint64 serial) const
{
    for (const auto &one : m_entries) {
        if (one->serial == serial)
            return one.get();
    }
    return nullptr;
}

SandboxRegistry::Entry *SandboxRegistry::entry(const QString &accountId) const
{
    for (const auto &one : m_entries) {
        if (one->view.account.id == accountId)
            return one.get();
    }
    return nullptr;
}

void SandboxRegistry::addProvider(const Account &account, std::unique_ptr<SandboxProvider> provider)
{
    if (!provider)
        return;
    removeProvider(account.id);
    auto added = std::make_unique<Entry>();
    added->serial = ++m_lastSerial;
    added->view.account = account;
    added->provider = std::move(provider);
    connect(added->provider.get(), &SandboxProvider::outdated, this, [this, serial = added->serial] {
        Entry *one = entry(serial);
        if (!one)
            return;
        one->isOutdated = one->isListing;
        poll(one->view.account.id);
    });
    connect(added->provider.get(), &SandboxProvider::remarked, this, [this, serial = added->serial](const QString &sentence) {
        Entry *one = entry(serial);
        if (one && std::exchange(one->view.remark, sentence) != sentence)
            emit accountChanged(one->view.account.id);
    });
    m_entries.push_back(std::move(added));
    emit accountAdded(account.id);
    if (m_visible)
        poll(account.id);
}

void SandboxRegistry::removeProvider(const QString &accountId)
{
    const auto it = std::find_if(m_entries.begin(), m_entries.end(),
                                 [&accountId](const auto &one) { return one->view.account.id == accountId; });
    if (it == m_entries.end())
        return;
    const std::unique_ptr<Entry> gone = std::move(*it);
    m_entries.erase(it);
    gone->stopWaiting();
    gone->listing.cancel();
    gone->keysAnswer.cancel();
    // It may be further up the stack.
    gone->provider.release()->deleteLater();
    emit accountRemoved(accountId);
}

QStringList SandboxRegistry::accountIds() const
{
    QStringList ids;
    for (const auto &one : m_entries)
        ids.append(one->view.account.id);
    return ids;
}

const SandboxRegistry::AccountView *SandboxRegistry::view(const QString &accountId) const
{
    const Entry *found = entry(accountId);
    return found ? &found->view : nullptr;
}

SandboxProvider *SandboxRegistry::provider(const QString &accountId) const
{
    const Entry *found = entry(accountId);
    return found ? found->provider.get() : nullptr;
}

std::optional<Sandbox> SandboxRegistry::sandbox(const SandboxId &id) const
{
    const Entry *found = entry(id.account);
    const qsizetype i = found ? found->indexOf(id) : -1;
    return i < 0 ? std::nullopt : std::optional(found->view.sandboxes.at(i));
}

void SandboxRegistry::refresh(const QString &accountId)
{
    poll(accountId);
}

void SandboxRegistry::refreshAll()
{
    const QStringList ids = accountIds();
    for (const QString &id : ids)
        poll(id);
}

void SandboxRegistry::networkChanged()
{
    if (m_visible)
        refreshAll();
}

void SandboxRegistry::setVisible(bool visible)
{
    if (m_visible == visible)
        return;
    m_visible = visible;
    const QStringList ids = accountIds();
    for (const QString &id : ids) {
        Entry *one = entry(id);
        if (!one)
            continue;
        one->stopWaiting();
        if (visible && m_timing.now() - one->lastStart >= m_timing.reshown)
            poll(id);
        else
            schedule(*one);
    }
}

void SandboxRegistry::poll(const QString &accountId)
{
    Entry *one = entry(accountId);
    if (!one || one->isListing)
        return;
    one->stopWaiting();
    one->isListing = true;
    one->lastStart = m_timing.now();
    one->newer.clear();
    // The answer comes later, from the event loop, even where it is there already.
    one->listing = one->provider->list(SandboxProvider::ListScope::Live)
                           .then(this, [this, serial = one->serial](const Result<QList<Sandbox>> &answer) { onList(serial, answer); })
                           .onCanceled(this, [this, serial = one->serial] {
                               onList(serial, failure(ErrorKind::Cancelled, Layer::Provider));
                           });
}

void SandboxRegistry::onList(quint64 serial, const Result<QList<Sandbox>> &answer)
{
    Entry *one = entry(serial);
    if (!one)
        return;
    const QString accountId = one->view.account.id;
    if (answer) {
        // Implicitly shared: the other thread reads the same values that nobody changes meanwhile.
        const QList<Sandbox> known = one->view.sandboxes;
        const QList<Sandbox> fresh = *answer;
        if (fresh.size() <= shortList)
            return apply(serial, fresh, known != fresh);
        return inBackground(this, [known, fresh] { return known != fresh; },
                            [this, serial, fresh](bool differs) { apply(serial, fresh, differs); });
    }
    one->isListing = false;
    one->failures = qMin(one->failures + 1, 30);
    const bool isNews = one->view.state != AccountState::Failed || one->view.error != answer.error();
    one->view.state = AccountState::Failed;
    one->view.error = answer.error();
    schedule(*one);
    if (isNews) {
        qCInfo(lcRegistry) << "the list of" << accountId << "failed:" << describe(answer.error());
        emit accountChanged(accountId);
    }
}

void SandboxRegistry::apply(quint64 serial, const QList<Sandbox> &fresh, bool differs)
{
    Entry *one = entry(serial);
    if (!one)
        return;
    const QString accountId = one->view.account.id;
    one->isListing = false;
    one->failures = 0;
    const bool wasReady = one->view.state == AccountState::Ready;
    one->view.state = AccountState::Ready;
    one->view.error = {};
    if (!one->newer.isEmpty()) {
        QList<Sandbox> merged;
        merged.reserve(fresh.size());
        for (const Sandbox &sandbox : fresh) {
            const auto newer = one->newer.constFind(sandbox.id);
            if (newer == one->newer.cend())
                merged.append(sandbox);
            else if (newer->has_value())
                merged.append(**newer);
            one->newer.remove(sandbox.id);
        }
        for (const auto &left : std::as_const(one->newer)) {
            if (left)
                merged.prepend(*left);
        }
        one->newer.clear();
        differs = one->view.sandboxes != merged;
        one->view.sandboxes = merged;
        one->isIndexed = false;
    } else if (differs) {
        one->view.sandboxes = fresh;
        one->isIndexed = false;
    }
    schedule(*one);
    if (!wasReady)
        emit accountChanged(accountId);
    if (differs)
        emit sandboxesChanged(accountId);
}

void SandboxRegistry::schedule(Entry &one)
{
    one.stopWaiting();
    if (std::exchange(one.isOutdated, false))
        return poll(one.view.account.id);
    if (!m_visible || one.isListing)
        return;
    std::chrono::milliseconds delay = m_timing.calm;
    if (one.failures > 0) {
        for (int i = 0; i < one.failures && delay < m_timing.longest; ++i)
            delay *= 2;
        delay = qMin(delay, m_timing.longest);
    } else if (std::any_of(one.view.sandboxes.cbegin(), one.view.sandboxes.cend(), isOnItsWay)) {
        delay = m_timing.busy;
    }
    one.stopTimer = m_timing.after(delay, this, [this, serial = one.serial] {
        if (Entry *due = entry(serial)) {
            due->stopTimer = nullptr;
            poll(due->view.account.id);
        }
    });
}

void SandboxRegistry::put(const Sandbox &sandbox)
{
    Entry *one = entry(sandbox.id.account);
    if (!one)
        return;
    if (one->isListing)
        one->newer.insert(sandbox.id, sandbox);
    const qsizetype i = one->indexOf(sandbox.id);
    if (i >= 0 && one->view.sandboxes.at(i) == sandbox)
        return;
    if (i >= 0) {
        one->view.sandboxes[i] = sandbox;
    } else {
        one->view.sandboxes.prepend(sandbox);
        one->isIndexed = false;
    }
    if (!one->isListing && one->view.state != AccountState::Loading)
        schedule(*one); // what was put in may be on its way
    emit sandboxesChanged(one->view.account.id);
}

void SandboxRegistry::drop(const SandboxId &id)
{
    Entry *one = entry(id.account);
    if (!one)
        return;
    if (one->isListing)
        one->newer.insert(id, std::nullopt);
    const qsizetype i = one->indexOf(id);
    if (i < 0)
        return;
    one->view.sandboxes.removeAt(i);
    one->isIndexed = false;
    emit sandboxesChanged(one->view.account.id);
}

void SandboxRegistry::refreshKeys(const QString &accountId)
{
    Entry *one = entry(accountId);
    if (!one || one->isAskingKeys)
        return;
    one->isAskingKeys = true;
    one->keysAnswer = one->provider->keys()
                              .then(this, [this, serial = one->serial](const Result<QList<SshKey>> &answer) { onKeys(serial, answer); })
                              .onCanceled(this, [this, serial = one->serial] {
                                  onKeys(serial, failure(ErrorKind::Cancelled, Layer::Provider));
                              });
}

void SandboxRegistry::onKeys(quint64 serial, const Result<QList<SshKey>> &answer)
{
    Entry *one = entry(serial);
    if (!one)
        return;
    const QString accountId = one->view.account.id;
    one->isAskingKeys = false;
    AccountView &view = one->view;
    if (!answer) {
        if (std::exchange(view.keysError, answer.error()) != answer.error())
            emit keysChanged(accountId);
        return;
    }
    const bool isNews = !view.keysKnown || view.keysError || view.keys != *answer;
    view.keys = *answer;
    view.keysKnown = true;
    view.keysError.reset();
    if (isNews)
        emit keysChanged(accountId);
}

} // namespace Sandpiper
