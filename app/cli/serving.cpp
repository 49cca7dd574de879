#include "app/cli/serving.h"

#include "app/cli/servedchannel.h"

#include <QHostAddress>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// More at once is not one person's work, and each has a thread.
constexpr std::size_t maxConnections = 64;

} // namespace

// QTcpServer only for its listening: the descriptor goes to a thread as it comes.
class Serving::Listener : public QTcpServer
{
public:
    explicit Listener(Serving *serving)
        : m_serving(serving)
    {
    }

protected:
    void incomingConnection(qintptr descriptor) override { m_serving->add(FileDescriptor(int(descriptor))); }

private:
    Serving *m_serving;
};

Serving::Serving(const Options &options)
    : m_options(options)
    , m_ends(options.ends)
    , m_arrivals(std::make_shared<FarArrivals>())
    , m_bell(m_arrivals->descriptor(), QSocketNotifier::Read)
{
    connect(&m_bell, &QSocketNotifier::activated, this, &Serving::takeArrivals);
}

Serving::~Serving()
{
    m_listener.reset();
    for (const auto &connection : m_connections)
        connection->close({});
    m_connections.clear();
    m_channels.clear();
}

void Serving::add(FileDescriptor transport)
{
    forgetFinished();
    if (m_connections.size() >= maxConnections) {
        emit said(tr("A connection is refused: %1 are open.").arg(m_connections.size()));
        return;
    }
    SshConnection::Setup setup;
    setup.socket = std::move(transport);
    setup.hostKeyFile = m_options.hostKeyFile;
    setup.makeHost = [host = m_options.host, arrivals = m_arrivals] { return std::make_unique<ServeHost>(host, arrivals); };
    // `this` outlives the thread: the destructor joins it.
    setup.finished = [this] { QMetaObject::invokeMethod(this, &Serving::checkIdle, Qt::QueuedConnection); };
    m_connections.push_back(std::make_unique<SshConnection>(std::move(setup)));
}

Result<quint16> Serving::listen(const QString &address, quint16 port)
{
    m_listener = std::make_unique<Listener>(this);
    if (!m_listener->listen(QHostAddress(address), port))
        return failure(ErrorKind::Io, Layer::Tcp, m_listener->errorString(), u"%1:%2"_s.arg(address).arg(port));
    return m_listener->serverPort();
}

void Serving::close(const QString &reason)
{
    m_listener.reset();
    for (const auto &connection : m_connections)
        connection->close(reason);
    for (const auto &channel : m_channels)
        channel->hangUp();
    checkIdle();
}

bool Serving::isIdle() const
{
    return m_channels.empty() && std::all_of(m_connections.cbegin(), m_connections.cend(), [](const auto &c) { return c->isFinished(); });
}

void Serving::takeArrivals()
{
    for (const auto &arrival : m_arrivals->takeAll()) {
        if (const auto *line = std::get_if<QString>(&arrival)) {
            emit said(*line);
            continue;
        }
        const auto &mail = std::get<std::shared_ptr<FarMail>>(arrival);
        m_channels.push_back(std::make_unique<ServedChannel>(mail, &m_ends));
        ServedChannel *channel = m_channels.back().get();
        connect(channel, &ServedChannel::said, this, &Serving::said);
        connect(channel, &ServedChannel::over, this, [this, channel] {
            const auto it = std::find_if(m_channels.begin(), m_channels.end(), [=](const auto &c) { return c.get() == channel; });
            if (it == m_channels.end())
                return;
            it->release()->deleteLater();
            m_channels.erase(it);
            checkIdle();
        });
    }
}

void Serving::forgetFinished()
{
    std::erase_if(m_connections, [](const auto &connection) { return connection->isFinished(); });
}

void Serving::checkIdle()
{
    forgetFinished();
    // A channel that was asked for a moment ago is not known here yet.
    takeArrivals();
    if (isIdle())
        emit idle();
}

} // namespace Sandpiper
