#include "gateway/sandboxinit/files.h"

#include "gateway/sandboxinit/descriptor.h"
#include "gateway/sandboxinit/wire.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace Sandpiper {

namespace {

using Wire::FileStatus;

constexpr std::size_t pieceBytes = 256 << 10;
constexpr std::size_t mostEntries = 1'000'000;

FileStatus statusOf(int number)
{
    switch (number) {
    case ENOENT: return FileStatus::NotFound;
    case EISDIR: return FileStatus::IsFolder;
    case ENOTDIR: return FileStatus::NotAFolder;
    case EACCES:
    case EPERM:
    case EROFS: return FileStatus::Denied;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return FileStatus::NoSpace;
    case ENXIO:
    case ENODEV: return FileStatus::NotAFile;
    case ENAMETOOLONG:
    case ELOOP: return FileStatus::BadPath;
    default: return FileStatus::Failed;
    }
}

bool writeAll(int fd, const char *bytes, std::size_t size)
{
    while (size > 0) {
        const ssize_t count = write(fd, bytes, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        bytes += count;
        size -= static_cast<std::size_t>(count);
    }
    return true;
}

// Exactly that many. False: the end came first.
bool readAll(int fd, char *bytes, std::size_t size)
{
    while (size > 0) {
        const ssize_t count = read(fd, bytes, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        bytes += count;
        size -= static_cast<std::size_t>(count);
    }
    return true;
}

int say(FileStatus status, const std::string &text = {})
{
    std::string answer(1, static_cast<char>(status));
    answer += text;
    return writeAll(1, answer.data(), answer.size()) ? 0 : 1;
}

int sayError(int number)
{
    return say(statusOf(number), strerror(number));
}

int readFile(const std::string &path)
{
    // Non-blocking: to open a FIFO would wait for its writer.
    const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat about = {};
    if (!file.isValid() || fstat(file.get(), &about) != 0)
        return sayError(errno);
    if (S_ISDIR(about.st_mode))
        return sayError(EISDIR);
    if (!S_ISREG(about.st_mode))
        return say(FileStatus::NotAFile, "a device, a pipe or a socket");
    std::vector<char> piece(pieceBytes);
    // The first piece comes before the yes: what cannot be read at all is a refusal and not a broken answer.
    bool isFirst = true;
    while (true) {
        const ssize_t count = read(file.get(), piece.data(), piece.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return isFirst ? sayError(errno) : 1;
        if (std::exchange(isFirst, false) && say(FileStatus::Good) != 0)
            return 1;
        if (count == 0)
            return 0;
        if (!writeAll(1, piece.data(), static_cast<std::size_t>(count)))
            return 1;
    }
}

// How many bytes the first character has; 0: it is not UTF-8.
std::size_t characterSize(std::string_view text)
{
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = at(0);
    const std::size_t size = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
    if (size == 0 || size > text.size())
        return 0;
    for (std::size_t i = 1; i < size; ++i) {
        if ((at(i) & 0xc0) != 0x80)
            return 0;
    }
    const bool isOverlong = (first == 0xe0 && at(1) < 0xa0) || (first == 0xf0 && at(1) < 0x90);
    const bool isNone = (first == 0xed && at(1) > 0x9f) || (first == 0xf4 && at(1) > 0x8f);
    return isOverlong || isNone ? 0 : size;
}

// As JSON. False: some of it was not UTF-8 and was replaced.
bool appendText(std::string &json, std::string_view text)
{
    bool isWhole = true;
    json += '"';
    while (!text.empty()) {
        const std::size_t size = characterSize(text);
        const auto byte = static_cast<unsigned char>(text[0]);
        if (size == 0) {
            json += "\xef\xbf\xbd";
            isWhole = false;
        } else if (byte < 0x20 || byte == '"' || byte == '\\') {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", byte);
            json += escape;
        } else {
            json += text.substr(0, size);
        }
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    json += '"';
    return isWhole;
}

struct Entry
{
    std::string name;
    bool isFolder = false;
    long long size = 0;
    long long modified = 0; // ms
};

void appendEntry(std::string &json, const Entry &entry)
{
    json += "{\"name\":";
    if (!appendText(json, entry.name)) {
        // No part of the contract, which knows only text: the bytes, for those who look for them.
        json += ",\"name_hex\":\"";
        for (const char c : entry.name) {
            char digits[3];
            std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(c));
            json += digits;
        }
        json += '"';
    }
    json += entry.isFolder ? ",\"is_dir\":true,\"size\":null" : ",\"is_dir\":false,\"size\":" + std::to_string(entry.size);
    json += ",\"modified_at\":" + std::to_string(entry.modified) + '}';
}

int listFolder(const std::string &path)
{
    struct Closer
    {
        void operator()(DIR *folder) const { closedir(folder); }
    };
    const std::unique_ptr<DIR, Closer> folder(opendir(path.c_str()));
    if (!folder)
        return sayError(errno);
    std::vector<Entry> entries;
    while (true) {
        errno = 0;
        const dirent *one = readdir(folder.get());
        if (!one && errno != 0)
            return sayError(errno);
        if (!one)
            break;
        const std::string_view name = one->d_name;
        if (name == "." || name == "..")
            continue;
        struct stat about = {};
        // Gone meanwhile: then it is not there.
        if (fstatat(dirfd(folder.get()), one->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (entries.size() == mostEntries)
            return say(FileStatus::Failed, "more than a million entries");
        entries.push_back({std::string(name), S_ISDIR(about.st_mode), about.st_size,
                           about.st_mtim.tv_sec * 1000LL + about.st_mtim.tv_nsec / 1'000'000});
    }
    std::ranges::sort(entries, [](const Entry &a, const Entry &b) {
        return a.isFolder != b.isFolder ? a.isFolder : a.name < b.name;
    });
    if (say(FileStatus::Good) != 0)
        return 1;
    std::string json = "{\"path\":";
    appendText(json, path);
    json += ",\"entries\":[";
    bool isFirst = true;
    for (const Entry &entry : entries) {
        if (!std::exchange(isFirst, false))
            json += ',';
        appendEntry(json, entry);
        if (json.size() < pieceBytes)
            continue;
        if (!writeAll(1, json.data(), json.size()))
            return 1;
        json.clear();
    }
    json += "]}";
    return writeAll(1, json.data(), json.size()) ? 0 : 1;
}

// Whole, or not there at all: written beside its name or without one, and renamed at the end.
class NewFile
{
public:
    NewFile() = default;
    NewFile(const NewFile &) = delete;
    NewFile &operator=(const NewFile &) = delete;
    ~NewFile()
    {
        if (!m_temporary.empty())
            unlink(m_temporary.c_str());
    }

    // 0, or what was wrong.
    int begin(const std::string &path)
    {
        if (const int number = findTarget(path))
            return number;
        const std::size_t slash = m_target.rfind('/');
        m_folder = slash == std::string::npos ? "." : slash == 0 ? "/" : m_target.substr(0, slash);
        if (const int number = makeFolders())
            return number;
        // Without a name nothing is left behind, whatever ends this process.
        m_file = Descriptor(open(m_folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644));
        if (m_file.isValid())
            m_isNameless = true;
        else if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
            return errno;
        else if (const int number = makeTemporary())
            return number;
        // A file that was there keeps its permissions.
        if (m_mode)
            fchmod(m_file.get(), *m_mode);
        return 0;
    }

    int add(const char *bytes, std::size_t size) { return writeAll(m_file.get(), bytes, size) ? 0 : errno; }

    int finish()
    {
        if (fsync(m_file.get()) != 0)
            return errno;
        if (m_isNameless) {
            if (const int number = giveName())
                return number;
        }
        if (rename(m_temporary.c_str(), m_target.c_str()) != 0)
            return errno;
        m_temporary.clear();
        return 0;
    }

private:
    // Through links, also one that leads to nothing yet, as a write in place would go.
    int findTarget(const std::string &path)
    {
        m_target = path;
        for (int links = 0; links < 40; ++links) {
            struct stat about = {};
            if (m_target.empty() || m_target.back() == '/')
                return EISDIR;
            if (lstat(m_target.c_str(), &about) != 0)
                return errno == ENOENT ? 0 : errno;
            if (S_ISDIR(about.st_mode))
                return EISDIR;
            if (S_ISREG(about.st_mode)) {
                m_mode = about.st_mode & 07777;
                return access(m_target.c_str(), W_OK) == 0 ? 0 : errno;
            }
            if (!S_ISLNK(about.st_mode))
                return ENXIO;
            std::array<char, PATH_MAX> to;
            const ssize_t size = readlink(m_target.c_str(), to.data(), to.size());
            if (size < 0)
                return errno;
            const std::string_view leads(to.data(), static_cast<std::size_t>(size));
            const std::size_t slash = m_target.rfind('/');
            m_target = (leads.starts_with('/') || slash == std::string::npos ? std::string() : m_target.substr(0, slash + 1)) + std::string(leads);
        }
        return ELOOP;
    }

    int makeFolders() const
    {
        for (std::size_t at = m_folder.find('/', 1); true; at = m_folder.find('/', at + 1)) {
            const std::string part = m_folder.substr(0, at);
            if (mkdir(part.c_str(), 0755) != 0) {
                const int number = errno;
                struct stat about = {};
                // What is there already may say "read-only" instead.
                if (stat(part.c_str(), &about) != 0)
                    return number;
                if (!S_ISDIR(about.st_mode))
                    return ENOTDIR;
            }
            if (at == std::string::npos)
                return 0;
        }
    }

    [[nodiscard]] std::string pattern() const { return (m_folder == "/" ? std::string() : m_folder) + "/.sandpiper-XXXXXX"; }

    int makeTemporary()
    {
        std::string name = pattern();
        m_file = Descriptor(mkostemp(name.data(), O_CLOEXEC));
        if (!m_file.isValid())
            return errno;
        m_temporary = name;
        return fchmod(m_file.get(), 0644) == 0 ? 0 : errno;
    }

    int giveName()
    {
        const std::string from = "/proc/self/fd/" + std::to_string(m_file.get());
        for (int tries = 0; tries < 100; ++tries) {
            std::string name = pattern();
            // Makes the name and takes it away again: the link then fails where somebody was faster.
            const Descriptor drawn(mkostemp(name.data(), O_CLOEXEC));
            if (!drawn.isValid())
                return errno;
            unlink(name.c_str());
            if (linkat(AT_FDCWD, from.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0) {
                m_temporary = name;
                return 0;
            }
            if (errno != EEXIST)
                return errno;
        }
        return EEXIST;
    }

    std::string m_target;
    std::string m_folder;
    std::string m_temporary; // to be removed unless it got its name
    std::optional<mode_t> m_mode;
    Descriptor m_file;
    bool m_isNameless = false;
};

int writeFile(const std::string &path)
{
    // A hang-up is told by the end of input as well, and then there is something to clear away.
    for (const int number : {SIGHUP, SIGPIPE})
        signal(number, SIG_IGN);
    NewFile file;
    if (const int number = file.begin(path))
        return sayError(number);
    std::vector<char> piece(pieceBytes);
    while (true) {
        std::array<char, 4> head;
        if (!readAll(0, head.data(), head.size()))
            return 1;
        Wire::Reader reader({head.data(), head.size()});
        std::size_t left = reader.u32();
        if (left == 0)
            break;
        while (left > 0) {
            const std::size_t size = std::min(left, piece.size());
            if (!readAll(0, piece.data(), size))
                return 1;
            if (const int number = file.add(piece.data(), size))
                return sayError(number);
            left -= size;
        }
    }
    const int number = file.finish();
    return number != 0 ? sayError(number) : say(FileStatus::Good);
}

int removeFile(const std::string &path)
{
    struct stat about = {};
    if (lstat(path.c_str(), &about) != 0)
        return sayError(errno);
    if (S_ISDIR(about.st_mode))
        return sayError(EISDIR);
    return unlink(path.c_str()) == 0 ? say(FileStatus::Good) : sayError(errno);
}

} // namespace

bool isFileWork(const std::string &verb)
{
    return verb == "read" || verb == "list" || verb == "write" || verb == "remove";
}

int doFileWork(const std::string &verb, const std::string &path)
{
    if (verb == "read")
        return readFile(path);
    if (verb == "list")
        return listFolder(path);
    if (verb == "write")
        return writeFile(path);
    return removeFile(path);
}

} // namespace Sandpiper
