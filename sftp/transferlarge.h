// A large file that goes in parts. Of TransferRun.
#pragma once

#include "sftp/transferrun.h"

namespace Sandpiper {

inline constexpr quint64 kLargeFrom = 16 << 20;
inline constexpr quint64 kSegment = 8 << 20;

struct RunningTransfer::Large
{
    Work whole;
    QByteArray there;    // a byte for each segment: 1, it is at the target
    int underWay = 0;    // jobs
    int next = 0;        // segment to be queued
    bool isOver = false; // failed: what is still under way is of no use
    bool beginsAgain = false; // when nothing of it is under way any more: it has changed meanwhile
    bool isAgain = false; // it was begun by an earlier start, and that did not fit

    [[nodiscard]] quint64 size() const { return whole.item.attributes.size.value_or(0); }
    [[nodiscard]] bool isAllThere() const { return !there.contains('\0'); }
};

} // namespace Sandpiper
