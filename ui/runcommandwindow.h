// "Run command…": one command in one sandbox or in several, their output side by side. GUI thread.
#pragma once

#include "session/commandrunset.h"

#include <QDialog>

#include <functional>

class QLabel;
class QLineEdit;
class QPushButton;
class QTreeView;

namespace Sandpiper {

class RunCommandModel;
class RunCommandView;

class RunCommandWindow : public QDialog
{
    Q_OBJECT
public:
    using Make = std::function<Result<std::unique_ptr<RemoteCommand>>(const Sandbox &, const CommandSpec &)>;
    RunCommandWindow(const QList<Sandbox> &sandboxes, const Make &make, QWidget *parent);
    ~RunCommandWindow() override; // what still runs gets a hang-up

    // As if it had been typed: run by "sh -c" in each sandbox.
    void run(const QString &line);
    [[nodiscard]] CommandRunSet *runs() const { return m_runs.get(); } // null before the first run
    void select(int row);

private:
    void layOut();
    void runOrStop();
    void showRun(int row);
    void refresh();
    void copyOutput();
    void saveOutput();
    [[nodiscard]] CommandRun *current() const;
    [[nodiscard]] QString everything() const; // of the shown run, or of all with their names
    void reject() override;

    QList<Sandbox> m_sandboxes;
    Make m_make;
    std::unique_ptr<CommandRunSet> m_runs;
    RunCommandModel *m_model;
    QLineEdit *m_line;
    QPushButton *m_go;
    QTreeView *m_table;
    RunCommandView *m_view;
    QLabel *m_summary;
    QPushButton *m_copy;
    QPushButton *m_save;
    QMetaObject::Connection m_shown;
    QTimer m_clock; // while something runs
};

} // namespace Sandpiper
