// Tells when connections may have died without a word: the computer's addresses have changed, or it has
// woken up. GUI thread; it never blocks and asks nobody.
#pragma once

#include "session/filedescriptor.h"

#include <QByteArrayList>
#include <QObject>
#include <QSocketNotifier>
#include <QTimer>

#include <chrono>
#include <memory>

namespace Sandpiper {

class NetworkWatch : public QObject
{
    Q_OBJECT
public:
    // settling: changes come in bursts; one is told when none has come for so long.
    explicit NetworkWatch(std::chrono::milliseconds settling = std::chrono::seconds(1), QObject *parent = nullptr);
    ~NetworkWatch() override;

signals:
    void changed();

private:
    void watchAddresses();
    void watchClock();
    void takeNews();
    void clockJumped();
    void armClock();
    void settled();

    FileDescriptor m_news;  // rtnetlink(7)
    FileDescriptor m_clock; // timerfd_create(2): cancelled when the clock is set, which waking up does
    std::unique_ptr<QSocketNotifier> m_newsBell;
    std::unique_ptr<QSocketNotifier> m_clockBell;
    QTimer m_settling;
    QByteArrayList m_addresses; // as they were last told
    bool m_jumped = false;
};

} // namespace Sandpiper
