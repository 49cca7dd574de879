#include "session/standingforwards.h"

#include "session/backoff.h"

#include <QLoggingCategory>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {

static Q_LOGGING_CATEGORY(lcStandingForwards, "sandpiper.session.standingforwards", QtInfoMsg)

namespace {

constexpr auto kSteady = 10s; // open for so long: the next loss starts a new count

} // namespace

StandingForwards::StandingForwards(const SandboxId &sandbox, const QList<ForwardSpec> &wishes, Services services, QObject *parent)
    : QObject(parent)
    , m_id(sandbox)
    , m_services(std::move(services))
{
    for (const ForwardSpec &spec : wishes)
        add(spec);
    if (m_services.network) {
        connect(m_services.network, &NetworkWatch::changed, this, [this] {
            if (m_status.state == State::Waiting) {
                m_attempt = 0;
                begin();
            } else if (m_link && m_status.state == State::Open) {
                m_link->probe();
            }
        });
    }
}

StandingForwards::~StandingForwards()
{
    if (m_link)
        m_link->disconnect(this);
}

bool StandingForwards::hasEverListened() const
{
    return std::ranges::any_of(m_wishes, &Wish::hasListened);
}

qsizetype StandingForwards::add(const ForwardSpec &spec, qint64 bytesPerSecond)
{
    Wish wish;
    wish.spec = spec;
    wish.bytesPerSecond = bytesPerSecond;
    m_wishes.append(wish);
    arm(m_wishes.size() - 1);
    return m_wishes.size() - 1;
}

void StandingForwards::limit(qsizetype index, qint64 bytesPerSecond)
{
    m_wishes[index].bytesPerSecond = bytesPerSecond;
    for (const auto &[id, of] : m_ids.asKeyValueRange()) {
        if (m_link && of == index)
            m_link->limitForward(id, bytesPerSecond);
    }
}

void StandingForwards::closeConnection(qsizetype index, quint64 connection)
{
    for (const auto &[id, of] : m_ids.asKeyValueRange()) {
        if (m_link && of == index)
            m_link->closeConnection(id, connection);
    }
}

ForwardTraffic StandingForwards::traffic(qsizetype index) const
{
    const Wish &wish = m_wishes.at(index);
    ForwardTraffic traffic = wish.now;
    traffic.sent += wish.past.sent;
    traffic.received += wish.past.received;
    traffic.connections += wish.past.connections;
    return traffic;
}

void StandingForwards::trafficNews(int id, const ForwardTraffic &traffic)
{
    const auto found = m_ids.constFind(id);
    if (found == m_ids.constEnd())
        return;
    const qsizetype index = *found;
    m_wishes[index].now = traffic;
    emit trafficChanged(index);
}

// What its forwards carried stays counted when a link goes.
void StandingForwards::closeBooks()
{
    for (qsizetype i = 0; i < m_wishes.size(); ++i) {
        ForwardTraffic sum = traffic(i);
        const bool hadSome = !sum.open.isEmpty();
        sum.open.clear();
        m_wishes[i].past = sum;
        m_wishes[i].now = {};
        if (hadSome)
            emit trafficChanged(i);
    }
}

void StandingForwards::remove(qsizetype index)
{
    m_wishes[index].isRemoved = true;
    for (auto it = m_ids.begin(); it != m_ids.end();) {
        if (*it != index) {
            ++it;
            continue;
        }
        if (m_link)
            m_link->stopForward(it.key());
        it = m_ids.erase(it);
    }
    setForward(index, {ForwardStatus::State::Stopped, {}, {}, false});
}

void StandingForwards::arm(qsizetype index)
{
    const Wish &wish = m_wishes.at(index);
    if (!m_link || wish.isRemoved)
        return;
    const int id = m_link->addForward(wish.spec);
    m_ids.insert(id, index);
    if (wish.bytesPerSecond > 0)
        m_link->limitForward(id, wish.bytesPerSecond);
}

void StandingForwards::open()
{
    if (m_status.state == State::Idle || m_status.state == State::Stopped)
        begin();
}

void StandingForwards::retryNow()
{
    if (m_status.state == State::Waiting || m_status.state == State::Suspended || m_status.state == State::Failed)
        begin();
}

void StandingForwards::close()
{
    interrupt();
    dropLink();
    for (qsizetype i = 0; i < m_wishes.size(); ++i)
        setForward(i, {ForwardStatus::State::Stopped, {}, {}, false});
    setStatus(State::Stopped);
}

void StandingForwards::setStatus(State state, const Error &error)
{
    m_status.state = state;
    m_status.error = error;
    if (m_status.error.subject.isEmpty() && error != Error{})
        m_status.error.subject = m_sandbox.displayName();
    if (state != State::Waiting)
        m_status.retryAt = {};
    emit statusChanged(m_status);
}

void StandingForwards::setForward(qsizetype index, const ForwardStatus &status)
{
    if (m_wishes.at(index).status == status)
        return;
    m_wishes[index].status = status;
    emit forwardChanged(index, status);
}

void StandingForwards::interrupt()
{
    ++m_turn;
    if (const auto cancel = std::exchange(m_cancelTimer, nullptr))
        cancel();
}

void StandingForwards::dropLink()
{
    m_ids.clear();
    closeBooks();
    if (!m_link)
        return;
    m_link->disconnect(this);
    m_link->close();
    // We may be inside one of its signals.
    m_link.release()->deleteLater();
}

void StandingForwards::later(std::chrono::milliseconds delay, void (StandingForwards::*step)())
{
    if (m_cancelTimer)
        m_cancelTimer();
    m_cancelTimer = m_services.after(delay, this, [this, step, of = m_turn] {
        if (of != m_turn)
            return;
        m_cancelTimer = nullptr;
        (this->*step)();
    });
}

void StandingForwards::begin()
{
    interrupt();
    dropLink();
    setStatus(State::Opening);
    if (m_services.plainHost)
        return found(*m_services.plainHost);
    if (!m_services.provider)
        return setStatus(State::Failed, {ErrorKind::Unsupported, Layer::Provider, u"the account of this sandbox is not here any more"_s, {}});
    m_services.provider->find(m_id.id)
            .then(this, [this, of = m_turn](const Result<Sandbox> &result) {
                if (of == m_turn)
                    found(result);
            })
            .onCanceled(this, [this, of = m_turn] {
                if (of == m_turn)
                    found(failure(ErrorKind::ConnectionLost, Layer::Provider));
            });
}

void StandingForwards::found(const Result<Sandbox> &result)
{
    if (result)
        m_sandbox = *result;
    follow(afterFinding(result));
}

void StandingForwards::follow(const Decision &decision)
{
    switch (decision.move) {
    case NextMove::Connect: return connectLink();
    case NextMove::Wait: return wait(decision.error);
    case NextMove::OfferResume: return setStatus(State::Suspended, decision.error);
    case NextMove::GiveUp: return setStatus(State::Gone, decision.error);
    case NextMove::AskUser: return setStatus(State::Failed, decision.error);
    case NextMove::Stop: return setStatus(State::Stopped, decision.error);
    }
}

void StandingForwards::wait(const Error &error)
{
    const auto delay = backoffDelay(++m_attempt, chance());
    m_status.retryAt = QDateTime::currentDateTimeUtc().addMSecs(delay.count());
    qCInfo(lcStandingForwards).noquote() << "waiting" << delay.count() << "ms:" << describe(error);
    later(delay, &StandingForwards::begin);
    setStatus(State::Waiting, error);
}

void StandingForwards::connectLink()
{
    Result<std::unique_ptr<ForwardLink>> link = m_services.makeLink(m_sandbox);
    if (!link)
        return setStatus(State::Failed, link.error());
    m_link = *std::move(link);
    m_wasReady = false;
    connect(m_link.get(), &ForwardLink::ready, this, &StandingForwards::linkReady);
    connect(m_link.get(), &ForwardLink::bannerReceived, this, &StandingForwards::noticeReceived);
    connect(m_link.get(), &ForwardLink::forwardChanged, this, &StandingForwards::forwardNews);
    connect(m_link.get(), &ForwardLink::trafficChanged, this, &StandingForwards::trafficNews);
    connect(m_link.get(), &ForwardLink::closed, this, &StandingForwards::linkClosed);
    m_link->connectToHost();
    for (qsizetype i = 0; i < m_wishes.size(); ++i)
        arm(i);
}

void StandingForwards::linkReady()
{
    m_wasReady = true;
    later(kSteady, &StandingForwards::settled);
    setStatus(State::Open);
}

void StandingForwards::forwardNews(const ForwardReport &report)
{
    const auto id = m_ids.constFind(report.id);
    if (id == m_ids.constEnd())
        return;
    const qsizetype index = *id;
    if (report.trouble) {
        emit connectionFailed(index, *report.trouble);
        return;
    }
    Wish &wish = m_wishes[index];
    ForwardStatus status = report.status;
    if (status.state == ForwardStatus::State::Listening) {
        wish.hasListened = true;
        wish.tries = 0;
        if (listensHere(wish.spec.kind) && wish.spec.listen.path.isEmpty())
            wish.spec.listen.port = status.at.port;
    } else if (status.state == ForwardStatus::State::Lost) {
        status.state = ForwardStatus::State::Waiting;
    } else if (status.state == ForwardStatus::State::Failed && (wish.hasListened || status.isHeldElsewhere)) {
        // The server may not have noticed yet that the link before this one is gone; or another link of ours has not
        // let go yet.
        tryAgain(index);
    }
    setForward(index, status);
}

void StandingForwards::tryAgain(qsizetype index)
{
    const auto delay = backoffDelay(++m_wishes[index].tries, chance());
    // Of many links at most one is there, so what is not cancelled finds that its turn is over.
    (void)m_services.after(delay, this, [this, index, of = m_turn] {
        if (of == m_turn && m_link && m_link->isReady())
            arm(index);
    });
}

void StandingForwards::linkClosed(const Error &error)
{
    const bool wasReady = std::exchange(m_wasReady, false);
    interrupt();
    dropLink();
    if (!wasReady)
        return follow(afterFailing(Attempt::LinkOnly, error));
    if (error.kind == ErrorKind::Cancelled)
        return setStatus(State::Stopped, error);
    // The first try is at once; a connection that keeps breaking waits like any other.
    if (m_attempt > 0)
        return wait(error);
    ++m_attempt;
    begin();
}

} // namespace Sandpiper
