#include "sftp/filelistmodel.h"

#include "session/background.h"

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

using namespace std::chrono_literals;

// So few are sorted at once, and the first of them are on the screen in the same turn.
constexpr qsizetype kSortedHere = 400;
constexpr auto kPace = 120ms;
constexpr int kMostTargetsUnderWay = 16;

std::shared_ptr<const FileListView> nothing()
{
    return std::make_shared<FileListView>();
}

// A million rows take their time to be freed.
void freeElsewhere(std::shared_ptr<const FileListView> view)
{
    if (view && view->all > 10'000)
        QThreadPool::globalInstance()->start([view = std::move(view)]() mutable { view.reset(); });
}

} // namespace

FileListModel::FileListModel(QObject *parent)
    : QAbstractTableModel(parent)
    , m_view(nothing())
{
    m_pace.setSingleShot(true);
    connect(&m_pace, &QTimer::timeout, this, &FileListModel::arrange);
    m_targetPace.setSingleShot(true);
    m_targetPace.setInterval(0ms);
    connect(&m_targetPace, &QTimer::timeout, this, &FileListModel::askTargets);
}

FileListModel::~FileListModel()
{
    if (m_cancelled)
        *m_cancelled = true;
}

void FileListModel::clear()
{
    ++m_turn;
    m_listing.reset();
    m_pace.stop();
    if (m_cancelled)
        *std::exchange(m_cancelled, nullptr) = true;
    m_arrangeAgain = m_isReplacing = m_isDone = m_hasNews = false;
    m_refused = 0;
    m_targets.clear();
    m_wantedTargets.clear();
    m_targetsUnderWay = 0;
    m_pieces.clear();
    m_folder = {};
    m_error = {};
    put(nothing());
    setState(State::Empty);
}

void FileListModel::show(FileSystem *files, const FilePath &folder)
{
    clear();
    if (files != m_files) {
        m_owners = {};
        m_askedUsers.clear();
        m_askedGroups.clear();
    }
    m_files = files;
    m_folder = folder;
    list();
}

void FileListModel::refresh(FileSystem *files)
{
    m_files = files;
    m_listing.reset();
    refresh();
}

void FileListModel::refresh()
{
    if (m_state == State::Empty || m_listing)
        return;
    list();
}

void FileListModel::list()
{
    if (!m_files)
        return;
    m_isReplacing = m_state == State::Ready || (m_state == State::Failed && m_view->all > 0);
    m_isDone = false;
    m_pieces.clear();
    m_refused = 0;
    m_listing = m_files->list(m_folder);
    connect(m_listing.get(), &FileListing::rowsReceived, this, &FileListModel::take);
    connect(m_listing.get(), &FileListing::finished, this, &FileListModel::finish);
    if (!m_isReplacing)
        setState(State::Loading);
}

void FileListModel::take(const QList<FileEntry> &rows)
{
    m_pieces.append(rows);
    m_listing->consumed(rows.size());
    m_hasNews = true;
    if (m_isReplacing)
        return;
    if (m_view->all == 0 && rows.size() <= kSortedHere) {
        m_hasNews = false;
        return put(viewOf(m_pieces, m_order, std::atomic<bool>(false)));
    }
    // The more there are the longer it takes, and the less one more sorting shows.
    if (!m_pace.isActive())
        m_pace.start(std::max<std::chrono::milliseconds>(kPace, std::chrono::milliseconds(m_view->all / 200)));
}

void FileListModel::finish(const Result<ListEnd> &end)
{
    m_listing.release()->deleteLater(); // it is what speaks
    if (!end) {
        m_error = end.error();
        m_pace.stop();
        if (m_isReplacing)
            m_pieces = m_view->pieces;
        else if (m_hasNews)
            arrange();
        return setState(State::Failed);
    }
    m_refused = end->refused;
    m_isDone = true;
    m_pace.stop();
    arrange();
}

void FileListModel::setOrder(const FileOrder &order)
{
    if (std::exchange(m_order, order) == order)
        return;
    emit headerDataChanged(Qt::Horizontal, 0, kFileColumns - 1);
    if (m_state == State::Empty)
        return;
    if (m_listing && m_isReplacing)
        return; // what comes will be in the new order; until then what is there
    if (m_pieces.size() <= 4 && m_view->all <= kSortedHere && !m_cancelled) {
        m_hasNews = false;
        return put(viewOf(m_pieces, m_order, std::atomic<bool>(false)));
    }
    arrange();
}

void FileListModel::arrange()
{
    if (m_cancelled) {
        m_arrangeAgain = true;
        return;
    }
    m_hasNews = false;
    m_cancelled = std::make_shared<std::atomic<bool>>(false);
    struct Work
    {
        std::shared_ptr<const FileListView> view;
        bool same = false;
        FileOrder order;
    };
    const bool compares = m_isReplacing && m_isDone;
    inBackground(
            this,
            [pieces = m_pieces, order = m_order, cancelled = m_cancelled, was = m_view, compares] {
                if (compares && sameFiles(was->pieces, pieces))
                    return Work{nullptr, true, order};
                return Work{viewOf(pieces, order, *cancelled), false, order};
            },
            [this, turn = m_turn](Work work) {
                if (turn != m_turn)
                    return;
                m_cancelled = nullptr;
                if (work.order != m_order)
                    m_arrangeAgain = true;
                arranged(std::move(work.view), work.same);
            });
}

void FileListModel::arranged(std::shared_ptr<const FileListView> view, bool same)
{
    if (same)
        m_pieces = m_view->pieces;
    else if (view)
        put(std::move(view));
    if (std::exchange(m_arrangeAgain, false)) {
        if (same)
            m_isReplacing = false; // the same files in another order are news
        return arrange();
    }
    if (m_isDone) {
        m_isReplacing = false;
        askOwners();
        setState(State::Ready);
    } else if (m_hasNews && !m_pace.isActive() && m_listing) {
        m_pace.start(kPace);
    }
}

void FileListModel::put(std::shared_ptr<const FileListView> view)
{
    if (view->rows.empty() && m_view->rows.empty()) {
        freeElsewhere(std::exchange(m_view, std::move(view)));
    } else {
        beginResetModel();
        freeElsewhere(std::exchange(m_view, std::move(view)));
        // A link that is there again may lead elsewhere.
        if (m_isReplacing)
            m_targets.clear();
        endResetModel();
    }
    emit counted();
}

void FileListModel::setState(State state)
{
    if (state != State::Failed)
        m_error = {};
    m_state = state;
    emit stateChanged();
}

void FileListModel::askOwners()
{
    QList<quint32> users;
    QList<quint32> groups;
    for (const QList<FileEntry> &piece : m_view->pieces) {
        for (const FileEntry &entry : piece) {
            if (!entry.attributes.owner)
                continue;
            if (const quint32 user = entry.attributes.owner->user; !m_askedUsers.contains(user)) {
                m_askedUsers.insert(user);
                users.append(user);
            }
            if (const quint32 group = entry.attributes.owner->group; !m_askedGroups.contains(group)) {
                m_askedGroups.insert(group);
                groups.append(group);
            }
        }
    }
    if ((users.isEmpty() && groups.isEmpty()) || !m_files)
        return;
    m_files->ownerNames(users, groups).then(this, [this, of = m_files](const Result<OwnerNames> &names) {
        if (!names || of != m_files)
            return; // numbers are shown
        m_owners.users.insert(names->users);
        m_owners.groups.insert(names->groups);
        if (rowCount() > 0)
            emit dataChanged(index(0, int(FileColumn::Owner)), index(rowCount() - 1, int(FileColumn::Owner)));
    });
}

QString FileListModel::ownerText(const FileOwner &owner) const
{
    const auto word = [](const QMap<quint32, QByteArray> &names, quint32 number) {
        const QByteArray name = names.value(number);
        return name.isEmpty() ? QString::number(number) : Sandpiper::shownBytes(name.left(64));
    };
    return word(m_owners.users, owner.user) + u':' + word(m_owners.groups, owner.group);
}

QString FileListModel::targetText(const FileEntry &entry) const
{
    if (entry.attributes.type() != FileType::Link)
        return {};
    const auto known = m_targets.constFind(entry.name);
    if (known != m_targets.constEnd())
        return *known;
    // Whoever asks has it on the screen.
    if (std::ranges::find(m_wantedTargets, entry.name) == m_wantedTargets.end())
        m_wantedTargets.push_back(entry.name);
    if (!m_targetPace.isActive())
        m_targetPace.start();
    return {};
}

void FileListModel::askTargets()
{
    while (m_files && !m_wantedTargets.empty() && m_targetsUnderWay < kMostTargetsUnderWay) {
        const QByteArray name = m_wantedTargets.front();
        m_wantedTargets.pop_front();
        const Result<FilePath> path = m_folder.child(name);
        if (!path || m_targets.contains(name))
            continue;
        m_targets.insert(name, QString());
        ++m_targetsUnderWay;
        m_files->readLink(*path).then(this, [this, name, turn = m_turn](const Result<FilePath> &target) {
            if (turn != m_turn)
                return;
            --m_targetsUnderWay;
            m_targets.insert(name, target ? target->shown() : u"?"_s);
            if (const int row = rowOf(name); row >= 0)
                emit dataChanged(index(row, int(FileColumn::Target)), index(row, int(FileColumn::Target)));
            askTargets();
        });
    }
}

FilePath FileListModel::path(int row) const
{
    return m_folder.child(entry(row).name).value_or(m_folder);
}

int FileListModel::rowOf(const QByteArray &name) const
{
    const auto found = std::ranges::find_if(m_view->rows, [&name](const FileEntry *entry) { return entry->name == name; });
    return found == m_view->rows.end() ? -1 : int(found - m_view->rows.begin());
}

QHash<QByteArray, int> FileListModel::rowsByName() const
{
    QHash<QByteArray, int> rows;
    rows.reserve(qsizetype(m_view->rows.size()));
    for (size_t row = 0; row < m_view->rows.size(); ++row)
        rows.insert(m_view->rows[row]->name, int(row));
    return rows;
}

int FileListModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : int(m_view->rows.size());
}

int FileListModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : kFileColumns;
}

QVariant FileListModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid() || size_t(index.row()) >= m_view->rows.size())
        return {};
    const FileEntry &one = entry(index.row());
    const auto column = FileColumn(index.column());
    switch (role) {
    case Qt::DisplayRole:
        switch (column) {
        case FileColumn::Name: return Sandpiper::shownBytes(one.name);
        case FileColumn::Target: return targetText(one);
        case FileColumn::Owner: return one.attributes.owner ? ownerText(*one.attributes.owner) : QString();
        case FileColumn::Size:
        case FileColumn::Modified:
        case FileColumn::Mode: return m_wording ? m_wording(one, column) : QString();
        }
        return {};
    case Qt::EditRole: return column == FileColumn::Name ? Sandpiper::shownBytes(one.name) : QVariant();
    case Qt::TextAlignmentRole: return QVariant::fromValue<Qt::Alignment>((column == FileColumn::Size ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    case IsFolderRole: return one.attributes.isFolder();
    case IsLinkRole: return one.attributes.type() == FileType::Link;
    case IsPlainTextRole: return QString::fromUtf8(one.name) == Sandpiper::shownBytes(one.name);
    default: return {};
    }
}

QVariant FileListModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue<Qt::Alignment>((section == int(FileColumn::Size) ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    return role == Qt::DisplayRole && m_titles ? m_titles(FileColumn(section)) : QVariant();
}

Qt::ItemFlags FileListModel::flags(const QModelIndex &index) const
{
    if (!index.isValid())
        return Qt::NoItemFlags;
    Qt::ItemFlags flags = Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemNeverHasChildren;
    if (index.column() == int(FileColumn::Name))
        flags |= Qt::ItemIsEditable | Qt::ItemIsDragEnabled;
    return flags;
}

} // namespace Sandpiper
