// Which shell is to be told when a screen has taken bytes in: screens report only how many. Pure.
#pragma once

#include <QtGlobal>

#include <algorithm>
#include <deque>

namespace Sandpiper {

class OutputLedger
{
public:
    // The shell is told at once (bytes held back), or never (the bytes of one that is gone).
    enum class Owed { Yes, No };
    enum class Kind { Live, Replay };

    void add(qint64 bytes, Owed owed, Kind kind)
    {
        if (bytes <= 0)
            return;
        m_replayed += kind == Kind::Replay ? bytes : 0;
        if (!m_entries.empty() && m_entries.back().owed == owed && m_entries.back().kind == kind)
            m_entries.back().bytes += bytes;
        else
            m_entries.push_back({bytes, owed, kind});
    }
    // How many of these bytes the shell that is there now is to be told of.
    [[nodiscard]] qint64 take(qint64 bytes)
    {
        qint64 told = 0;
        while (bytes > 0 && !m_entries.empty()) {
            Entry &first = m_entries.front();
            const qint64 n = std::min(bytes, first.bytes);
            told += first.owed == Owed::Yes ? n : 0;
            m_replayed -= first.kind == Kind::Replay ? n : 0;
            bytes -= n;
            first.bytes -= n;
            if (first.bytes == 0)
                m_entries.pop_front();
        }
        return told;
    }
    // The shell is gone; the screen may still report its bytes.
    void shellIsGone()
    {
        for (Entry &entry : m_entries)
            entry.owed = Owed::No;
    }
    // Replayed bytes that the screen has not taken in yet.
    [[nodiscard]] qint64 replayed() const { return m_replayed; }

private:
    struct Entry
    {
        qint64 bytes;
        Owed owed;
        Kind kind;
    };
    std::deque<Entry> m_entries;
    qint64 m_replayed = 0;
};

} // namespace Sandpiper
