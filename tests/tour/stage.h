// The program on the tour's screen, and the hands and eyes of the one who tries it.
#pragma once

#include "app/application.h"
#include "ui/terminalpane.h"

#include <QTimer>

#include <optional>

namespace Sandpiper {

class Stage : public QObject
{
    Q_OBJECT
public:
    explicit Stage(Application *application);

    [[nodiscard]] MainWindow *window() const { return m_application->window(); }
    [[nodiscard]] Workspace *workspace() const { return window()->workspace(); }

    // Hands.
    void click(const QString &objectName);
    void clickButton(const QString &label);
    void trigger(ActionId action);
    void type(const QString &line); // and Enter, into the terminal that is shown
    void choose(Setting setting, const QString &value);
    // Breaks every connection to the gateway, and each new one, until it is told to stop.
    void cutNetwork();
    void mendNetwork() { m_cutter.stop(); }

    // Eyes.
    [[nodiscard]] TerminalPane *pane() const; // the one that is shown, or null
    [[nodiscard]] bool isOpen() const;
    [[nodiscard]] QString screen() const;
    [[nodiscard]] QString banner() const; // empty: none
    [[nodiscard]] QString offer() const; // of a port, in the status bar; empty: none
    [[nodiscard]] QString forwards() const; // as the status bar sums them up
    [[nodiscard]] std::optional<Sandbox> sandbox() const;
    [[nodiscard]] bool sees(const QString &objectName) const;
    [[nodiscard]] QString allThere() const; // in words, for a report

private:
    void cutOnce();
    Application *m_application;
    QTimer m_cutter;
};

} // namespace Sandpiper
