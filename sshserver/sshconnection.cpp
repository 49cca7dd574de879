#include "sshserver/sshconnection.h"

#include "session/quietthread.h"
#include "sshserver/sshserving.h"

#include <sys/eventfd.h>
#include <unistd.h>

namespace Sandpiper {

SshConnection::SshConnection(Setup setup)
    : m_wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
    , m_setup(std::move(setup))
{
    m_thread = quietThread([this] {
        SshServing(*this, m_setup).run();
        m_finished = true;
        m_setup.finished();
    });
}

SshConnection::~SshConnection()
{
    close({});
    m_thread.join();
}

void SshConnection::close(const QString &reason)
{
    {
        const QMutexLocker lock(&m_mutex);
        if (m_closeReason.isEmpty())
            m_closeReason = reason;
    }
    m_closing = true;
    const quint64 once = 1;
    [[maybe_unused]] const ssize_t done = ::write(m_wake.get(), &once, sizeof once);
}

QString SshConnection::subject() const
{
    const QMutexLocker lock(&m_mutex);
    return m_subject;
}

} // namespace Sandpiper
