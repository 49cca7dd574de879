#include "ui/labelcompleter.h"

namespace Sandpiper {

LabelCompleter::LabelCompleter(const QStringList &labels, QObject *parent)
    : QCompleter(labels, parent)
{
    setCaseSensitivity(Qt::CaseInsensitive);
    setFilterMode(Qt::MatchStartsWith);
}

QStringList LabelCompleter::splitPath(const QString &text) const
{
    const qsizetype comma = text.lastIndexOf(u',');
    m_before = text.first(comma + 1);
    QString label = text.sliced(comma + 1).trimmed();
    if (label.startsWith(u'#'))
        label.removeFirst();
    return {label};
}

QString LabelCompleter::pathFromIndex(const QModelIndex &index) const
{
    const QString label = QCompleter::pathFromIndex(index);
    return m_before.isEmpty() ? label : m_before + u' ' + label;
}

} // namespace Sandpiper
