// The far end of one connection of a forward, whatever carries its bytes there. Lives in the I/O thread; no call
// blocks, and no signal comes from inside of one.
#pragma once

#include "session/error.h"

#include <QObject>

#include <optional>

namespace Sandpiper {

// How much may wait for one connection in each direction; what is more waits with its sender.
inline constexpr qint64 kMostWaitingFar = 256 << 10;

// start() → opened() → … → ended(). Deleting it ends it without a word.
class FarStream : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;

    virtual void start() = 0; // once
    // Open, and endOutput() was not called. Its taker asks waiting() first.
    virtual void send(QByteArrayView bytes) = 0;
    [[nodiscard]] virtual qint64 waiting() const = 0; // sent, and not yet on its way
    // So much of what was received is used up. kMostWaitingFar may come before the first.
    virtual void grant(qint64 bytes) = 0;
    virtual void endOutput() = 0; // nothing more is sent; what is received goes on
    // Whoever sends is not there any more: the other end is to see it too, where the way can tell it.
    virtual void reset() { endOutput(); }

signals:
    void opened();
    void received(const QByteArray &bytes);
    void sent();       // waiting() has become less
    void inputEnded(); // nothing more is received; what is sent goes on
    // At most once, and nothing follows. Nothing: both directions have come to their end.
    void ended(const std::optional<Sandpiper::Error> &why);
};

} // namespace Sandpiper
