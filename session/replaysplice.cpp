#include "session/replaysplice.h"

#include <algorithm>
#include <vector>

namespace Sandpiper {

namespace {

// A server that cuts its history between chunks may keep a little more than it says.
constexpr qint64 slack = 64 * 1024;
// Fewer bytes than this fit by chance: a prompt, an empty line.
constexpr qsizetype surely = 256;
constexpr qsizetype firstLook = 1024;

} // namespace

ReplaySplice::ReplaySplice(qint64 historyLimit)
    : m_keep(qsizetype(historyLimit + slack))
{
}

void ReplaySplice::beginReplay()
{
    // What was held back when the connection broke again was old, or will come again.
    m_replay.clear();
    m_isJoining = hasTail();
    m_lookAt = std::min(firstLook, m_tail.size());
}

ReplaySplice::Output ReplaySplice::feed(const QByteArray &bytes)
{
    if (!m_isJoining) {
        keep(bytes);
        return {bytes, false};
    }
    m_replay += bytes;
    // Past m_keep no replay goes on, so what is here is all there is to judge by.
    if (m_replay.size() >= m_keep)
        return look(true);
    return m_replay.size() >= m_lookAt ? look(false) : Output{};
}

ReplaySplice::Output ReplaySplice::settle()
{
    if (!m_isJoining || m_replay.isEmpty())
        return {};
    return look(true);
}

void ReplaySplice::forget()
{
    m_tail.clear();
    m_replay.clear();
    m_isJoining = false;
}

void ReplaySplice::keep(QByteArrayView bytes)
{
    if (bytes.size() >= m_keep) {
        m_tail = bytes.last(m_keep).toByteArray();
        return;
    }
    m_tail.append(bytes);
    // Cut rarely: every cut may move what stays.
    if (m_tail.size() > m_keep + m_keep / 4)
        m_tail.remove(0, m_tail.size() - m_keep);
}

ReplaySplice::Output ReplaySplice::look(bool isQuiet)
{
    const Fit now = fit();
    const qsizetype have = m_replay.size();
    // Too short to mean anything, unless it is all that was ever shown.
    const qsizetype trusted = now.longest >= std::min(surely, m_tail.size()) ? now.longest : 0;
    if (now.longerOnes == 0)
        return decide(trusted);
    // Everything that is here was shown before at one place or more, and the server cannot end its
    // history before what it has already sent us: there is more of it to come. Only a text that
    // repeats itself can look like that at its end.
    if (isQuiet && trusted >= have / 2 && trusted > 0)
        return decide(trusted);
    if (have >= m_keep)
        return decide(trusted);
    // Each look reads the whole tail, so they come at growing sizes; where one place is left it is
    // known when it will have proved itself.
    m_lookAt = now.longerOnes == 1 ? now.nextLonger : std::min(have * 4, m_tail.size());
    return {};
}

ReplaySplice::Output ReplaySplice::decide(qsizetype old)
{
    m_isJoining = false;
    Output output;
    output.resetsScreen = old == 0;
    output.bytes = old == 0 ? std::exchange(m_replay, {}) : m_replay.sliced(old);
    m_replay.clear();
    if (output.resetsScreen)
        m_tail.clear();
    keep(output.bytes);
    return output;
}

// Knuth, Morris and Pratt: one pass over the replay, one over the tail.
ReplaySplice::Fit ReplaySplice::fit() const
{
    const QByteArray &pattern = m_replay;
    const qsizetype size = pattern.size();
    std::vector<qint32> border(size_t(size), 0); // of pattern[0..i]
    for (qsizetype i = 1, k = 0; i < size; ++i) {
        while (k > 0 && pattern.at(i) != pattern.at(k))
            k = border[size_t(k - 1)];
        if (pattern.at(i) == pattern.at(k))
            ++k;
        border[size_t(i)] = qint32(k);
    }

    Fit result;
    qsizetype matched = 0;
    for (qsizetype i = 0; i < m_tail.size(); ++i) {
        while (matched > 0 && (matched == size || m_tail.at(i) != pattern.at(matched)))
            matched = border[size_t(matched - 1)];
        if (m_tail.at(i) == pattern.at(matched))
            ++matched;
        const qsizetype end = i + 1;
        if (matched == size && end < m_tail.size()) {
            result.longerOnes = std::min(result.longerOnes + 1, 2);
            result.nextLonger = m_tail.size() - (end - size);
        }
    }
    result.longest = matched;
    return result;
}

} // namespace Sandpiper
