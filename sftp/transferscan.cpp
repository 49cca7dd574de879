#include "sftp/transferscan.h"

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr int kMostFolders = 16; // looked into at once
constexpr qint64 kMostAhead = 20'000;

// What comes behind the base; empty: it does not lie there, or not by plain names.
FilePath below(const FilePath &base, const FilePath &source)
{
    const QByteArray top = base.bytes().endsWith('/') ? base.bytes() : base.bytes() + '/';
    FilePath path;
    if (!source.bytes().startsWith(top))
        return path;
    for (const QByteArray &name : source.bytes().sliced(top.size()).split('/')) {
        const Result<FilePath> next = path.child(name);
        if (!next)
            return {};
        path = *next;
    }
    return path;
}

} // namespace

TransferScan::TransferScan(const TransferWish &wish, QObject *parent)
    : QObject(parent)
    , m_wish(wish)
{
    if (wish.base.isEmpty())
        return;
    QSet<FilePath> seen;
    for (const FilePath &source : wish.sources) {
        for (FilePath path = below(wish.base, source); !path.isEmpty() && !seen.contains(path); path = path.parent()) {
            seen.insert(path);
            m_names[path.parent()].append(path.name());
        }
    }
}

void TransferScan::tellStrays()
{
    for (const FilePath &source : std::as_const(m_wish.sources)) {
        if (below(m_wish.base, source).isEmpty())
            emit failed(source, {ErrorKind::InvalidInput, Layer::Sftp, u"it does not lie in the folder that it is to come from"_s, source.shown()});
    }
}

Error TransferScan::noFolderAnyMore(const FilePath &source)
{
    return {ErrorKind::Conflict, Layer::Sftp, u"this was a folder, and is none now"_s, source.shown()};
}

FilePath TransferScan::targetOf(const FilePath &source) const
{
    const QByteArray name = m_wish.targetName.isEmpty() ? source.name() : m_wish.targetName;
    return FilePath().child(name).value_or(FilePath());
}

void TransferScan::push(Folder folder)
{
    if (!isNamed() || isNamedFolder(folder.target))
        m_folders.push_back(std::move(folder));
}

void TransferScan::consumed(qint64 items)
{
    m_unconsumed = std::max<qint64>(0, m_unconsumed - items);
    goOn();
}

void TransferScan::goOn()
{
    // Depth first: what is open stays small.
    while (!m_folders.empty() && m_active < kMostFolders && m_unconsumed < kMostAhead) {
        const Folder next = std::move(m_folders.back());
        m_folders.pop_back();
        began();
        list(next);
    }
    if (m_active == 0 && m_folders.empty() && !std::exchange(m_isFinished, true))
        emit finished();
}

void TransferScan::ended()
{
    --m_active;
    goOn();
}

void TransferScan::tell(const QList<ScannedItem> &items)
{
    if (items.isEmpty())
        return;
    m_unconsumed += items.size();
    emit found(items);
}

} // namespace Sandpiper
