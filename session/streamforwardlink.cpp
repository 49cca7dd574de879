#include "session/streamforwardlink.h"

#include <QPointer>
#include <QSocketNotifier>
#include <QThreadPool>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

StreamForwardLink::StreamForwardLink(ForwardWay way, const ForwardOwner &owner, const ForwardRules &rules, QObject *parent)
    : ForwardLink(parent)
    , m_way(way)
    , m_owner(owner)
    , m_rules(rules)
{
}

StreamForwardLink::~StreamForwardLink()
{
    m_bell.reset();
    if (!m_thread)
        return;
    m_thread->post([inside = m_inside] { inside->forwards.reset(); });
    // Whoever lets go of it last waits for its end.
    QThreadPool::globalInstance()->start([thread = std::move(m_thread)]() mutable { thread.reset(); });
}

void StreamForwardLink::connectToHost()
{
    m_thread = IoThread::shared();
    if (!m_thread || !m_news->isUsable())
        return end({ErrorKind::Io, Layer::LocalDisk, u"no file descriptors are left"_s, m_owner.name});
    m_bell = std::make_unique<QSocketNotifier>(m_news->descriptor(), QSocketNotifier::Read);
    connect(m_bell.get(), &QSocketNotifier::activated, this, &StreamForwardLink::takeNews);
    const auto tell = [news = m_news, this](const ForwardReport &report) { news->put([this, report] { emit forwardChanged(report); }); };
    const auto tellTraffic = [news = m_news, this](int id, const ForwardTraffic &traffic) { news->put([this, id, traffic] { emit trafficChanged(id, traffic); }); };
    const SideWords words{
            [inside = std::weak_ptr(m_inside), news = m_news, this] {
                const std::shared_ptr<Inside> there = inside.lock();
                if (!there || !there->forwards)
                    return;
                there->forwards->begin();
                news->put([this] {
                    m_isReady = true;
                    emit ready();
                });
            },
            [news = m_news, this](const Error &error) { news->put([this, error] { end(error); }); }};
    const SideMaker make = sideMaker();
    if (!make)
        return; // and it ends
    m_thread->post([inside = m_inside, make, words, tell, tellTraffic, way = m_way, owner = m_owner, rules = m_rules] {
        inside->forwards = std::make_unique<StreamForwards>(make(words), way, owner, rules, tell, tellTraffic);
    });
}

void StreamForwardLink::takeNews()
{
    const QPointer<StreamForwardLink> alive(this);
    for (const std::function<void()> &one : m_news->takeAll()) {
        one();
        if (!alive)
            return;
    }
}

void StreamForwardLink::post(std::function<void(StreamForwards &)> job)
{
    if (!m_thread)
        return;
    m_thread->post([inside = m_inside, job = std::move(job)] {
        if (inside->forwards)
            job(*inside->forwards);
    });
}

int StreamForwardLink::addForward(const ForwardSpec &spec)
{
    const int id = ++m_lastId;
    post([id, spec](StreamForwards &forwards) { forwards.add(id, spec); });
    return id;
}

void StreamForwardLink::stopForward(int id)
{
    post([id](StreamForwards &forwards) { forwards.stop(id); });
}

void StreamForwardLink::limitForward(int id, qint64 bytesPerSecond)
{
    post([id, bytesPerSecond](StreamForwards &forwards) { forwards.limit(id, bytesPerSecond); });
}

void StreamForwardLink::closeConnection(int id, quint64 connection)
{
    post([id, connection](StreamForwards &forwards) { forwards.closeConnection(id, connection); });
}

void StreamForwardLink::close()
{
    end({ErrorKind::Cancelled, Layer::Provider, {}, m_owner.name});
}

void StreamForwardLink::end(const Error &error)
{
    if (std::exchange(m_isEnding, true))
        return;
    m_isReady = false;
    if (!m_bell) {
        QMetaObject::invokeMethod(this, [this, error] { emit closed(error); }, Qt::QueuedConnection);
        return;
    }
    m_thread->post([inside = m_inside, news = m_news, error, this] {
        if (inside->forwards)
            inside->forwards->lose(error);
        inside->forwards.reset();
        news->put([this, error] { emit closed(error); });
    });
}

} // namespace Sandpiper
