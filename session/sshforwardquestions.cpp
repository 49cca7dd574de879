// SshForwards: what it asks of the server. One global request at a time: the library has one place for the
// answer, whoever asked, and gives an older answer to whoever asks next.
#include "session/sshforwardsprivate.h"

#include <QRandomGenerator>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

using Clock = std::chrono::steady_clock;

// Nobody listens there for us: the request changes nothing, and its answer is the last that was outstanding.
constexpr int kNobodysPort = 1;
// Ports that no system gives away by itself: a server that listens in two families says yes where one of them
// had its port taken. The library would read the port that a server chooses out of whatever packet came last.
constexpr int kFirstFreePort = 61'000;
constexpr int kLastFreePort = 65'535;
constexpr int kMostPorts = 4; // that are tried; a server that forbids them all says the same as of one in use

} // namespace

std::optional<SshForwards::Asking> SshForwards::nextQuestion()
{
    Asking question;
    question.deadline = Clock::now() + m_rules.answerPatience;
    if (!m_toCancel.empty()) {
        question.what = Asking::What::Cancel;
        std::tie(question.address, question.port) = m_toCancel.front();
        m_toCancel.pop_front();
        return question;
    }
    for (const auto &forward : m_forwards) {
        if (listensHere(forward->spec.kind) || !forward->isBegun || forward->status.state != ForwardStatus::State::Waiting)
            continue;
        if (forward->spec.listen.port == 0)
            forward->port = QRandomGenerator::global()->bounded(kFirstFreePort, kLastFreePort + 1);
        question.id = forward->id;
        question.address = forward->address;
        question.port = forward->port;
        return question;
    }
    return std::nullopt;
}

void SshForwards::pumpQuestions(ssh_session session, bool &awaitsLife, bool mayAsk)
{
    while (mayAsk && ssh_is_connected(session)) {
        if (!m_asking) {
            m_asking = nextQuestion();
            if (!m_asking)
                return;
            m_asking->clears = awaitsLife;
        }
        Asking &question = *m_asking;
        const bool isCancel = question.clears || question.what == Asking::What::Cancel;
        const char *address = question.clears ? "127.0.0.1" : question.address.constData();
        const int port = question.clears ? kNobodysPort : question.port;
        const int code = isCancel ? ssh_channel_cancel_forward(session, address, port) : ssh_channel_listen_forward(session, address, port, nullptr);
        if (code == SSH_AGAIN && Clock::now() < question.deadline)
            return;
        // Whatever is wrong with the connection is told by whoever notices it for all.
        if (!ssh_is_connected(session))
            return;
        if (code == SSH_AGAIN) {
            overdue(question);
        } else if (question.clears) {
            question.clears = false;
            awaitsLife = false;
            if (question.isOverdue)
                m_asking.reset();
        } else {
            const Asking done = *std::exchange(m_asking, std::nullopt);
            answered(done, code == SSH_OK);
        }
    }
}

// Its answer may come yet, and a yes leaves a port open there: so it stays in its place until then, and whoever
// waits behind it waits as long again.
void SshForwards::overdue(Asking &question)
{
    question.deadline = Clock::now() + m_rules.answerPatience;
    const bool isFirst = !std::exchange(question.isOverdue, true);
    for (const auto &forward : m_forwards) {
        const bool isAsked = forward->id == question.id;
        if (!listensHere(forward->spec.kind) && forward->isBegun && forward->status.state == ForwardStatus::State::Waiting && (isAsked || !isFirst))
            fail(*forward, {ErrorKind::Timeout, Layer::Ssh, u"the server gave no answer in time"_s, m_owner.name});
    }
}

void SshForwards::giveBackLater(const QByteArray &address, int port)
{
    Q_ASSERT(!m_asking);
    Asking question;
    question.address = address;
    question.port = port;
    question.isOverdue = true;
    question.deadline = Clock::now() + m_rules.answerPatience;
    m_asking = question;
}

void SshForwards::answered(const Asking &question, bool isGranted)
{
    if (question.what == Asking::What::Cancel)
        return; // a server that goes on listening has its connections refused
    Forward *forward = find(question.id);
    if (!forward || question.isOverdue) { // it was stopped meanwhile, or given up
        if (isGranted)
            m_toCancel.emplace_back(question.address, question.port);
        return;
    }
    if (isGranted) {
        ForwardSpec::End at = forward->spec.listen;
        at.address = question.address.isEmpty() ? u"*"_s : QString::fromUtf8(question.address);
        at.port = quint16(question.port);
        return listens(*forward, at);
    }
    const bool isAny = forward->spec.listen.port == 0;
    if (isAny && ++forward->tries < kMostPorts)
        return; // it still waits, and so is asked about again
    const bool isHeld = !isAny && HeldForward::isHeld(m_owner, forward->spec);
    fail(*forward,
         {ErrorKind::PermissionDenied, Layer::Ssh,
          isAny ? u"the server does not listen for us"_s
                : u"the server does not listen at port %1 for us: it is in use there, or not allowed"_s.arg(question.port),
          m_owner.name},
         isHeld);
}

} // namespace Sandpiper
