// From the press of a key to its echo painted, through whatever lies between a terminal's input and
// its feed. GUI thread.
#pragma once

#include "terminal/terminalview.h"

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>

#include <functional>
#include <vector>

namespace Sandpiper {

class KeyPaint : public QObject
{
    Q_OBJECT
public:
    // view: shown, with a size, and somebody echoes what is typed; outlives this.
    explicit KeyPaint(TerminalView &view, QObject *parent = nullptr);

    // Presses one key after another, each when the echo of the last has been painted, or after 2 s.
    // done gets the samples in milliseconds; one that never came is not among them.
    void run(int presses, std::function<void(const std::vector<double> &)> done);

    bool eventFilter(QObject *watched, QEvent *event) override;

private:
    void press();
    void painted();

    TerminalView &m_view;
    QTimer m_pause;
    QTimer m_limit;
    QElapsedTimer m_clock;
    std::vector<double> m_samples;
    std::function<void(const std::vector<double> &)> m_done;
    int m_left = 0;
    bool m_waiting = false;
    bool m_echoed = false;
};

// 0 for none.
[[nodiscard]] double percentile(std::vector<double> samples, double p);

} // namespace Sandpiper
