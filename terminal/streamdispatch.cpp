// What becomes of each CSI sequence: the tables, and the answers.
#include "terminal/controlsequence.h"
#include "terminal/streamfilter.h"
#include "terminal/streammodes.h"

#include <array>

namespace Sandpiper {
namespace {

enum class Fate : unsigned char {
    Drop,
    Pass,
    Count,         // pass, with its numbers clamped to the screen
    AsG,           // HPA is CHA
    AsC,           // HPR is CUF
    AsB,           // VPR is CUD
    Sgr,           // rewritten
    Attributes,    // DA1
    Status,        // DSR
    Window,        // the few questions of XTWINOPS
    SetMode,       // ANSI modes: insert, new line
    SaveCursor,    // with parameters it would set margins
};

// By final byte, from '@' to '~'. What is not named is unknown to the engine, which would print it.
constexpr std::array<Fate, 128> plainFates()
{
    std::array<Fate, 128> fates{};
    for (const char c : {'@', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'L', 'M', 'P', 'S', 'T', 'X', 'Z', 'b', 'd', 'f'})
        fates[std::size_t(c)] = Fate::Count;
    for (const char c : {'J', 'K', 'g', 'r', 'u'})
        fates[std::size_t(c)] = Fate::Pass;
    fates['`'] = Fate::AsG;
    fates['a'] = Fate::AsC;
    fates['e'] = Fate::AsB;
    fates['m'] = Fate::Sgr;
    fates['c'] = Fate::Attributes;
    fates['n'] = Fate::Status;
    fates['t'] = Fate::Window;
    fates['h'] = Fate::SetMode;
    fates['l'] = Fate::SetMode;
    fates['s'] = Fate::SaveCursor;
    return fates;
}
constexpr std::array<Fate, 128> kPlain = plainFates();

constexpr qsizetype kMaxFastSequence = 64;

QByteArray verbatim(const ControlSequence &seq)
{
    QByteArray out = QByteArrayLiteral("\x1b[");
    out += seq.parameters;
    out += seq.final;
    return out;
}

} // namespace

// The length of the sequence at p where it is complete, is passed on as it is, and changes nothing
// here; else 0. dispatchPlain() comes to the same result for the same sequence in two pieces.
qsizetype StreamFilter::harmlessLength(const char *p, const char *end)
{
    if (end - p < 3 || p[1] != '[')
        return 0;
    const char *at = p + 2;
    while (at < end && *at >= '0' && *at <= ';')
        ++at;
    if (at == end || *at < '@' || *at > '~' || at - p > kMaxFastSequence)
        return 0;
    const QByteArrayView parameters(p + 2, at);
    switch (kPlain[std::size_t(*at)]) {
    case Fate::Sgr:
        return isSoundSgr(parameters) ? at + 1 - p : 0;
    case Fate::Count:
        return hasSmallNumbers(parameters) ? at + 1 - p : 0;
    case Fate::Pass:
        return parameters.contains(':') ? 0 : at + 1 - p;
    case Fate::Drop:
    case Fate::AsG:
    case Fate::AsC:
    case Fate::AsB:
    case Fate::Attributes:
    case Fate::Status:
    case Fate::Window:
    case Fate::SetMode:
    case Fate::SaveCursor:
        return 0;
    }
    return 0;
}

void StreamFilter::dispatchPlain(const ControlSequence &seq)
{
    // Sub-parameters belong to SGR; elsewhere nobody knows them, and the engine prints them.
    if (seq.final != 'm' && seq.parameters.contains(':'))
        return;
    const int screen = qMax(m_facts.columns, 1) * qMax(m_facts.lines, 1);
    const int side = 2 * qMax(qMax(m_facts.columns, m_facts.lines), 500);
    switch (kPlain[std::size_t(seq.final)]) {
    case Fate::Drop:
        break;
    case Fate::Pass:
        pass(verbatim(seq));
        break;
    case Fate::Count:
        if (hasSmallNumbers(seq.parameters))
            pass(verbatim(seq));
        else
            pass(clampedSequence(seq.parameters, seq.final, seq.final == 'b' ? screen : side));
        break;
    case Fate::AsG:
        pass(clampedSequence(seq.parameters, 'G', side));
        break;
    case Fate::AsC:
        pass(clampedSequence(seq.parameters, 'C', side));
        break;
    case Fate::AsB:
        pass(clampedSequence(seq.parameters, 'B', side));
        break;
    case Fate::Sgr:
        if (isSoundSgr(seq.parameters))
            pass(verbatim(seq));
        else
            pass(rewriteSgr(seq.parameters));
        break;
    case Fate::Attributes:
        if (seq.parameter(0, 0) == 0)
            reply("\x1b[?62;22c"); // VT220 with colours
        break;
    case Fate::Status:
        if (seq.parameter(0, 0) == 5) {
            reply("\x1b[0n");
        } else if (seq.parameter(0, 0) == 6 && mayReply(10)) {
            // Only the engine knows where the cursor is; what comes after waits its turn behind it.
            pass("\x1b[6n");
            flush();
        }
        break;
    case Fate::Window:
        reportWindow(seq);
        break;
    case Fate::SetMode:
        for (int i = 0; i < 16; ++i) {
            const int mode = seq.parameter(i, -1);
            if (mode == 4 || mode == 20)
                pass("\x1b[" + QByteArray::number(mode) + seq.final);
        }
        break;
    case Fate::SaveCursor:
        if (seq.parameters.isEmpty())
            pass("\x1b[s");
        break;
    }
}

void StreamFilter::dispatchPrivate(const ControlSequence &seq)
{
    switch (seq.prefix) {
    case '?':
        if (seq.final == 'h' || seq.final == 'l') {
            setModes(seq, seq.final == 'h');
        } else if ((seq.final == 'J' || seq.final == 'K') && !seq.parameters.contains(':')) {
            // No cell is ever protected here, so the selective erasure is the plain one.
            pass(verbatim(seq));
        } else if (seq.final == 'n' && seq.parameter(0, 0) == 996) {
            reply(m_facts.background.lightness() < 128 ? "\x1b[?997;1n" : "\x1b[?997;2n");
        }
        break;
    case '>':
        if (seq.final == 'c' && seq.parameter(0, 0) == 0)
            reply("\x1b[>41;330;0c"); // programs take SGR mouse reports from this version on
        else if (seq.final == 'q' && seq.parameter(0, 0) == 0)
            reply("\x1bP>|Sandpiper " SANDPIPER_VERSION "\x1b\\");
        break;
    case '=':
        if (seq.final == 'c' && seq.parameter(0, 0) == 0)
            reply("\x1bP!|00000000\x1b\\");
        break;
    default: // '<': kitty's keyboard protocol, which is not spoken here
        break;
    }
}

void StreamFilter::dispatchIntermediate(const ControlSequence &seq)
{
    if (seq.intermediate == ' ' && seq.final == 'q' && !seq.prefix) {
        pass("\x1b[" + QByteArray::number(qMin(seq.parameter(0, 0), 6)) + " q"); // DECSCUSR
    } else if (seq.intermediate == '!' && seq.final == 'p' && !seq.prefix) {
        // DECSTR, in words the engine knows. Margins move the cursor, which it must not.
        for (const StreamModeRow &row : streamModes()) {
            if (row.owner == ModeOwner::Engine && row.mode != StreamMode::AlternateScreen)
                m_modes.set(std::size_t(row.mode), row.initial);
        }
        pass("\x1b[?25h\x1b[?1l\x1b[?5l\x1b[?7h\x1b[4l\x1b[m\x1b(B\x0f\x1b>\x1b" "7\x1b[?6l\x1b[r\x1b" "8");
    } else if (seq.intermediate == '$' && seq.final == 'p') {
        reportMode(seq);
    }
}

void StreamFilter::setModes(const ControlSequence &seq, bool on)
{
    for (int i = 0; i < 16; ++i) {
        const int number = seq.parameter(i, -1);
        if (number == 1048) {
            pass(on ? QByteArrayView("\x1b[?1048h") : QByteArrayView("\x1b[?1048l"));
            continue;
        }
        const StreamModeRow *row = number < 0 ? nullptr : streamMode(number);
        if (!row)
            continue;
        m_modes.set(std::size_t(row->mode), on);
        if (row->owner == ModeOwner::Engine) {
            pass("\x1b[?" + QByteArray::number(number) + (on ? 'h' : 'l'));
        } else if (row->mode == StreamMode::SynchronizedUpdate) {
            if (on && !m_holding) {
                flush();
                m_holding = true;
                m_holdSince = m_now;
            } else if (!on) {
                m_holding = false;
            }
        }
    }
}

void StreamFilter::reportMode(const ControlSequence &seq)
{
    if (seq.prefix != '?' && seq.prefix != 0)
        return;
    const int number = seq.parameter(0, 0);
    const StreamModeRow *row = seq.prefix == '?' ? streamMode(number) : nullptr;
    // 1 set, 2 reset, 4 reset for good, 0 unknown.
    int value = 0;
    if (row)
        value = m_modes.test(std::size_t(row->mode)) ? 1 : 2;
    else if (seq.prefix == '?' && (number == 2 || number == 3 || number == 40))
        value = 4;
    reply(QByteArray("\x1b[") + (seq.prefix ? "?" : "") + QByteArray::number(number) + ';' + QByteArray::number(value)
          + "$y");
}

void StreamFilter::reportWindow(const ControlSequence &seq)
{
    const auto pair = [](int what, int height, int width) {
        return "\x1b[" + QByteArray::number(what) + ';' + QByteArray::number(height) + ';' + QByteArray::number(width) + 't';
    };
    switch (seq.parameter(0, 0)) {
    case 14:
        reply(pair(4, m_facts.lines * m_facts.cellHeight, m_facts.columns * m_facts.cellWidth));
        break;
    case 16:
        reply(pair(6, m_facts.cellHeight, m_facts.cellWidth));
        break;
    case 18:
        reply(pair(8, m_facts.lines, m_facts.columns));
        break;
    default: // moves, resizes and titles are not the far side's to ask for
        break;
    }
}

} // namespace Sandpiper
