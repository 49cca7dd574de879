// How the tree follows the registry and the annotations: what differs is changed, and nothing else.
#include "ui/sandboxmodel.h"

#include "ui/sandboxtext.h"

#include <QSet>

#include <algorithm>
#include <map>
#include <tuple>

namespace Sandpiper {

namespace {

// More rows than this changing their place at once are taken out and put in again: each move costs
// the proxies above a pass over their rows.
constexpr qsizetype mostMoves = 100;

} // namespace

struct SandboxModel::Sorted
{
    QList<Row> loose;
    QList<Row> favourites;             // those of other accounts among them
    std::map<QString, QList<Row>> groups; // by name
    QHash<SandboxId, QString> homes;   // SectionRole of where each belongs
};

QString SandboxModel::sectionKey(const QString &accountId, const QString &group)
{
    // The favourites have no account; a slash is in no account's id.
    return accountId.isEmpty() ? QStringLiteral("/favourites") : group.isEmpty() ? accountId : accountId + u'/' + group;
}

bool SandboxModel::isBefore(const Row &a, const Row &b)
{
    const int order = a.key.compare(b.key);
    if (order != 0)
        return order < 0;
    return std::tie(a.sandbox.id.account, a.sandbox.id.id) < std::tie(b.sandbox.id.account, b.sandbox.id.id);
}

std::unique_ptr<SandboxModel::Section> SandboxModel::makeSection(RowKind kind, Section *parent, const QString &accountId, const QString &name)
{
    auto section = std::make_unique<Section>();
    section->kind = kind;
    section->serial = m_nextSerial++;
    section->parent = parent;
    section->accountId = accountId;
    section->name = name;
    m_bySerial.insert(section->serial, section.get());
    return section;
}

void SandboxModel::forget(const Section &section)
{
    for (const auto &group : section.groups)
        m_bySerial.remove(group->serial);
    m_bySerial.remove(section.serial);
}

void SandboxModel::syncGroups()
{
    QStringList wanted;
    for (const AccountHub::Entry &entry : m_hub->entries())
        wanted.append(entry.account.id);
    QStringList gone;
    for (const auto &section : m_top) {
        if (section->kind == RowKind::Account && !wanted.contains(section->accountId))
            gone.append(section->accountId);
    }
    for (const QString &accountId : std::as_const(gone)) {
        arrange(*accountSection(accountId), {}); // its favourites go with it
        const int row = accountIndex(accountId).row();
        beginRemoveRows({}, row, row);
        forget(*m_top[size_t(row)]);
        m_top.erase(m_top.begin() + row);
        endRemoveRows();
    }
    for (int i = 0; i < int(wanted.size()); ++i) {
        const int row = i + (favourites() ? 1 : 0);
        if (row < int(m_top.size()) && m_top[size_t(row)]->accountId == wanted[i])
            continue;
        beginInsertRows({}, row, row);
        m_top.insert(m_top.begin() + row, makeSection(RowKind::Account, nullptr, wanted[i], {}));
        endInsertRows();
        syncRows(wanted[i]);
    }
}

void SandboxModel::accountChanged(const QString &accountId)
{
    const Section *account = accountSection(accountId);
    if (!account)
        return;
    syncRows(accountId);
    const QModelIndex head = indexOf(*account);
    emit dataChanged(head, head);
    if (account->hasNote) {
        const QModelIndex note = index(0, 0, head);
        emit dataChanged(note, note);
    }
    // These name their account.
    if (const Section *chosen = favourites()) {
        const QModelIndex above = indexOf(*chosen);
        emit dataChanged(index(0, 0, above), index(int(chosen->rows.size()) - 1, 0, above), {DetailRole});
    }
}

void SandboxModel::keysChanged()
{
    const QModelIndex at = keysIndex();
    emit dataChanged(at, at);
}

void SandboxModel::annotationsChanged(const QList<SandboxId> &sandboxes)
{
    QSet<QString> accounts;
    for (const SandboxId &id : sandboxes)
        accounts.insert(id.account);
    for (const QString &accountId : std::as_const(accounts)) {
        Section *account = accountSection(accountId);
        const SandboxRegistry::AccountView *view = m_registry->view(accountId);
        if (account && view)
            arrange(*account, view->sandboxes);
    }
    const QSet<SandboxId> touched(sandboxes.cbegin(), sandboxes.cend());
    for (const Section *section : std::as_const(m_bySerial)) {
        QList<int> rows;
        for (int row = 0; row < int(section->rows.size()); ++row) {
            if (touched.contains(section->rows.at(row).sandbox.id))
                rows.append(row);
        }
        emitRuns(*section, rows);
    }
}

void SandboxModel::syncRows(const QString &accountId)
{
    Section *account = accountSection(accountId);
    if (!account)
        return;
    const SandboxRegistry::AccountView *view = m_registry->view(accountId);
    if (view && updateInPlace(*account, view->sandboxes))
        return;
    arrange(*account, view ? view->sandboxes : QList<Sandbox>());
}

bool SandboxModel::updateInPlace(const Section &account, const QList<Sandbox> &sandboxes)
{
    if (sandboxes.isEmpty() || account.places.size() != sandboxes.size())
        return false;
    // A place may be of before another account's favourites came or went; then the id is another one.
    const auto rowAt = [this](const Place &place) -> Row * {
        Section *section = m_bySerial.value(place.section);
        return section && place.row < int(section->rows.size()) ? &section->rows[place.row] : nullptr;
    };
    for (qsizetype i = 0; i < sandboxes.size(); ++i) {
        const Row *row = rowAt(account.places.at(i));
        if (!row || row->sandbox.id != sandboxes.at(i).id || row->sandbox.name != sandboxes.at(i).name)
            return false;
    }
    QHash<quintptr, QList<int>> changed;
    for (qsizetype i = 0; i < sandboxes.size(); ++i) {
        const Place &place = account.places.at(i);
        Row *row = rowAt(place);
        if (row->sandbox == sandboxes.at(i))
            continue;
        row->sandbox = sandboxes.at(i);
        changed[place.section].append(place.row);
    }
    for (const auto &[serial, rows] : changed.asKeyValueRange())
        emitRuns(*m_bySerial.value(serial), rows);
    return true;
}

void SandboxModel::emitRuns(const Section &section, QList<int> rows)
{
    std::ranges::sort(rows);
    const QModelIndex head = indexOf(section);
    for (qsizetype i = 0; i < rows.size();) {
        qsizetype end = i;
        while (end + 1 < rows.size() && rows.at(end + 1) == rows.at(end) + 1)
            ++end;
        emit dataChanged(index(rows.at(i), 0, head), index(rows.at(end), 0, head));
        i = end + 1;
    }
}

void SandboxModel::arrange(Section &account, const QList<Sandbox> &sandboxes)
{
    const Sorted wanted = sorted(account, sandboxes);
    account.total = int(sandboxes.size());
    makeSections(account, wanted);
    moveBetweenSections(account, wanted);
    mergeRows(account, wanted.loose);
    for (const auto &group : account.groups) {
        const auto it = wanted.groups.find(group->name);
        mergeRows(*group, it == wanted.groups.end() ? QList<Row>() : it->second);
    }
    if (Section *chosen = favourites())
        mergeRows(*chosen, wanted.favourites);
    dropEmptySections(account);
    if (account.childCount() == 0) {
        beginInsertRows(indexOf(account), 0, 0);
        account.hasNote = true;
        endInsertRows();
    }
    if (account.hasNote) {
        const QModelIndex note = index(0, 0, indexOf(account));
        emit dataChanged(note, note);
    }
    keepPlaces(account, sandboxes);
    // The heads say how many there are.
    for (const Section *section : sectionsOf(account)) {
        const QModelIndex head = indexOf(*section);
        emit dataChanged(head, head);
    }
}

SandboxModel::Sorted SandboxModel::sorted(const Section &account, const QList<Sandbox> &sandboxes) const
{
    Sorted wanted;
    if (const Section *chosen = favourites()) {
        std::ranges::copy_if(chosen->rows, std::back_inserter(wanted.favourites),
                             [&account](const Row &row) { return row.sandbox.id.account != account.accountId; });
    }
    wanted.homes.reserve(sandboxes.size());
    for (const Sandbox &sandbox : sandboxes) {
        const Annotation annotation = annotationOf(sandbox.id);
        QList<Row> &rows = annotation.isFavourite ? wanted.favourites
                : annotation.group.isEmpty()      ? wanted.loose
                                                  : wanted.groups[annotation.group];
        rows.append({sandbox, sortKey(sandbox.displayName())});
        wanted.homes.insert(sandbox.id, annotation.isFavourite   ? sectionKey(QString())
                                                         : sectionKey(account.accountId, annotation.group));
    }
    const auto sort = [](QList<Row> &rows) {
        if (!std::ranges::is_sorted(rows, isBefore))
            std::ranges::sort(rows, isBefore);
    };
    sort(wanted.loose);
    sort(wanted.favourites);
    for (auto &[name, rows] : wanted.groups)
        sort(rows);
    return wanted;
}

void SandboxModel::makeSections(Section &account, const Sorted &wanted)
{
    if (!wanted.favourites.isEmpty() && !favourites()) {
        beginInsertRows({}, 0, 0);
        m_top.insert(m_top.begin(), makeSection(RowKind::Favourites, nullptr, {}, {}));
        endInsertRows();
    }
    if (account.hasNote && (!wanted.loose.isEmpty() || !wanted.groups.empty())) {
        beginRemoveRows(indexOf(account), 0, 0);
        account.hasNote = false;
        endRemoveRows();
    }
    const auto isBeforeByName = [](const QString &a, const QString &b) {
        const int order = sortKey(a).compare(sortKey(b));
        return order != 0 ? order < 0 : a < b;
    };
    for (const auto &[name, rows] : wanted.groups) {
        const auto at = std::ranges::find_if(account.groups, [&](const auto &group) { return !isBeforeByName(group->name, name); });
        if (at != account.groups.end() && (*at)->name == name)
            continue;
        const int row = int(account.rows.size()) + int(at - account.groups.begin());
        beginInsertRows(indexOf(account), row, row);
        account.groups.insert(at, makeSection(RowKind::Group, &account, account.accountId, name));
        endInsertRows();
    }
}

void SandboxModel::moveBetweenSections(Section &account, const Sorted &wanted)
{
    QHash<QString, Section *> byKey;
    const QList<Section *> sections = sectionsOf(account);
    for (Section *section : sections)
        byKey.insert(sectionKey(*section), section);
    struct Move
    {
        Section *from;
        SandboxId id;
        Section *to;
    };
    QList<Move> moves;
    for (Section *from : sections) {
        for (const Row &row : std::as_const(from->rows)) {
            const auto home = wanted.homes.constFind(row.sandbox.id);
            if (home != wanted.homes.cend() && byKey.value(*home) != from)
                moves.append({from, row.sandbox.id, byKey.value(*home)});
        }
    }
    if (moves.size() > mostMoves)
        return;
    for (const Move &move : std::as_const(moves)) {
        const auto it = std::ranges::find(move.from->rows, move.id, [](const Row &row) { return row.sandbox.id; });
        const int row = int(it - move.from->rows.begin());
        const int to = int(std::ranges::lower_bound(move.to->rows, *it, isBefore) - move.to->rows.begin());
        beginMoveRows(indexOf(*move.from), row, row, indexOf(*move.to), to);
        move.to->rows.insert(to, move.from->rows.takeAt(row));
        endMoveRows();
    }
}

void SandboxModel::dropEmptySections(Section &account)
{
    for (int i = int(account.groups.size()) - 1; i >= 0; --i) {
        const auto at = account.groups.begin() + i;
        if (!(*at)->rows.isEmpty())
            continue;
        const int row = int(account.rows.size()) + i;
        beginRemoveRows(indexOf(account), row, row);
        forget(**at);
        account.groups.erase(at);
        endRemoveRows();
    }
    if (const Section *chosen = favourites(); chosen && chosen->rows.isEmpty()) {
        beginRemoveRows({}, 0, 0);
        forget(*chosen);
        m_top.erase(m_top.begin());
        endRemoveRows();
    }
}

void SandboxModel::keepPlaces(Section &account, const QList<Sandbox> &sandboxes)
{
    QHash<SandboxId, Place> placeOf;
    placeOf.reserve(sandboxes.size());
    for (const Section *section : sectionsOf(account)) {
        for (int row = 0; row < int(section->rows.size()); ++row)
            placeOf.insert(section->rows.at(row).sandbox.id, {section->serial, row});
    }
    account.places.clear();
    account.places.reserve(sandboxes.size());
    for (const Sandbox &sandbox : sandboxes)
        account.places.append(placeOf.value(sandbox.id));
}

void SandboxModel::mergeRows(Section &section, const QList<Row> &fresh)
{
    QHash<SandboxId, qsizetype> freshAt;
    freshAt.reserve(fresh.size());
    for (qsizetype i = 0; i < fresh.size(); ++i)
        freshAt.insert(fresh[i].sandbox.id, i);
    removeWhatIsGone(section, freshAt);
    reorder(section, freshAt);
    QList<int> changed;
    for (int i = 0; i < int(section.rows.size()); ++i) {
        const Row &next = fresh[freshAt.value(section.rows[i].sandbox.id)];
        if (section.rows[i].sandbox == next.sandbox)
            continue;
        section.rows[i] = next;
        changed.append(i);
    }
    emitRuns(section, changed);
    insertWhatIsNew(section, fresh);
}

void SandboxModel::removeWhatIsGone(Section &section, const QHash<SandboxId, qsizetype> &freshAt)
{
    // In runs from the end.
    QList<Row> &rows = section.rows;
    for (int last = int(rows.size()) - 1; last >= 0;) {
        if (freshAt.contains(rows[last].sandbox.id)) {
            --last;
            continue;
        }
        int first = last;
        while (first > 0 && !freshAt.contains(rows[first - 1].sandbox.id))
            --first;
        beginRemoveRows(indexOf(section), first, last);
        rows.remove(first, last - first + 1);
        endRemoveRows();
        last = first - 1;
    }
}

void SandboxModel::reorder(Section &section, const QHash<SandboxId, qsizetype> &freshAt)
{
    // A renamed row keeps its selection.
    QList<Row> &rows = section.rows;
    const auto inNewOrder = [&freshAt](const Row &a, const Row &b) {
        return freshAt.value(a.sandbox.id) < freshAt.value(b.sandbox.id);
    };
    if (std::ranges::is_sorted(rows, inNewOrder))
        return;
    const QPersistentModelIndex head(indexOf(section));
    emit layoutAboutToBeChanged({head}, VerticalSortHint);
    // The groups after the rows stay where they are.
    QHash<int, SandboxId> idAt;
    const QModelIndexList held = persistentIndexList();
    const auto isRowOfIt = [&](const QModelIndex &one) { return one.internalId() == section.serial && one.row() < int(rows.size()); };
    for (const QModelIndex &one : held) {
        if (isRowOfIt(one))
            idAt.insert(one.row(), rows[one.row()].sandbox.id);
    }
    std::ranges::sort(rows, inNewOrder);
    QHash<SandboxId, int> rowOf;
    for (int i = 0; i < int(rows.size()); ++i)
        rowOf.insert(rows[i].sandbox.id, i);
    for (const QModelIndex &one : held) {
        if (isRowOfIt(one))
            changePersistentIndex(one, createIndex(rowOf.value(idAt.value(one.row())), 0, one.internalId()));
    }
    emit layoutChanged({head}, VerticalSortHint);
}

void SandboxModel::insertWhatIsNew(Section &section, const QList<Row> &fresh)
{
    QList<Row> &rows = section.rows;
    for (int i = 0; i < int(fresh.size());) {
        if (i < int(rows.size()) && rows[i].sandbox.id == fresh[i].sandbox.id) {
            ++i;
            continue;
        }
        int end = i;
        const SandboxId next = i < int(rows.size()) ? rows[i].sandbox.id : SandboxId();
        while (end < int(fresh.size()) && (next.isEmpty() || fresh[end].sandbox.id != next))
            ++end;
        beginInsertRows(indexOf(section), i, end - 1);
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
