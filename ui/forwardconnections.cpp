#include "ui/forwardconnections.h"

#include "ui/dialogkit.h"
#include "ui/filewords.h"
#include "ui/forwardwords.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QLocale>
#include <QPushButton>
#include <QTableView>
#include <QTimer>
#include <QVBoxLayout>

#include <algorithm>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

bool isNumber(ForwardConnectionModel::Column column)
{
    return column == ForwardConnectionModel::Sent || column == ForwardConnectionModel::Received || column == ForwardConnectionModel::Idle;
}

} // namespace

ForwardConnectionModel::ForwardConnectionModel(QObject *parent)
    : QAbstractTableModel(parent)
{
}

void ForwardConnectionModel::take(const QList<ForwardConnection> &connections)
{
    for (int row = int(m_connections.size()) - 1; row >= 0; --row) {
        if (std::ranges::find(connections, idAt(row), &ForwardConnection::id) != connections.end())
            continue;
        beginRemoveRows({}, row, row);
        m_connections.removeAt(row);
        endRemoveRows();
    }
    // Ids only grow, and those that are left are a beginning of the new list.
    const qsizetype known = std::min(m_connections.size(), connections.size());
    for (qsizetype row = 0; row < known; ++row)
        m_connections[row] = connections.at(row);
    if (known > 0)
        emit dataChanged(index(0, 0), index(int(known) - 1, ColumnCount - 1));
    if (connections.size() == known)
        return;
    beginInsertRows({}, int(known), int(connections.size()) - 1);
    m_connections.append(connections.sliced(known));
    endInsertRows();
}

int ForwardConnectionModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : int(m_connections.size());
}

int ForwardConnectionModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant ForwardConnectionModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (role == Qt::TextAlignmentRole && isNumber(Column(section)))
        return int(Qt::AlignRight | Qt::AlignVCenter);
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    const QString titles[] = {tr("From"), tr("To"), tr("Sent"), tr("Received"), tr("Since"), tr("Idle")};
    return titles[section];
}

QVariant ForwardConnectionModel::data(const QModelIndex &index, int role) const
{
    const ForwardConnection &connection = m_connections.at(index.row());
    const auto column = Column(index.column());
    if (role == Qt::TextAlignmentRole && isNumber(column))
        return int(Qt::AlignRight | Qt::AlignVCenter);
    if (role != Qt::DisplayRole)
        return {};
    switch (column) {
    case From: return connection.from.isEmpty() ? tr("A UNIX socket") : connection.from;
    case To: return connection.to.isEmpty() ? tr("Not said yet") : connection.to;
    case Sent: return sizeText(quint64(connection.sent));
    case Received: return sizeText(quint64(connection.received));
    case Since: return QLocale().toString(connection.since.toLocalTime().time(), QLocale::LongFormat).section(u' ', 0, 0);
    case Idle: {
        const qint64 seconds = std::max<qint64>(0, connection.movedAt.secsTo(QDateTime::currentDateTimeUtc()));
        return seconds < 2 ? QString() : seconds < 120 ? tr("%L1 s").arg(seconds) : tr("%L1 min").arg(seconds / 60);
    }
    case ColumnCount: break;
    }
    return {};
}

ForwardConnections::ForwardConnections(ForwardManager *forwards, const ForwardWish &wish, QWidget *parent)
    : QDialog(parent)
    , m_forwards(forwards)
    , m_id(wish.id)
    , m_model(new ForwardConnectionModel(this))
    , m_table(new QTableView(this))
    , m_sum(makeText({}, TextTone::Muted, this))
    , m_empty(makePanelText(tr("Nobody is connected now."), this))
    , m_closeConnection(new QPushButton(tr("Close connection"), this))
{
    setObjectName(u"forwardConnections"_s);
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Connections"));
    dressTable(m_table);
    m_table->setAccessibleName(windowTitle());
    m_table->setModel(m_model);
    m_table->setSelectionMode(QAbstractItemView::ExtendedSelection);
    const int widths[] = {180, 180, 90, 90, 90, 80};
    for (int column = 0; column < ForwardConnectionModel::ColumnCount; ++column)
        m_table->setColumnWidth(column, widths[column]);
    m_table->horizontalHeader()->setSectionResizeMode(ForwardConnectionModel::To, QHeaderView::Stretch);
    m_sum->setObjectName(u"connectionSum"_s);
    m_closeConnection->setObjectName(u"closeConnection"_s);
    auto *done = new QPushButton(tr("Done"), this);
    done->setDefault(true);
    auto *buttons = new QHBoxLayout;
    buttons->addWidget(m_closeConnection);
    buttons->addStretch();
    buttons->addWidget(done);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(24, 20, 24, 20);
    layout->setSpacing(8);
    layout->addWidget(makeTitle(windowTitle(), this));
    layout->addWidget(makeText(forwardWords(wish.spec, wish.sandboxName), TextTone::Plain, this));
    layout->addWidget(m_sum);
    layout->addWidget(m_table, 1);
    layout->addWidget(m_empty, 1);
    layout->addSpacing(8);
    layout->addLayout(buttons);
    resize(760, 380);

    const auto update = [this] { m_closeConnection->setEnabled(m_table->selectionModel()->hasSelection()); };
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, update);
    connect(m_model, &QAbstractItemModel::rowsRemoved, this, update);
    connect(m_closeConnection, &QPushButton::clicked, this, &ForwardConnections::closeChosen);
    connect(done, &QPushButton::clicked, this, &QDialog::accept);
    connect(forwards, &ForwardManager::trafficChanged, this, [this](const QString &id) {
        if (id == m_id)
            refresh();
    });
    connect(forwards, &ForwardManager::listChanged, this, [this] {
        if (!m_forwards->wishes()->wish(m_id))
            return reject();
        refresh();
    });
    // What is idle says nothing, and its column goes on.
    auto *clock = new QTimer(this);
    connect(clock, &QTimer::timeout, this, &ForwardConnections::refresh);
    clock->start(1s);
    update();
    refresh();
}

void ForwardConnections::refresh()
{
    const ForwardTraffic traffic = m_forwards->traffic(m_id);
    m_model->take(traffic.open);
    m_table->setVisible(!traffic.open.isEmpty());
    m_empty->setVisible(traffic.open.isEmpty());
    m_closeConnection->setVisible(!traffic.open.isEmpty());
    m_sum->setText(tr("%L1 since it was switched on, %2").arg(traffic.connections).arg(trafficText(traffic.sent, traffic.received)));
}

void ForwardConnections::closeChosen()
{
    for (const QModelIndex &index : m_table->selectionModel()->selectedRows())
        m_forwards->closeConnection(m_id, m_model->idAt(index.row()));
}

} // namespace Sandpiper
