// A file on this computer that is being received: hidden until it is whole. In the thread that receives it.
#pragma once

#include "sftp/transferfile.h"

namespace Sandpiper {

class LocalTarget
{
public:
    explicit LocalTarget(const FileTransferWish &wish);
    ~LocalTarget(); // the hidden file goes, unless it was finished or left

    // By the wish: makes the hidden file, or finds the one that is there. An outcome: it is not to be received.
    // source: what is known of what will come.
    [[nodiscard]] Result<std::optional<FileOutcome>> begin(const FileAttributes &source);
    [[nodiscard]] Done write(quint64 offset, QByteArrayView bytes);
    // Mode, times, on the disk, its name, and a look at it again. source: as the server has it.
    [[nodiscard]] Result<FileOutcome> finish(const FileAttributes &source, const QByteArray &sha256);
    // The hidden file stays for whoever goes on with it.
    void leave() { m_isLeft = true; }

private:
    [[nodiscard]] std::unexpected<Error> failed(int number) const { return std::unexpected(localError(number, m_subject)); }
    [[nodiscard]] std::optional<FileAttributes> look(const QByteArray &name) const;
    [[nodiscard]] int makeHidden() const;
    [[nodiscard]] Done giveName();

    FileTransferWish m_wish;
    QString m_subject;
    LocalTree::Folder m_folder;
    FileDescriptor m_file;
    QByteArray m_name;
    bool m_replaces = false;
    bool m_isMade = false; // the hidden file is ours to remove
    bool m_isLeft = false;
};

} // namespace Sandpiper
