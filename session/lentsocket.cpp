#include "session/lentsocket.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace Sandpiper {

LentSocket::LentSocket(FileDescriptor socket)
    : m_ours(std::move(socket))
    , m_lent(::fcntl(m_ours.get(), F_DUPFD_CLOEXEC, 0))
{
}

LentSocket::LentSocket(LentSocket &&other) noexcept
    : m_ours(std::move(other.m_ours))
    , m_lent(std::exchange(other.m_lent, -1))
{
}

LentSocket &LentSocket::operator=(LentSocket &&other) noexcept
{
    if (this != &other) {
        reset();
        m_ours = std::move(other.m_ours);
        m_lent = std::exchange(other.m_lent, -1);
    }
    return *this;
}

void LentSocket::reset()
{
    struct stat ours = {};
    struct stat theirs = {};
    const int lent = std::exchange(m_lent, -1);
    if (lent >= 0 && ::fstat(m_ours.get(), &ours) == 0 && ::fstat(lent, &theirs) == 0 && ours.st_dev == theirs.st_dev
        && ours.st_ino == theirs.st_ino)
        ::close(lent);
    m_ours.reset();
}

} // namespace Sandpiper
