#include "sftp/fileanswer.h"
#include "sftp/transferscan.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

struct RemoteScan::Listing
{
    Folder folder;
    const FileSystem *of = nullptr; // to be compared only
    std::unique_ptr<FileListing> stream;
    QSet<QByteArray> seen; // names that were told, in case it has to be asked again
};

RemoteScan::RemoteScan(const TransferWish &wish, Layer layer, std::function<FileSystem *()> files, QObject *parent)
    : TransferScan(wish, parent)
    , m_layer(layer)
    , m_files(std::move(files))
{
}

RemoteScan::~RemoteScan() = default;

void RemoteScan::start()
{
    began();
    if (isNamed()) {
        tellStrays();
        return lookAtBase();
    }
    for (const FilePath &source : wish().sources) {
        began();
        lookAtSource(source);
    }
    ended();
}

void RemoteScan::lookAtBase()
{
    FileSystem *files = m_files();
    if (!files)
        return postpone([this] { lookAtBase(); });
    onAnswer(files->stat(wish().base), this, [this, files](const Result<FileAttributes> &found) {
        if (!found && isCutOff(files, found.error(), [this] { lookAtBase(); }))
            return;
        if (found && found->isFolder())
            push({FilePath(), wish().base, {}, {}, {}});
        else
            emit failed(wish().base, found ? noFolderAnyMore(wish().base) : found.error());
        ended();
    });
}

void RemoteScan::postpone(std::function<void()> step)
{
    m_postponed.push_back(std::move(step));
}

bool RemoteScan::isCutOff(const FileSystem *of, const Error &error, std::function<void()> step)
{
    if (!isOutOfReach(error))
        return false;
    postpone(std::move(step));
    emit cutOff(of, error);
    return true;
}

void RemoteScan::retry()
{
    for (const auto &step : std::exchange(m_postponed, {}))
        step();
}

void RemoteScan::lookAtSource(const FilePath &source)
{
    FileSystem *files = m_files();
    if (!files)
        return postpone([this, source] { lookAtSource(source); });
    // What is named is meant, also by way of a link.
    onAnswer(files->stat(source), this, [this, files, source](const Result<FileAttributes> &found) {
        if (!found && isCutOff(files, found.error(), [this, source] { lookAtSource(source); }))
            return;
        const FilePath target = targetOf(source);
        if (!found) {
            emit failed(source, found.error());
        } else if (target.isEmpty()) {
            emit failed(source, {ErrorKind::InvalidInput, m_layer, u"it has no name to be called by"_s, source.shown()});
        } else if (found->isFolder() && !wish().recurses) {
            emit failed(source, {ErrorKind::InvalidInput, m_layer, u"this is a folder"_s, source.shown()});
        } else if (found->isFolder()) {
            tell({{ScannedItem::Kind::Folder, target, source, *found}});
            push({target, source, {}, {}, {}});
        } else {
            tell({{ScannedItem::Kind::File, target, source, *found}});
        }
        ended();
    });
}

void RemoteScan::list(const Folder &folder)
{
    if (isNamed()) {
        for (const QByteArray &name : namesIn(folder.target))
            lookAt(folder, name, {});
        return ended();
    }
    const auto listing = std::make_shared<Listing>();
    listing->folder = folder;
    m_listings.append(listing);
    begin(listing);
}

void RemoteScan::begin(const std::shared_ptr<Listing> &listing)
{
    FileSystem *files = m_files();
    if (!files)
        return postpone([this, listing] { begin(listing); });
    listing->of = files;
    listing->stream = files->list(listing->folder.source);
    connect(listing->stream.get(), &FileListing::rowsReceived, this, [this, listing](const QList<FileEntry> &rows) { take(listing, rows); });
    connect(listing->stream.get(), &FileListing::finished, this, [this, listing](const Result<ListEnd> &how) { end(listing, how); });
}

void RemoteScan::take(const std::shared_ptr<Listing> &listing, const QList<FileEntry> &rows)
{
    QList<ScannedItem> items;
    const Folder &folder = listing->folder;
    for (const FileEntry &row : rows) {
        if (listing->seen.contains(row.name))
            continue;
        listing->seen.insert(row.name);
        const Result<FilePath> source = folder.source.child(row.name);
        const Result<FilePath> target = folder.target.child(row.name);
        if (!source || !target)
            continue; // plain names only come here; it would be too long
        switch (row.attributes.type()) {
        case FileType::File: items.append({ScannedItem::Kind::File, *target, *source, row.attributes}); break;
        case FileType::Folder:
            items.append({ScannedItem::Kind::Folder, *target, *source, row.attributes});
            push({*target, *source, {}, {}, folder.way + QByteArrayList{folder.source.bytes()}});
            break;
        default: lookAt(folder, row.name, row.attributes); break;
        }
    }
    tell(items);
    listing->stream->consumed(rows.size());
}

void RemoteScan::end(const std::shared_ptr<Listing> &listing, const Result<ListEnd> &how)
{
    listing->stream.release()->deleteLater();
    if (!how && isCutOff(listing->of, how.error(), [this, listing] { begin(listing); }))
        return;
    m_listings.removeOne(listing);
    if (!how)
        emit failed(listing->folder.source, how.error());
    else if (how->refused > 0)
        emit failed(listing->folder.source, {ErrorKind::Protocol, m_layer, u"%1 names there cannot be the names of files"_s.arg(how->refused), listing->folder.source.shown()});
    ended();
}

// Links, and what the listing has not said the kind of.
void RemoteScan::lookAt(const Folder &in, const QByteArray &name, const FileAttributes &attributes)
{
    ScannedItem item{ScannedItem::Kind::File, *in.target.child(name), *in.source.child(name), attributes};
    const auto special = [this, item] {
        emit failed(item.source, {ErrorKind::Unsupported, m_layer, u"neither a file nor a folder nor a link"_s, item.source.shown()});
    };
    if (attributes.type() != FileType::Unknown && attributes.type() != FileType::Link)
        return special();
    FileSystem *files = m_files();
    began();
    const auto again = [this, in, name, attributes] {
        lookAt(in, name, attributes);
        ended();
    };
    if (!files)
        return postpone(again);
    if (attributes.type() == FileType::Unknown) {
        onAnswer(files->stat(item.source, LinkPolicy::NoFollow), this, [this, files, in, name, item, special, again](const Result<FileAttributes> &found) {
            if (!found && isCutOff(files, found.error(), again))
                return;
            if (!found) {
                emit failed(item.source, found.error());
            } else if (!found->isFolder() && isNamedFolder(item.target)) {
                emit failed(item.source, noFolderAnyMore(item.source));
            } else if (found->type() == FileType::Link) {
                lookAt(in, name, *found);
            } else if (found->isFolder()) {
                tell({{ScannedItem::Kind::Folder, item.target, item.source, *found}});
                push({item.target, item.source, {}, {}, in.way + QByteArrayList{in.source.bytes()}});
            } else if (found->type() == FileType::File || found->type() == FileType::Unknown) {
                tell({{ScannedItem::Kind::File, item.target, item.source, *found}});
            } else {
                special();
            }
            ended();
        });
        return;
    }
    item.kind = ScannedItem::Kind::Link;
    switch (wish().links) {
    case LinkTreatment::Skip: ended(); return;
    case LinkTreatment::Follow: followLink(in, item); return;
    case LinkTreatment::AsLink:
        onAnswer(files->readLink(item.source), this, [this, files, item, again](const Result<FilePath> &leads) {
            if (!leads && isCutOff(files, leads.error(), again))
                return;
            ScannedItem link = item;
            if (leads)
                link.linkTarget = leads->bytes();
            leads ? tell({link}) : emit failed(item.source, leads.error());
            ended();
        });
    }
}

void RemoteScan::followLink(const Folder &in, const ScannedItem &link)
{
    FileSystem *files = m_files();
    const auto again = [this, in, link] { followLink(in, link); };
    if (!files)
        return postpone(again);
    onAnswer(files->stat(link.source), this, [this, files, in, link, again](const Result<FileAttributes> &found) {
        if (!found && isCutOff(files, found.error(), again))
            return;
        if (!found || found->type() == FileType::File) {
            found ? tell({{ScannedItem::Kind::File, link.target, link.source, *found}}) : emit failed(link.source, found.error());
            return ended();
        }
        FileSystem *now = m_files();
        if (!now)
            return postpone(again);
        if (!found->isFolder()) {
            emit failed(link.source, {ErrorKind::Unsupported, m_layer, u"neither a file nor a folder"_s, link.source.shown()});
            return ended();
        }
        // Does it lead back to where we come from?
        onAnswer(now->realPath(link.source), this, [this, now, in, link, again, attributes = *found](const Result<FilePath> &real) {
            if (!real && isCutOff(now, real.error(), again))
                return;
            const QByteArray at = real ? real->bytes() : QByteArray();
            const bool leadsBack = !real || at == in.source.bytes() || in.way.contains(at) || in.source.bytes().startsWith(at.endsWith('/') ? at : at + '/');
            if (leadsBack) {
                emit failed(link.source, real ? Error{ErrorKind::Conflict, m_layer, u"a link that leads back to a folder that it is in"_s, link.source.shown()} : real.error());
            } else {
                tell({{ScannedItem::Kind::Folder, link.target, *real, attributes}});
                push({link.target, *real, {}, {}, in.way + QByteArrayList{in.source.bytes()}});
            }
            ended();
        });
    });
}

} // namespace Sandpiper
