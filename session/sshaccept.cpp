// SshThread's forwards, and what servers open to us: connections to the user's agent and to ports that we
// listen at there.
#include "session/sshthread.h"

#include <QFile>
#include <QLoggingCategory>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

static Q_LOGGING_CATEGORY(lcAccept, "sandpiper.session.sshthread", QtInfoMsg)

// What has no function here the library refuses, whatever the server asks for.
void SshThread::takeServersChannels()
{
    ssh_callbacks_init(&m_callbacks);
    m_callbacks.userdata = this;
    if (m_options.agentForward != SshAgentForward::No) {
        m_callbacks.channel_open_request_auth_agent_function = [](ssh_session, void *self) {
            return static_cast<SshThread *>(self)->acceptAgentChannel();
        };
    }
    m_callbacks.channel_open_request_forwarded_tcpip_function = [](ssh_session session, const char *address, int port, const char *origin,
                                                                   int originPort, void *self) {
        return static_cast<SshThread *>(self)->m_forwards.accept(session, address, port, origin, originPort);
    };
    ssh_set_callbacks(m_session.get(), &m_callbacks);
}

ssh_channel SshThread::acceptAgentChannel()
{
    const QString &socket = m_options.agentForward == SshAgentForward::Socket ? m_options.agentForwardSocket : m_options.agentSocket;
    FileDescriptor agent = connectToAgent(QFile::encodeName(socket));
    if (!agent.isValid() || m_tunnels.size() + m_acceptedTunnels.size() >= size_t(kMostTunnels)) {
        qCWarning(lcAccept).noquote() << m_subject << "wants the agent, which cannot be reached";
        return nullptr;
    }
    TunnelSpec spec;
    spec.stream = std::make_shared<FileDescriptor>(std::move(agent));
    auto tunnel = std::make_unique<SshTunnelChannel>(ssh_channel_new(m_session.get()), spec, *m_mail, m_woken, m_late);
    if (tunnel->isOver())
        return nullptr;
    m_acceptedTunnels.push_back(std::move(tunnel));
    return m_acceptedTunnels.back()->channel();
}

void SshThread::armForwards()
{
    int id = 0;
    if (m_options.armsForwards) {
        for (const ForwardSpec &spec : std::as_const(m_options.forwards))
            m_forwards.add(--id, spec);
    }
    // Without a sandbox a name or an address says little: the same one is another machine behind another jump.
    const SshEndpoint &endpoint = m_options.endpoint;
    const QString identity = !m_options.sandbox.isEmpty()
            ? m_options.sandbox.toString()
            : u"%1@%2:%3 %4"_s.arg(endpoint.user, endpoint.host.toLower()).arg(endpoint.port).arg(m_accepted ? fingerprintOf(*m_accepted) : QString());
    m_forwards.begin({identity, m_subject}, m_options.forwardRules);
}

void SshThread::pumpForwards()
{
    const bool mayAsk = !m_features || !m_features->holdsGlobalRequests();
    m_forwards.pump(m_session.get(), m_event.get(), m_askedForLife, mayAsk);
    for (const QString &notice : m_forwards.takeNotices())
        tell(notice);
}

} // namespace Sandpiper
