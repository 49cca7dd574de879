// A transfer: a standing wish to have files here or there. Values.
#pragma once

#include "session/sandbox.h"
#include "sftp/transferfile.h"

#include <QDateTime>

namespace Sandpiper {

// What a symbolic link in a tree becomes.
enum class LinkTreatment { AsLink, Follow, Skip };

struct TransferWish
{
    TransferWay way = TransferWay::Fetch;
    // Where the other side is. Of a relay: where the files go; empty: this computer.
    SandboxId sandbox;
    QString sandboxName;
    // Of a relay: where they are; empty: this computer.
    SandboxId sourceSandbox;
    QString sourceSandboxName;
    QList<FilePath> sources; // files, and folders with all that is in them
    // Where it is not empty the sources lie below it, and keep their paths from there on. A folder among them is made,
    // and what is in it is not looked for: each source is meant by itself, a link as a link.
    FilePath base;
    FilePath target;         // the folder they come into; made where it is missing
    QByteArray targetName;   // of a single source: what it is called there; empty: as it was
    // target is what a single source is to be called, unless it is a folder already: as cp has it. Looked up once.
    bool namesUnlessFolder = false;
    bool recurses = true; // else a folder among the sources is a failure
    OnConflict onConflict = OnConflict::Ask;
    LinkTreatment links = LinkTreatment::AsLink;
    bool keepsMode = true;
    bool keepsTimes = true;
    bool syncs = false;  // small files too are on the disk before they have their names
    bool hashes = false; // SHA-256 in the receipts
    bool verifies = false; // what has arrived is compared with its source, by SHA-256, when all is there
    bool moves = false;  // what has arrived is removed at the source
    quint64 mostBytesPerSecond = 0; // 0: as fast as it goes
    int mostLinks = 8;              // connections at once, 1 to 8
};

enum class TransferState {
    Queued,    // others come first
    Running,
    Paused,    // by its user
    Asking,    // about a file that is there already; see TransferQuestion. The others go on
    Waiting,   // for a connection; the next try is at retryAt
    Finished,  // with what could not be done in failures
    Failed,    // as a whole: see error
    Cancelled,
};

struct TransferFailure
{
    FilePath path; // of the source
    Error error;
    friend bool operator==(const TransferFailure &, const TransferFailure &) = default;
};

struct TransferProgress
{
    TransferState state = TransferState::Queued;
    bool isVerifying = false; // all is there, and is compared
    bool isScanned = false; // files and bytes are all that there is
    quint64 files = 0; // found so far; without folders
    quint64 bytes = 0;
    quint64 filesMoved = 0;
    quint64 filesSkipped = 0;
    quint64 filesFailed = 0;
    quint64 filesVerified = 0; // compared, and the same on both sides
    quint64 bytesMoved = 0; // also of files that are not whole yet
    double bytesPerSecond = 0; // of the last seconds
    int links = 0;
    FilePath current; // one of those on their way
    QList<TransferFailure> failures; // the first 1,000
    std::optional<Error> error; // Waiting, Failed: why
    QDateTime retryAt;
};

// Something has the name already.
struct TransferQuestion
{
    FilePath source;
    FilePath target;
    FileAttributes sourceAttributes;
    FileAttributes targetAttributes;
};

[[nodiscard]] inline bool isOver(TransferState state)
{
    return state == TransferState::Finished || state == TransferState::Failed || state == TransferState::Cancelled;
}

} // namespace Sandpiper
