#include "ui/sandboxfilter.h"

#include "ui/sandboxmodel.h"

namespace Sandpiper {

SandboxFilter::SandboxFilter(QObject *parent)
    : QSortFilterProxyModel(parent)
{
    setRecursiveFilteringEnabled(true);
    setAutoAcceptChildRows(true);
    setDynamicSortFilter(true);
}

void SandboxFilter::setNeedle(const QString &needle)
{
    const QString trimmed = needle.trimmed();
    if (trimmed == m_needle)
        return;
    m_needle = trimmed;
    invalidateRowsFilter();
}

bool SandboxFilter::filterAcceptsRow(int row, const QModelIndex &parent) const
{
    if (m_needle.isEmpty())
        return true;
    const QModelIndex index = sourceModel()->index(row, 0, parent);
    switch (SandboxModel::kindOf(index)) {
    case SandboxModel::RowKind::Sandbox: {
        const Sandbox sandbox = SandboxModel::sandboxAt(index);
        return sandbox.displayName().contains(m_needle, Qt::CaseInsensitive)
                || sandbox.image.contains(m_needle, Qt::CaseInsensitive)
                || sandbox.note.contains(m_needle, Qt::CaseInsensitive)
                || sandbox.id.id.contains(m_needle, Qt::CaseInsensitive);
    }
    case SandboxModel::RowKind::Account:
    case SandboxModel::RowKind::Keys:
        return index.data().toString().contains(m_needle, Qt::CaseInsensitive);
    case SandboxModel::RowKind::Note:
        return false;
    }
    Q_UNREACHABLE_RETURN(true);
}

} // namespace Sandpiper
