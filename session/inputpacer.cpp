#include "session/inputpacer.h"

namespace Sandpiper {

void InputPacer::clear()
{
    // The bucket stays as it is: a new connection may end at the same server.
    m_queue.clear();
    m_taken = 0;
    m_answered = m_marked = m_sent;
    m_marks.clear();
}

InputPacer::Step InputPacer::next(TokenBucket::Time now)
{
    Step step;
    const qint64 size = qMin(pending(), maxFrame);
    if (size == 0)
        return step;
    if (m_sent - m_answered + size > maxUnderWay) {
        step.kind = Step::Kind::WaitAnswer;
        return step;
    }
    if (m_bucket.available(now) < size) {
        step.kind = Step::Kind::Wait;
        step.delay = m_bucket.until(size);
        return step;
    }
    step.kind = Step::Kind::Send;
    step.bytes = m_queue.sliced(m_taken, size);
    m_taken += size;
    m_bucket.take(size);
    m_sent += size;
    if (m_taken == m_queue.size()) {
        m_queue.clear();
        m_taken = 0;
    } else if (m_taken >= (1 << 20)) {
        // Rarely, so that a long paste is not moved for every frame of it.
        m_queue.remove(0, m_taken);
        m_taken = 0;
    }
    if (m_sent - m_marked >= markEvery) {
        m_marked = m_sent;
        step.mark = QByteArray("in") + QByteArray::number(++m_lastMark);
        m_marks.push_back({step.mark, m_sent});
    }
    return step;
}

void InputPacer::acknowledged(const QByteArray &mark)
{
    const auto it = std::find_if(m_marks.begin(), m_marks.end(), [&](const Mark &m) { return m.name == mark; });
    if (it == m_marks.end())
        return;
    // A server may answer only the latest of several pings (RFC 6455, 5.5.3).
    m_answered = it->sent;
    m_marks.erase(m_marks.begin(), it + 1);
}

} // namespace Sandpiper
