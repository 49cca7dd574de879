#include "gateway/ptysession.h"

#include <QJsonArray>
#include <QtEndian>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <sys/ioctl.h>
#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype historyLimit = 1 << 20;
constexpr qsizetype chunkLimit = 4096;
constexpr qint64 preReadyLimit = 1 << 20;
// Output of one wake-up, so that one busy terminal does not starve the others.
constexpr qsizetype readSlice = 64 * 1024;
constexpr qsizetype frameLimit = 32 * 1024;
constexpr qint64 queueHighWater = 256 * 1024;
constexpr qint64 queueLowWater = 64 * 1024;
constexpr qsizetype inputHighWater = 256 * 1024;
constexpr qsizetype inputLowWater = 64 * 1024;

enum Opcode : char { Data = 0, Resize = 1, Ready = 2, Exit = 3 };

int exitCodeOf(const ProcessEnd &end)
{
    return end.signal != 0 ? -1 : end.exitCode;
}

} // namespace

PtySession::PtySession(const Start &start, Secret token, SandboxProcess process, const PtyLimits &limits, QObject *parent)
    : QObject(parent)
    , m_start(start)
    , m_token(std::move(token))
    , m_process(std::move(process))
    , m_limits(limits)
    , m_createdAt(QDateTime::currentDateTimeUtc())
    , m_readable(m_process.terminal.get(), QSocketNotifier::Read)
    , m_writable(m_process.terminal.get(), QSocketNotifier::Write)
    , m_ender(m_process.controlFd(), QSocketNotifier::Read)
{
    m_writable.setEnabled(false);
    connect(&m_readable, &QSocketNotifier::activated, this, &PtySession::readTerminal);
    connect(&m_writable, &QSocketNotifier::activated, this, &PtySession::writeTerminal);
    connect(&m_ender, &QSocketNotifier::activated, this, &PtySession::takeEnd);
    for (QTimer *timer : {&m_unattendedTimer, &m_killTimer, &m_reapTimer})
        timer->setSingleShot(true);
    m_lagTimer.setInterval(std::min<std::chrono::milliseconds>(m_limits.lag / 4, std::chrono::seconds(1)));
    connect(&m_lagTimer, &QTimer::timeout, this, &PtySession::closeLaggards);
    connect(&m_unattendedTimer, &QTimer::timeout, this, &PtySession::unattended);
    connect(&m_killTimer, &QTimer::timeout, this, &PtySession::graceOver);
    // Bash only notes a hang-up that comes between two reads, and then waits for the next key.
    connect(&m_hangUpTimer, &QTimer::timeout, this, &PtySession::hangUp);
    connect(&m_reapTimer, &QTimer::timeout, this, &PtySession::reaped);
    clientsChanged();
}

PtySession::~PtySession()
{
    // Said as far as the network takes it now; the peers die with us.
    for (const Client &client : m_clients) {
        client.peer->disconnect(this);
        if (!m_end)
            client.peer->close(1001, "session terminated", WebSocketPeer::Queued::Drop);
    }
}

QJsonObject PtySession::toJson() const
{
    QJsonObject object{
        {u"session_id"_s, m_start.id},
        {u"pid"_s, m_process.pid()},
        {u"command"_s, m_start.command},
        {u"args"_s, QJsonArray::fromStringList(m_start.arguments)},
        {u"rows"_s, m_start.size.rows},
        {u"cols"_s, m_start.size.columns},
        {u"created_at"_s, m_createdAt.toMSecsSinceEpoch()},
        {u"ended_at"_s, QJsonValue::Null},
        {u"exit_code"_s, QJsonValue::Null},
        {u"is_alive"_s, isAlive()},
    };
    if (m_end) {
        object[u"ended_at"_s] = m_endedAt.toMSecsSinceEpoch();
        object[u"exit_code"_s] = exitCodeOf(*m_end);
        if (m_end->outOfMemory)
            object[u"oom_killed"_s] = true;
    }
    return object;
}

PtySession::Client *PtySession::find(const WebSocketPeer *peer)
{
    const auto it = std::ranges::find(m_clients, peer, &Client::peer);
    return it == m_clients.end() ? nullptr : &*it;
}

void PtySession::attach(std::unique_ptr<WebSocketPeer> owned)
{
    WebSocketPeer *peer = owned.release();
    peer->setParent(this);
    Client client;
    client.peer = peer;
    client.allowance = double(m_limits.inputBurst);
    client.allowanceSince.start();
    client.progressSince.start();
    m_clients.push_back(client);
    connect(peer, &WebSocketPeer::binaryReceived, this, [this, peer](const QByteArray &message) { received(peer, message); });
    connect(peer, &WebSocketPeer::queueShrank, this, [this, peer] {
        if (Client *who = find(peer))
            who->progressSince.start();
        checkQueues();
    });
    connect(peer, &WebSocketPeer::closed, this, [this, peer] { forget(peer); });
    if (m_input.size() > inputHighWater)
        pause(m_clients.back());
    clientsChanged();
}

void PtySession::forget(WebSocketPeer *peer)
{
    std::erase_if(m_clients, [peer](const Client &client) { return client.peer == peer; });
    peer->deleteLater();
    clientsChanged();
    checkQueues();
}

void PtySession::clientsChanged()
{
    if (m_clients.empty() && !m_end && !m_frozen) {
        if (!m_unattendedTimer.isActive())
            m_unattendedTimer.start(m_limits.unattended);
    } else {
        m_unattendedTimer.stop();
    }
}

void PtySession::received(WebSocketPeer *peer, const QByteArray &message)
{
    Client *client = find(peer);
    if (!client || message.isEmpty())
        return;
    switch (message.front()) {
    case Data:
        takeInput(*client, QByteArrayView(message).sliced(1));
        break;
    case Resize:
        if (message.size() >= 5)
            resize({qFromBigEndian<quint16>(message.constData() + 1), qFromBigEndian<quint16>(message.constData() + 3)});
        break;
    case Ready:
        if (!client->ready)
            replay(*client);
        break;
    }
}

void PtySession::replay(Client &client)
{
    client.ready = true;
    QByteArray frame(1, char(Data));
    for (const QByteArray &chunk : m_history) {
        if (frame.size() + chunk.size() > frameLimit) {
            client.peer->sendBinary(frame);
            frame.truncate(1);
        }
        frame.append(chunk);
    }
    if (frame.size() > 1)
        client.peer->sendBinary(frame);
    if (m_end)
        sayEnd(client.peer);
    checkQueues();
}

void PtySession::takeInput(Client &client, QByteArrayView bytes)
{
    if (m_end)
        return;
    const double most = double(m_limits.inputBurst);
    if (client.allowance < most)
        client.allowance = std::min(most, client.allowance + earned(client.allowanceSince));
    client.allowanceSince.start();
    client.allowance -= double(bytes.size());
    if (client.allowance < 0) {
        client.peer->close(1008, "input rate limit exceeded", WebSocketPeer::Queued::Drop);
        return;
    }
    m_input.append(bytes);
    writeTerminal();
    if (m_input.size() > inputHighWater) {
        for (Client &other : m_clients)
            pause(other);
    }
}

double PtySession::earned(const QElapsedTimer &since) const
{
    return double(since.nsecsElapsed()) / 1e9 * double(m_limits.inputPerSecond);
}

void PtySession::pause(Client &client)
{
    if (client.pausedSince.isValid())
        return;
    client.pausedSince.start();
    client.peer->pauseReading();
}

void PtySession::resume(Client &client)
{
    if (!client.pausedSince.isValid())
        return;
    // What it sent meanwhile was within the pace, and comes all at once now.
    client.allowance += earned(client.pausedSince);
    client.pausedSince.invalidate();
    client.allowanceSince.start();
    client.peer->resumeReading();
}

void PtySession::writeTerminal()
{
    while (!m_input.isEmpty()) {
        const ssize_t count = ::write(m_process.terminal.get(), m_input.constData(), size_t(m_input.size()));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno != EAGAIN)
            m_input.clear(); // nobody has the terminal open any more
        if (count <= 0)
            break;
        m_input.remove(0, count);
    }
    m_writable.setEnabled(!m_input.isEmpty());
    if (m_input.size() < inputLowWater) {
        for (Client &client : m_clients)
            resume(client);
    }
}

void PtySession::readTerminal()
{
    QByteArray output;
    char buffer[chunkLimit];
    while (output.size() < readSlice) {
        const ssize_t count = ::read(m_process.terminal.get(), buffer, sizeof buffer);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            if (count == 0 || errno != EAGAIN)
                m_readable.setEnabled(false);
            break;
        }
        const QByteArray chunk(buffer, count);
        remember(chunk);
        output.append(chunk);
    }
    if (!output.isEmpty())
        broadcast(output);
}

void PtySession::remember(const QByteArray &chunk)
{
    // Single keystrokes echo as tiny chunks: joined, or the list would weigh more than its content.
    if (!m_history.empty() && m_history.back().size() + chunk.size() <= chunkLimit)
        m_history.back().append(chunk);
    else
        m_history.push_back(chunk);
    m_historyBytes += chunk.size();
    while (m_historyBytes > historyLimit) {
        m_historyBytes -= m_history.front().size();
        m_history.pop_front();
    }
}

void PtySession::broadcast(const QByteArray &output)
{
    // Sending may drop a client, and with it its place in the list.
    const std::vector<Client> clients = m_clients;
    for (const Client &client : clients) {
        if (!client.ready) {
            Client *waiting = find(client.peer);
            if (waiting && (waiting->missed += output.size()) > preReadyLimit)
                client.peer->close(1008, "pre-ready buffer overflow", WebSocketPeer::Queued::Drop);
            continue;
        }
        for (qsizetype from = 0; from < output.size(); from += frameLimit)
            client.peer->sendBinary(char(Data) + output.mid(from, frameLimit));
    }
    checkQueues();
}

void PtySession::checkQueues()
{
    bool full = false;
    bool low = true;
    for (Client &client : m_clients) {
        const qint64 queued = client.peer->queuedBytes();
        full = full || queued > queueHighWater;
        low = low && queued <= queueLowWater;
        if (queued <= queueLowWater)
            client.fullSince.invalidate();
        else if (queued > queueHighWater && !client.fullSince.isValid()) {
            client.fullSince.start();
            client.progressSince.start();
        }
    }
    if (m_end)
        return;
    if (full) {
        // The terminal fills up, and what writes to it waits.
        m_readable.setEnabled(false);
        if (!m_lagTimer.isActive())
            m_lagTimer.start();
    } else if (low && m_lagTimer.isActive()) {
        m_lagTimer.stop();
        m_readable.setEnabled(true);
    }
}

void PtySession::closeLaggards()
{
    const std::vector<Client> clients = m_clients;
    for (const Client &client : clients) {
        if (!client.fullSince.isValid() || !client.peer->isOpen())
            continue;
        const bool holdsUpOthers = clients.size() > 1 && client.fullSince.durationElapsed() > m_limits.lag;
        if (!holdsUpOthers && client.progressSince.durationElapsed() < m_limits.lagAlone)
            continue;
        client.peer->close(1008, "output lagged by " + QByteArray::number(client.peer->queuedMessages()) + " messages",
                           WebSocketPeer::Queued::Drop);
    }
    checkQueues();
}

void PtySession::resize(TerminalSize size)
{
    if (m_end)
        return;
    m_start.size = size.clamped();
    // Straight at the terminal: by way of the agent, what is typed next would be there before it.
    struct winsize window = {};
    window.ws_col = static_cast<unsigned short>(m_start.size.columns);
    window.ws_row = static_cast<unsigned short>(m_start.size.rows);
    ::ioctl(m_process.terminal.get(), TIOCSWINSZ, &window);
}

void PtySession::kill()
{
    if (m_end) {
        QMetaObject::invokeMethod(this, &PtySession::reaped, Qt::QueuedConnection);
        return;
    }
    if (m_killTimer.isActive())
        return;
    m_killTimer.start(m_limits.killGrace);
    m_hangUpTimer.start(m_limits.killGrace / 8);
    hangUp();
}

void PtySession::hangUp()
{
    m_process.sendSignal(SIGHUP);
    // A stopped shell shall hear it too.
    m_process.sendSignal(SIGCONT);
}

void PtySession::graceOver()
{
    m_hangUpTimer.stop();
    for (const Client &client : m_clients)
        client.peer->close(1001, "session terminated", WebSocketPeer::Queued::Drop);
    m_process.sendSignal(SIGKILL);
}

void PtySession::unattended()
{
    m_process.sendSignal(SIGKILL);
}

void PtySession::freeze()
{
    m_frozen = true;
    const std::vector<Client> clients = m_clients;
    for (const Client &client : clients)
        client.peer->abort();
    clientsChanged();
}

void PtySession::thaw()
{
    m_frozen = false;
    clientsChanged();
}

void PtySession::takeEnd()
{
    if (m_end)
        return;
    const std::optional<ProcessEnd> end = m_process.takeEnd();
    if (!end)
        return;
    m_ender.setEnabled(false);
    // What it wrote last is still in the terminal. What its children go on writing is not waited for.
    for (int slice = 0; slice < 8; ++slice)
        readTerminal();
    m_end = end;
    m_endedAt = QDateTime::currentDateTimeUtc();
    m_readable.setEnabled(false);
    m_writable.setEnabled(false);
    m_input.clear();
    m_lagTimer.stop();
    m_killTimer.stop();
    m_hangUpTimer.stop();
    m_unattendedTimer.stop();
    for (Client &client : m_clients)
        resume(client);
    for (const Client &client : std::vector<Client>(m_clients)) {
        if (client.ready)
            sayEnd(client.peer);
    }
    m_reapTimer.start(m_limits.reap);
    emit ended();
}

void PtySession::sayEnd(WebSocketPeer *peer) const
{
    const int code = exitCodeOf(*m_end);
    QByteArray frame(5, char(Exit));
    qToBigEndian<qint32>(code, frame.data() + 1);
    peer->sendBinary(frame);
    peer->close(1000, "exit:" + QByteArray::number(code));
}

} // namespace Sandpiper
