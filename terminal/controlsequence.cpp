#include "terminal/controlsequence.h"

#include <QVarLengthArray>

namespace Sandpiper {
namespace {

constexpr int kMaxNumber = 65535;
constexpr int kMaxParameters = 64;
// The engine keeps sixteen arguments and forgets the rest; one colour takes five.
constexpr int kArgumentsPerSequence = 12;

struct Parameter
{
    int value = -1;               // -1: empty
    bool colon = false;           // sub-parameters follow
    QVarLengthArray<int, 8> subs; // -1: empty
};

using Parameters = QVarLengthArray<Parameter, 16>;

Parameters split(QByteArrayView text)
{
    Parameters all;
    all.append(Parameter());
    int number = -1;
    auto finish = [&] {
        Parameter &last = all.last();
        if (last.colon)
            last.subs.append(number);
        else
            last.value = number;
        number = -1;
    };
    for (const char c : text) {
        if (c >= '0' && c <= '9') {
            number = qMin(kMaxNumber, (number < 0 ? 0 : number) * 10 + (c - '0'));
        } else if (c == ':') {
            finish();
            all.last().colon = true;
            if (all.last().subs.size() > 8)
                return all;
        } else {
            finish();
            if (all.size() == kMaxParameters)
                return all;
            all.append(Parameter());
        }
    }
    finish();
    return all;
}

// Collects numbers and cuts them into sequences the engine can keep.
class SgrWriter
{
public:
    void add(std::initializer_list<int> numbers)
    {
        if (m_count + int(numbers.size()) > kArgumentsPerSequence)
            close();
        for (const int n : numbers) {
            m_text += m_count++ == 0 ? QByteArrayLiteral("\x1b[") : QByteArrayLiteral(";");
            m_text += QByteArray::number(n);
        }
    }
    QByteArray take()
    {
        close();
        return m_text;
    }

private:
    void close()
    {
        if (m_count > 0)
            m_text += 'm';
        m_count = 0;
    }
    QByteArray m_text;
    int m_count = 0;
};

int channel(int value)
{
    return qBound(0, value, 255);
}

void writeColonForm(const Parameter &p, SgrWriter &out)
{
    const auto &subs = p.subs;
    if (p.value == 4) {
        out.add({subs.first() == 0 ? 24 : 4});
        return;
    }
    if (p.value != 38 && p.value != 48)
        return;
    if (subs.first() == 5 && subs.size() >= 2)
        out.add({p.value, 5, channel(subs[1])});
    else if (subs.first() == 2 && subs.size() == 4)
        out.add({p.value, 2, channel(subs[1]), channel(subs[2]), channel(subs[3])});
    else if (subs.first() == 2 && subs.size() >= 5) // a colour space stands before the channels
        out.add({p.value, 2, channel(subs[2]), channel(subs[3]), channel(subs[4])});
}

// Takes the colour that starts at index in the semicolon form; answers the index of its last number.
qsizetype writeColor(const Parameters &all, qsizetype index, SgrWriter &out)
{
    const int target = all[index].value;
    const auto valueAt = [&](qsizetype i) { return i < all.size() ? all[i].value : -1; };
    const bool drawn = target != 58;
    switch (valueAt(index + 1)) {
    case 5:
        if (drawn && index + 2 < all.size())
            out.add({target, 5, channel(valueAt(index + 2))});
        return index + 2;
    case 2:
        if (drawn && index + 4 < all.size())
            out.add({target, 2, channel(valueAt(index + 2)), channel(valueAt(index + 3)), channel(valueAt(index + 4))});
        return index + 4;
    default:
        return all.size(); // what the rest means cannot be known
    }
}

bool isDrawn(int value)
{
    return (value >= 0 && value <= 9) || (value >= 22 && value <= 29) || (value >= 30 && value <= 37) || value == 39
        || (value >= 40 && value <= 47) || value == 49 || (value >= 90 && value <= 97) || (value >= 100 && value <= 107);
}

} // namespace

std::optional<ControlSequence> ControlSequence::parse(QByteArrayView body, char final)
{
    ControlSequence seq;
    seq.final = final;
    qsizetype at = 0;
    if (at < body.size() && body[at] >= '<' && body[at] <= '?')
        seq.prefix = body[at++];
    const qsizetype first = at;
    while (at < body.size() && body[at] >= '0' && body[at] <= ';')
        ++at;
    seq.parameters = body.sliced(first, at - first);
    if (at < body.size() && body[at] >= ' ' && body[at] <= '/')
        seq.intermediate = body[at++];
    if (at == body.size())
        return seq;
    // More intermediates, or a parameter after one: well formed for no terminal that we know.
    return std::nullopt;
}

int ControlSequence::parameter(int n, int fallback) const
{
    qsizetype from = 0;
    for (; n > 0; --n) {
        const qsizetype next = parameters.indexOf(';', from);
        if (next < 0)
            return fallback;
        from = next + 1;
    }
    int value = -1;
    for (qsizetype i = from; i < parameters.size() && parameters[i] >= '0' && parameters[i] <= '9'; ++i)
        value = qMin(kMaxNumber, (value < 0 ? 0 : value) * 10 + (parameters[i] - '0'));
    return value < 0 ? fallback : value;
}

QByteArray rewriteSgr(QByteArrayView parameters)
{
    const Parameters all = split(parameters);
    SgrWriter out;
    for (qsizetype i = 0; i < all.size(); ++i) {
        const Parameter &p = all[i];
        if (p.colon) {
            writeColonForm(p, out);
        } else if (p.value == 38 || p.value == 48 || p.value == 58) {
            i = writeColor(all, i, out);
        } else if (p.value == 21) {
            out.add({4});
        } else if (isDrawn(qMax(0, p.value))) {
            out.add({qMax(0, p.value)});
        }
    }
    return out.take();
}

bool isSoundSgr(QByteArrayView parameters)
{
    int count = 1;
    int skip = 0;       // channels of a colour still to come
    bool color = false; // the next number says which kind of colour
    int number = 0;
    int digits = 0;
    for (qsizetype i = 0; i <= parameters.size(); ++i) {
        const char c = i < parameters.size() ? parameters[i] : ';';
        if (c >= '0' && c <= '9') {
            if (++digits > 3)
                return false;
            number = number * 10 + (c - '0');
            continue;
        }
        if (c != ';')
            return false;
        if (color) {
            if (number != 5 && number != 2)
                return false;
            skip = number == 5 ? 1 : 3;
            color = false;
        } else if (skip > 0) {
            if (number > 255)
                return false;
            --skip;
        } else if (number == 38 || number == 48) {
            color = true;
        } else if (!isDrawn(number)) {
            return false;
        }
        number = digits = 0;
        count += i < parameters.size() ? 1 : 0;
    }
    return !color && skip == 0 && count <= kArgumentsPerSequence;
}

bool hasSmallNumbers(QByteArrayView parameters)
{
    int digits = 0;
    for (const char c : parameters) {
        if (c >= '0' && c <= '9') {
            if (++digits > 3)
                return false;
        } else if (c == ';') {
            digits = 0;
        } else {
            return false;
        }
    }
    return true;
}

QByteArray clampedSequence(QByteArrayView parameters, char final, int limit)
{
    QByteArray out = QByteArrayLiteral("\x1b[");
    const Parameters all = split(parameters);
    for (qsizetype i = 0; i < all.size(); ++i) {
        if (i > 0)
            out += ';';
        if (all[i].value >= 0)
            out += QByteArray::number(qMin(all[i].value, limit));
    }
    out += final;
    return out;
}

} // namespace Sandpiper
