#include "ui/comparemodel.h"

#include "session/background.h"
#include "session/errortext.h"
#include "ui/filewords.h"
#include "ui/sandboxtext.h"
#include "ui/theme.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QLocale>

#include <algorithm>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

constexpr qint64 kMostSame = 100'000;

class CompareWords
{
    Q_DECLARE_TR_FUNCTIONS(Sandpiper::Compare)
};

QString differencesText(Differences differences)
{
    QStringList words;
    const std::pair<Difference, QString> table[] = {{Difference::Kind, CompareWords::tr("kind")},       {Difference::Size, CompareWords::tr("size")},        {Difference::Time, CompareWords::tr("time")},
                                                    {Difference::Content, CompareWords::tr("content")}, {Difference::LinkTarget, CompareWords::tr("target")}, {Difference::Mode, CompareWords::tr("permissions")}};
    for (const auto &[difference, word] : table) {
        if (differences.testFlag(difference))
            words.append(word);
    }
    return QLocale().createSeparatedList(words);
}

QString sideText(const std::optional<FileAttributes> &side)
{
    if (!side)
        return {};
    QStringList parts;
    const FileType type = kindOf(*side);
    parts.append(type == FileType::File ? (side->size ? sizeText(*side->size) : QString()) : typeWord(type));
    if (side->times && type == FileType::File)
        parts.append(momentText(side->times->modified, QDateTime::currentDateTime()));
    parts.removeAll(QString());
    return parts.join(u" · "_s);
}

FileType typeOf(const CompareRow &row)
{
    return row.left ? kindOf(*row.left) : row.right ? kindOf(*row.right) : FileType::Folder;
}

QString whyText(const SyncStep &step)
{
    if (step.action == SyncStep::Action::LeaveOut)
        return step.error ? errorText(*step.error).sentence : step.reason;
    return step.differences ? CompareWords::tr("Differs in %1").arg(differencesText(step.differences)) : QString();
}

QString pathText(const FilePath &path, FileType type)
{
    return path.isEmpty() ? CompareWords::tr("The folder itself") : path.shown() + (type == FileType::Folder ? u"/"_s : QString());
}

} // namespace

QString findingText(const CompareRow &row)
{
    using State = CompareRow::State;
    switch (row.state) {
    case State::Same: return CompareWords::tr("The same");
    case State::Differs: return row.isRead && !row.differences.testFlag(Difference::Content) ? CompareWords::tr("The same but for the time") : CompareWords::tr("Differs in %1").arg(differencesText(row.differences));
    case State::OnlyLeft: return CompareWords::tr("Only left");
    case State::OnlyRight: return CompareWords::tr("Only right");
    case State::LeftOut: return CompareWords::tr("Left out");
    case State::Failed: return row.error ? errorText(*row.error).sentence : CompareWords::tr("Could not be compared");
    }
    Q_UNREACHABLE_RETURN({});
}

QString planText(const SyncPlan &plan)
{
    QStringList parts;
    const auto add = [&](qint64 count, const QString &text) {
        if (count > 0)
            parts.append(text.arg(QLocale().toString(count)));
    };
    add(plan.folders, CompareWords::tr("%1 to make"));
    add(plan.copies, CompareWords::tr("%1 to copy"));
    add(plan.replacements, CompareWords::tr("%1 to replace"));
    add(plan.adjustments, CompareWords::tr("%1 to adjust"));
    add(plan.removals, CompareWords::tr("%1 to remove"));
    add(plan.leftOut, CompareWords::tr("%1 cannot be done"));
    if (parts.isEmpty())
        return CompareWords::tr("Nothing is to be done.");
    const QString list = parts.join(u", "_s);
    return plan.bytes > 0 ? CompareWords::tr("%1. %2 in all.").arg(list, sizeText(plan.bytes)) : CompareWords::tr("%1.").arg(list);
}

// Rows -----------------------------------------------------------------------------------------------

void CompareModel::clear()
{
    beginResetModel();
    ++m_generation;
    m_rows.clear();
    m_shown.clear();
    m_counts = {};
    m_unlisted = 0;
    endResetModel();
}

void CompareModel::add(const QList<CompareRow> &rows)
{
    using State = CompareRow::State;
    QList<qsizetype> shown;
    for (const CompareRow &row : rows) {
        switch (row.state) {
        case State::Same: ++m_counts.same; break;
        case State::Differs: ++m_counts.differing; break;
        case State::OnlyLeft: ++m_counts.onlyLeft; break;
        case State::OnlyRight: ++m_counts.onlyRight; break;
        case State::Failed: ++m_counts.failed; break;
        case State::LeftOut: ++m_counts.leftOut; break;
        }
        if (row.state == State::Same && m_counts.same > kMostSame) {
            ++m_unlisted;
            continue;
        }
        if (passes(row))
            shown.append(m_rows.size());
        m_rows.append(row);
    }
    if (shown.isEmpty())
        return;
    beginInsertRows({}, int(m_shown.size()), int(m_shown.size() + shown.size() - 1));
    m_shown += shown;
    endInsertRows();
}

void CompareModel::sortAll()
{
    inBackground(
            this,
            [rows = m_rows]() mutable {
                std::ranges::sort(rows, {}, [](const CompareRow &row) { return row.path.bytes(); });
                return rows;
            },
            [this, generation = m_generation](const QList<CompareRow> &rows) {
                if (generation != m_generation)
                    return;
                beginResetModel();
                m_rows = rows;
                filterAll();
                endResetModel();
            });
}

void CompareModel::setFilter(Filter filter)
{
    beginResetModel();
    m_filter = filter;
    filterAll();
    endResetModel();
}

void CompareModel::filterAll()
{
    m_shown.clear();
    for (qsizetype i = 0; i < m_rows.size(); ++i) {
        if (passes(m_rows.at(i)))
            m_shown.append(i);
    }
}

bool CompareModel::passes(const CompareRow &row) const
{
    using State = CompareRow::State;
    if (row.state == State::LeftOut)
        return false;
    switch (m_filter) {
    case Filter::All: return true;
    case Filter::Differing: return row.state != State::Same;
    case Filter::OnlyLeft: return row.state == State::OnlyLeft;
    case Filter::OnlyRight: return row.state == State::OnlyRight;
    }
    Q_UNREACHABLE_RETURN(false);
}

int CompareModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : int(m_shown.size());
}

int CompareModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant CompareModel::data(const QModelIndex &index, int role) const
{
    using State = CompareRow::State;
    const CompareRow &one = row(index.row());
    if (role == Qt::DecorationRole && index.column() == Path)
        return icon(one.state == State::Failed ? IconName::Warning : iconFor(typeOf(one)), one.state == State::Failed ? IconTone::Danger : IconTone::Muted);
    if (role == Qt::ForegroundRole && one.state == State::Same)
        return themeColors().muted;
    if (role == Qt::ForegroundRole && one.state == State::Failed && index.column() == Finding)
        return themeColors().danger;
    if (role == Qt::ToolTipRole)
        return index.column() == Path ? plainTip(one.path.shown()) : index.column() == Finding ? plainTip(findingText(one)) : QString();
    if (role != Qt::DisplayRole)
        return {};
    switch (Column(index.column())) {
    case Path: return pathText(one.path, typeOf(one));
    case Finding: return findingText(one);
    case Left: return sideText(one.left);
    case Right: return sideText(one.right);
    case ColumnCount: break;
    }
    return {};
}

QVariant CompareModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    const QString titles[] = {tr("Name"), tr("Finding"), tr("Left"), tr("Right")};
    return titles[section];
}

// Steps ----------------------------------------------------------------------------------------------

void PlanModel::setPlan(const SyncPlan &plan)
{
    beginResetModel();
    m_plan = plan;
    endResetModel();
}

int PlanModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : int(m_plan.steps.size());
}

int PlanModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant PlanModel::data(const QModelIndex &index, int role) const
{
    using Step = SyncStep::Action;
    const SyncStep &step = m_plan.steps.at(index.row());
    const bool isDanger = step.action == Step::Remove || step.action == Step::LeaveOut;
    if (role == Qt::DecorationRole && index.column() == Path)
        return icon(iconFor(step.type));
    if (role == Qt::ForegroundRole && index.column() == Action && isDanger)
        return themeColors().danger;
    if (role == Qt::ToolTipRole)
        return index.column() == Path ? plainTip(step.path.shown()) : index.column() == Why && step.action == Step::LeaveOut ? plainTip(whyText(step)) : QString();
    if (role == Qt::TextAlignmentRole && index.column() == Size)
        return int(Qt::AlignRight | Qt::AlignVCenter);
    if (role != Qt::DisplayRole)
        return {};
    switch (Column(index.column())) {
    case Action:
        switch (step.action) {
        case Step::MakeFolder: return tr("Make");
        case Step::Copy: return tr("Copy");
        case Step::Replace: return tr("Replace");
        case Step::Adjust: return tr("Adjust");
        case Step::Remove: return tr("Remove");
        case Step::LeaveOut: return tr("Leave out");
        }
        break;
    case Path: return pathText(step.path, step.type);
    case Why: return whyText(step);
    case Size:
        return step.type == FileType::File && (step.action == Step::Copy || step.action == Step::Replace) && step.source.size ? sizeText(*step.source.size) : QString();
    case ColumnCount: break;
    }
    return {};
}

QVariant PlanModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation == Qt::Horizontal && role == Qt::TextAlignmentRole && section == Size)
        return int(Qt::AlignRight | Qt::AlignVCenter);
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    const QString titles[] = {tr("Step"), tr("Name"), tr("Why"), tr("Size")};
    return titles[section];
}

} // namespace Sandpiper
