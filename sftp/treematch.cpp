#include "sftp/treematch.h"

#include "sftp/unfinishedname.h"

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr quint32 kPermissions = 0777; // what a transfer brings along

quint32 apart(const FileTimes &one, const FileTimes &other)
{
    return std::max(one.modified, other.modified) - std::min(one.modified, other.modified);
}

Differences differencesOf(const ComparePair &pair, FileType kind, const CompareOptions &options)
{
    Differences found;
    const FileAttributes &left = *pair.left;
    const FileAttributes &right = *pair.right;
    if (kind == FileType::Link) {
        // Permissions and times of a link are nobody's.
        found.setFlag(Difference::LinkTarget, pair.leftTarget != pair.rightTarget);
        return found;
    }
    found.setFlag(Difference::Mode, left.mode && right.mode && ((*left.mode ^ *right.mode) & kPermissions) != 0);
    if (kind == FileType::File) {
        found.setFlag(Difference::Size, left.size && right.size && *left.size != *right.size);
        found.setFlag(Difference::Time, left.times && right.times && apart(*left.times, *right.times) > options.secondsApart);
    }
    return found;
}

} // namespace

FileType kindOf(const FileAttributes &attributes)
{
    return attributes.type() == FileType::Unknown ? FileType::File : attributes.type();
}

CompareVerdict judge(const ComparePair &pair, const CompareOptions &options)
{
    using State = CompareRow::State;
    CompareVerdict verdict;
    CompareRow &row = verdict.row;
    row.path = pair.path;
    row.left = pair.left;
    row.right = pair.right;
    const auto isUnknown = [](const std::optional<FileAttributes> &side) { return side && side->type() == FileType::Unknown; };
    if (!pair.isLookedAt && (isUnknown(pair.left) || isUnknown(pair.right))) {
        verdict.next = CompareVerdict::Next::Stat;
        return verdict;
    }
    const auto kind = [](const std::optional<FileAttributes> &side) { return side ? kindOf(*side) : FileType::Unknown; };
    const FileType left = kind(pair.left);
    const FileType right = kind(pair.right);
    verdict.walksLeft = left == FileType::Folder;
    verdict.walksRight = right == FileType::Folder;
    if (!pair.right || !pair.left) {
        row.state = pair.left ? State::OnlyLeft : State::OnlyRight;
        return verdict;
    }
    if (left != right) {
        row.state = State::Differs;
        row.differences = Difference::Kind;
        return verdict;
    }
    if (left == FileType::Link && !(pair.leftTarget && pair.rightTarget)) {
        verdict.next = CompareVerdict::Next::Links;
        return verdict;
    }
    row.differences = differencesOf(pair, left, options);
    row.state = row.differences ? State::Differs : State::Same;
    // Without times there is nothing else to tell them apart by.
    const bool isTold = pair.left->times && pair.right->times;
    const bool isDoubtful = row.differences.testFlag(Difference::Time) || !isTold;
    if (options.readsContent && left == FileType::File && isDoubtful && !row.differences.testFlag(Difference::Size))
        verdict.next = CompareVerdict::Next::Content;
    return verdict;
}

FolderMatch matchFolder(const FilePath &folder, SideListing left, SideListing right, const CompareOptions &options)
{
    FolderMatch match;
    std::ranges::sort(left.entries, {}, &FileEntry::name);
    std::ranges::sort(right.entries, {}, &FileEntry::name);
    qsizetype l = 0;
    qsizetype r = 0;
    // A server may tell a name twice: the first counts.
    const auto skip = [](const QList<FileEntry> &entries, qsizetype &at) {
        const QByteArray name = entries.at(at).name;
        while (at < entries.size() && entries.at(at).name == name)
            ++at;
    };
    while (l < left.entries.size() || r < right.entries.size()) {
        const FileEntry *one = l < left.entries.size() ? &left.entries.at(l) : nullptr;
        const FileEntry *other = r < right.entries.size() ? &right.entries.at(r) : nullptr;
        if (one && other && one->name != other->name)
            (one->name < other->name ? other : one) = nullptr;
        const QByteArray name = one ? one->name : other->name;
        ComparePair pair;
        pair.left = one ? std::optional(one->attributes) : std::nullopt;
        pair.right = other ? std::optional(other->attributes) : std::nullopt;
        if (one)
            skip(left.entries, l);
        if (other)
            skip(right.entries, r);
        if (isUnfinishedName(name))
            continue;
        const Result<FilePath> path = folder.child(name);
        if (!path) {
            CompareRow row;
            row.path = folder;
            row.state = CompareRow::State::Failed;
            row.error = path.error();
            match.rows.append(row);
            continue;
        }
        pair.path = *path;
        const bool isFolder = (pair.left && pair.left->isFolder()) || (pair.right && pair.right->isFolder());
        if (options.excludes.match(*path, isFolder)) {
            CompareRow row;
            row.path = *path;
            row.state = CompareRow::State::LeftOut;
            row.left = pair.left;
            row.right = pair.right;
            match.rows.append(row);
            continue;
        }
        // Whether the other side has it too nobody can say; its listing has said that it failed.
        if ((!one && left.isThere && !left.isWhole) || (!other && right.isThere && !right.isWhole))
            continue;
        const CompareVerdict verdict = judge(pair, options);
        if (verdict.next != CompareVerdict::Next::Nothing) {
            match.open.append(pair);
            continue;
        }
        match.rows.append(verdict.row);
        if (verdict.walksLeft || verdict.walksRight)
            match.folders.append(verdict);
    }
    return match;
}

} // namespace Sandpiper
