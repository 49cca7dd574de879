#include "ui/forwardmodel.h"

#include "ui/filewords.h"
#include "ui/forwardwords.h"
#include "ui/icons.h"
#include "ui/sandboxtext.h"
#include "ui/theme.h"

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

ForwardModel::ForwardModel(ForwardManager *forwards, QObject *parent)
    : QAbstractTableModel(parent)
    , m_forwards(forwards)
{
    reload();
    connect(forwards, &ForwardManager::listChanged, this, &ForwardModel::reload);
    connect(forwards, &ForwardManager::changed, this, [this](const QString &id) {
        if (const int row = rowOf(id); row >= 0)
            emit dataChanged(index(row, 0), index(row, ColumnCount - 1));
    });
    connect(forwards, &ForwardManager::trafficChanged, this, [this](const QString &id) {
        if (const int row = rowOf(id); row >= 0)
            emit dataChanged(index(row, Connections), index(row, Traffic));
    });
}

void ForwardModel::reload()
{
    QList<ForwardWish> wishes = m_forwards->wishes()->wishes();
    std::ranges::stable_sort(wishes, {}, [](const ForwardWish &wish) { return std::pair(wish.sandboxName.toCaseFolded(), wish.sandbox.toString()); });
    QStringList ids;
    for (const ForwardWish &wish : std::as_const(wishes))
        ids.append(wish.id);
    if (ids == m_ids) {
        if (!ids.isEmpty())
            emit dataChanged(index(0, 0), index(int(ids.size()) - 1, ColumnCount - 1));
        return;
    }
    beginResetModel();
    m_ids = ids;
    endResetModel();
}

int ForwardModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : int(m_ids.size());
}

int ForwardModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant ForwardModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation == Qt::Horizontal && role == Qt::ToolTipRole && section == Connections)
        return plainTip(tr("Connections that are open"));
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    const QString titles[] = {tr("On"), tr("Sandbox"), tr("Forward"), tr("State"), tr("Open"), tr("Traffic"), tr("Name")};
    return titles[section];
}

QVariant ForwardModel::data(const QModelIndex &index, int role) const
{
    const std::optional<ForwardWish> wish = m_forwards->wishes()->wish(idAt(index.row()));
    if (!wish)
        return {};
    const ForwardManager::Status status = m_forwards->status(wish->id);
    const auto column = Column(index.column());
    const QString words = forwardWords(wish->spec, wish->sandboxName);
    if (role == Qt::CheckStateRole && column == On)
        return wish->isOn ? Qt::Checked : Qt::Unchecked;
    if (role == Qt::AccessibleTextRole && column == On)
        return words;
    if (role == Qt::DecorationRole && column == State) {
        switch (status.state) {
        case ForwardManager::State::Listening: return icon(IconName::Check, IconTone::Running);
        case ForwardManager::State::Failed: return icon(IconName::Error, IconTone::Danger);
        case ForwardManager::State::Waiting:
        case ForwardManager::State::Arming: return icon(IconName::Refresh, IconTone::Waiting);
        case ForwardManager::State::Off: return {};
        }
    }
    if (role == Qt::ForegroundRole && status.state == ForwardManager::State::Off && column != On)
        return themeColors().muted;
    if (role == Qt::ToolTipRole) {
        if (column == State && status.state == ForwardManager::State::Listening)
            return plainTip(forwardStateText(status, wish->spec) + u'\n' + forwardWayText(status.way));
        if (column == State)
            return plainTip(forwardStateText(status, wish->spec));
        if (column == What)
            return plainTip(words + u'\n' + forwardArgument(wish->spec));
    }
    if (column == Connections || column == Traffic)
        return trafficData(wish->id, column, role);
    if (role != Qt::DisplayRole)
        return {};
    switch (column) {
    case Where: return tamed(wish->sandboxName, 60);
    case What: return words;
    case Name: return wish->name;
    case State: return forwardStateText(status, wish->spec);
    case On:
    case Connections:
    case Traffic:
    case ColumnCount: break;
    }
    return {};
}

QVariant ForwardModel::trafficData(const QString &id, Column column, int role) const
{
    const ForwardTraffic traffic = m_forwards->traffic(id);
    if (traffic.connections == 0)
        return {};
    if (role == Qt::DisplayRole && column == Connections)
        return tr("%L1").arg(traffic.open.size());
    if (role == Qt::ToolTipRole && column == Connections)
        return tr("%L1 open, %L2 since it was switched on").arg(traffic.open.size()).arg(traffic.connections);
    if (role == Qt::DisplayRole)
        return trafficText(traffic.sent, traffic.received);
    if (role == Qt::AccessibleTextRole || role == Qt::ToolTipRole)
        return tr("%1 from this computer, %2 to it").arg(sizeText(quint64(traffic.sent)), sizeText(quint64(traffic.received)));
    return {};
}

Qt::ItemFlags ForwardModel::flags(const QModelIndex &index) const
{
    const Qt::ItemFlags usual = QAbstractTableModel::flags(index);
    return index.column() == On ? usual | Qt::ItemIsUserCheckable : usual;
}

bool ForwardModel::setData(const QModelIndex &index, const QVariant &value, int role)
{
    if (role != Qt::CheckStateRole || index.column() != On)
        return false;
    const Done done = m_forwards->setOn({idAt(index.row())}, value.toInt() == Qt::Checked);
    if (!done)
        emit notSaved(done.error());
    return done.has_value();
}

} // namespace Sandpiper
