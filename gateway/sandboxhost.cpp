#include "gateway/sandboxhost.h"

#include "gateway/sshbridge.h"
#include "gateway/sshlogin.h"
#include "session/quietthread.h"

#include <QLoggingCategory>

#include <algorithm>
#include <mutex>
#include <thread>

#include <sys/eventfd.h>
#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

Q_LOGGING_CATEGORY(lcSandboxHost, "sandpiper.gateway.ssh", QtInfoMsg)

namespace {

QString listenAddress(const QByteArray &wished)
{
    // RFC 4254 section 7.1.
    if (wished.isEmpty() || wished == "*")
        return u"0.0.0.0"_s;
    if (wished == "localhost")
        return u"127.0.0.1"_s;
    return QString::fromLatin1(wished);
}

// Dials off the connection's thread: a host that does not answer must not hold up its shells.
class SandboxDial : public SshDial
{
public:
    SandboxDial(const AgentClient &agent, const QString &host, quint16 port)
        : m_waiting(std::make_shared<Waiting>())
    {
        // Both owners of `waiting`: this, and the thread until it has answered.
        quietThread([waiting = m_waiting, agent, host, port] {
            Result<Fd> socket = agent.dial(host, port);
            const std::lock_guard lock(waiting->mutex);
            waiting->answer = std::move(socket);
            const quint64 once = 1;
            [[maybe_unused]] const ssize_t done = ::write(waiting->wake.get(), &once, sizeof once);
        }).detach();
    }

    void addPolls(std::vector<pollfd> &polls) const override { polls.push_back({m_waiting->wake.get(), POLLIN, 0}); }

    State state() override
    {
        const std::lock_guard lock(m_waiting->mutex);
        if (!m_waiting->answer)
            return State::Waiting;
        if (*m_waiting->answer)
            return State::Connected;
        qCInfo(lcSandboxHost, "A forward was not connected: %s", qUtf8Printable(describe(m_waiting->answer->error())));
        return State::Failed;
    }

    std::unique_ptr<SshChannelWork> take(ssh_channel channel) override
    {
        const std::lock_guard lock(m_waiting->mutex);
        return std::make_unique<SshBridge>(channel, std::move(**m_waiting->answer));
    }

private:
    struct Waiting
    {
        Fd wake = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        std::mutex mutex;
        std::optional<Result<Fd>> answer;
    };
    std::shared_ptr<Waiting> m_waiting;
};

} // namespace

SandboxHost::SandboxHost(const SandboxStore *sandboxes, KeyStore *keys, const QString &innerKeyFile)
    : m_sandboxes(sandboxes)
    , m_keys(keys)
    , m_innerKeyFile(innerKeyFile)
{
}

QByteArray SandboxHost::banner() const
{
    return "Sandpiper: sandboxes of this computer\r\n"_ba;
}

bool SandboxHost::knowsKey(const QByteArray &blob)
{
    const QList<RegisteredKey> all = m_keys->all();
    return std::any_of(all.cbegin(), all.cend(), [&](const RegisteredKey &key) { return key.publicLine.endsWith(' ' + blob); });
}

QString SandboxHost::keyRefusal() const
{
    return keyNotRegisteredText();
}

QString SandboxHost::admit(const QString &user, const QByteArray &blob)
{
    (void)m_keys->match(blob);
    const SshVerdict verdict = Sandpiper::admit(user, [this](const QString &target) { return m_sandboxes->lookup(target); });
    if (!verdict.sandbox)
        return verdict.refusal;
    if (verdict.port != 0) {
        Result<std::unique_ptr<SshInner>> inner = SshInner::connectTo(*verdict.sandbox, verdict.port, m_innerKeyFile);
        if (!inner)
            return inner.error().detail;
        m_inner = std::move(*inner);
    }
    m_sandbox = verdict.sandbox;
    return {};
}

std::unique_ptr<SshChannelWork> SandboxHost::session(ssh_channel channel)
{
    if (m_inner)
        return std::make_unique<SshRelay>(channel, m_inner.get());
    return std::make_unique<SshBridge>(channel, [agent = m_sandbox->agent](const SpawnSpec &spec) { return agent.spawn(spec); });
}

std::unique_ptr<SshDial> SandboxHost::dial(const QString &host, int port)
{
    if (port < 1 || port > 65535)
        return nullptr;
    return std::make_unique<SandboxDial>(m_sandbox->agent, host, quint16(port));
}

Result<SshHost::Listener> SandboxHost::listen(const QByteArray &address, quint16 port)
{
    Result<AgentClient::Listener> listener = m_sandbox->agent.listen(listenAddress(address), port);
    if (!listener)
        return std::unexpected(listener.error());
    return Listener{std::move(listener->fd), listener->port};
}

std::unique_ptr<SshChannelWork> SandboxHost::forwarded(ssh_channel channel, Fd socket)
{
    return std::make_unique<SshBridge>(channel, std::move(socket));
}

void SandboxHost::addPolls(std::vector<pollfd> &polls) const
{
    if (m_inner)
        polls.push_back(m_inner->poll());
}

QString SandboxHost::step()
{
    return !m_inner || m_inner->pump() ? QString() : u"the SSH server inside the sandbox closed the connection"_s;
}

} // namespace Sandpiper
