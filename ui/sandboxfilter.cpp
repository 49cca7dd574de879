#include "ui/sandboxfilter.h"

#include "ui/sandboxmodel.h"

#include <algorithm>

namespace Sandpiper {

SandboxNeedle SandboxNeedle::parse(const QString &typed)
{
    SandboxNeedle needle;
    for (const QString &word : typed.split(u' ', Qt::SkipEmptyParts)) {
        if (!word.startsWith(u'#'))
            needle.words.append(word);
        else if (word.size() > 1)
            needle.labels.append(word.sliced(1));
    }
    return needle;
}

bool SandboxNeedle::matches(const Sandbox &sandbox, const Annotation &annotation) const
{
    const auto isBeginning = [&annotation](const QString &label) {
        return std::ranges::any_of(annotation.labels, [&label](const QString &one) { return one.startsWith(label, Qt::CaseInsensitive); });
    };
    if (!std::ranges::all_of(labels, isBeginning))
        return false;
    return std::ranges::all_of(words, [&](const QString &word) {
        const auto holds = [&word](const QString &where) { return where.contains(word, Qt::CaseInsensitive); };
        return holds(sandbox.displayName()) || holds(sandbox.image) || holds(sandbox.note) || holds(sandbox.id.id)
                || holds(annotation.group) || holds(annotation.note) || std::ranges::any_of(annotation.labels, holds);
    });
}

bool SandboxNeedle::matchesHead(const QString &name) const
{
    return labels.isEmpty() && std::ranges::all_of(words, [&name](const QString &word) { return name.contains(word, Qt::CaseInsensitive); });
}

SandboxFilter::SandboxFilter(QObject *parent)
    : QSortFilterProxyModel(parent)
{
    setRecursiveFilteringEnabled(true);
    setAutoAcceptChildRows(true);
    setDynamicSortFilter(true);
    // Where rows moved below a head that was hidden, QSortFilterProxyModel lets some through that do not match.
    // Later, because it and its views are in the middle of their own answer to this.
    connect(this, &QAbstractProxyModel::sourceModelChanged, this, [this] {
        connect(sourceModel(), &QAbstractItemModel::rowsMoved, this, [this] {
            if (!m_typed.isEmpty())
                invalidate();
        }, Qt::QueuedConnection);
    });
}

void SandboxFilter::setNeedle(const QString &needle)
{
    const QString trimmed = needle.trimmed();
    if (trimmed == m_typed)
        return;
    m_typed = trimmed;
    m_needle = SandboxNeedle::parse(trimmed);
    invalidateRowsFilter();
}

bool SandboxFilter::filterAcceptsRow(int row, const QModelIndex &parent) const
{
    // A lone "#" is the beginning of a label, and hides nothing yet.
    if (m_needle.words.isEmpty() && m_needle.labels.isEmpty())
        return true;
    const QModelIndex index = sourceModel()->index(row, 0, parent);
    switch (SandboxModel::kindOf(index)) {
    case SandboxModel::RowKind::Sandbox:
        return m_needle.matches(SandboxModel::sandboxAt(index), index.data(SandboxModel::AnnotationRole).value<Annotation>());
    case SandboxModel::RowKind::Account:
    case SandboxModel::RowKind::Keys:
    case SandboxModel::RowKind::Favourites:
    case SandboxModel::RowKind::Group:
        return m_needle.matchesHead(index.data().toString());
    case SandboxModel::RowKind::Note:
        return false;
    }
    Q_UNREACHABLE_RETURN(true);
}

} // namespace Sandpiper
