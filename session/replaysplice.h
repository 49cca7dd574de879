// Joins what a server repeats after a reattach to what was shown before. Pure; any thread.
//
// The server sends the last of its output again: at most a known number of bytes, cut off in front at
// any byte, followed without a mark by what is new. We keep as much of what was shown. So where less
// was missed than the server keeps, the replay begins inside our tail, and the longest end of the tail
// that the replay begins with is what need not be shown again. The longest, because
// - with nothing dropped in front it is the whole tail, which is exact whatever the text is, and
// - else two fit only where everything between them repeats itself; then the shorter would show text
//   twice, and the longer at worst leaves out repetitions.
#pragma once

#include <QByteArray>

namespace Sandpiper {

class ReplaySplice
{
public:
    // historyLimit: bytes that the server keeps at most.
    explicit ReplaySplice(qint64 historyLimit);

    struct Output
    {
        QByteArray bytes;        // to be shown now; may be empty
        bool resetsScreen = false; // before the bytes: they are a screen from the start
    };
    // From here on, what is fed begins with a replay. Without a tail all of it is new.
    void beginReplay();
    // All output goes through here.
    [[nodiscard]] Output feed(const QByteArray &bytes);
    // Nothing has come for a while: the replay is probably complete.
    [[nodiscard]] Output settle();
    // Whether bytes are held back because they may be old.
    [[nodiscard]] bool isUndecided() const { return m_isJoining; }
    [[nodiscard]] bool hasTail() const { return !m_tail.isEmpty(); }
    // The next output belongs to another shell.
    void forget();

private:
    struct Fit
    {
        qsizetype longest = 0;    // end of the tail that the replay, as far as it is here, begins with
        int longerOnes = 0;       // places where all of it fits and more must follow; at most 2 are counted
        qsizetype nextLonger = 0; // the length that the shortest of those would have
    };
    [[nodiscard]] Fit fit() const;
    [[nodiscard]] Output look(bool isQuiet);
    [[nodiscard]] Output decide(qsizetype old);
    void keep(QByteArrayView bytes);

    const qsizetype m_keep;
    QByteArray m_tail;   // the last of what was shown
    QByteArray m_replay; // held back
    qsizetype m_lookAt = 0; // size of m_replay that is worth another look
    bool m_isJoining = false;
};

} // namespace Sandpiper
