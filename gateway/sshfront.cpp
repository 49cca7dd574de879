#include "gateway/sshfront.h"

#include "gateway/sandboxhost.h"
#include "gateway/sshlogin.h"
#include "sshserver/hostkey.h"
#include "sshserver/sshconnection.h"

#include <QHostAddress>
#include <QLoggingCategory>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

Q_LOGGING_CATEGORY(lcSshFront, "sandpiper.gateway.ssh", QtInfoMsg)

namespace {

// More at once is not one person's work, and each has a thread.
constexpr std::size_t maxConnections = 200;

} // namespace

// QTcpServer only for its listening: the descriptor goes to a thread as it comes.
class SshFront::Listener : public QTcpServer
{
public:
    explicit Listener(SshFront *front)
        : m_front(front)
    {
    }

protected:
    void incomingConnection(qintptr descriptor) override { m_front->accept(descriptor); }

private:
    SshFront *m_front;
};

SshFront::SshFront(const Options &options, SandboxStore *sandboxes, KeyStore *keys, QObject *parent)
    : QObject(parent)
    , m_options(options)
    , m_sandboxes(sandboxes)
    , m_keys(keys)
    , m_listener(std::make_unique<Listener>(this))
{
    connect(sandboxes, &SandboxStore::sandboxChanged, this, &SshFront::closeConnectionsOf);
}

SshFront::~SshFront()
{
    m_listener->close();
    for (const auto &connection : m_connections)
        connection->close(u"the gateway is ending"_s);
    m_connections.clear();
}

Result<quint16> SshFront::listen()
{
    Result<QByteArray> line = hostKeyFrom(m_options.hostKeyFile);
    if (!line)
        return std::unexpected(line.error());
    m_hostKeyLine = *line;
    const QHostAddress address(m_options.listenHost);
    if (!address.isLoopback())
        return failure(ErrorKind::InvalidInput, Layer::Tcp, u"only loopback addresses are served"_s, m_options.listenHost);
    if (!m_listener->listen(address, m_options.port))
        return failure(ErrorKind::Io, Layer::Tcp, m_listener->errorString(), u"%1:%2"_s.arg(m_options.listenHost).arg(m_options.port));
    return m_listener->serverPort();
}

QByteArray SshFront::hostKeyLine() const
{
    return m_hostKeyLine;
}

int SshFront::connectionCount() const
{
    return int(std::count_if(m_connections.cbegin(), m_connections.cend(),
                             [](const auto &connection) { return !connection->isFinished(); }));
}

void SshFront::accept(qintptr descriptor)
{
    Fd socket{int(descriptor)};
    forgetFinished();
    if (m_connections.size() >= maxConnections) {
        qCWarning(lcSshFront, "A connection is refused: %d are open", connectionCount());
        return;
    }
    SshConnection::Setup setup;
    setup.socket = std::move(socket);
    setup.hostKeyFile = m_options.hostKeyFile;
    setup.makeHost = [sandboxes = m_sandboxes, keys = m_keys, innerKey = m_options.innerKeyFile] {
        return std::make_unique<SandboxHost>(sandboxes, keys, innerKey);
    };
    // `this` outlives the thread: the destructor joins it.
    setup.finished = [this] { QMetaObject::invokeMethod(this, &SshFront::forgetFinished, Qt::QueuedConnection); };
    m_connections.push_back(std::make_unique<SshConnection>(std::move(setup)));
}

void SshFront::closeConnectionsOf(const QString &sandboxId)
{
    const std::optional<LocalSandbox> sandbox = m_sandboxes->lookup(sandboxId);
    if (sandbox && (sandbox->state == LocalState::Running || sandbox->state == LocalState::Pending))
        return;
    // A client whose connection just hangs learns nothing: it is told, as the vendor does.
    const QString reason = sandbox ? sandboxNotRunningText(sandboxId, sandbox->state)
                                   : sandboxNotPresentText(sandboxId);
    for (const auto &connection : m_connections) {
        if (connection->subject() == sandboxId)
            connection->close(reason);
    }
}

void SshFront::forgetFinished()
{
    std::erase_if(m_connections, [](const auto &connection) { return connection->isFinished(); });
}

} // namespace Sandpiper
