#include "sftp/syncplan.h"

#include <QSet>

#include <algorithm>
#include <ranges>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

using State = CompareRow::State;
using Action = SyncStep::Action;

const QString kSpecial = u"It is neither a file nor a folder nor a link."_s;

bool canTravel(FileType type)
{
    return type == FileType::File || type == FileType::Folder || type == FileType::Link;
}

// The path itself, then the folders above it, and the top at last.
template <typename Predicate>
bool anyAtOrAbove(const FilePath &path, Predicate predicate)
{
    for (FilePath at = path;; at = at.parent()) {
        if (predicate(at))
            return true;
        if (at.isEmpty())
            return false;
    }
}

class Planner
{
public:
    Planner(const QList<CompareRow> &rows, SyncWay way, bool removes)
        : m_rows(rows)
        , m_isToRight(way == SyncWay::LeftToRight)
        , m_removes(removes)
    {
        std::ranges::sort(m_rows, {}, [](const CompareRow &row) { return row.path.bytes(); });
    }

    SyncPlan plan()
    {
        for (const CompareRow &row : std::as_const(m_rows)) {
            if (row.state == State::Failed || row.state == State::LeftOut)
                keep(row.path);
        }
        // By path: a folder comes before what is in it.
        for (const CompareRow &row : std::as_const(m_rows)) {
            if (row.state == State::Differs && row.differences.testFlag(Difference::Kind))
                clash(row);
        }
        for (const CompareRow &row : std::as_const(m_rows))
            step(row);
        std::ranges::stable_sort(m_plan.steps, {}, [](const SyncStep &one) { return one.path.bytes(); });
        // Behind all others; the paths below a folder are longer than its own, and so come before it the other way round.
        for (const CompareRow &row : std::as_const(m_rows) | std::views::reverse)
            remove(row);
        return m_plan;
    }

private:
    [[nodiscard]] FileAttributes source(const CompareRow &row) const { return (m_isToRight ? row.left : row.right).value_or(FileAttributes()); }
    [[nodiscard]] FileAttributes target(const CompareRow &row) const { return (m_isToRight ? row.right : row.left).value_or(FileAttributes()); }
    [[nodiscard]] bool isOnlyThere(const CompareRow &row) const { return row.state == (m_isToRight ? State::OnlyRight : State::OnlyLeft); }
    [[nodiscard]] bool isOnlyHere(const CompareRow &row) const { return row.state == (m_isToRight ? State::OnlyLeft : State::OnlyRight); }
    [[nodiscard]] bool isLate(const FilePath &path) const
    {
        return !m_late.isEmpty() && anyAtOrAbove(path, [this](const FilePath &at) { return m_late.contains(at); });
    }
    [[nodiscard]] bool isBlocked(const FilePath &path) const
    {
        return !m_blocked.isEmpty() && anyAtOrAbove(path, [this](const FilePath &at) { return m_blocked.contains(at); });
    }
    [[nodiscard]] bool mayGo(const FilePath &path) const
    {
        return !m_above.contains(path) && !anyAtOrAbove(path, [this](const FilePath &at) { return m_kept.contains(at); });
    }

    void keep(const FilePath &path)
    {
        m_kept.insert(path);
        for (FilePath at = path; !at.isEmpty(); at = at.parent())
            m_above.insert(at.parent());
    }

    void clash(const CompareRow &row)
    {
        const bool isFolderThere = kindOf(target(row)) == FileType::Folder;
        const bool canCome = canTravel(kindOf(source(row)));
        if (canCome && (!isFolderThere || (m_removes && mayGo(row.path)))) {
            m_late.insert(row.path);
            return;
        }
        m_blocked.insert(row.path);
        keep(row.path);
        if (!canCome)
            return leaveOut(row, kSpecial);
        leaveOut(row, m_removes ? u"A folder is in its place, and something in that stays."_s : u"A folder is in its place, which goes only with removals."_s);
    }

    void leaveOut(const CompareRow &row, const QString &why)
    {
        SyncStep step = stepOf(row, Action::LeaveOut);
        step.reason = why;
        step.error = row.error;
        m_plan.steps.append(step);
        ++m_plan.leftOut;
    }

    [[nodiscard]] SyncStep stepOf(const CompareRow &row, Action action) const
    {
        SyncStep step;
        step.action = action;
        step.path = row.path;
        step.source = source(row);
        step.target = target(row);
        step.type = kindOf(action == Action::Remove ? step.target : step.source);
        step.differences = row.differences;
        step.isLate = isLate(row.path);
        return step;
    }

    void step(const CompareRow &row)
    {
        switch (row.state) {
        case State::Same:
        case State::LeftOut: return;
        case State::Failed: return leaveOut(row, {});
        case State::OnlyLeft:
        case State::OnlyRight:
            if (isOnlyHere(row) && !isBlocked(row.path))
                bring(row, Action::Copy);
            return;
        case State::Differs: break;
        }
        if (isBlocked(row.path))
            return;
        const bool mustMove = row.differences.testAnyFlags(Difference::Kind | Difference::Size | Difference::Content | Difference::LinkTarget)
                || (row.differences.testFlag(Difference::Time) && !row.isRead);
        if (mustMove)
            return bring(row, Action::Replace);
        m_plan.steps.append(stepOf(row, Action::Adjust));
        ++m_plan.adjustments;
    }

    void bring(const CompareRow &row, Action action)
    {
        SyncStep step = stepOf(row, action);
        step.clears = row.differences.testFlag(Difference::Kind);
        if (!canTravel(step.type))
            return leaveOut(row, kSpecial);
        if (step.type == FileType::Folder && !step.clears)
            step.action = Action::MakeFolder;
        if (step.type == FileType::File)
            m_plan.bytes += step.source.size.value_or(0);
        ++(step.action == Action::MakeFolder ? m_plan.folders : step.action == Action::Copy ? m_plan.copies : m_plan.replacements);
        m_plan.steps.append(step);
    }

    void remove(const CompareRow &row)
    {
        if (!isOnlyThere(row))
            return;
        if (!m_removes || !mayGo(row.path)) {
            ++m_plan.onlyThere;
            return;
        }
        m_plan.steps.append(stepOf(row, Action::Remove));
        ++m_plan.removals;
    }

    QList<CompareRow> m_rows;
    bool m_isToRight;
    bool m_removes;
    QSet<FilePath> m_kept;    // neither these nor what is below goes
    QSet<FilePath> m_above;   // something in these stays
    QSet<FilePath> m_late;    // something of another kind goes from here first
    QSet<FilePath> m_blocked; // it does not
    SyncPlan m_plan;
};

} // namespace

SyncPlan planSync(const QList<CompareRow> &rows, SyncWay way, bool removes)
{
    return Planner(rows, way, removes).plan();
}

} // namespace Sandpiper
