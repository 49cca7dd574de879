// One file on its way between this computer and a server: what is wished of it and what became of it. Values.
#pragma once

#include "sftp/localtree.h"

#include <chrono>

namespace Sandpiper {

// What is done where something has the name already.
enum class OnConflict {
    Ask,       // nothing: the answer is FileOutcome::Kind::Conflict
    Overwrite,
    Skip,
    Newer,     // overwrite what is older than the source, else skip
    Rename,    // "name (2).txt"
};

// A large file goes in several parts, on several connections. The first makes the hidden file that they are
// written to, the last gives it its name, when all others are done; by default a file is one part.
struct TransferPart
{
    bool begins = true;
    bool ends = true;
    quint64 offset = 0;
    std::optional<quint64> length = {}; // none: to the end
};

// How fast all files of a transfer may go together. Any thread.
class TransferPacer
{
public:
    using Time = std::chrono::steady_clock::time_point;
    explicit TransferPacer(quint64 bytesPerSecond)
        : m_bytesPerSecond(double(std::max<quint64>(1, bytesPerSecond)))
    {
    }
    // None: go on, and they are counted. Else: ask again then.
    [[nodiscard]] std::optional<Time> take(quint64 bytes, Time now);

private:
    std::mutex m_mutex;
    double m_bytesPerSecond;
    Time m_free{}; // when all that was let through would have arrived
};

enum class TransferWay {
    Fetch, // from a server with SFTP to this computer
    Send,  // the other way
    Relay, // from any file system to any other, or within one
};

struct FileTransferWish
{
    TransferWay way = TransferWay::Fetch;
    std::shared_ptr<const LocalTree> tree;
    FilePath local;  // in tree, relative
    FilePath remote; // the file, where it ends or begins
    // In the folder of the target: what is not whole yet. Whatever has this name is an earlier try of ours.
    QByteArray hiddenName;
    OnConflict onConflict = OnConflict::Ask;
    // An earlier try may have brought it to its end: one of the same size and time there is that.
    bool mayBeThere = false;
    // Nobody but us has put anything into the target's folder.
    bool targetIsFresh = false;
    TransferPart part;
    // As it was when the whole was planned: it must be the same still. None: as it is found.
    std::optional<quint64> size = {};
    std::optional<quint32> modified = {};
    bool keepsMode = true; // permissions; without it: those of any new file
    bool keepsTimes = true;
    bool syncs = false; // to the disk also where it is small
    bool hashes = false; // SHA-256 of what passes; of whole files only
    std::shared_ptr<TransferPacer> pacer = {}; // none: as fast as it goes
    int inFlight = 16;
};

struct FileReceipt
{
    quint64 size = 0;
    quint32 mode = 0;       // read anew at the target
    quint32 modified = 0;   // the same; seconds since 1970
    QByteArray sha256 = {}; // raw; empty: was not asked for
    friend bool operator==(const FileReceipt &, const FileReceipt &) = default;
};

struct FileOutcome
{
    enum class Kind { Moved, Skipped, Conflict };
    Kind kind = Kind::Moved;
    FileReceipt receipt = {};     // Moved; of the part that ends
    QByteArray name = {};         // Moved: what it is called there now
    FileAttributes source = {};   // Conflict
    FileAttributes existing = {}; // Conflict
    friend bool operator==(const FileOutcome &, const FileOutcome &) = default;
};

// Above this a file is on the disk before it has its name.
inline constexpr quint64 kSyncedFrom = 1 << 20;

// Of a smaller one nothing is told before its end.
inline constexpr quint64 kToldFrom = 64 << 10;

// Of one size and one time: the same file, as far as can be told without reading it.
[[nodiscard]] bool looksSame(const FileAttributes &one, const FileAttributes &other);
// Whether the policy lets the source take the place of what is there; none: it is called otherwise, or asked about.
[[nodiscard]] std::optional<bool> mayReplace(OnConflict policy, const FileAttributes &source, const FileAttributes &existing);
// "a.tar.gz", 2: "a (2).tar.gz". Bytes stay as they are; at most 255 of them.
[[nodiscard]] QByteArray otherName(const QByteArray &name, int number);

} // namespace Sandpiper
