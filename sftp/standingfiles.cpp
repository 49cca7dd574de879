#include "sftp/standingfiles.h"

#include "session/backoff.h"
#include "session/sshlink.h"

#include <QLoggingCategory>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

using namespace std::chrono_literals;

Q_LOGGING_CATEGORY(lcStandingFiles, "sandpiper.sftp.standing", QtInfoMsg)

constexpr auto kSteady = 20s; // a link that lasts so long has earned a quick first try
constexpr auto kResumeLook = 1s;
constexpr int kResumeLooks = 120;

} // namespace

StandingFiles::StandingFiles(const SandboxId &sandbox, Services services, QObject *parent)
    : QObject(parent)
    , m_id(sandbox)
    , m_services(std::move(services))
{
    if (m_services.network) {
        connect(m_services.network, &NetworkWatch::changed, this, [this] {
            if (m_status.state == State::Open && m_opened.link)
                m_opened.link->probe();
            else if (m_status.state == State::Waiting)
                begin();
        });
    }
}

StandingFiles::~StandingFiles()
{
    interrupt();
}

FileSystem *StandingFiles::files() const
{
    return m_status.state == State::Open ? m_opened.files.get() : nullptr;
}

void StandingFiles::open()
{
    if (m_status.state == State::Idle)
        begin();
}

void StandingFiles::retryNow()
{
    if (m_status.state != State::Open && m_status.state != State::Opening)
        begin();
}

void StandingFiles::stop()
{
    if (m_status.state != State::Waiting && m_status.state != State::Opening)
        return;
    interrupt();
    drop();
    m_status.attempt = 0;
    setStatus(State::Stopped);
}

void StandingFiles::resumeSandbox()
{
    if ((m_status.state != State::Suspended && m_status.state != State::Failed) || !m_services.provider)
        return;
    interrupt();
    m_resumeLooks = kResumeLooks;
    setStatus(State::Opening);
    m_services.provider->resume(m_id).then(this, [this, of = m_turn](const Done &taken) {
        if (of != m_turn)
            return;
        // Conflict: it is not suspended any more, so somebody else was faster.
        if (taken || taken.error().kind == ErrorKind::Conflict)
            return watchResume();
        const Decision decision = afterFinding(std::unexpected(taken.error()));
        // What may come right by itself is still not tried again by itself: it costs.
        if (decision.move == NextMove::Wait)
            setStatus(State::Suspended, decision.error);
        else
            follow(decision);
    });
}

void StandingFiles::setStatus(State state, const Error &error)
{
    m_status.state = state;
    m_status.error = error;
    if (m_status.error.subject.isEmpty() && error != Error{})
        m_status.error.subject = m_sandbox.displayName();
    if (state != State::Waiting)
        m_status.retryAt = {};
    emit statusChanged(m_status);
}

void StandingFiles::interrupt()
{
    ++m_turn;
    if (const auto cancel = std::exchange(m_cancelTimer, nullptr))
        cancel();
}

void StandingFiles::drop()
{
    // We may be inside a signal of either; the files go before the link.
    if (m_opened.files) {
        m_opened.files->disconnect(this);
        m_opened.files.release()->deleteLater();
    }
    if (m_opened.link) {
        m_opened.link->disconnect(this);
        m_opened.link->close();
        m_opened.link.release()->deleteLater();
    }
}

void StandingFiles::later(std::chrono::milliseconds delay, void (StandingFiles::*step)())
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

void StandingFiles::begin()
{
    interrupt();
    drop();
    setStatus(State::Opening, m_status.error);
    look(&StandingFiles::found);
}

void StandingFiles::look(void (StandingFiles::*then)(const Result<Sandbox> &))
{
    if (m_services.plainHost)
        return (this->*then)(*m_services.plainHost);
    if (!m_services.provider)
        return setStatus(State::Failed, {ErrorKind::Unsupported, Layer::Provider, u"the account of this sandbox is not here any more"_s, {}});
    m_services.provider->find(m_id.id)
            .then(this, [this, then, of = m_turn](const Result<Sandbox> &result) {
                if (of == m_turn)
                    (this->*then)(result);
            })
            .onCanceled(this, [this, then, of = m_turn] {
                if (of == m_turn)
                    (this->*then)(failure(ErrorKind::ConnectionLost, Layer::Provider));
            });
}

void StandingFiles::found(const Result<Sandbox> &result)
{
    if (result)
        m_sandbox = *result;
    follow(afterFinding(result));
}

void StandingFiles::watchResume()
{
    look(&StandingFiles::foundWaking);
}

// After the vendor has taken the wish to resume, until the sandbox runs or has had its time.
void StandingFiles::foundWaking(const Result<Sandbox> &result)
{
    Decision decision = afterFinding(result);
    const bool isOnItsWay = decision.move == NextMove::Wait || decision.move == NextMove::OfferResume;
    if (isOnItsWay && --m_resumeLooks > 0)
        return later(kResumeLook, &StandingFiles::watchResume);
    if (isOnItsWay)
        decision.error = {ErrorKind::Timeout, Layer::SandboxState, u"the sandbox did not come up in time"_s, {}};
    if (result)
        m_sandbox = *result;
    follow(decision);
}

void StandingFiles::follow(const Decision &decision)
{
    switch (decision.move) {
    case NextMove::Connect: return connectFiles();
    case NextMove::Wait: return wait(decision.error);
    case NextMove::OfferResume: return setStatus(State::Suspended, decision.error);
    case NextMove::GiveUp: return setStatus(State::Gone, decision.error);
    case NextMove::AskUser: return setStatus(State::Failed, decision.error);
    case NextMove::Stop: return setStatus(State::Stopped, decision.error);
    }
}

void StandingFiles::wait(const Error &error)
{
    const auto delay = backoffDelay(++m_status.attempt, m_services.random ? m_services.random() : 0.5);
    m_status.retryAt = QDateTime::currentDateTimeUtc().addMSecs(delay.count());
    qCInfo(lcStandingFiles).noquote() << "waiting" << delay.count() << "ms:" << describe(error);
    later(delay, &StandingFiles::begin);
    setStatus(State::Waiting, error);
}

void StandingFiles::connectFiles()
{
    Result<OpenedFiles> opened = m_services.open(m_sandbox);
    if (!opened)
        return setStatus(State::Failed, opened.error());
    m_opened = std::move(*opened);
    const auto isOpen = [this] {
        later(kSteady, &StandingFiles::settled);
        setStatus(State::Open);
    };
    connect(m_opened.files.get(), &FileSystem::ready, this, isOpen);
    connect(m_opened.files.get(), &FileSystem::ended, this, &StandingFiles::filesEnded);
    if (m_opened.link)
        m_opened.link->connectToHost();
    if (m_opened.files->isReady())
        isOpen();
}

void StandingFiles::filesEnded(const Error &error)
{
    const bool wasOpen = m_status.state == State::Open;
    interrupt();
    drop();
    if (!wasOpen)
        return follow(afterFailing(Attempt::LinkOnly, error));
    if (error.kind == ErrorKind::Cancelled)
        return setStatus(State::Stopped, error);
    // The first try is at once; a connection that keeps breaking waits like any other.
    if (m_status.attempt > 0)
        return wait(error);
    ++m_status.attempt;
    m_status.error = error;
    begin();
}

} // namespace Sandpiper
