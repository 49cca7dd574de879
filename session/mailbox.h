// The one way by which payloads cross threads: a queue behind one std::mutex, with a descriptor that
// becomes readable when there is something to take. Any thread may put; one thread takes.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include <cstdint>

#include <sys/eventfd.h>
#include <unistd.h>

namespace Sandpiper {

template <typename T>
class Mailbox
{
public:
    Mailbox()
        : m_fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))
    {
    }
    ~Mailbox()
    {
        if (m_fd >= 0)
            ::close(m_fd);
    }
    Mailbox(const Mailbox &) = delete;
    Mailbox &operator=(const Mailbox &) = delete;

    // False where the process has no descriptors left: then nobody would be woken.
    [[nodiscard]] bool isUsable() const { return m_fd >= 0; }
    // For poll(), QSocketNotifier and the like; never read it oneself.
    [[nodiscard]] int descriptor() const { return m_fd; }

    void put(T item)
    {
        bool wasEmpty = false;
        {
            const std::lock_guard guard(m_mutex);
            wasEmpty = m_items.empty();
            m_items.push_back(std::move(item));
        }
        // Whoever found it empty rings; later ones ride along.
        if (wasEmpty) {
            const std::uint64_t one = 1;
            [[maybe_unused]] const auto written = ::write(m_fd, &one, sizeof one);
        }
    }

    // For an event loop that must not be rung again before it comes to takeAll(). Whoever silences the
    // bell has to take: what is put next does not ring while something older lies there.
    void silence()
    {
        std::uint64_t count = 0;
        [[maybe_unused]] const auto got = ::read(m_fd, &count, sizeof count);
    }

    [[nodiscard]] std::vector<T> takeAll()
    {
        // The bell is silenced before the items are taken: the other way round one could be missed.
        silence();
        std::vector<T> items;
        const std::lock_guard guard(m_mutex);
        items.swap(m_items);
        return items;
    }

private:
    std::mutex m_mutex;
    std::vector<T> m_items;
    int m_fd;
};

} // namespace Sandpiper
