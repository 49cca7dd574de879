#include "session/latechannels.h"

#include <algorithm>
#include <iterator>

namespace Sandpiper {
namespace {

// A server that never answers is not remembered without end.
constexpr size_t kMostLate = 1024;

} // namespace

void LateChannels::letGo(ssh_channel channel, Opening opening)
{
    if (opening == Opening::Settled || m_late.size() >= kMostLate)
        return closeAndFree(channel);
    auto late = std::make_unique<Late>();
    late->channel = channel;
    ssh_callbacks_init(&late->callbacks);
    late->callbacks.userdata = late.get();
    // Inside the library's callback a channel cannot be freed.
    late->callbacks.channel_open_response_function = [](ssh_session, ssh_channel, bool, void *self) {
        static_cast<Late *>(self)->isAnswered = true;
    };
    if (ssh_add_channel_callbacks(channel, &late->callbacks) == SSH_OK)
        m_late.push_back(std::move(late));
    else
        closeAndFree(channel);
}

void LateChannels::end(Late &late)
{
    ssh_remove_channel_callbacks(late.channel, &late.callbacks);
    closeAndFree(late.channel);
}

void LateChannels::pump()
{
    // Closing may take packets in, and with them further answers: those are for the next turn.
    const auto gone = std::stable_partition(m_late.begin(), m_late.end(), [](const auto &late) { return !late->isAnswered; });
    const std::vector<std::unique_ptr<Late>> answered(std::make_move_iterator(gone), std::make_move_iterator(m_late.end()));
    m_late.erase(gone, m_late.end());
    for (const auto &late : answered)
        end(*late);
}

void LateChannels::clear()
{
    for (const auto &late : std::exchange(m_late, {}))
        end(*late);
}

} // namespace Sandpiper
