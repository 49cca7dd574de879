#include "sftp/treecompare.h"

#include "session/background.h"
#include "sftp/contentcompare.h"
#include "sftp/localdisk.h"

#include <algorithm>

#include <linux/magic.h>
#include <sys/vfs.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr size_t kMostFolders = 8; // each with a listing on either side
constexpr qint64 kMostNames = 200'000; // above this no further folder is opened
constexpr qsizetype kMostInFolder = 1'000'000; // on one side
constexpr int kMostAsking = 64;
constexpr size_t kMostReads = 2;
constexpr size_t kMostOpen = 20'000; // a folder that is listed while so many wait would only fill the memory
constexpr CompareSide kBoth[] = {CompareSide::Left, CompareSide::Right};

} // namespace

quint32 clockStep(quint64 kindOfDisk)
{
    return kindOfDisk == MSDOS_SUPER_MAGIC ? 2 : 1;
}

TreeCompare::TreeCompare(const Place &left, const Place &right, const CompareOptions &options, QObject *parent)
    : QObject(parent)
    , m_sides{{left.files, left.root, left.mayBeMissing}, {right.files, right.root, right.mayBeMissing}}
    , m_options(options)
{
}

TreeCompare::~TreeCompare() = default;

void TreeCompare::start()
{
    for (const CompareSide which : kBoth) {
        if (side(which).files)
            connect(side(which).files, &FileSystem::ended, this, [this](const Error &error) { end(std::unexpected(error)); });
        ++m_tops;
        lookAtTop(which);
        if (side(which).files && side(which).files->isLocal())
            askClock(side(which).root);
    }
}

void TreeCompare::lookAtTop(CompareSide which)
{
    const Side &at = side(which);
    if (!at.files) {
        QMetaObject::invokeMethod(this, [this] { end(failure(ErrorKind::ConnectionLost, Layer::Sftp)); }, Qt::QueuedConnection);
        return;
    }
    at.files->stat(at.root, LinkPolicy::Follow).then(this, [this, which](const Result<FileAttributes> &top) {
        Side &there = side(which);
        const bool isMissing = !top && top.error().kind == ErrorKind::NotFound;
        if (isMissing && there.mayBeMissing)
            there.isMissing = true;
        else if (!top)
            return end(std::unexpected(top.error()));
        else if (kindOf(*top) != FileType::Folder && top->mode)
            return end(failure(ErrorKind::InvalidInput, Layer::LocalDisk, u"this is not a folder"_s, there.root.shown()));
        topAnswered();
    });
}

// A server does not say what its disk is.
void TreeCompare::askClock(const FilePath &root)
{
    ++m_tops;
    inBackground(
            diskPool(), this,
            [root] {
                struct statfs disk;
                return ::statfs(root.bytes().constData(), &disk) == 0 ? clockStep(quint64(disk.f_type)) : 1;
            },
            [this](quint32 step) {
                m_options.secondsApart = std::max(m_options.secondsApart, step);
                topAnswered();
            });
}

void TreeCompare::topAnswered()
{
    if (--m_tops > 0 || m_isOver)
        return;
    m_walks.push_back({FilePath(), !m_sides[0].isMissing, !m_sides[1].isMissing});
    startMore();
    finishIfDone();
}

void TreeCompare::startMore()
{
    if (m_isOver)
        return;
    while (m_asking < kMostAsking && !m_open.empty()) {
        const ComparePair pair = std::move(m_open.front());
        m_open.pop_front();
        switch (judge(pair, m_options).next) {
        case CompareVerdict::Next::Stat: askStat(pair); break;
        case CompareVerdict::Next::Links: askLinks(pair); break;
        case CompareVerdict::Next::Content: m_toRead.push_back(pair); break;
        case CompareVerdict::Next::Nothing: settle(pair); break;
        }
    }
    while (m_reads.size() < kMostReads && !m_toRead.empty()) {
        const ComparePair pair = std::move(m_toRead.front());
        m_toRead.pop_front();
        readBoth(pair);
    }
    // The latest first: depth before breadth keeps what waits small.
    while (m_folders.size() < kMostFolders && m_names < kMostNames && m_open.size() + m_toRead.size() < kMostOpen && !m_walks.empty()) {
        const Walk walk = std::move(m_walks.back());
        m_walks.pop_back();
        open(walk);
    }
}

void TreeCompare::open(const Walk &walk)
{
    const qint64 id = ++m_lastId;
    Folder &folder = m_folders[id];
    folder.path = walk.path;
    folder.sides[0].isThere = walk.left;
    folder.sides[1].isThere = walk.right;
    folder.left = (walk.left ? 1 : 0) + (walk.right ? 1 : 0);
    if (folder.left == 0) // both tops are missing
        return match(id);
    for (const CompareSide which : kBoth) {
        if (folder.sides[int(which)].isThere)
            list(id, which);
    }
}

void TreeCompare::list(qint64 id, CompareSide which)
{
    Folder &folder = m_folders[id];
    FileSystem *files = side(which).files;
    if (!files) {
        QMetaObject::invokeMethod(this, [this] { end(failure(ErrorKind::ConnectionLost, Layer::Sftp)); }, Qt::QueuedConnection);
        return;
    }
    std::unique_ptr<FileListing> &listing = folder.listings[int(which)];
    listing = files->list(fullPath(which, folder.path));
    connect(listing.get(), &FileListing::rowsReceived, this, [this, id, which](const QList<FileEntry> &rows) {
        Folder &at = m_folders[id];
        SideListing &in = at.sides[int(which)];
        in.entries += rows;
        m_names += rows.size();
        if (in.entries.size() > kMostInFolder)
            return listed(id, which, failure(ErrorKind::TooLarge, Layer::LocalDisk, u"there are more than %L1 names in it"_s.arg(kMostInFolder), fullPath(which, at.path).shown()));
        at.listings[int(which)]->consumed(rows.size());
    });
    connect(listing.get(), &FileListing::finished, this, [this, id, which](const Result<ListEnd> &how) { listed(id, which, how); });
}

void TreeCompare::listed(qint64 id, CompareSide which, const Result<ListEnd> &how)
{
    Folder &folder = m_folders[id];
    FileListing *listing = folder.listings[int(which)].release();
    listing->disconnect(this);
    listing->deleteLater(); // it is what speaks
    if (!how && lose(how.error()))
        return;
    if (!how && folder.path.isEmpty() && folder.sides[int(which)].entries.isEmpty())
        return end(std::unexpected(how.error()));
    if (!how)
        tellFailure(folder.path, how.error());
    else if (how->refused > 0)
        tellFailure(folder.path, {ErrorKind::Protocol, Layer::Sftp, u"%1 names there cannot be the names of files"_s.arg(how->refused), fullPath(which, folder.path).shown()});
    folder.sides[int(which)].isWhole = how.has_value();
    if (--folder.left == 0)
        match(id);
}

void TreeCompare::match(qint64 id)
{
    Folder &folder = m_folders[id];
    const qint64 names = folder.sides[0].entries.size() + folder.sides[1].entries.size();
    inBackground(
            this, [path = folder.path, left = std::move(folder.sides[0]), right = std::move(folder.sides[1]), options = m_options] { return matchFolder(path, left, right, options); },
            [this, id, names](const FolderMatch &match) {
                m_folders.erase(id);
                m_names -= names;
                if (m_isOver)
                    return;
                ++m_foldersDone;
                take(match);
                startMore();
                finishIfDone();
            });
}

void TreeCompare::take(const FolderMatch &match)
{
    for (const CompareRow &row : match.rows)
        tell(row);
    m_open.insert(m_open.end(), match.open.begin(), match.open.end());
    for (const CompareVerdict &folder : match.folders)
        m_walks.push_back({folder.row.path, folder.walksLeft, folder.walksRight});
}

void TreeCompare::settle(ComparePair pair)
{
    const CompareVerdict verdict = judge(pair, m_options);
    if (verdict.next != CompareVerdict::Next::Nothing)
        return m_open.push_back(std::move(pair));
    tell(verdict.row);
    if (verdict.walksLeft || verdict.walksRight)
        m_walks.push_back({pair.path, verdict.walksLeft, verdict.walksRight});
}

void TreeCompare::askStat(const ComparePair &pair)
{
    struct Answers
    {
        ComparePair pair;
        int left = 0;
        std::optional<Error> error;
    };
    const auto answers = std::make_shared<Answers>(Answers{pair, 0, {}}); // of the two continuations
    const auto answered = [this, answers] {
        if (--answers->left > 0)
            return;
        --m_asking;
        ComparePair &now = answers->pair;
        now.isLookedAt = true;
        const bool isFolder = (now.left && now.left->isFolder()) || (now.right && now.right->isFolder());
        if (answers->error) {
            if (lose(*answers->error))
                return;
            tellFailure(now.path, *answers->error);
        } else if (isFolder && m_options.excludes.match(now.path, true)) {
            CompareRow row;
            row.path = now.path;
            row.state = CompareRow::State::LeftOut;
            row.left = now.left;
            row.right = now.right;
            tell(row);
        } else {
            settle(now);
        }
        startMore();
        finishIfDone();
    };
    ++m_asking;
    for (const CompareSide which : kBoth)
        answers->left += (which == CompareSide::Left ? pair.left : pair.right) ? 1 : 0;
    for (const CompareSide which : kBoth) {
        if (!(which == CompareSide::Left ? pair.left : pair.right))
            continue;
        FileSystem *files = side(which).files;
        if (!files) {
            answers->error = Error{ErrorKind::ConnectionLost, Layer::Sftp, {}, {}};
            QMetaObject::invokeMethod(this, answered, Qt::QueuedConnection);
            continue;
        }
        files->stat(fullPath(which, pair.path), LinkPolicy::NoFollow).then(this, [answers, which, answered](const Result<FileAttributes> &told) {
            (which == CompareSide::Left ? answers->pair.left : answers->pair.right) = told.value_or(FileAttributes());
            if (!told)
                answers->error = told.error();
            answered();
        });
    }
}

void TreeCompare::askLinks(const ComparePair &pair)
{
    const auto asked = std::make_shared<ComparePair>(pair); // of the two continuations
    const auto left = std::make_shared<int>(2);
    const auto failed = std::make_shared<std::optional<Error>>();
    ++m_asking;
    for (const CompareSide which : kBoth) {
        const auto answered = [this, asked, left, failed, which](const Result<FilePath> &told) {
            (which == CompareSide::Left ? asked->leftTarget : asked->rightTarget) = told.value_or(FilePath());
            if (!told)
                *failed = told.error();
            if (--*left > 0)
                return;
            --m_asking;
            if (*failed && lose(**failed))
                return;
            *failed ? tellFailure(asked->path, **failed) : settle(*asked);
            startMore();
            finishIfDone();
        };
        if (FileSystem *files = side(which).files)
            files->readLink(fullPath(which, pair.path)).then(this, answered);
        else
            QMetaObject::invokeMethod(this, [answered] { answered(failure(ErrorKind::ConnectionLost, Layer::Sftp)); }, Qt::QueuedConnection);
    }
}

void TreeCompare::readBoth(const ComparePair &pair)
{
    const qint64 id = ++m_lastId;
    std::unique_ptr<ContentCompare> &read = m_reads[id];
    read = std::make_unique<ContentCompare>(m_sides[0].files, fullPath(CompareSide::Left, pair.path), m_sides[1].files, fullPath(CompareSide::Right, pair.path));
    connect(read.get(), &ContentCompare::finished, this, [this, id, pair](const Result<bool> &isSame) {
        m_reads[id].release()->deleteLater(); // it is what speaks
        m_reads.erase(id);
        if (!isSame && lose(isSame.error()))
            return;
        if (!isSame) {
            tellFailure(pair.path, isSame.error());
        } else {
            CompareRow row = judge(pair, m_options).row;
            row.isRead = true;
            row.differences.setFlag(Difference::Content, !*isSame);
            row.state = row.differences ? CompareRow::State::Differs : CompareRow::State::Same;
            tell(row);
        }
        startMore();
        finishIfDone();
    });
}

// Many folders are small: they are told together.
void TreeCompare::tell(const CompareRow &row)
{
    if (m_rows.isEmpty())
        QMetaObject::invokeMethod(this, &TreeCompare::flush, Qt::QueuedConnection);
    m_rows.append(row);
}

void TreeCompare::tellFailure(const FilePath &path, const Error &error)
{
    CompareRow row;
    row.path = path;
    row.state = CompareRow::State::Failed;
    row.error = error;
    tell(row);
}

void TreeCompare::flush()
{
    if (!m_rows.isEmpty())
        emit found(std::exchange(m_rows, {}));
}

bool TreeCompare::lose(const Error &error)
{
    const bool isEnd = error.kind == ErrorKind::ConnectionLost || error.kind == ErrorKind::Cancelled;
    if (!isEnd)
        return m_isOver;
    end(std::unexpected(error));
    return true;
}

void TreeCompare::finishIfDone()
{
    if (m_tops == 0 && m_walks.empty() && m_folders.empty() && m_open.empty() && m_toRead.empty() && m_reads.empty() && m_asking == 0)
        end({});
}

void TreeCompare::end(const Done &how)
{
    if (std::exchange(m_isOver, true))
        return;
    m_walks.clear();
    m_open.clear();
    m_toRead.clear();
    for (auto &[id, folder] : m_folders) {
        for (std::unique_ptr<FileListing> &listing : folder.listings) {
            if (listing) {
                listing->disconnect(this);
                listing.release()->deleteLater(); // it may be what speaks
            }
        }
    }
    for (auto &[id, read] : m_reads) {
        read->disconnect(this);
        read.release()->deleteLater();
    }
    m_reads.clear();
    // Whoever hears of it may delete us.
    QMetaObject::invokeMethod(
            this,
            [this, how] {
                flush();
                emit finished(how);
            },
            Qt::QueuedConnection);
}

} // namespace Sandpiper
