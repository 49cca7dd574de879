#include "sftp/transferscan.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

struct RemoteScan::Listing
{
    Folder folder;
    std::unique_ptr<SftpListing> stream;
    QSet<QByteArray> seen; // names that were told, in case it has to be asked again
};

RemoteScan::RemoteScan(const TransferWish &wish, std::function<SftpClient *()> client, QObject *parent)
    : TransferScan(wish, parent)
    , m_client(std::move(client))
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
    SftpClient *client = m_client();
    if (!client)
        return postpone([this] { lookAtBase(); });
    client->stat(wish().base).then(this, [this](const Result<FileAttributes> &found) {
        if (!found && found.error().kind == ErrorKind::ConnectionLost)
            return postpone([this] { lookAtBase(); });
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

void RemoteScan::retry()
{
    for (const auto &step : std::exchange(m_postponed, {}))
        step();
}

void RemoteScan::lookAtSource(const FilePath &source)
{
    SftpClient *client = m_client();
    if (!client)
        return postpone([this, source] { lookAtSource(source); });
    // What is named is meant, also by way of a link.
    client->stat(source).then(this, [this, source](const Result<FileAttributes> &found) {
        if (!found && found.error().kind == ErrorKind::ConnectionLost)
            return postpone([this, source] { lookAtSource(source); });
        const FilePath target = targetOf(source);
        if (!found) {
            emit failed(source, found.error());
        } else if (target.isEmpty()) {
            emit failed(source, {ErrorKind::InvalidInput, Layer::Sftp, u"it has no name to be called by"_s, source.shown()});
        } else if (found->isFolder() && !wish().recurses) {
            emit failed(source, {ErrorKind::InvalidInput, Layer::Sftp, u"this is a folder"_s, source.shown()});
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
    SftpClient *client = m_client();
    if (!client)
        return postpone([this, listing] { begin(listing); });
    listing->stream = client->list(listing->folder.source);
    connect(listing->stream.get(), &SftpListing::rowsReceived, this, [this, listing](const QList<FileEntry> &rows) { take(listing, rows); });
    connect(listing->stream.get(), &SftpListing::finished, this, [this, listing](const Result<ListEnd> &how) { end(listing, how); });
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
    if (!how && how.error().kind == ErrorKind::ConnectionLost)
        return postpone([this, listing] { begin(listing); });
    m_listings.removeOne(listing);
    if (!how)
        emit failed(listing->folder.source, how.error());
    else if (how->refused > 0)
        emit failed(listing->folder.source, {ErrorKind::Protocol, Layer::Sftp, u"%1 names there cannot be the names of files"_s.arg(how->refused), listing->folder.source.shown()});
    ended();
}

// Links, and what the listing has not said the kind of.
void RemoteScan::lookAt(const Folder &in, const QByteArray &name, const FileAttributes &attributes)
{
    ScannedItem item{ScannedItem::Kind::File, *in.target.child(name), *in.source.child(name), attributes};
    const auto special = [this, item] {
        emit failed(item.source, {ErrorKind::Unsupported, Layer::Sftp, u"neither a file nor a folder nor a link"_s, item.source.shown()});
    };
    if (attributes.type() != FileType::Unknown && attributes.type() != FileType::Link)
        return special();
    SftpClient *client = m_client();
    began();
    if (!client) {
        return postpone([this, in, name, attributes] {
            lookAt(in, name, attributes);
            ended();
        });
    }
    const auto again = [this, in, name, attributes] {
        postpone([this, in, name, attributes] {
            lookAt(in, name, attributes);
            ended();
        });
    };
    if (attributes.type() == FileType::Unknown) {
        client->stat(item.source, LinkPolicy::NoFollow).then(this, [this, in, name, item, special, again](const Result<FileAttributes> &found) {
            if (!found && found.error().kind == ErrorKind::ConnectionLost)
                return again();
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
        client->readLink(item.source).then(this, [this, item, again](const Result<FilePath> &leads) {
            if (!leads && leads.error().kind == ErrorKind::ConnectionLost)
                return again();
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
    SftpClient *client = m_client();
    const auto again = [this, in, link] { postpone([this, in, link] { followLink(in, link); }); };
    if (!client)
        return again();
    client->stat(link.source).then(this, [this, in, link, again](const Result<FileAttributes> &found) {
        if (!found && found.error().kind == ErrorKind::ConnectionLost)
            return again();
        if (!found || found->type() == FileType::File) {
            found ? tell({{ScannedItem::Kind::File, link.target, link.source, *found}}) : emit failed(link.source, found.error());
            return ended();
        }
        SftpClient *now = m_client();
        if (!found->isFolder() || !now) {
            emit failed(link.source, {ErrorKind::Unsupported, Layer::Sftp, u"neither a file nor a folder"_s, link.source.shown()});
            return ended();
        }
        // Does it lead back to where we come from?
        now->realPath(link.source).then(this, [this, in, link, again, attributes = *found](const Result<FilePath> &real) {
            if (!real && real.error().kind == ErrorKind::ConnectionLost)
                return again();
            const QByteArray at = real ? real->bytes() : QByteArray();
            const bool leadsBack = !real || at == in.source.bytes() || in.way.contains(at) || in.source.bytes().startsWith(at.endsWith('/') ? at : at + '/');
            if (leadsBack) {
                emit failed(link.source, real ? Error{ErrorKind::Conflict, Layer::Sftp, u"a link that leads back to a folder that it is in"_s, link.source.shown()} : real.error());
            } else {
                tell({{ScannedItem::Kind::Folder, link.target, *real, attributes}});
                push({link.target, *real, {}, {}, in.way + QByteArrayList{in.source.bytes()}});
            }
            ended();
        });
    });
}

} // namespace Sandpiper
