// A socket that libssh works on and that stays ours. Given a descriptor, the library closes it by
// itself after some errors and leaves it open otherwise, without a word: whoever closes it once more
// closes what has got the number since. So it gets a duplicate, which is closed here only while it
// still is the same socket. One thread.
#pragma once

#include "session/filedescriptor.h"

namespace Sandpiper {

class LentSocket
{
public:
    LentSocket() = default;
    // isValid() is false where no duplicate is to be had.
    explicit LentSocket(FileDescriptor socket);
    LentSocket(LentSocket &&other) noexcept;
    LentSocket &operator=(LentSocket &&other) noexcept;
    ~LentSocket() { reset(); }

    [[nodiscard]] bool isValid() const { return m_ours.isValid() && m_lent >= 0; }
    [[nodiscard]] int get() const { return m_ours.get(); }
    // For SSH_OPTIONS_FD.
    [[nodiscard]] int lent() const { return m_lent; }
    // When the library is done with it.
    void reset();

private:
    FileDescriptor m_ours;
    int m_lent = -1;
};

} // namespace Sandpiper
