#include "terminal/streamfilter.h"

#include "terminal/controlsequence.h"
#include "terminal/streammodes.h"
#include "terminal/tamed.h"

#include <cstring>
#include <utility>

namespace Sandpiper {
namespace {

constexpr char kEsc = '\x1b';
constexpr char kBel = '\x07';
constexpr char kCan = '\x18';
constexpr char kSub = '\x1a';
constexpr qsizetype kMaxSequence = 256;
constexpr qsizetype kMaxHeld = 1 << 20;
// A title or a folder needs no more; what is longer is read over, not kept.
constexpr qsizetype kMaxStringKept = 8192;
// A string that runs on is broken, and what it swallows is somebody's output. Pictures are long.
constexpr qsizetype kMaxOsc = 64 << 10;
constexpr qsizetype kMaxString = 4 << 20;
// A string left open across a pause was never meant to be one.
constexpr std::chrono::seconds kStringPause{3};
// Bytes of answers: what may come at once, and each second after that.
constexpr double kReplyBurst = 16 << 10;
constexpr double kReplyRate = 16 << 10;

bool isControl(char c)
{
    return static_cast<unsigned char>(c) < 0x20;
}

} // namespace

StreamFilter::StreamFilter()
    : m_replyBudget(kReplyBurst)
{
    reset();
}

void StreamFilter::reset()
{
    m_state = State::Ground;
    m_sequence.clear();
    m_stringBytes = 0;
    m_out.clear();
    m_holding = false;
    m_modes.reset();
    for (const StreamModeRow &row : streamModes())
        m_modes.set(std::size_t(row.mode), row.initial);
}

TerminalModes StreamFilter::modes() const
{
    const auto on = [this](StreamMode mode) { return m_modes.test(std::size_t(mode)); };
    TerminalModes modes;
    modes.mouse = on(StreamMode::MouseMotion)    ? MouseReports::Motion
                  : on(StreamMode::MouseDrag)    ? MouseReports::Drag
                  : on(StreamMode::MouseButtons) ? MouseReports::Buttons
                  : on(StreamMode::MousePress)   ? MouseReports::PressOnly
                                                 : MouseReports::Off;
    modes.mouseEncoding = on(StreamMode::MouseSgrPixels) ? MouseEncoding::SgrPixels
                          : on(StreamMode::MouseSgr)     ? MouseEncoding::Sgr
                          : on(StreamMode::MouseUrxvt)   ? MouseEncoding::Urxvt
                          : on(StreamMode::MouseUtf8)    ? MouseEncoding::Utf8
                                                         : MouseEncoding::Classic;
    modes.bracketedPaste = on(StreamMode::BracketedPaste);
    modes.focusReports = on(StreamMode::FocusReports);
    modes.alternateScreen = on(StreamMode::AlternateScreen);
    modes.alternateScroll = on(StreamMode::AlternateScroll);
    modes.applicationCursor = on(StreamMode::ApplicationCursor);
    return modes;
}

void StreamFilter::process(QByteArrayView bytes, Clock::time_point now, Sink &sink)
{
    m_sink = &sink;
    if (m_last != Clock::time_point()) {
        const std::chrono::duration<double> passed = now - m_last;
        m_replyBudget = qMin(kReplyBurst, m_replyBudget + passed.count() * kReplyRate);
        const bool inString = m_state == State::String || m_state == State::StringEscape;
        if (inString && now - m_last > kStringPause)
            m_state = State::Ground;
    }
    m_now = m_last = now;
    if (m_holding && now - m_holdSince >= holdTime)
        m_holding = false;

    const char *p = bytes.begin();
    const char *const end = bytes.end();
    while (p < end) {
        switch (m_state) {
        case State::Ground:
            p = ground(p, end);
            break;
        case State::Escape:
        case State::EscapeIntermediate:
            escape(*p++);
            break;
        case State::Csi:
        case State::CsiIgnore:
            csi(*p++);
            break;
        case State::String:
        case State::StringEscape:
            p = string(p, end);
            break;
        }
    }
    if (!m_holding)
        flush();
    m_sink = nullptr;
}

void StreamFilter::release(Sink &sink)
{
    m_sink = &sink;
    m_holding = false;
    flush();
    m_sink = nullptr;
}

const char *StreamFilter::ground(const char *p, const char *end)
{
    const char *from = p; // not yet passed on
    for (;;) {
        const auto *esc = static_cast<const char *>(std::memchr(p, kEsc, std::size_t(end - p)));
        if (!esc) {
            passLine(from, end);
            return end;
        }
        // Most sequences stay as they are, and need not be taken out of the run they stand in.
        if (const qsizetype length = harmlessLength(esc, end)) {
            p = esc + length;
            continue;
        }
        passLine(from, esc);
        m_state = State::Escape;
        m_sequence.clear();
        return esc + 1;
    }
}

// Text to pass on: only the bells are taken out.
void StreamFilter::passLine(const char *from, const char *to)
{
    while (from < to) {
        const auto *bel = static_cast<const char *>(std::memchr(from, kBel, std::size_t(to - from)));
        const char *stop = bel ? bel : to;
        pass({from, stop});
        if (!bel)
            return;
        m_sink->bell();
        from = bel + 1;
    }
}

// A control inside a sequence acts at once, and the sequence goes on.
void StreamFilter::passControl(char c)
{
    if (c == kBel)
        m_sink->bell();
    else if (c != 0x05) // ENQ asks for a text of our choice, and gets none
        pass({&c, 1});
}

void StreamFilter::escape(char c)
{
    if (c == kEsc) {
        m_state = State::Escape;
        m_sequence.clear();
        return;
    }
    if (c == kCan || c == kSub) {
        m_state = State::Ground;
        return;
    }
    if (isControl(c)) {
        passControl(c);
        return;
    }
    if (c >= ' ' && c <= '/') {
        if (m_sequence.size() < kMaxSequence)
            m_sequence += c;
        m_state = State::EscapeIntermediate;
        return;
    }
    if (c == 0x7f)
        return;
    if (static_cast<unsigned char>(c) >= 0x80) {
        m_state = State::Ground;
        pass({&c, 1});
        return;
    }
    if (m_state == State::EscapeIntermediate) {
        finishEscape(c);
        return;
    }
    switch (c) {
    case '[':
        m_state = State::Csi;
        return;
    case ']':
        beginString(StringKind::Osc);
        return;
    case 'P':
        beginString(StringKind::Dcs);
        return;
    case '_': // APC
    case '^': // PM
    case 'X': // SOS
    case 'k': // a title in screen's dialect
        beginString(StringKind::Other);
        return;
    default:
        finishEscape(c);
    }
}

void StreamFilter::finishEscape(char final)
{
    m_state = State::Ground;
    if (m_sequence.isEmpty()) {
        if (final == 'Z') { // DECID, the old way to ask for DA1
            reply("\x1b[?62;22c");
            return;
        }
        if (final == 'c') { // RIS: what came before it is still to be drawn
            const QByteArray before = std::exchange(m_out, {});
            reset();
            m_out = before;
        }
        // The rest the engine does not know: locking shifts to G3, DECBI and DECFI, stray ST.
        static constexpr QByteArrayView known("78DEHM=><cno");
        if (known.contains(final))
            pass(QByteArray(1, kEsc) + final);
        return;
    }
    // Character sets G0 to G3, and line sizes. "ESC %" would take UTF-8 away.
    static constexpr QByteArrayView intermediates("()*+#");
    if (m_sequence.size() == 1 && intermediates.contains(m_sequence[0]))
        pass(QByteArray(1, kEsc) + m_sequence[0] + final);
}

void StreamFilter::csi(char c)
{
    if (c == kEsc) {
        m_state = State::Escape;
        m_sequence.clear();
    } else if (c == kCan || c == kSub) {
        m_state = State::Ground;
    } else if (isControl(c)) {
        passControl(c);
    } else if (c >= '@' && c <= '~') {
        const bool complete = m_state == State::Csi;
        m_state = State::Ground;
        if (complete)
            finishCsi(c);
    } else if (static_cast<unsigned char>(c) >= 0x80) {
        m_state = State::Ground;
        pass({&c, 1});
    } else if (c != 0x7f) {
        if (m_sequence.size() < kMaxSequence)
            m_sequence += c;
        else
            m_state = State::CsiIgnore;
    }
}

void StreamFilter::finishCsi(char final)
{
    const auto seq = ControlSequence::parse(m_sequence, final);
    if (!seq)
        return;
    if (seq->intermediate)
        dispatchIntermediate(*seq);
    else if (seq->prefix)
        dispatchPrivate(*seq);
    else
        dispatchPlain(*seq);
}

void StreamFilter::beginString(StringKind kind)
{
    m_kind = kind;
    m_state = State::String;
    m_sequence.clear();
    m_stringBytes = 0;
}

const char *StreamFilter::string(const char *p, const char *end)
{
    if (m_state == State::StringEscape) {
        if (*p == '\\') {
            m_state = State::Ground;
            finishString();
            return p + 1;
        }
        // Any other ESC ends the string unheard and begins a sequence of its own.
        m_state = State::Escape;
        m_sequence.clear();
        return p;
    }
    for (; p < end; ++p) {
        const char c = *p;
        if (c == kEsc) {
            m_state = State::StringEscape;
            return p + 1;
        }
        if (c == kCan || c == kSub) {
            m_state = State::Ground;
            return p + 1;
        }
        if (c == kBel && m_kind == StringKind::Osc) {
            m_state = State::Ground;
            finishString();
            return p + 1;
        }
        if (++m_stringBytes > (m_kind == StringKind::Osc ? kMaxOsc : kMaxString)) {
            m_state = State::Ground;
            return p + 1;
        }
        if (m_kind != StringKind::Other && m_sequence.size() <= kMaxStringKept)
            m_sequence += c;
    }
    return p;
}

void StreamFilter::finishString()
{
    if (m_sequence.size() > kMaxStringKept)
        return;
    if (m_kind == StringKind::Dcs) {
        // DECRQSS and XTGETTCAP: "we have none of it" is an answer, and nobody waits for a time-out.
        if (m_sequence.startsWith("$q"))
            reply("\x1bP0$r\x1b\\");
        else if (m_sequence.startsWith("+q"))
            reply("\x1bP0+r\x1b\\");
        return;
    }
    if (m_kind != StringKind::Osc)
        return;
    qsizetype digits = 0;
    while (digits < m_sequence.size() && digits < 5 && m_sequence[digits] >= '0' && m_sequence[digits] <= '9')
        ++digits;
    if (digits == 0 || (digits < m_sequence.size() && m_sequence[digits] != ';'))
        return;
    const int code = m_sequence.first(digits).toInt();
    const QByteArrayView rest = QByteArrayView(m_sequence).sliced(qMin(digits + 1, m_sequence.size()));
    switch (code) {
    case 0:
    case 2:
        m_sink->title(tamedLine(QString::fromUtf8(rest), 250));
        break;
    case 7:
        oscWorkingDirectory(rest);
        break;
    case 10:
    case 11:
    case 12:
        oscColor(code, rest);
        break;
    default:
        break;
    }
}

// "OSC 10 ; ? ; ? ST" asks for 10 and 11. Only questions: the colours are the person's choice.
void StreamFilter::oscColor(int code, QByteArrayView rest)
{
    for (const QByteArray &part : rest.toByteArray().split(';')) {
        if (code > 12)
            return;
        if (part == "?") {
            const QColor color = code == 10   ? m_facts.foreground
                                 : code == 11 ? m_facts.background
                                              : m_facts.cursor;
            const auto wide = [](int v) { return QByteArray::number(v * 257, 16).rightJustified(4, '0'); };
            reply("\x1b]" + QByteArray::number(code) + ";rgb:" + wide(color.red()) + '/' + wide(color.green()) + '/'
                  + wide(color.blue()) + "\x1b\\");
        }
        ++code;
    }
}

void StreamFilter::oscWorkingDirectory(QByteArrayView uri)
{
    static constexpr QByteArrayView scheme("file://");
    if (!uri.startsWith(scheme))
        return;
    const qsizetype slash = uri.indexOf('/', scheme.size());
    if (slash < 0)
        return;
    const QByteArray raw = QByteArray::fromPercentEncoding(uri.sliced(slash).toByteArray());
    const QString path = QString::fromUtf8(raw);
    if (path.size() <= 4096 && path == tamedLine(path, 4096))
        m_sink->workingDirectory(path);
}

void StreamFilter::pass(QByteArrayView bytes)
{
    if (bytes.isEmpty())
        return;
    // Long plain text is the common case and is not copied.
    if (!m_holding && bytes.size() >= 1024) {
        flush();
        m_sink->text(bytes);
        return;
    }
    m_out.append(bytes);
    if (m_out.size() >= kMaxHeld) {
        m_holding = false;
        flush();
    }
}

void StreamFilter::flush()
{
    if (m_out.isEmpty())
        return;
    const QByteArray out = std::exchange(m_out, {});
    m_sink->text(out);
}

bool StreamFilter::mayReply(qsizetype bytes)
{
    if (m_replyBudget < double(bytes))
        return false;
    m_replyBudget -= double(bytes);
    return true;
}

void StreamFilter::reply(const QByteArray &bytes)
{
    if (mayReply(bytes.size()))
        m_sink->reply(bytes);
}

} // namespace Sandpiper
