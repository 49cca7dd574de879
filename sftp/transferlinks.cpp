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

bool TransferLinks::Line::isReady() const
{
    return std::ranges::any_of(channels, &Channel::wasReady);
}

QList<SftpClient *> TransferLinks::clients() const
{
    QList<SftpClient *> ready;
    for (const auto &line : m_lines) {
        for (const Channel &channel : line->channels) {
            if (channel.client->isReady())
                ready.append(channel.client.get());
        }
    }
    return ready;
}

int TransferLinks::links() const
{
    return int(std::ranges::count_if(m_lines, &Line::isReady));
}

SshLink *TransferLinks::anyLink() const
{
    const auto line = std::ranges::find_if(m_lines, [](const auto &one) { return std::ranges::any_of(one->channels, [](const Channel &channel) { return channel.client->isReady(); }); });
    return line == m_lines.end() ? nullptr : (*line)->link.get();
}

int TransferLinks::opening() const
{
    int count = m_asked;
    for (const auto &line : m_lines)
        count += int(std::ranges::count(line->channels, false, &Channel::wasReady));
    return count;
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

void TransferLinks::setChannels(int count)
{
    m_channels = std::clamp(count, 1, 4);
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
    // What the first one cannot have is not asked for at once either.
    for (const auto &line : m_lines) {
        while (line->isReady() && int(line->channels.size()) < m_channels)
            addChannel(line.get());
    }
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
    connect(line->link.get(), &SshLink::stateChanged, this, [added](LinkState state) {
        if (state == LinkState::Ready)
            added->sinceLogin.start();
    });
    m_lines.push_back(std::move(line));
    addChannel(added);
    added->link->connectToHost();
}

void TransferLinks::addChannel(Line *line)
{
    line->channels.push_back({std::make_unique<SftpClient>(line->link.get(), SftpPatience(), nullptr, line->window), false});
    SftpClient *client = line->channels.back().client.get();
    connect(client, &SftpClient::ready, this, [this, line, client] { channelReady(line, client); });
    connect(client, &SftpClient::ended, this, [this, client](const Error &error) { channelEnded(client, error); });
}

void TransferLinks::channelReady(Line *line, SftpClient *client)
{
    if (!line->isReady() && line->sinceLogin.isValid()) {
        // A channel, its subsystem, the version of the protocol: one after the other.
        const std::chrono::microseconds roundTrip(line->sinceLogin.nsecsElapsed() / 1000 / 3);
        m_roundTrip = m_roundTrip ? std::min(*m_roundTrip, roundTrip) : roundTrip;
    }
    std::ranges::find(line->channels, client, [](const Channel &channel) { return channel.client.get(); })->wasReady = true;
    m_attempt = 0;
    emit opened(client);
    fill();
}

void TransferLinks::let(Channel channel)
{
    channel.client->disconnect(this);
    channel.client.release()->deleteLater();
}

void TransferLinks::let(std::unique_ptr<Line> line)
{
    for (Channel &channel : line->channels)
        let(std::move(channel));
    line->link->disconnect(this);
    line->link.release()->deleteLater();
}

void TransferLinks::channelEnded(SftpClient *client, const Error &error)
{
    const auto clientOf = [](const Channel &channel) { return channel.client.get(); };
    const auto it = std::ranges::find_if(m_lines, [&](const auto &one) { return std::ranges::contains(one->channels, client, clientOf); });
    if (it == m_lines.end())
        return;
    const auto channel = std::ranges::find((*it)->channels, client, clientOf);
    const bool wasReady = channel->wasReady;
    let(std::move(*channel)); // not from here: this is its own signal
    (*it)->channels.erase(channel);
    const bool isLast = (*it)->channels.empty();
    if (isLast) {
        std::unique_ptr<Line> gone = std::move(*it);
        m_lines.erase(it);
        let(std::move(gone));
    } else if (!wasReady && error.kind != ErrorKind::ConnectionLost) {
        // The server has a bound.
        m_channels = std::max(1, m_channels - 1);
    }
    if (wasReady)
        emit lost(client, error);
    if (m_wanted == 0 || !isLast)
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
