// Owning types for what libssh hands out. Used in the thread of one link only.
#pragma once

#include "session/secret.h"

#include <libssh/libssh.h>

#include <memory>

namespace Sandpiper {

namespace Detail {
struct FreeSession
{
    void operator()(ssh_session session) const { ssh_free(session); }
};
struct FreeEvent
{
    void operator()(ssh_event event) const { ssh_event_free(event); }
};
struct FreeKey
{
    void operator()(ssh_key key) const { ssh_key_free(key); }
};
struct FreeText
{
    void operator()(char *text) const { ssh_string_free_char(text); }
};
} // namespace Detail

using SshSessionHandle = std::unique_ptr<ssh_session_struct, Detail::FreeSession>;
using SshEventHandle = std::unique_ptr<ssh_event_struct, Detail::FreeEvent>;
using SshKeyHandle = std::unique_ptr<ssh_key_struct, Detail::FreeKey>;
using SshTextHandle = std::unique_ptr<char, Detail::FreeText>;

// A NUL-terminated copy for the library, wiped when it goes.
class SecretText
{
public:
    explicit SecretText(const Secret &secret)
        : m_bytes(secret.reveal().data(), secret.reveal().size())
    {
    }
    ~SecretText() { wipe(m_bytes); }
    SecretText(const SecretText &) = delete;
    SecretText &operator=(const SecretText &) = delete;
    [[nodiscard]] const char *text() const { return m_bytes.constData(); }

private:
    QByteArray m_bytes;
};

// Ends a channel and frees it. While the socket is full the library says EOF, answers SSH_AGAIN and leaves
// CLOSE unsaid, so that the server would keep the channel; asked once more it says it.
inline void closeAndFree(ssh_channel channel)
{
    if (ssh_channel_is_open(channel) != 0 && ssh_channel_close(channel) == SSH_AGAIN)
        (void)ssh_channel_close(channel);
    ssh_channel_free(channel);
}

} // namespace Sandpiper
