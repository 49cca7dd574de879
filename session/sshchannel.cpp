#include "session/sshchannel.h"

#include <algorithm>

namespace Sandpiper {

SshChannel::SshChannel(SshLinkCore *link)
    : m_link(link)
{
    connect(this, &SshChannel::opened, this, [this] { m_isOpen = true; });
}

SshChannel::SshChannel(SshLinkCore *link, const ChannelSpec &spec)
    : SshChannel(link)
{
    m_id = link->openChannel(this, spec);
}

SshChannel::SshChannel(SshLinkCore *link, const TunnelSpec &spec)
    : SshChannel(link)
{
    m_id = link->openTunnel(this, spec);
}

SshChannel::~SshChannel()
{
    if (m_link)
        m_link->forgetChannel(m_id);
}

void SshChannel::send(LinkCommand command)
{
    if (m_link)
        m_link->send(std::move(command));
}

void SshChannel::write(QByteArrayView bytes)
{
    if (bytes.isEmpty() || !m_link)
        return;
    m_pending += bytes.size();
    send(ToLink::Write{m_id, bytes.toByteArray()});
}

void SshChannel::written(qint64 bytes)
{
    m_pending = std::max<qint64>(0, m_pending - bytes);
    if (m_pending == 0)
        emit drained();
}

void SshChannel::linkGone(const Error &error)
{
    m_link = nullptr;
    ShellEnd end;
    end.kind = m_isOpen ? ShellEnd::Kind::Lost : ShellEnd::Kind::Failed;
    end.error = error;
    QMetaObject::invokeMethod(this, [this, end] { emit ended(end); }, Qt::QueuedConnection);
}

} // namespace Sandpiper
