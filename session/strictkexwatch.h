// Whether the server has agreed to strict key exchange (OpenSSH's PROTOCOL, section 1.10), which closes the
// gap called Terrapin: without it, somebody on the way can leave out the first packets of some ciphers.
// The library tells it nowhere but in its log, so that is listened to while one of these lives. One for a
// thread at a time, since the library's log is the thread's own.
#pragma once

namespace Sandpiper {

class StrictKexWatch
{
public:
    StrictKexWatch();
    ~StrictKexWatch();
    StrictKexWatch(const StrictKexWatch &) = delete;
    StrictKexWatch &operator=(const StrictKexWatch &) = delete;
    [[nodiscard]] bool isStrict() const { return m_isStrict; }

private:
    static void hear(int level, const char *function, const char *words, void *self);

    int m_levelBefore;
    bool m_isStrict = false;
};

} // namespace Sandpiper
