#include "session/choosingforwardlink.h"

#include <algorithm>

namespace Sandpiper {

ChoosingForwardLink::ChoosingForwardLink(std::unique_ptr<ForwardLink> first, Second second, QObject *parent)
    : ForwardLink(parent)
    , m_link(std::move(first))
    , m_second(std::move(second))
{
    follow();
}

ChoosingForwardLink::~ChoosingForwardLink()
{
    m_link->disconnect(this);
}

void ChoosingForwardLink::follow()
{
    connect(m_link.get(), &ForwardLink::ready, this, [this] {
        m_wasReady = true;
        emit ready();
    });
    connect(m_link.get(), &ForwardLink::bannerReceived, this, &ForwardLink::bannerReceived);
    connect(m_link.get(), &ForwardLink::forwardChanged, this, &ChoosingForwardLink::report);
    connect(m_link.get(), &ForwardLink::trafficChanged, this, [this](int inside, const ForwardTraffic &traffic) {
        const auto it = std::ranges::find_if(m_forwards, [inside](const auto &forward) { return forward.second.inside == inside; });
        if (it != m_forwards.end())
            emit trafficChanged(it->first, traffic);
    });
    connect(m_link.get(), &ForwardLink::closed, this, &ChoosingForwardLink::closed);
}

int ChoosingForwardLink::addForward(const ForwardSpec &spec)
{
    const int id = ++m_lastId;
    carry(id, m_forwards.emplace(id, Forward{spec, 0, 0}).first->second);
    return id;
}

void ChoosingForwardLink::stopForward(int id)
{
    const auto it = m_forwards.find(id);
    if (it != m_forwards.end() && it->second.inside != 0)
        m_link->stopForward(it->second.inside);
    else if (it != m_forwards.end())
        m_forwards.erase(it);
}

void ChoosingForwardLink::limitForward(int id, qint64 bytesPerSecond)
{
    const auto it = m_forwards.find(id);
    if (it == m_forwards.end())
        return;
    it->second.bytesPerSecond = bytesPerSecond;
    if (it->second.inside != 0)
        m_link->limitForward(it->second.inside, bytesPerSecond);
}

void ChoosingForwardLink::closeConnection(int id, quint64 connection)
{
    if (const auto it = m_forwards.find(id); it != m_forwards.end() && it->second.inside != 0)
        m_link->closeConnection(it->second.inside, connection);
}

void ChoosingForwardLink::carry(int id, Forward &forward)
{
    // What the second cannot carry waits for the user to mend the first.
    if (!m_why || !m_second.refusal(forward.spec)) {
        forward.inside = m_link->addForward(forward.spec);
        if (forward.bytesPerSecond > 0)
            m_link->limitForward(forward.inside, forward.bytesPerSecond);
        return;
    }
    forward.inside = 0;
    QMetaObject::invokeMethod(this, [this, id] {
        if (const auto it = m_forwards.find(id); it != m_forwards.end())
            emit forwardChanged({id, it->second.spec, {ForwardStatus::State::Failed, {}, *m_why, false}, {}});
    }, Qt::QueuedConnection);
}

void ChoosingForwardLink::report(const ForwardReport &report)
{
    const auto it = std::ranges::find_if(m_forwards, [&](const auto &forward) { return forward.second.inside == report.id; });
    if (it == m_forwards.end())
        return;
    // closed() comes, and decides what becomes of it.
    if (report.status.state == ForwardStatus::State::Lost && !m_wasReady && !m_why)
        return;
    ForwardReport ours = report;
    ours.id = it->first;
    if (report.status.isOver() && !report.trouble)
        m_forwards.erase(it);
    emit forwardChanged(ours);
}

void ChoosingForwardLink::closed(const Error &error)
{
    const bool isLockedOut = error.kind == ErrorKind::AuthRejected || error.kind == ErrorKind::KeyNotRegistered;
    if (!m_wasReady && !m_why && isLockedOut)
        return goOn(error);
    if (!m_why) {
        for (const auto &[id, forward] : std::exchange(m_forwards, {}))
            emit forwardChanged({id, forward.spec, {ForwardStatus::State::Lost, {}, error, false}, {}});
    }
    emit ForwardLink::closed(error);
}

void ChoosingForwardLink::goOn(const Error &why)
{
    m_why = why;
    // It is calling us.
    m_link->disconnect(this);
    m_link.release()->deleteLater();
    m_link = m_second.make();
    follow();
    if (!m_second.notice.isEmpty())
        emit bannerReceived(m_second.notice);
    m_link->connectToHost();
    for (auto &[id, forward] : m_forwards)
        carry(id, forward);
}

} // namespace Sandpiper
