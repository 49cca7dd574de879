// A folder of this computer and what is below it, reached without ever leaving it: no "..", and no link on the
// way is followed, also one that is put there meanwhile. Any thread.
#pragma once

#include "session/filedescriptor.h"
#include "sftp/fileattributes.h"

#include <memory>
#include <mutex>

struct stat;

namespace Sandpiper {

class LocalTree
{
public:
    using Folder = std::shared_ptr<const FileDescriptor>;

    // root: an absolute path; links in it are the user's own wish and are followed. It must be there.
    [[nodiscard]] static Result<std::shared_ptr<LocalTree>> open(const FilePath &root);

    [[nodiscard]] const FilePath &root() const { return m_root; }
    // path: relative; its parts are plain names. Empty: the root. Make: what is missing is made, 0700 until
    // somebody gives it its own mode.
    enum class Missing { Fail, Make };
    [[nodiscard]] Result<Folder> folder(const FilePath &path, Missing missing) const;
    // Makes the last part of it, above which all is there. True: it is new; false: it was there. mode: less what the
    // umask takes.
    [[nodiscard]] Result<bool> makeFolder(const FilePath &path, quint32 mode) const;
    // A file or a link; a folder, which must be empty. What is not there is gone already.
    [[nodiscard]] Done remove(const FilePath &path, bool isFolder) const;
    // Permissions and times of a file or a folder; Conflict where it is a link.
    [[nodiscard]] Done adjust(const FilePath &path, const FileAttributes &attributes) const;
    // What people read of something in it.
    [[nodiscard]] QString shown(const FilePath &path) const { return m_root.joined(path).shown(); }

private:
    LocalTree(const FilePath &root, Folder folder)
        : m_root(root)
        , m_folder(std::move(folder))
    {
    }

    FilePath m_root;
    Folder m_folder;
    // The one that was asked for last: files come folder by folder.
    mutable std::mutex m_mutex;
    mutable FilePath m_lastPath;
    mutable Folder m_last;
};

// errno as an error of the disk here.
[[nodiscard]] Error localError(int number, const QString &subject);
[[nodiscard]] FileAttributes attributesOf(const struct stat &status);

} // namespace Sandpiper
