// Which sections of the sidebar are folded: remembered in the settings, and opened while a filter looks
// inside. GUI thread.
#pragma once

#include "ui/preferences.h"
#include "ui/sandboxfilter.h"

class QTreeView;

namespace Sandpiper {

class SandboxFolds : public QObject
{
    Q_OBJECT
public:
    // All borrowed; they outlive it. tree shows filter.
    SandboxFolds(QTreeView *tree, SandboxFilter *filter, Preferences *preferences, QObject *parent = nullptr);
    // As remembered; after a filter, or at the start.
    void restore();
    // Nothing of this is remembered.
    void openAll();

private:
    void keep();
    void openNew(const QModelIndex &parent, int first, int last);
    void restoreUnder(const QModelIndex &parent, const QStringList &folded);
    QTreeView *m_tree;
    SandboxFilter *m_filter;
    Preferences *m_preferences;
    bool m_isOurs = false; // what opens and folds now is not the user's doing
};

} // namespace Sandpiper
