#include "gateway/removetree.h"

#include "gateway/agentclient.h"

#include <QFile>

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace Sandpiper {

namespace {

constexpr int openFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// The names in a folder; at most so many at once, for a folder may hold millions.
std::vector<std::string> namesIn(int folder)
{
    std::vector<std::string> names;
    const std::unique_ptr<DIR, int (*)(DIR *)> stream(fdopendir(openat(folder, ".", openFolder)),
                                                      closedir);
    while (const dirent *entry = stream ? readdir(stream.get()) : nullptr) {
        const std::string name = entry->d_name;
        if (name != "." && name != "..")
            names.push_back(name);
        if (names.size() >= 4096)
            break;
    }
    return names;
}

Fd openWithRights(int above, const char *name)
{
    struct stat about = {};
    if (fstatat(above, name, &about, AT_SYMLINK_NOFOLLOW) != 0)
        return {};
    if (!S_ISDIR(about.st_mode)) {
        errno = ENOTDIR;
        return {};
    }
    // Moving a folder needs the right to write in it.
    if ((about.st_mode & S_IRWXU) != S_IRWXU)
        fchmodat(above, name, S_IRWXU, 0);
    return Fd(openat(above, name, openFolder));
}

// Everything that is no folder goes; folders move up into top, to be emptied in their turn.
bool flatten(int top, int folder, quint64 &counter)
{
    for (auto names = namesIn(folder); !names.empty(); names = namesIn(folder)) {
        bool progress = false;
        for (const std::string &name : names) {
            if (unlinkat(folder, name.c_str(), 0) == 0
                || unlinkat(folder, name.c_str(), AT_REMOVEDIR) == 0) {
                progress = true;
                continue;
            }
            openWithRights(folder, name.c_str());
            std::string other;
            do {
                other = "removed-" + std::to_string(++counter);
            } while (faccessat(top, other.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0);
            progress = renameat(folder, name.c_str(), top, other.c_str()) == 0 || progress;
        }
        if (!progress)
            return false;
    }
    return true;
}

} // namespace

Done removeTree(const QString &folder)
{
    const QByteArray path = QFile::encodeName(folder);
    const auto failed = [&folder] {
        return failure(ErrorKind::Io, Layer::LocalDisk, qt_error_string(errno), folder);
    };
    const Fd top = openWithRights(AT_FDCWD, path.constData());
    if (!top.isValid()) {
        if (errno == ENOENT)
            return {};
        return failed();
    }
    quint64 counter = 0;
    for (auto names = namesIn(top.get()); !names.empty(); names = namesIn(top.get())) {
        bool progress = false;
        for (const std::string &name : names) {
            if (unlinkat(top.get(), name.c_str(), 0) == 0) {
                progress = true;
                continue;
            }
            const Fd inner = openWithRights(top.get(), name.c_str());
            if (!inner.isValid() || !flatten(top.get(), inner.get(), counter))
                continue;
            progress = unlinkat(top.get(), name.c_str(), AT_REMOVEDIR) == 0 || progress;
        }
        if (!progress)
            return failed();
    }
    if (::rmdir(path.constData()) != 0 && errno != ENOENT)
        return failed();
    return {};
}

} // namespace Sandpiper
