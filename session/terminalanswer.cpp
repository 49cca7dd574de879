#include "session/terminalanswer.h"

namespace Sandpiper {

namespace {

// Length of the answer that bytes begin with; 0: they begin with something else.
qsizetype answerLength(QByteArrayView bytes)
{
    if (bytes.size() < 3 || bytes[0] != '\x1b')
        return 0;
    if (bytes[1] == '[') {
        qsizetype i = 2;
        if (bytes[i] == '?' || bytes[i] == '>' || bytes[i] == '=')
            ++i;
        const qsizetype firstDigit = i;
        while (i < bytes.size() && ((bytes[i] >= '0' && bytes[i] <= '9') || bytes[i] == ';'))
            ++i;
        if (i == firstDigit || i == bytes.size())
            return 0; // keys such as the arrows have no number
        if (bytes[i] == '$' && i + 1 < bytes.size() && bytes[i + 1] == 'y')
            return i + 2;
        const char last = bytes[i];
        return last == 'c' || last == 'n' || last == 'R' || last == 't' ? i + 1 : 0;
    }
    if (bytes[1] != 'P' && bytes[1] != ']')
        return 0;
    for (qsizetype i = 2; i < bytes.size(); ++i) {
        if (bytes[i] == '\a')
            return i + 1;
        if (bytes[i] == '\x1b')
            return i + 1 < bytes.size() && bytes[i + 1] == '\\' ? i + 2 : 0;
    }
    return 0;
}

} // namespace

bool isTerminalAnswer(QByteArrayView bytes)
{
    if (bytes.isEmpty())
        return false;
    while (!bytes.isEmpty()) {
        const qsizetype length = answerLength(bytes);
        if (length == 0)
            return false;
        bytes = bytes.sliced(length);
    }
    return true;
}

} // namespace Sandpiper
