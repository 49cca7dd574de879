#include "ui/runcommandmodel.h"

#include "session/errortext.h"
#include "ui/icons.h"

#include <QCoreApplication>
#include <QLocale>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

QString words(const char *text)
{
    return QCoreApplication::translate("RunCommand", text);
}

QString span(std::chrono::milliseconds time)
{
    const double seconds = double(time.count()) / 1000;
    //: A short span of time in seconds.
    return words("%1 s").arg(QLocale().toString(seconds, 'f', seconds < 10 ? 1 : 0));
}

// "A", "B", … "Z", "AA": a name for each group of outputs that are the same.
QString letters(int group)
{
    QString name;
    for (; group > 0; group = (group - 1) / 26)
        name.prepend(QChar(u'A' + (group - 1) % 26));
    return name;
}

QIcon markOf(const CommandRun &run)
{
    switch (run.state()) {
    case CommandRun::State::Waiting: return icon(IconName::Pause);
    case CommandRun::State::Connecting:
    case CommandRun::State::Running: return icon(IconName::Refresh, IconTone::Waiting);
    case CommandRun::State::Exited:
        return run.hasSucceeded() ? icon(IconName::Check, IconTone::Running) : icon(IconName::Error, IconTone::Danger);
    case CommandRun::State::Signalled:
    case CommandRun::State::Failed: return icon(IconName::Error, IconTone::Danger);
    case CommandRun::State::Stopped: return icon(IconName::Stop);
    }
    Q_UNREACHABLE_RETURN({});
}

} // namespace

QString runResult(const CommandRun &run)
{
    switch (run.state()) {
    case CommandRun::State::Waiting: return words("Waiting");
    case CommandRun::State::Connecting: return words("Connecting…");
    case CommandRun::State::Running: return words("Running, %1").arg(span(run.elapsed()));
    case CommandRun::State::Exited: return words("Exit %1").arg(run.exitCode());
    case CommandRun::State::Signalled:
        return run.signalName().isEmpty() ? words("Ended by a signal") : words("Ended by %1").arg(tamed(run.signalName(), 20));
    case CommandRun::State::Failed: return words("Could not run");
    case CommandRun::State::Stopped: return words("Stopped");
    }
    Q_UNREACHABLE_RETURN({});
}

QString runSummary(const CommandRun &run)
{
    if (run.state() == CommandRun::State::Failed)
        return errorText(run.error()).sentence;
    QString line = runResult(run);
    if (run.isOver() && run.elapsed().count() > 0)
        line += u" · "_s + span(run.elapsed());
    if (run.droppedCharacters() > 0)
        line += u" · "_s + words("the first %1 characters are not kept").arg(QLocale().toString(run.droppedCharacters()));
    return line;
}

void RunCommandModel::setRuns(CommandRunSet *runs)
{
    beginResetModel();
    if (m_runs)
        m_runs->disconnect(this);
    m_runs = runs;
    if (runs)
        connect(runs, &CommandRunSet::runChanged, this, &RunCommandModel::refresh);
    endResetModel();
}

void RunCommandModel::refresh()
{
    // Groups move with each end, so no row stands alone.
    if (rowCount() > 0)
        emit dataChanged(index(0, 0), index(rowCount() - 1, ColumnCount - 1));
}

int RunCommandModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() || !m_runs ? 0 : m_runs->size();
}

int RunCommandModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant RunCommandModel::data(const QModelIndex &index, int role) const
{
    if (!m_runs || !index.isValid())
        return {};
    const CommandRun &run = *m_runs->run(index.row());
    if (role == Qt::DecorationRole && index.column() == SandboxColumn)
        return markOf(run);
    if (role == Qt::ToolTipRole)
        return index.column() == LastLineColumn ? run.lastLine() : runSummary(run);
    if (role != Qt::DisplayRole)
        return {};
    switch (Column(index.column())) {
    case SandboxColumn: return tamed(run.sandbox().displayName(), 80);
    case ResultColumn: return runResult(run);
    case AlikeColumn: return letters(m_runs->groupOf(index.row()));
    case LastLineColumn: return run.lastLine();
    case ColumnCount: break;
    }
    return {};
}

QVariant RunCommandModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::ToolTipRole && section == AlikeColumn)
        return words("Sandboxes with the same letter gave the same output and result.");
    if (role != Qt::DisplayRole)
        return {};
    switch (Column(section)) {
    case SandboxColumn: return words("Sandbox");
    case ResultColumn: return words("Result");
    case AlikeColumn: return words("Alike");
    case LastLineColumn: return words("Last line");
    case ColumnCount: break;
    }
    return {};
}

} // namespace Sandpiper
