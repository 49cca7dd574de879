#include "ui/sandboxfolds.h"

#include "ui/sandboxmodel.h"

#include <QTreeView>

#include <utility>

namespace Sandpiper {

namespace {

// Of sections that are not there just now, so that what is gone for good does not pile up.
constexpr qsizetype mostAbsent = 200;

QString keyOf(const QModelIndex &index)
{
    return index.data(SandboxModel::SectionRole).toString();
}

} // namespace

SandboxFolds::SandboxFolds(QTreeView *tree, SandboxFilter *filter, Preferences *preferences, QObject *parent)
    : QObject(parent)
    , m_tree(tree)
    , m_filter(filter)
    , m_preferences(preferences)
{
    connect(tree, &QTreeView::expanded, this, &SandboxFolds::keep);
    connect(tree, &QTreeView::collapsed, this, &SandboxFolds::keep);
    connect(filter, &QAbstractItemModel::rowsInserted, this, &SandboxFolds::openNew);
    // What a filter had hidden and is shown because a row moved there comes without being inserted.
    connect(filter, &QAbstractItemModel::layoutChanged, this, [this] {
        if (!m_filter->needle().isEmpty())
            openAll();
    });
    restore();
}

void SandboxFolds::keep()
{
    if (m_isOurs || !m_filter->needle().isEmpty())
        return;
    QStringList folded;
    QStringList open;
    QList<QModelIndex> left;
    for (int row = 0; row < m_filter->rowCount(); ++row)
        left.append(m_filter->index(row, 0));
    while (!left.isEmpty()) {
        const QModelIndex index = left.takeFirst();
        if (keyOf(index).isEmpty() || !m_filter->hasChildren(index))
            continue;
        (m_tree->isExpanded(index) ? open : folded).append(keyOf(index));
        // Groups are the last of their account's rows.
        for (int row = m_filter->rowCount(index) - 1; row >= 0; --row) {
            const QModelIndex child = m_filter->index(row, 0, index);
            if (keyOf(child).isEmpty())
                break;
            left.append(child);
        }
    }
    // A list that has not come yet has its folds all the same.
    qsizetype absent = 0;
    for (const QString &key : m_preferences->value(Setting::CollapsedAccounts).toStringList()) {
        if (!open.contains(key) && !folded.contains(key) && ++absent <= mostAbsent)
            folded.append(key);
    }
    m_preferences->set(Setting::CollapsedAccounts, folded);
}

void SandboxFolds::restore()
{
    const bool before = std::exchange(m_isOurs, true);
    restoreUnder({}, m_preferences->value(Setting::CollapsedAccounts).toStringList());
    m_isOurs = before;
}

void SandboxFolds::restoreUnder(const QModelIndex &parent, const QStringList &folded)
{
    for (int row = m_filter->rowCount(parent) - 1; row >= 0; --row) {
        const QModelIndex index = m_filter->index(row, 0, parent);
        if (keyOf(index).isEmpty()) {
            if (parent.isValid())
                break;
            continue;
        }
        m_tree->setExpanded(index, !folded.contains(keyOf(index)));
        restoreUnder(index, folded);
    }
}

void SandboxFolds::openAll()
{
    const bool before = std::exchange(m_isOurs, true);
    m_tree->expandAll();
    m_isOurs = before;
}

void SandboxFolds::openNew(const QModelIndex &parent, int first, int last)
{
    const bool before = std::exchange(m_isOurs, true);
    const QStringList folded = m_preferences->value(Setting::CollapsedAccounts).toStringList();
    const auto open = [&](const QModelIndex &index) {
        const QString key = keyOf(index);
        if (!key.isEmpty() && (!m_filter->needle().isEmpty() || !folded.contains(key)) && !m_tree->isExpanded(index))
            m_tree->expand(index);
    };
    open(parent);
    for (int row = first; row <= last; ++row) {
        const QModelIndex index = m_filter->index(row, 0, parent);
        open(index);
        // A group that a filter hid comes back with its account.
        for (int child = m_filter->rowCount(index) - 1; child >= 0 && !keyOf(m_filter->index(child, 0, index)).isEmpty(); --child)
            open(m_filter->index(child, 0, index));
    }
    m_isOurs = before;
}

} // namespace Sandpiper
