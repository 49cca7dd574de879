// Completes the label that is being written in a list separated by commas. GUI thread.
#pragma once

#include <QCompleter>

namespace Sandpiper {

class LabelCompleter : public QCompleter
{
    Q_OBJECT
public:
    LabelCompleter(const QStringList &labels, QObject *parent);
    QStringList splitPath(const QString &text) const override;
    QString pathFromIndex(const QModelIndex &index) const override;

private:
    mutable QString m_before; // what stands before the label that is completed, up to its comma
};

} // namespace Sandpiper
