// What opens under a drag that rests on it. GUI thread.
#pragma once

#include <QTimer>

namespace Sandpiper {

class Spring : public QObject
{
    Q_OBJECT
public:
    static constexpr std::chrono::milliseconds usual{700};
    explicit Spring(QObject *parent);
    void setDelay(std::chrono::milliseconds delay) { m_timer.setInterval(delay); }
    void over(int key); // what the drag is on; negative: nothing that opens
    void leave() { over(-1); }

signals:
    void sprung(int key);

private:
    QTimer m_timer;
    int m_key = -1;
};

} // namespace Sandpiper
