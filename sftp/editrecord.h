// What is remembered of a file that is edited here, so that nothing is lost with the program. Values, and the one
// place that says how they lie on the disk.
#pragma once

#include "session/sandbox.h"
#include "sftp/fileattributes.h"

namespace Sandpiper {

// The file of the sandbox as it was when it and the copy here were last the same.
struct EditBase
{
    std::optional<quint64> size;
    std::optional<quint32> modified; // seconds since 1970
    QByteArray sha256;               // raw
    // Its user knows that it is not there any more, and wants it again.
    bool isGone = false;

    [[nodiscard]] bool matches(const FileAttributes &found) const
    {
        return size && modified && found.size == size && found.times && found.times->modified == *modified;
    }
    friend bool operator==(const EditBase &, const EditBase &) = default;
};

struct EditRecord
{
    QString id; // 16 hexadecimal digits by chance: nobody guesses the hidden name made of it
    SandboxId sandbox;
    QString sandboxName; // as last seen
    FilePath asked;      // as it was opened, perhaps by a link
    FilePath path;       // where that leads
    QString localName;   // see safeLocalName()
    EditBase base;
    bool isFetched = false; // the copy here is whole
    // The file there may be a part of the copy here: it was being written over where no other name could be used.
    bool isInPlace = false;

    [[nodiscard]] static EditRecord fresh(const SandboxId &sandbox, const QString &sandboxName, const FilePath &path);
    [[nodiscard]] QByteArray toJson() const;
    // None: it is none of ours, or damaged.
    [[nodiscard]] static std::optional<EditRecord> fromJson(const QByteArray &json);
    friend bool operator==(const EditRecord &, const EditRecord &) = default;
};

// What a file of that name may be called here: an editor, its plug-ins and perhaps a script before it get to see
// this, so it holds letters, digits and a few harmless marks, begins with no dash and keeps its ending. At most 200 bytes.
[[nodiscard]] QString safeLocalName(const QByteArray &name);

struct LocalDigest
{
    quint64 size = 0;
    QByteArray sha256; // raw
};
// Reads at most that much of a file here. Blocks: threads of diskPool() only.
[[nodiscard]] Result<LocalDigest> digestOf(const FilePath &path, quint64 most = UINT64_MAX);

} // namespace Sandpiper
