#include "session/strictkexwatch.h"

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include <cstring>

namespace Sandpiper {

StrictKexWatch::StrictKexWatch()
    : m_levelBefore(ssh_get_log_level())
{
    ssh_set_log_callback(hear);
    ssh_set_log_userdata(this);
    ssh_set_log_level(SSH_LOG_DEBUG);
}

StrictKexWatch::~StrictKexWatch()
{
    // The callback stays, because the library takes none away; it hears nothing any more.
    ssh_set_log_level(m_levelBefore);
    ssh_set_log_userdata(nullptr);
}

void StrictKexWatch::hear(int, const char *, const char *words, void *self)
{
    if (self && std::strstr(words, "Server supports strict kex"))
        static_cast<StrictKexWatch *>(self)->m_isStrict = true;
}

} // namespace Sandpiper
