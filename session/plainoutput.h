// What a program writes, as text without the control of a terminal. Pure; one thread.
#pragma once

#include <QByteArray>
#include <QString>

namespace Sandpiper {

// One stream, in pieces that may be cut anywhere, also within a character or an escape sequence. Colours,
// titles and cursor movements go; line ends become "\n"; bytes that are no UTF-8 become U+FFFD; marks that
// turn the direction of text around go, because they make a line look like another one.
class PlainOutput
{
public:
    [[nodiscard]] QString feed(QByteArrayView bytes);

private:
    enum class State { Ground, Escape, Sequence, String, StringEscape };
    void take(QChar c, QString &out);
    void takeGround(QChar c, QString &out);
    QByteArray m_tail; // the beginning of a character whose rest has not come
    State m_state = State::Ground;
    int m_length = 0; // of the sequence so far
    bool m_afterReturn = false;
};

} // namespace Sandpiper
