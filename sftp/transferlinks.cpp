#include "sftp/transferlinks.h"

#include "session/backoff.h"
#include "session/comeback.h"
#include "session/sshlink.h"

#include <algorithm>

using namespace std::chrono_literals;

namespace Sandpiper {

TransferLinks::TransferLinks(const SandboxId &sandbox, TransferLinkMaker maker, std::function<double()> random, QObject *parent)
    : QObject(parent)
    , m_sandbox(sandbox)
    , m_maker(std::move(maker))
    , m_random(std::move(random))
{
    m_retry.setSingleShot(true);
    connect(&m_retry, &QTimer::timeout, this, &TransferLinks::fill);
}

TransferLinks::~TransferLinks() = default;

QList<SftpClient *> TransferLinks::clients() const
{
    QList<SftpClient *> ready;
    for (const auto &line : m_lines) {
        if (line->wasReady)
            ready.append(line->client.get());
    }
    return ready;
}

int TransferLinks::opening() const
{
    return m_asked + int(std::ranges::count_if(m_lines, [](const auto &line) { return !line->wasReady; }));
}

void TransferLinks::setWanted(int count)
{
    m_wanted = std::clamp(count, 0, 8);
    if (m_wanted == 0) {
        m_retry.stop();
        // Not from here: one of them may be about to tell of its end.
        for (auto &line : std::exchange(m_lines, {}))
            let(std::move(line));
    }
    if (!m_hasFailed && !m_retry.isActive())
        fill();
}

void TransferLinks::retryNow()
{
    m_attempt = 0;
    m_hasFailed = false;
    m_retry.stop();
    fill();
}

void TransferLinks::fill()
{
    // What cannot be had once is not asked for eight times at once.
    const int most = clients().isEmpty() ? std::min(m_wanted, 1) : m_wanted;
    while (int(m_lines.size()) + m_asked < most)
        open();
}

void TransferLinks::open()
{
    ++m_asked;
    m_maker(m_sandbox, this, [this](Result<std::unique_ptr<SshLink>> link) {
        --m_asked;
        take(std::move(link));
    });
}

void TransferLinks::take(Result<std::unique_ptr<SshLink>> link)
{
    if (m_wanted == 0)
        return;
    if (!link)
        return afterLoss(link.error());
    auto line = std::make_unique<Line>();
    Line *added = line.get();
    line->link = std::move(*link);
    line->client = std::make_unique<SftpClient>(line->link.get());
    connect(line->link.get(), &SshLink::stateChanged, this, [added](LinkState state) {
        if (state == LinkState::Ready)
            added->sinceLogin.start();
    });
    connect(line->client.get(), &SftpClient::ready, this, [this, added] {
        added->wasReady = true;
        if (added->sinceLogin.isValid()) {
            // A channel, its subsystem, the version of the protocol: one after the other.
            const std::chrono::milliseconds roundTrip(added->sinceLogin.elapsed() / 3);
            m_roundTrip = m_roundTrip == 0ms ? roundTrip : std::min(m_roundTrip, roundTrip);
        }
        m_attempt = 0;
        emit opened(added->client.get());
        fill();
    });
    connect(line->client.get(), &SftpClient::ended, this, [this, added](const Error &error) { lineEnded(added, error); });
    m_lines.push_back(std::move(line));
    added->link->connectToHost();
}

void TransferLinks::let(std::unique_ptr<Line> line)
{
    line->client->disconnect(this);
    line->link->disconnect(this);
    line->client.release()->deleteLater();
    line->link.release()->deleteLater();
}

void TransferLinks::lineEnded(const Line *line, const Error &error)
{
    const auto it = std::ranges::find_if(m_lines, [line](const auto &one) { return one.get() == line; });
    if (it == m_lines.end())
        return;
    std::unique_ptr<Line> gone = std::move(*it);
    m_lines.erase(it);
    const bool wasReady = gone->wasReady;
    SftpClient *client = gone->client.get();
    let(std::move(gone)); // not from here: this is its own signal
    if (wasReady)
        emit lost(client, error);
    if (m_wanted == 0)
        return;
    if (!clients().isEmpty()) {
        // A further one could not be had, or not any longer: then it goes on with those that there are.
        m_wanted = std::max<int>(1, int(m_lines.size()));
        return;
    }
    afterLoss(error);
}

void TransferLinks::afterLoss(const Error &error)
{
    if (!m_lines.empty() || m_asked > 0)
        return;
    const Decision decision = afterFailing(Attempt::LinkOnly, error);
    if (decision.move == NextMove::Wait || decision.move == NextMove::Connect) {
        const std::chrono::milliseconds delay = backoffDelay(++m_attempt, m_random ? m_random() : 0.5);
        m_retry.start(delay);
        emit waiting(error, QDateTime::currentDateTime().addMSecs(delay.count()));
        return;
    }
    m_hasFailed = true;
    emit failed(error);
}

} // namespace Sandpiper
