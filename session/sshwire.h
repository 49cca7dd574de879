// Strings and numbers as SSH packs them (RFC 4251 section 5), for keys and the agent. Any thread.
#pragma once

#include <QByteArray>
#include <QtEndian>

namespace Sandpiper::SshWire {

[[nodiscard]] inline QByteArray number(quint32 value)
{
    QByteArray bytes(4, Qt::Uninitialized);
    qToBigEndian(value, bytes.data());
    return bytes;
}

[[nodiscard]] inline QByteArray string(QByteArrayView value)
{
    return number(quint32(value.size())) + value.toByteArray();
}

// These take off the front; false, with nothing taken, where there is too little.
[[nodiscard]] inline bool takeString(QByteArrayView &rest, QByteArrayView &value)
{
    if (rest.size() < 4)
        return false;
    const quint32 size = qFromBigEndian<quint32>(rest.data());
    if (qsizetype(size) > rest.size() - 4)
        return false;
    value = rest.sliced(4, qsizetype(size));
    rest = rest.sliced(4 + qsizetype(size));
    return true;
}

[[nodiscard]] inline bool takeNumber(QByteArrayView &rest, quint32 &value)
{
    if (rest.size() < 4)
        return false;
    value = qFromBigEndian<quint32>(rest.data());
    rest = rest.sliced(4);
    return true;
}

[[nodiscard]] inline bool takeNumber(QByteArrayView &rest, quint64 &value)
{
    if (rest.size() < 8)
        return false;
    value = qFromBigEndian<quint64>(rest.data());
    rest = rest.sliced(8);
    return true;
}

} // namespace Sandpiper::SshWire
