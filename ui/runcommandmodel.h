// The runs of a set as rows: sandbox, result, which ones are alike, last line. GUI thread.
#pragma once

#include "session/commandrunset.h"

#include <QAbstractTableModel>
#include <QPointer>

namespace Sandpiper {

// "Exit 0", "Ended by TERM", "Could not run": how it stands, in a few words.
[[nodiscard]] QString runResult(const CommandRun &run);
// The same as a whole line, with how long it took and why it failed.
[[nodiscard]] QString runSummary(const CommandRun &run);

class RunCommandModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { SandboxColumn, ResultColumn, AlikeColumn, LastLineColumn, ColumnCount };
    using QAbstractTableModel::QAbstractTableModel;
    void setRuns(CommandRunSet *runs); // borrowed

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    void refresh(); // times and last lines move on

private:
    QPointer<CommandRunSet> m_runs;
};

} // namespace Sandpiper
