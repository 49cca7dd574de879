#include "sftp/transferscan.h"

#include <algorithm>

namespace Sandpiper {
namespace {

constexpr int kMostFolders = 16; // looked into at once
constexpr qint64 kMostAhead = 20'000;

} // namespace

TransferScan::TransferScan(const TransferWish &wish, QObject *parent)
    : QObject(parent)
    , m_wish(wish)
{
}

FilePath TransferScan::targetOf(const FilePath &source) const
{
    const QByteArray name = m_wish.targetName.isEmpty() ? source.name() : m_wish.targetName;
    return FilePath().child(name).value_or(FilePath());
}

void TransferScan::push(Folder folder)
{
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
