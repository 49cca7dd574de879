// A shown terminal and what it says, for the tests of this folder.
#pragma once

#include "terminal/terminalview.h"

#include <QSignalSpy>
#include <QTest>

#include <memory>

namespace Sandpiper {

inline TerminalOptions testOptions()
{
    TerminalOptions options;
    options.confirmMultilinePaste = true;
    options.visualBell = false;
    return options;
}

struct ShownTerminal
{
    explicit ShownTerminal(const TerminalOptions &options = testOptions(), QSize size = {800, 480})
        : view(std::make_unique<TerminalView>(options))
    {
        QObject::connect(view.get(), &TerminalView::input, view.get(), [this](const QByteArray &bytes) { sent += bytes; });
        QObject::connect(view.get(), &TerminalView::taken, view.get(), [this](qint64 n) { taken += n; });
        view->resize(size);
        view->show();
        view->activateWindow();
        view->setFocus();
    }
    // The display is what gets the person's events.
    [[nodiscard]] QWidget *display() const { return view->focusProxy(); }
    [[nodiscard]] bool ready() const
    {
        return QTest::qWaitFor([this] { return !view->gridSize().isEmpty(); }, 15000);
    }
    // Feeds, and waits until it is on the screen.
    bool show(const QByteArray &bytes)
    {
        view->feed(bytes);
        return QTest::qWaitFor([this] { return view->pending() == 0; }, 30000);
    }

    std::unique_ptr<TerminalView> view;
    QByteArray sent;
    qint64 taken = 0;
};

} // namespace Sandpiper
