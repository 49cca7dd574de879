#include "ui/sandboxmodel.h"

#include "session/errortext.h"
#include "session/providers/sshhosts.h"
#include "ui/icons.h"
#include "ui/sandboxtext.h"

#include <algorithm>
#include <chrono>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

// After this long a list that loads says what it waits for.
constexpr qint64 patienceSeconds = 10;

} // namespace

SandboxModel::SandboxModel(SandboxRegistry *registry, AccountHub *hub, QObject *parent)
    : QAbstractItemModel(parent)
    , m_registry(registry)
    , m_hub(hub)
{
    connect(hub, &AccountHub::entriesChanged, this, &SandboxModel::syncGroups);
    connect(hub, &AccountHub::entryChanged, this, &SandboxModel::accountChanged);
    connect(registry, &SandboxRegistry::accountAdded, this, &SandboxModel::syncRows);
    connect(registry, &SandboxRegistry::accountRemoved, this, &SandboxModel::syncRows);
    connect(registry, &SandboxRegistry::accountChanged, this, &SandboxModel::accountChanged);
    connect(registry, &SandboxRegistry::sandboxesChanged, this, &SandboxModel::syncRows);
    connect(registry, &SandboxRegistry::keysChanged, this, &SandboxModel::keysChanged);
    connect(&m_clock, &QTimer::timeout, this, &SandboxModel::timePassed);
    m_clock.start(10s);
    syncGroups();
}

void SandboxModel::setShellCounter(std::function<int(const SandboxId &)> counter)
{
    m_shells = std::move(counter);
    shellsChanged();
}

void SandboxModel::shellsChanged()
{
    for (int g = 0; g < int(m_groups.size()); ++g) {
        const Group &group = m_groups[g];
        if (group.rows.isEmpty())
            continue;
        const QModelIndex top = index(g, 0, {});
        emit dataChanged(index(0, 0, top), index(int(group.rows.size()) - 1, 0, top), {ShellsRole});
    }
}

void SandboxModel::setPending(const SandboxId &id, const QString &word)
{
    m_pending.insert(id, word);
    const QModelIndex at = indexOf(id);
    if (at.isValid())
        emit dataChanged(at, at);
}

void SandboxModel::clearPending(const SandboxId &id)
{
    if (!m_pending.remove(id))
        return;
    const QModelIndex at = indexOf(id);
    if (at.isValid())
        emit dataChanged(at, at);
}

int SandboxModel::groupOf(const QString &accountId) const
{
    for (int g = 0; g < int(m_groups.size()); ++g) {
        if (m_groups[g].accountId == accountId)
            return g;
    }
    return -1;
}

int SandboxModel::groupBySerial(quintptr serial) const
{
    for (int g = 0; g < int(m_groups.size()); ++g) {
        if (m_groups[g].serial == serial)
            return g;
    }
    return -1;
}

QModelIndex SandboxModel::indexOf(const SandboxId &id) const
{
    const int g = groupOf(id.account);
    if (g < 0)
        return {};
    const QList<Row> &rows = m_groups[g].rows;
    for (int r = 0; r < int(rows.size()); ++r) {
        if (rows[r].sandbox.id == id)
            return createIndex(r, 0, m_groups[g].serial);
    }
    return {};
}

QModelIndex SandboxModel::accountIndex(const QString &accountId) const
{
    const int g = groupOf(accountId);
    return g < 0 ? QModelIndex() : createIndex(g, 0, quintptr(0));
}

QModelIndex SandboxModel::keysIndex() const
{
    return createIndex(int(m_groups.size()), 0, quintptr(0));
}

SandboxModel::RowKind SandboxModel::kindOf(const QModelIndex &index)
{
    return index.data(KindRole).value<RowKind>();
}

Sandbox SandboxModel::sandboxAt(const QModelIndex &index)
{
    return index.data(SandboxRole).value<Sandbox>();
}

QModelIndex SandboxModel::index(int row, int column, const QModelIndex &parent) const
{
    if (column != 0 || row < 0 || row >= rowCount(parent))
        return {};
    return parent.isValid() ? createIndex(row, 0, m_groups[parent.row()].serial)
                            : createIndex(row, 0, quintptr(0));
}

QModelIndex SandboxModel::parent(const QModelIndex &child) const
{
    if (!child.isValid() || child.internalId() == 0)
        return {};
    const int g = groupBySerial(child.internalId());
    return g < 0 ? QModelIndex() : createIndex(g, 0, quintptr(0));
}

int SandboxModel::rowCount(const QModelIndex &parent) const
{
    if (!parent.isValid())
        return int(m_groups.size()) + 1;
    if (parent.internalId() != 0 || parent.row() >= int(m_groups.size()))
        return 0;
    return m_groups[parent.row()].childCount();
}

int SandboxModel::columnCount(const QModelIndex &) const
{
    return 1;
}

Qt::ItemFlags SandboxModel::flags(const QModelIndex &index) const
{
    if (!index.isValid())
        return Qt::NoItemFlags;
    Qt::ItemFlags flags = Qt::ItemIsEnabled | Qt::ItemIsSelectable;
    if (index.internalId() == 0)
        return flags;
    flags |= Qt::ItemNeverHasChildren;
    const int g = groupBySerial(index.internalId());
    if (g >= 0 && !m_groups[g].hasNote
        && m_groups[g].rows[index.row()].sandbox.capabilities.has(Capability::Rename))
        flags |= Qt::ItemIsEditable;
    return flags;
}

QVariant SandboxModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid())
        return {};
    if (index.internalId() == 0) {
        return index.row() < int(m_groups.size()) ? accountData(m_groups[index.row()], role)
                                                  : keysData(role);
    }
    const int g = groupBySerial(index.internalId());
    if (g < 0)
        return {};
    const Group &group = m_groups[g];
    return group.hasNote ? noteData(group, role) : rowData(group.rows[index.row()], role);
}

QVariant SandboxModel::accountData(const Group &group, int role) const
{
    const AccountHub::Entry *entry = m_hub->entry(group.accountId);
    if (!entry)
        return {};
    switch (role) {
    case Qt::DisplayRole:
    case Qt::ToolTipRole:
        return entry->account.name;
    case Qt::AccessibleTextRole:
        return entry->account.vendor == sshVendorId()
                ? tr("%1, %n host(s)", nullptr, int(group.rows.size())).arg(entry->account.name)
                : tr("Account %1, %n sandbox(es)", nullptr, int(group.rows.size())).arg(entry->account.name);
    case KindRole:
        return QVariant::fromValue(RowKind::Account);
    case AccountIdRole:
        return group.accountId;
    case CountRole:
        return int(group.rows.size());
    case TroubleRole: {
        const SandboxRegistry::AccountView *view = m_registry->view(group.accountId);
        if (view && view->state == SandboxRegistry::AccountState::Failed && !group.rows.isEmpty())
            return errorText(view->error).sentence;
        if (view && !group.rows.isEmpty())
            return view->remark;
        return QString();
    }
    case BusyRole: {
        const SandboxRegistry::AccountView *view = m_registry->view(group.accountId);
        return entry->state == AccountHub::State::Preparing
                || (view && view->state == SandboxRegistry::AccountState::Loading);
    }
    default:
        return {};
    }
}

SandboxModel::Note SandboxModel::noteOf(const Group &group) const
{
    const AccountHub::Entry *entry = m_hub->entry(group.accountId);
    if (!entry)
        return {};
    const bool local = group.accountId == m_hub->localId();
    const bool slow = entry->since.secsTo(QDateTime::currentDateTimeUtc()) >= patienceSeconds;
    const QString place = entry->account.apiUrl.host();
    switch (entry->state) {
    case AccountHub::State::Idle:
        return {tr("No sandboxes yet."), NoteAction::NewSandbox, tr("New sandbox")};
    case AccountHub::State::Preparing:
        if (!slow)
            return {local ? tr("Starting…") : tr("Connecting…")};
        return local ? Note{tr("Still waiting for this computer's gateway to start."), NoteAction::Retry, tr("Try again")}
                     : Note{tr("Still waiting for the keychain. Is it locked?"), NoteAction::Retry, tr("Try again")};
    case AccountHub::State::NoSecret:
        if (entry->account.fromEnvironment)
            return {tr("The environment variable with its key is gone.")};
        return {tr("Its key is not kept on this computer."), NoteAction::EnterSecret, tr("Enter the key")};
    case AccountHub::State::Failed:
        return {errorText(entry->error).sentence, NoteAction::Retry, tr("Try again")};
    case AccountHub::State::Connected:
        break;
    }
    const SandboxRegistry::AccountView *view = m_registry->view(group.accountId);
    if (!view || view->state == SandboxRegistry::AccountState::Loading) {
        return slow ? Note{tr("Still waiting for an answer from %1.").arg(place), NoteAction::Retry, tr("Try again")}
                    : Note{tr("Loading…")};
    }
    if (view->state == SandboxRegistry::AccountState::Failed) {
        const bool rejected = view->error.kind == ErrorKind::AuthRejected && !entry->account.fromEnvironment && !local;
        return rejected ? Note{errorText(view->error).sentence, NoteAction::EnterSecret, tr("Enter the key")}
                        : Note{errorText(view->error).sentence, NoteAction::Retry, tr("Try again")};
    }
    if (entry->account.vendor == sshVendorId())
        return {view->remark.isEmpty() ? tr("No SSH hosts yet.") : view->remark, NoteAction::NewHost, tr("New SSH host")};
    return {tr("No sandboxes yet."), NoteAction::NewSandbox, tr("New sandbox")};
}

QVariant SandboxModel::noteData(const Group &group, int role) const
{
    switch (role) {
    case Qt::DisplayRole:
    case Qt::ToolTipRole:
        return noteOf(group).sentence;
    case Qt::AccessibleTextRole: {
        const Note note = noteOf(group);
        return note.label.isEmpty() ? note.sentence : note.sentence + u' ' + note.label;
    }
    case KindRole:
        return QVariant::fromValue(RowKind::Note);
    case AccountIdRole:
        return group.accountId;
    case NoteActionRole:
        return QVariant::fromValue(noteOf(group).action);
    case NoteLabelRole:
        return noteOf(group).label;
    default:
        return {};
    }
}

QVariant SandboxModel::rowData(const Row &row, int role) const
{
    switch (role) {
    case Qt::DisplayRole:
    case Qt::EditRole:
        return row.sandbox.displayName();
    case Qt::ToolTipRole: {
        QStringList lines{row.sandbox.displayName(), row.sandbox.note, sshConfigPlace(row.sandbox)};
        lines.removeAll(QString());
        return lines.join(u'\n');
    }
    case Qt::AccessibleTextRole:
        return spokenRow(row.sandbox, m_shells ? m_shells(row.sandbox.id) : 0, QDateTime::currentDateTimeUtc());
    case KindRole:
        return QVariant::fromValue(RowKind::Sandbox);
    case AccountIdRole:
        return row.sandbox.id.account;
    case SandboxRole:
        return QVariant::fromValue(row.sandbox);
    case DetailRole: {
        const QString pending = m_pending.value(row.sandbox.id);
        return pending.isEmpty() ? secondLine(row.sandbox, QDateTime::currentDateTimeUtc()) : pending;
    }
    case ShellsRole:
        return m_shells ? m_shells(row.sandbox.id) : 0;
    case BusyRole:
        return m_pending.contains(row.sandbox.id) || isInTransit(row.sandbox.state);
    default:
        return {};
    }
}

QVariant SandboxModel::keysData(int role) const
{
    switch (role) {
    case Qt::DisplayRole:
        return tr("SSH keys");
    case Qt::AccessibleTextRole:
        return tr("SSH keys: opens the page of keys");
    case KindRole:
        return QVariant::fromValue(RowKind::Keys);
    case CountRole: {
        QStringList seen;
        for (const QString &id : m_registry->accountIds()) {
            if (const auto *view = m_registry->view(id)) {
                for (const SshKey &key : view->keys)
                    seen.append(key.fingerprint);
            }
        }
        seen.removeDuplicates();
        return int(seen.size());
    }
    default:
        return {};
    }
}

bool SandboxModel::setData(const QModelIndex &index, const QVariant &value, int role)
{
    if (role != Qt::EditRole || !index.isValid() || index.internalId() == 0)
        return false;
    const Sandbox sandbox = sandboxAt(index);
    const QString name = value.toString().trimmed();
    if (sandbox.id.isEmpty() || name.isEmpty() || name == sandbox.displayName())
        return false;
    emit renameWanted(sandbox, name);
    return true;
}

void SandboxModel::syncGroups()
{
    QStringList wanted;
    for (const AccountHub::Entry &entry : m_hub->entries())
        wanted.append(entry.account.id);
    for (int g = int(m_groups.size()) - 1; g >= 0; --g) {
        if (wanted.contains(m_groups[g].accountId))
            continue;
        beginRemoveRows({}, g, g);
        m_groups.removeAt(g);
        endRemoveRows();
    }
    for (int g = 0; g < int(wanted.size()); ++g) {
        if (g < int(m_groups.size()) && m_groups[g].accountId == wanted[g])
            continue;
        beginInsertRows({}, g, g);
        Group group;
        group.serial = m_nextSerial++;
        group.accountId = wanted[g];
        m_groups.insert(g, group);
        endInsertRows();
        syncRows(wanted[g]);
    }
}

void SandboxModel::accountChanged(const QString &accountId)
{
    const int g = groupOf(accountId);
    if (g < 0)
        return;
    syncRows(accountId);
    const QModelIndex top = index(g, 0, {});
    emit dataChanged(top, top);
    if (m_groups[g].hasNote) {
        const QModelIndex note = index(0, 0, top);
        emit dataChanged(note, note);
    }
}

void SandboxModel::keysChanged()
{
    const QModelIndex at = keysIndex();
    emit dataChanged(at, at);
}

void SandboxModel::syncRows(const QString &accountId)
{
    const int g = groupOf(accountId);
    if (g < 0)
        return;
    QList<Row> fresh;
    const SandboxRegistry::AccountView *view = m_registry->view(accountId);
    if (view && updateInPlace(g, view->sandboxes))
        return;
    if (view) {
        fresh.reserve(view->sandboxes.size());
        for (const Sandbox &sandbox : view->sandboxes)
            fresh.append({sandbox, sortKey(sandbox.displayName())});
    }
    const auto before = [](const Row &a, const Row &b) {
        const int order = a.key.compare(b.key);
        return order != 0 ? order < 0 : a.sandbox.id.id < b.sandbox.id.id;
    };
    if (!std::ranges::is_sorted(fresh, before))
        std::ranges::sort(fresh, before);

    Group &group = m_groups[g];
    const QModelIndex top = index(g, 0, {});
    if (group.hasNote && !fresh.isEmpty()) {
        beginRemoveRows(top, 0, 0);
        group.hasNote = false;
        endRemoveRows();
    }
    mergeRows(g, std::move(fresh));
    if (view) {
        QHash<QString, int> rowOf;
        rowOf.reserve(view->sandboxes.size());
        const QList<Row> &rows = m_groups[g].rows;
        for (int i = 0; i < int(rows.size()); ++i)
            rowOf.insert(rows[i].sandbox.id.id, i);
        QList<int> &placeOf = m_groups[g].placeOf;
        placeOf.clear();
        for (const Sandbox &sandbox : view->sandboxes)
            placeOf.append(rowOf.value(sandbox.id.id));
    }
    if (m_groups[g].rows.isEmpty() && !m_groups[g].hasNote) {
        beginInsertRows(top, 0, 0);
        m_groups[g].hasNote = true;
        endInsertRows();
    }
    emit dataChanged(top, top);
}

bool SandboxModel::updateInPlace(int g, const QList<Sandbox> &sandboxes)
{
    Group &group = m_groups[g];
    if (sandboxes.isEmpty() || group.placeOf.size() != sandboxes.size() || group.rows.size() != sandboxes.size())
        return false;
    for (qsizetype i = 0; i < sandboxes.size(); ++i) {
        const Sandbox &before = group.rows.at(group.placeOf.at(i)).sandbox;
        if (before.id.id != sandboxes.at(i).id.id || before.name != sandboxes.at(i).name)
            return false;
    }
    QList<int> changed;
    for (qsizetype i = 0; i < sandboxes.size(); ++i) {
        const int row = group.placeOf.at(i);
        if (group.rows.at(row).sandbox == sandboxes.at(i))
            continue;
        group.rows[row].sandbox = sandboxes.at(i);
        changed.append(row);
    }
    std::ranges::sort(changed);
    const QModelIndex top = index(g, 0, {});
    for (qsizetype i = 0; i < changed.size();) {
        qsizetype end = i;
        while (end + 1 < changed.size() && changed.at(end + 1) == changed.at(end) + 1)
            ++end;
        emit dataChanged(index(changed.at(i), 0, top), index(changed.at(end), 0, top));
        i = end + 1;
    }
    return true;
}

void SandboxModel::mergeRows(int g, QList<Row> fresh)
{
    const QModelIndex top = index(g, 0, {});
    QList<Row> &rows = m_groups[g].rows;
    QHash<QString, qsizetype> freshAt;
    freshAt.reserve(fresh.size());
    for (qsizetype i = 0; i < fresh.size(); ++i)
        freshAt.insert(fresh[i].sandbox.id.id, i);

    // 1. What is gone, in runs from the end.
    for (int last = int(rows.size()) - 1; last >= 0;) {
        if (freshAt.contains(rows[last].sandbox.id.id)) {
            --last;
            continue;
        }
        int first = last;
        while (first > 0 && !freshAt.contains(rows[first - 1].sandbox.id.id))
            --first;
        beginRemoveRows(top, first, last);
        rows.remove(first, last - first + 1);
        endRemoveRows();
        last = first - 1;
    }

    // 2. What stayed, brought into the new order: a renamed row keeps its selection.
    const auto inNewOrder = [&freshAt](const Row &a, const Row &b) {
        return freshAt.value(a.sandbox.id.id) < freshAt.value(b.sandbox.id.id);
    };
    if (!std::ranges::is_sorted(rows, inNewOrder)) {
        emit layoutAboutToBeChanged({QPersistentModelIndex(top)}, VerticalSortHint);
        QHash<int, QString> idAt;
        const QModelIndexList held = persistentIndexList();
        for (const QModelIndex &one : held) {
            if (one.internalId() == m_groups[g].serial)
                idAt.insert(one.row(), rows[one.row()].sandbox.id.id);
        }
        std::ranges::sort(rows, inNewOrder);
        QHash<QString, int> rowOf;
        for (int i = 0; i < int(rows.size()); ++i)
            rowOf.insert(rows[i].sandbox.id.id, i);
        for (const QModelIndex &one : held) {
            if (one.internalId() == m_groups[g].serial)
                changePersistentIndex(one, createIndex(rowOf.value(idAt.value(one.row())), 0, one.internalId()));
        }
        emit layoutChanged({QPersistentModelIndex(top)}, VerticalSortHint);
    }

    // 3. New values, in runs.
    int changedFrom = -1;
    const auto flush = [&](int end) {
        if (changedFrom >= 0)
            emit dataChanged(index(changedFrom, 0, top), index(end, 0, top));
        changedFrom = -1;
    };
    for (int i = 0; i < int(rows.size()); ++i) {
        const Row &next = fresh[freshAt.value(rows[i].sandbox.id.id)];
        if (rows[i].sandbox == next.sandbox) {
            flush(i - 1);
            continue;
        }
        rows[i] = next;
        if (changedFrom < 0)
            changedFrom = i;
    }
    flush(int(rows.size()) - 1);

    // 4. What is new, in runs.
    for (int i = 0; i < int(fresh.size());) {
        if (i < int(rows.size()) && rows[i].sandbox.id == fresh[i].sandbox.id) {
            ++i;
            continue;
        }
        int end = i;
        const QString next = i < int(rows.size()) ? rows[i].sandbox.id.id : QString();
        while (end < int(fresh.size()) && (next.isEmpty() || fresh[end].sandbox.id.id != next))
            ++end;
        beginInsertRows(top, i, end - 1);
        if (i == int(rows.size())) {
            rows.append(fresh.sliced(i, end - i));
        } else {
            QList<Row> joined = rows.first(i);
            joined.reserve(rows.size() + end - i);
            joined.append(fresh.sliced(i, end - i));
            joined.append(rows.sliced(i));
            rows.swap(joined);
        }
        endInsertRows();
        i = end;
    }
}

} // namespace Sandpiper
