#include "session/forwardmanager.h"

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
ForwardManager::ForwardManager(ForwardWishes *wishes, Services services, QObject *parent)
    : QObject(parent)
    , m_wishes(wishes)
    , m_services(std::move(services))
{
    connect(m_wishes, &ForwardWishes::changed, this, &ForwardManager::follow);
    if (m_services.registry) {
        connect(m_services.registry, &SandboxRegistry::accountAdded, this, &ForwardManager::follow);
        connect(m_services.registry, &SandboxRegistry::sandboxesChanged, this, &ForwardManager::followSandboxes);
    }
}

ForwardManager::~ForwardManager()
{
    for (auto &[sandbox, group] : m_groups) {
        if (group.standing)
            group.standing->disconnect(this);
    }
}

void ForwardManager::begin()
{
    if (std::exchange(m_hasBegun, true))
        return;
    QList<ForwardWish> on;
    for (ForwardWish wish : m_wishes->wishes()) {
        if (!wish.startsWithProgram || wish.isOn)
            continue;
        wish.isOn = true;
        on.append(wish);
    }
    // Where the file cannot be written they stay off, which is seen.
    if (on.isEmpty() || !m_wishes->update(on))
        follow();
    if (!m_services.registry)
        return;
    for (const QString &account : m_services.registry->accountIds())
        followSandboxes(account);
}

ForwardManager::Status ForwardManager::status(const QString &id) const
{
    return m_told.value(id);
}

int ForwardManager::count(State state) const
{
    return int(std::ranges::count(m_told, state, &Status::state));
}

std::pair<StandingForwards *, const ForwardManager::Place *> ForwardManager::placeOf(const QString &id) const
{
    for (const auto &[sandbox, group] : m_groups) {
        if (const auto place = group.places.constFind(id); place != group.places.constEnd())
            return {group.standing.get(), &*place};
    }
    return {};
}

ForwardTraffic ForwardManager::traffic(const QString &id) const
{
    const auto [standing, place] = placeOf(id);
    return place ? standing->traffic(place->index) : ForwardTraffic();
}

void ForwardManager::closeConnection(const QString &id, quint64 connection)
{
    if (const auto [standing, place] = placeOf(id); place)
        standing->closeConnection(place->index, connection);
}

Result<QStringList> ForwardManager::add(const QList<ForwardWish> &wishes)
{
    return m_wishes->add(wishes);
}

Done ForwardManager::update(const ForwardWish &wish)
{
    return m_wishes->update({wish});
}

Done ForwardManager::remove(const QStringList &ids)
{
    return m_wishes->remove(ids);
}

Done ForwardManager::setOn(const QStringList &ids, bool isOn)
{
    QList<ForwardWish> changes;
    for (const QString &id : ids) {
        std::optional<ForwardWish> wish = m_wishes->wish(id);
        if (!wish || wish->isOn == isOn)
            continue;
        wish->isOn = isOn;
        changes.append(*wish);
    }
    return changes.isEmpty() ? Done() : m_wishes->update(changes);
}

void ForwardManager::retryNow(const QString &id)
{
    const std::optional<ForwardWish> wish = m_wishes->wish(id);
    const auto group = wish ? m_groups.find(GroupKey(*wish)) : m_groups.end();
    if (group == m_groups.end() || !group->second.standing)
        return;
    StandingForwards &standing = *group->second.standing;
    if (standing.status().state != StandingForwards::State::Open) {
        standing.retryNow();
        standing.open(); // where it was stopped
        return;
    }
    // The link is there, and the server or this computer refused: once more, as if it were new.
    const auto place = group->second.places.find(id);
    if (place == group->second.places.end() || status(id).state != State::Failed)
        return;
    const ErrorKind why = status(id).error ? status(id).error->kind : ErrorKind::Cancelled;
    if (why == ErrorKind::AuthRejected || why == ErrorKind::KeyNotRegistered)
        return standing.startOver(); // the link went another way for want of a key
    const qsizetype before = place->index;
    place->index = standing.add(wish->spec, wish->bytesPerSecond);
    standing.remove(before);
    note(id);
}

ForwardManager::Group *ForwardManager::groupOf(const ForwardWish &wish)
{
    const GroupKey key(wish);
    if (const auto there = m_groups.find(key); there != m_groups.end())
        return &there->second;
    // The account may come in a moment, when its secret has been read.
    if (m_services.registry && !m_services.registry->provider(wish.sandbox.account))
        return nullptr;
    Group &group = m_groups[key];
    group.standing = std::make_unique<StandingForwards>(wish.sandbox, QList<ForwardSpec>(), m_services.standing(wish.sandbox, wish.way));
    StandingForwards *standing = group.standing.get();
    const auto idOf = [this, key](qsizetype index) {
        for (const auto &[id, place] : m_groups.at(key).places.asKeyValueRange()) {
            if (place.index == index)
                return id;
        }
        return QString();
    };
    connect(standing, &StandingForwards::statusChanged, this, [this, sandbox = wish.sandbox] { noteAll(sandbox); });
    connect(standing, &StandingForwards::forwardChanged, this, [this, idOf](qsizetype index) {
        if (const QString id = idOf(index); !id.isEmpty())
            note(id);
    });
    connect(standing, &StandingForwards::connectionFailed, this, [this, idOf](qsizetype index, const Error &error) {
        if (const QString id = idOf(index); !id.isEmpty())
            emit connectionFailed(id, error);
    });
    connect(standing, &StandingForwards::trafficChanged, this, [this, idOf](qsizetype index) {
        if (const QString id = idOf(index); !id.isEmpty())
            emit trafficChanged(id);
    });
    return &group;
}

void ForwardManager::follow()
{
    if (!m_hasBegun)
        return;
    for (auto &[key, group] : m_groups) {
        group.places.removeIf([this, &group, &of = key](const std::pair<const QString &, Place &> &each) {
            Place &place = each.second;
            const std::optional<ForwardWish> wish = m_wishes->wish(each.first);
            const bool stays = wish && wish->isOn && wish->spec == place.spec && GroupKey(*wish) == of;
            if (!stays)
                group.standing->remove(place.index);
            else if (std::exchange(place.bytesPerSecond, wish->bytesPerSecond) != wish->bytesPerSecond)
                group.standing->limit(place.index, wish->bytesPerSecond);
            if (!stays && wish && wish->isOn)
                m_haveListened.remove(wish->id); // it begins anew, and does not die on the way
            return !stays;
        });
    }
    for (const ForwardWish &wish : m_wishes->wishes()) {
        Group *group = wish.isOn ? groupOf(wish) : nullptr;
        if (!group || group->places.contains(wish.id))
            continue;
        group->places.insert(wish.id, {group->standing->add(wish.spec, wish.bytesPerSecond), wish.spec, wish.bytesPerSecond});
        group->standing->open();
    }
    closeWhatIsEmpty();
    m_told.removeIf([this](const auto &told) { return !m_wishes->wish(told.key()); });
    for (const ForwardWish &wish : m_wishes->wishes())
        note(wish.id);
    emit listChanged();
}

void ForwardManager::closeWhatIsEmpty()
{
    for (auto it = m_groups.begin(); it != m_groups.end();) {
        if (!it->second.places.isEmpty()) {
            ++it;
            continue;
        }
        // It may be one of its signals that led here.
        StandingForwards *standing = it->second.standing.release();
        standing->disconnect(this);
        standing->close();
        standing->deleteLater();
        it = m_groups.erase(it);
    }
}

void ForwardManager::followSandboxes(const QString &accountId)
{
    const SandboxRegistry::AccountView *view = m_hasBegun ? m_services.registry->view(accountId) : nullptr;
    if (!view)
        return;
    QStringList begun;
    for (const Sandbox &sandbox : view->sandboxes) {
        const QString key = sandbox.id.toString();
        if (sandbox.state != SandboxState::Running) {
            m_running.remove(key);
            continue;
        }
        if (m_running.contains(key))
            continue;
        m_running.insert(key);
        begun.append(key);
        for (const auto &[of, group] : m_groups) {
            if (of.sandbox == key && group.standing->status().state == StandingForwards::State::Suspended)
                group.standing->retryNow();
        }
    }
    QStringList on;
    for (const ForwardWish &wish : m_wishes->wishes()) {
        if (wish.startsWithSandbox && begun.contains(wish.sandbox.toString()))
            on.append(wish.id);
    }
    // Where the file cannot be written they stay off, which is seen.
    (void)setOn(on, true);
}

ForwardManager::Status ForwardManager::look(const ForwardWish &wish) const
{
    if (!wish.isOn)
        return {};
    const auto group = m_groups.find(GroupKey(wish));
    if (group == m_groups.end())
        return {State::Waiting, {}, Error{ErrorKind::NotFound, Layer::Provider, u"its account is not there yet"_s, wish.sandboxName}, {}, false};
    const StandingForwards::Status &link = group->second.standing->status();
    using Link = StandingForwards::State;
    switch (link.state) {
    case Link::Idle:
    case Link::Opening: return {State::Arming, {}, {}, {}, false};
    case Link::Waiting: return {State::Waiting, {}, link.error, link.retryAt, false};
    case Link::Suspended: return {State::Waiting, {}, link.error, {}, true};
    case Link::Gone:
    case Link::Failed:
    case Link::Stopped: return {State::Failed, {}, link.error, {}, false};
    case Link::Open: break;
    }
    const auto place = group->second.places.constFind(wish.id);
    const ForwardStatus forward = place == group->second.places.constEnd() ? ForwardStatus() : group->second.standing->forward(place->index);
    switch (forward.state) {
    case ForwardStatus::State::Listening: return {State::Listening, forward.at, {}, {}, false, forward.way};
    case ForwardStatus::State::Failed: return {State::Failed, {}, forward.error, {}, false};
    case ForwardStatus::State::Waiting:
    case ForwardStatus::State::Lost:
    case ForwardStatus::State::Stopped: break;
    }
    return {State::Arming, {}, {}, {}, false};
}

void ForwardManager::noteAll(const SandboxId &sandbox)
{
    for (const ForwardWish &wish : m_wishes->wishes()) {
        if (wish.sandbox == sandbox)
            note(wish.id);
    }
}

void ForwardManager::note(const QString &id)
{
    const std::optional<ForwardWish> wish = m_wishes->wish(id);
    if (!wish)
        return;
    const Status now = look(*wish);
    const Status before = m_told.value(id);
    m_told.insert(id, now);
    if (now == before)
        return;
    emit changed(id);
    if (now.state == State::Listening)
        m_haveListened.insert(id);
    const bool ends = now.state == State::Off || now.state == State::Failed;
    if (ends && m_haveListened.remove(id) && now.error)
        emit died(id, *now.error);
}

} // namespace Sandpiper
