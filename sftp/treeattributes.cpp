#include "sftp/treeattributes.h"

namespace Sandpiper {
namespace {

using namespace Qt::Literals::StringLiterals;

constexpr quint32 kAll = 07777;
constexpr quint32 kExecute = 0111;
constexpr quint32 kSpecial = 07000;
constexpr quint32 kOwnerMayList = 0500;

bool isNothing(const FileAttributes &wish)
{
    return !wish.mode && !wish.owner && !wish.times;
}

// Whether its owner can look into it afterwards: then it is set first, as it may be what lets us in; else last.
bool staysOpen(const FileAttributes &wish)
{
    return !wish.mode || (*wish.mode & kOwnerMayList) == kOwnerMayList;
}

} // namespace

FileAttributes wishFor(const AttributeChange &change, const FileAttributes &found, TreePlace place)
{
    FileAttributes wish;
    quint32 touched = (change.set | change.clear) & kAll;
    if (place == TreePlace::Inside && !found.isFolder()) {
        touched &= ~kSpecial;
        const bool somebodyMay = found.mode.value_or(0) & kExecute;
        if (change.execute == AttributeChange::Execute::Leave)
            touched &= ~kExecute;
        else if (change.execute == AttributeChange::Execute::WhereItIs && !somebodyMay)
            touched &= ~(kExecute & change.set);
    }
    if (found.mode && touched != 0) {
        const quint32 before = *found.mode & kAll;
        const quint32 after = (before & ~(change.clear & touched)) | (change.set & touched);
        if (after != before)
            wish.mode = after;
    }
    if (found.owner) {
        const FileOwner after{change.user.value_or(found.owner->user), change.group.value_or(found.owner->group)};
        if (after != *found.owner) {
            wish.owner = after;
            // A change of the owner may take bits away: they are said again.
            if (!wish.mode && found.mode && (*found.mode & kSpecial))
                wish.mode = *found.mode & kAll;
        }
    }
    if (change.modified && (!found.times || found.times->modified != *change.modified))
        wish.times = FileTimes{found.times ? found.times->accessed : *change.modified, *change.modified};
    return wish;
}

TreeAttributes::TreeAttributes(FileSystem *files, const QList<Target> &targets, const AttributeChange &change, Reach reach, QObject *parent)
    : TreeWork(files, targets, parent)
    , m_change(change)
    , m_reach(reach)
{
}

// One after the other: OpenSSH's server sets the permissions before the owner, whose change takes set-ID bits away.
QFuture<Done> TreeAttributes::apply(const FilePath &path, const FileAttributes &wanted)
{
    if (!wanted.owner || !wanted.mode)
        return files()->setAttributes(path, wanted);
    FileAttributes first;
    first.owner = wanted.owner;
    FileAttributes then = wanted;
    then.owner.reset();
    return files()
            ->setAttributes(path, first)
            .then(this, [this, path, then](const Done &done) {
                return done && files() ? files()->setAttributes(path, then) : QtFuture::makeReadyValueFuture(done ? failure(ErrorKind::ConnectionLost, Layer::Sftp, {}, path.shown()) : done);
            })
            .unwrap();
}

QFuture<Done> TreeAttributes::doFile(const Item &item)
{
    const FileAttributes wanted = wish(item);
    const bool isLink = item.isInside && item.attributes.type() == FileType::Link;
    return isLink || isNothing(wanted) ? QtFuture::makeReadyValueFuture(Done()) : apply(item.path, wanted);
}

std::optional<QFuture<Done>> TreeAttributes::beforeFolder(const Item &item)
{
    FileAttributes wanted = wish(item);
    wanted.times.reset(); // what is done in it changes them
    if (isNothing(wanted) || !staysOpen(wanted))
        return std::nullopt;
    return apply(item.path, wanted);
}

std::optional<QFuture<Done>> TreeAttributes::afterFolder(const Item &item, FolderEnd)
{
    FileAttributes wanted = wish(item);
    if (staysOpen(wanted)) { // done already
        wanted.mode.reset();
        wanted.owner.reset();
    }
    if (isNothing(wanted))
        return std::nullopt;
    return apply(item.path, wanted);
}

} // namespace Sandpiper
