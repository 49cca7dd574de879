// An SFTP server on standard input and output, for sshd's Subsystem: version 3 without a single extension, and
// with the habits that its arguments name. Some of them are allowed and rare, the others are attacks.
//
//   zero-names       every second READDIR is answered with no names
//   reorder          answers to what came together are sent the other way round
//   cap=N            a READ is answered with at most N bytes
//   no-setstat       SETSTAT and FSETSTAT are refused
//   offer=NAME       an extension is offered that is then not known
//   at=TYPE          what follows is done instead of answering the first request of that type (a number)…
//   do=HEX           …these bytes are sent, in which "ID" (4944) stands for the id of the request
//   do=exit          …it ends
//   do=silence       …and never again is anything answered
//   do=long          …a READ is answered with one byte more than it asked for
//   do=names         …a READDIR is answered with names that no file may have
//   do=flood         …it sends without end
//   greeting         it prints a line before it speaks SFTP
#include "session/sshwire.h"
#include "sftp/packet.h"

#include <QByteArray>
#include <QByteArrayList>
#include <QHash>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

using namespace Sandpiper;

namespace {

QByteArray number(quint32 value)
{
    return SshWire::number(value);
}

QByteArray longNumber(quint64 value)
{
    return number(quint32(value >> 32)) + number(quint32(value));
}

void writeAll(QByteArrayView bytes)
{
    while (!bytes.isEmpty()) {
        const ssize_t sent = ::write(STDOUT_FILENO, bytes.data(), size_t(bytes.size()));
        if (sent <= 0)
            std::exit(0);
        bytes = bytes.sliced(sent);
    }
}

QByteArray attributesOf(const struct stat &found)
{
    return number(0x0f) + longNumber(quint64(found.st_size)) + number(found.st_uid) + number(found.st_gid) + number(found.st_mode)
            + number(quint32(found.st_atime)) + number(quint32(found.st_mtime));
}

class Server
{
public:
    explicit Server(const QByteArrayList &habits)
        : m_habits(habits)
    {
        for (const QByteArray &habit : habits) {
            if (habit.startsWith("cap="))
                m_cap = habit.sliced(4).toUInt();
            else if (habit.startsWith("at="))
                m_attackAt = habit.sliced(3).toInt();
            else if (habit.startsWith("do="))
                m_attack = habit.sliced(3);
            else if (habit.startsWith("offer="))
                m_offered += SshWire::string(habit.sliced(6)) + SshWire::string("1");
        }
    }

    void run()
    {
        if (m_habits.contains("greeting"))
            writeAll("Welcome to this server\n");
        QByteArray input(64 << 10, Qt::Uninitialized);
        SftpFramer framer;
        for (;;) {
            const ssize_t got = ::read(STDIN_FILENO, input.data(), size_t(input.size()));
            if (got <= 0)
                return;
            const Done fed = framer.feed(QByteArrayView(input).first(got), [this](QByteArrayView packet) {
                take(packet);
                return true;
            });
            if (!fed)
                return;
            pollfd more{STDIN_FILENO, POLLIN, 0};
            if (m_answers.size() >= 32 || ::poll(&more, 1, 0) <= 0)
                flush();
        }
    }

private:
    void flush()
    {
        if (m_habits.contains("reorder"))
            std::reverse(m_answers.begin(), m_answers.end());
        for (const QByteArray &answer : std::as_const(m_answers))
            writeAll(answer);
        m_answers.clear();
    }
    void say(SftpType type, const QByteArray &body) { m_answers += SshWire::string(QByteArray(1, char(type)) + body); }
    void status(quint32 code, const char *words = "") { say(SftpType::Status, number(m_id) + number(code) + SshWire::string(words) + SshWire::string("")); }
    void outcome(int code)
    {
        const int error = errno;
        code == 0 ? status(0) : status(error == ENOENT ? 2 : error == EACCES || error == EPERM ? 3 : 4, "Failure");
    }
    QByteArray string()
    {
        QByteArrayView value;
        (void)SshWire::takeString(m_rest, value);
        return value.toByteArray();
    }
    quint32 word()
    {
        quint32 value = 0;
        (void)SshWire::takeNumber(m_rest, value);
        return value;
    }
    quint64 longWord()
    {
        quint64 value = 0;
        (void)SshWire::takeNumber(m_rest, value);
        return value;
    }

    void attack()
    {
        if (m_attack == "exit")
            std::exit(3);
        if (m_attack == "long") {
            (void)string();
            (void)longWord();
            return say(SftpType::Data, number(m_id) + SshWire::string(QByteArray(word() + 1, 'x')));
        }
        if (m_attack == "names") {
            QByteArray body;
            const QByteArrayList names{".", "..", "", "/", "../../etc/passwd", "a/b", QByteArray("nul\0nul", 7), QByteArray(64 << 10, 'l'),
                                       "good", "new\nline", "\x1b[2J", "\xe2\x80\xae" "exe.gpj", "\xff\xfe"};
            for (const QByteArray &name : names)
                body += SshWire::string(name) + SshWire::string("") + number(0);
            return say(SftpType::Name, number(m_id) + number(quint32(names.size())) + body);
        }
        flush();
        if (m_attack == "flood") {
            for (;;)
                writeAll(SshWire::string(QByteArray(1, char(SftpType::Status)) + number(0x7fffffff) + number(0)));
        }
        if (m_attack != "silence")
            return writeAll(QByteArray::fromHex(m_attack).replace("ID", number(m_id)));
        m_isSilent = true;
    }

    void take(QByteArrayView packet)
    {
        const auto type = SftpType(packet.front());
        m_rest = packet.sliced(1);
        m_id = word();
        if (type == SftpType::Init)
            return say(SftpType::Version, number(3) + m_offered);
        if (int(type) == m_attackAt) {
            m_attackAt = 0;
            return attack();
        }
        if (!m_isSilent)
            serve(type);
    }

    void serve(SftpType type)
    {
        switch (type) {
        case SftpType::Open: {
            const QByteArray path = string();
            const quint32 flags = word();
            const int mode = (flags & SftpOpen::Write ? flags & SftpOpen::Read ? O_RDWR : O_WRONLY : O_RDONLY) | (flags & SftpOpen::Create ? O_CREAT : 0)
                    | (flags & SftpOpen::Truncate ? O_TRUNC : 0) | (flags & SftpOpen::Exclusive ? O_EXCL : 0);
            const int fd = ::open(path.constData(), mode, 0666);
            return fd < 0 ? outcome(-1) : say(SftpType::Handle, number(m_id) + SshWire::string("f" + QByteArray::number(fd)));
        }
        case SftpType::Opendir: {
            DIR *folder = ::opendir(string().constData());
            if (!folder)
                return outcome(-1);
            const QByteArray handle = "d" + QByteArray::number(++m_folders);
            m_open.insert(handle, folder);
            return say(SftpType::Handle, number(m_id) + SshWire::string(handle));
        }
        case SftpType::Close: {
            const QByteArray handle = string();
            if (DIR *folder = m_open.take(handle))
                return outcome(::closedir(folder));
            return outcome(::close(handle.sliced(1).toInt()));
        }
        case SftpType::Read: {
            const int fd = string().sliced(1).toInt();
            const quint64 offset = longWord();
            QByteArray bytes(std::min(word(), m_cap), Qt::Uninitialized);
            const ssize_t got = ::pread(fd, bytes.data(), size_t(bytes.size()), off_t(offset));
            return got < 0 ? outcome(-1) : got == 0 ? status(1, "End of file") : say(SftpType::Data, number(m_id) + SshWire::string(bytes.first(got)));
        }
        case SftpType::Write: {
            const int fd = string().sliced(1).toInt();
            const quint64 offset = longWord();
            const QByteArray bytes = string();
            return outcome(::pwrite(fd, bytes.constData(), size_t(bytes.size()), off_t(offset)) == bytes.size() ? 0 : -1);
        }
        case SftpType::Readdir: return names(m_open.value(string()));
        case SftpType::Stat:
        case SftpType::Lstat:
        case SftpType::Fstat: {
            struct stat found = {};
            const QByteArray what = string();
            const int code = type == SftpType::Stat ? ::stat(what.constData(), &found)
                    : type == SftpType::Lstat       ? ::lstat(what.constData(), &found)
                                                    : ::fstat(what.sliced(1).toInt(), &found);
            return code == 0 ? say(SftpType::Attrs, number(m_id) + attributesOf(found)) : outcome(-1);
        }
        case SftpType::Setstat: {
            if (m_habits.contains("no-setstat"))
                return status(8, "SETSTAT is not for you");
            const QByteArray path = string();
            const quint32 flags = word();
            if (flags & 0x01)
                (void)longWord();
            if (flags & 0x02)
                (void)longWord();
            return outcome(flags & 0x04 ? ::chmod(path.constData(), word()) : 0);
        }
        case SftpType::Remove: return outcome(::unlink(string().constData()));
        case SftpType::Mkdir: return outcome(::mkdir(string().constData(), 0777));
        case SftpType::Rmdir: return outcome(::rmdir(string().constData()));
        case SftpType::Rename: {
            const QByteArray from = string();
            const QByteArray to = string();
            if (::access(to.constData(), F_OK) == 0)
                return status(4, "Failure");
            return outcome(::rename(from.constData(), to.constData()));
        }
        case SftpType::Realpath: {
            char *real = ::realpath(string().constData(), nullptr);
            if (!real)
                return outcome(-1);
            say(SftpType::Name, number(m_id) + number(1) + SshWire::string(real) + SshWire::string("") + number(0));
            return ::free(real);
        }
        case SftpType::Readlink: {
            QByteArray target(4096, Qt::Uninitialized);
            const ssize_t size = ::readlink(string().constData(), target.data(), size_t(target.size()));
            return size < 0 ? outcome(-1) : say(SftpType::Name, number(m_id) + number(1) + SshWire::string(target.first(size)) + SshWire::string("") + number(0));
        }
        case SftpType::Symlink: { // as OpenSSH, whose sshd it is behind
            const QByteArray target = string();
            return outcome(::symlink(target.constData(), string().constData()));
        }
        default: return status(8, "Operation unsupported");
        }
    }

    void names(DIR *folder)
    {
        if (!folder)
            return status(4, "no such handle");
        if (m_habits.contains("zero-names") && (m_turn = !m_turn))
            return say(SftpType::Name, number(m_id) + number(0));
        QByteArray body;
        quint32 count = 0;
        while (const dirent *entry = count < 7 ? ::readdir(folder) : nullptr) {
            ++count;
            body += SshWire::string(entry->d_name) + SshWire::string("") + number(0); // says nothing of them
        }
        count == 0 ? status(1, "End of file") : say(SftpType::Name, number(m_id) + number(count) + body);
    }

    QByteArrayList m_habits;
    QByteArray m_offered;
    quint32 m_cap = 1 << 20;
    int m_attackAt = 0;
    QByteArray m_attack;
    bool m_isSilent = false;
    bool m_turn = false;
    int m_folders = 0;
    QHash<QByteArray, DIR *> m_open;
    QByteArrayList m_answers;
    QByteArrayView m_rest;
    quint32 m_id = 0;
};

} // namespace

int main(int argc, char **argv)
{
    QByteArrayList habits;
    for (int i = 1; i < argc; ++i)
        habits += argv[i];
    Server(habits).run();
    return 0;
}
