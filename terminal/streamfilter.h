// Stands before the engine: lets through what it draws well, repairs what it would misread, drops
// what would print rubbish or do harm, answers what a program may ask, and lifts out what we act on.
// Works on any split of the stream. Pure: no timer, no widget; any one thread.
// Sources: ECMA-48, DEC STD 070, xterm's ctlseqs; what the engine misreads was measured (2.1.0).
#pragma once

#include <QByteArray>
#include <QByteArrayView>
#include <QColor>
#include <QString>

#include <bitset>
#include <chrono>

namespace Sandpiper {

struct ControlSequence;

enum class MouseReports { Off, PressOnly, Buttons, Drag, Motion }; // none, ?9, ?1000, ?1002, ?1003
enum class MouseEncoding { Classic, Utf8, Sgr, Urxvt, SgrPixels }; // none, ?1005, ?1006, ?1015, ?1016

// What the far side has switched on, as far as it concerns us.
struct TerminalModes
{
    MouseReports mouse = MouseReports::Off;
    MouseEncoding mouseEncoding = MouseEncoding::Classic;
    bool bracketedPaste = false;
    bool focusReports = false;
    bool alternateScreen = false;
    bool alternateScroll = true; // ?1007: the wheel walks in the alternate screen
    bool applicationCursor = false;

    friend bool operator==(const TerminalModes &, const TerminalModes &) = default;
};

class StreamFilter
{
public:
    using Clock = std::chrono::steady_clock;

    class Sink
    {
    public:
        virtual void text(QByteArrayView bytes) = 0; // for the engine; never empty
        // For the far side: made here from our facts and its numbers, never from its text.
        virtual void reply(const QByteArray &bytes) = 0;
        virtual void title(const QString &title) = 0;          // tamed: one line, ≤ 250 characters
        virtual void workingDirectory(const QString &path) = 0; // absolute, tamed, unproven
        virtual void bell() = 0;

    protected:
        ~Sink() = default;
    };

    // What the answers are made of.
    struct Facts
    {
        int columns = 80;
        int lines = 24;
        int cellWidth = 8; // pixels
        int cellHeight = 16;
        QColor foreground = QColor(0xd0, 0xd0, 0xd0);
        QColor background = QColor(0, 0, 0);
        QColor cursor = QColor(0xd0, 0xd0, 0xd0);
    };

    StreamFilter();

    void setFacts(const Facts &facts) { m_facts = facts; }
    [[nodiscard]] const Facts &facts() const { return m_facts; }
    // now: for the rate of answers, the age of a held update and of a string that never ends.
    void process(QByteArrayView bytes, Clock::time_point now, Sink &sink);
    // ?2026: output is held until the update is complete, 150 ms or 1 MiB at most. Whoever calls
    // process() calls release() when holdTime is over.
    [[nodiscard]] bool holding() const { return m_holding; }
    void release(Sink &sink);
    void reset(); // modes and half-read sequences; a held update is forgotten
    [[nodiscard]] TerminalModes modes() const;

    static constexpr std::chrono::milliseconds holdTime{150};

private:
    enum class State { Ground, Escape, EscapeIntermediate, Csi, CsiIgnore, String, StringEscape };
    enum class StringKind { Osc, Dcs, Other };

    const char *ground(const char *p, const char *end);
    void escape(char c);
    void csi(char c);
    const char *string(const char *p, const char *end);
    void finishEscape(char final);
    void finishCsi(char final);
    void finishString();
    void beginString(StringKind kind);

    [[nodiscard]] static qsizetype harmlessLength(const char *p, const char *end);
    void dispatchPlain(const ControlSequence &seq);
    void dispatchPrivate(const ControlSequence &seq);
    void dispatchIntermediate(const ControlSequence &seq);
    void setModes(const ControlSequence &seq, bool on);
    void reportMode(const ControlSequence &seq);
    void reportWindow(const ControlSequence &seq);
    void oscColor(int code, QByteArrayView rest);
    void oscWorkingDirectory(QByteArrayView uri);

    void pass(QByteArrayView bytes);
    void passControl(char c);
    void passLine(const char *from, const char *to);
    void flush();
    void reply(const QByteArray &bytes);
    [[nodiscard]] bool mayReply(qsizetype bytes);

    Facts m_facts;
    Sink *m_sink = nullptr; // during process() and release() only
    Clock::time_point m_now;
    Clock::time_point m_last;      // of the previous process()
    Clock::time_point m_holdSince;
    State m_state = State::Ground;
    StringKind m_kind = StringKind::Other;
    QByteArray m_sequence; // what has been read of the sequence at hand
    qsizetype m_stringBytes = 0;
    QByteArray m_out;
    bool m_holding = false;
    std::bitset<32> m_modes;
    double m_replyBudget;
};

} // namespace Sandpiper
