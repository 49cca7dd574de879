// Bytes to send somewhere and to know again.
#pragma once

#include <QByteArray>

namespace Sandpiper {

// Every value, without a short period.
inline QByteArray everyByte(qsizetype size)
{
    QByteArray bytes(size, Qt::Uninitialized);
    for (qsizetype i = 0; i < bytes.size(); ++i)
        bytes[i] = char((i * 7919) >> 3);
    return bytes;
}

} // namespace Sandpiper
