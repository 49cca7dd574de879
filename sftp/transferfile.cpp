#include "sftp/transferfile.h"

namespace Sandpiper {
namespace {

// What belongs together at the end of a name: ".gz", and ".tar.gz".
QByteArray endingOf(const QByteArray &name)
{
    const qsizetype dot = name.lastIndexOf('.');
    if (dot <= 0)
        return {};
    const qsizetype before = name.lastIndexOf('.', dot - 1);
    return name.sliced(before > 0 && name.sliced(before, dot - before) == ".tar" ? before : dot);
}

} // namespace

bool looksSame(const FileAttributes &one, const FileAttributes &other)
{
    return one.size && one.size == other.size && one.times && other.times && one.times->modified == other.times->modified;
}

std::optional<TransferPacer::Time> TransferPacer::take(quint64 bytes, Time now)
{
    const std::lock_guard guard(m_mutex);
    // A tenth of a second may go ahead, so that it does not stutter.
    if (m_free > now + std::chrono::milliseconds(100))
        return m_free - std::chrono::milliseconds(50);
    m_free = std::max(m_free, now) + std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(double(bytes) / m_bytesPerSecond));
    return std::nullopt;
}

std::optional<bool> mayReplace(OnConflict policy, const FileAttributes &source, const FileAttributes &existing)
{
    switch (policy) {
    case OnConflict::Overwrite: return true;
    case OnConflict::Skip: return false;
    case OnConflict::Newer: return source.times && existing.times && source.times->modified > existing.times->modified;
    case OnConflict::Ask:
    case OnConflict::Rename: break;
    }
    return std::nullopt;
}

QByteArray otherName(const QByteArray &name, int number)
{
    constexpr qsizetype longest = 255;
    const QByteArray ending = endingOf(name);
    const QByteArray mark = " (" + QByteArray::number(number) + ")";
    const QByteArray stem = name.chopped(ending.size()).first(std::min(name.size() - ending.size(), std::max<qsizetype>(1, longest - ending.size() - mark.size())));
    return (stem + mark + ending).first(std::min(longest, stem.size() + mark.size() + ending.size()));
}

} // namespace Sandpiper
