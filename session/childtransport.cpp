#include "session/childtransport.h"

#include "session/quietthread.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
extern "C" {
#include <sys/pidfd.h> // says nothing of C++ itself
}

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {
namespace {

using Clock = std::chrono::steady_clock;

constexpr qsizetype kMostComplaints = 4096; // of standard error; the last of it counts
constexpr auto kPatienceWithInput = 500ms;  // after its input was closed
constexpr auto kPatienceWithTerm = 1000ms;
constexpr auto kPatienceOfOwner = 200ms; // a child that takes longer is seen to its end without it

std::unexpected<Error> systemFailure(int number, const QString &subject = {})
{
    ErrorKind kind = ErrorKind::Io;
    if (number == ENOENT || number == ENOTDIR)
        kind = ErrorKind::NotFound;
    else if (number == EACCES || number == EPERM || number == ENOEXEC)
        kind = ErrorKind::PermissionDenied;
    return failure(kind, Layer::LocalDisk, QString::fromLocal8Bit(std::strerror(number)), subject);
}

// What the child gets must not lie where its own 0, 1 and 2 will be.
FileDescriptor aboveStandard(FileDescriptor fd)
{
    return fd.get() > 2 ? std::move(fd) : FileDescriptor(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
}

class SpawnSetting
{
public:
    SpawnSetting()
    {
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawnattr_init(&attributes);
    }
    ~SpawnSetting()
    {
        ::posix_spawn_file_actions_destroy(&actions);
        ::posix_spawnattr_destroy(&attributes);
    }
    SpawnSetting(const SpawnSetting &) = delete;
    SpawnSetting &operator=(const SpawnSetting &) = delete;

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
};

bool isCommand(const QByteArrayList &argv, const QByteArrayList &environment)
{
    const auto hasNul = [](const QByteArray &word) { return word.contains('\0'); };
    return !argv.isEmpty() && !argv.constFirst().isEmpty() && std::ranges::none_of(argv, hasNul)
            && std::ranges::none_of(environment, hasNul);
}

siginfo_t reaped(pid_t pid)
{
    siginfo_t how = {};
    while (::waitid(P_PID, id_t(pid), &how, WEXITED) != 0 && errno == EINTR) { }
    return how;
}

std::vector<char *> pointersTo(const QByteArrayList &words)
{
    std::vector<char *> pointers;
    for (const QByteArray &word : words)
        pointers.push_back(const_cast<char *>(word.constData()));
    pointers.push_back(nullptr);
    return pointers;
}

Result<pid_t> spawn(const QByteArrayList &argv, const QByteArrayList &environment, int stream, int complaints)
{
    SpawnSetting setting;
    sigset_t all;
    sigset_t none;
    ::sigfillset(&all);
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigdefault(&setting.attributes, &all);
    ::posix_spawnattr_setsigmask(&setting.attributes, &none);
    ::posix_spawnattr_setflags(&setting.attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    ::posix_spawn_file_actions_adddup2(&setting.actions, stream, 0);
    ::posix_spawn_file_actions_adddup2(&setting.actions, stream, 1);
    ::posix_spawn_file_actions_adddup2(&setting.actions, complaints, 2);
    ::posix_spawn_file_actions_addclosefrom_np(&setting.actions, 3);
    pid_t pid = -1;
    const int code = ::posix_spawnp(&pid, argv.constFirst().constData(), &setting.actions, &setting.attributes,
                                    pointersTo(argv).data(), pointersTo(environment).data());
    if (code != 0)
        return systemFailure(code, tamed(QString::fromLocal8Bit(argv.constFirst()), 200));
    return pid;
}

// Reads what the child complains about, notices its end, and brings that about when it is let go. Owned
// by its thread, which ends with the child.
class Child
{
public:
    Child(pid_t pid, FileDescriptor process, FileDescriptor complaints, const QString &name, std::shared_ptr<TransportWords> words)
        : m_pid(pid)
        , m_process(std::move(process))
        , m_complaints(std::move(complaints))
        , m_name(name)
        , m_words(std::move(words))
    {
    }
    Child(const Child &) = delete;
    Child &operator=(const Child &) = delete;

    [[nodiscard]] bool isUsable() const { return m_process.isValid() && m_stop.isUsable() && m_finished.isUsable(); }
    void run();
    void letGo()
    {
        m_stop.put(true);
        pollfd waiting = {m_finished.descriptor(), POLLIN, 0};
        ::poll(&waiting, 1, int(kPatienceOfOwner.count()));
    }

private:
    void read();
    void escalate();
    void tellEnd(const siginfo_t &how);

    pid_t m_pid;
    FileDescriptor m_process;
    FileDescriptor m_complaints;
    QString m_name;
    std::shared_ptr<TransportWords> m_words;
    Mailbox<bool> m_stop;
    Mailbox<bool> m_finished;
    QByteArray m_said;
    std::optional<Clock::time_point> m_next; // when it is pressed harder
    bool m_wasTold = false;
};

void Child::run()
{
    for (;;) {
        pollfd waiting[] = {{m_process.get(), POLLIN, 0}, {m_complaints.get(), POLLIN, 0}, {m_next ? -1 : m_stop.descriptor(), POLLIN, 0}};
        ::poll(waiting, 3, m_next ? millisecondsUntil(*m_next) : -1);
        if (waiting[1].revents != 0)
            read();
        if (waiting[0].revents != 0)
            break;
        if (waiting[2].revents != 0)
            m_next = Clock::now() + kPatienceWithInput;
        if (m_next && Clock::now() >= *m_next)
            escalate();
    }
    if (m_complaints.isValid())
        read();
    tellEnd(reaped(m_pid));
    m_finished.put(true);
}

void Child::read()
{
    char buffer[4096];
    // Bounded: something that never stops complaining must not keep us from noticing its end.
    for (int turn = 0; turn < 16; ++turn) {
        const ssize_t got = ::read(m_complaints.get(), buffer, sizeof buffer);
        if (got > 0) {
            m_said.append(buffer, got);
            if (m_said.size() > 2 * kMostComplaints)
                m_said = m_said.last(kMostComplaints);
        } else {
            if (got == 0 || (errno != EAGAIN && errno != EINTR))
                m_complaints.reset();
            return;
        }
    }
}

void Child::escalate()
{
    // Its whole group: a shell may have started the program that really holds on. It is not reaped yet,
    // so the number is still its own.
    ::kill(-m_pid, m_wasTold ? SIGKILL : SIGTERM);
    m_next = m_wasTold ? Clock::now() + 24h : Clock::now() + kPatienceWithTerm;
    m_wasTold = true;
}

void Child::tellEnd(const siginfo_t &how)
{
    QString text = how.si_code == CLD_EXITED ? u"%1 ended with status %2"_s.arg(m_name).arg(how.si_status)
                                             : u"%1 was ended by signal %2"_s.arg(m_name).arg(how.si_status);
    const QString said = tamed(QString::fromLocal8Bit(m_said.last(std::min(m_said.size(), kMostComplaints))).trimmed(), kMostComplaints);
    if (!said.isEmpty())
        text += u": "_s + said.last(std::min<qsizetype>(said.size(), 400));
    const bool isMissing = how.si_code == CLD_EXITED && how.si_status == 127;
    m_words->put({isMissing ? ErrorKind::NotFound : ErrorKind::Io, Layer::Ssh, tamed(text), {}});
}

} // namespace

Result<OpenTransport> openChild(const QByteArrayList &argv, const QByteArrayList &environment, const QString &name)
{
    if (!isCommand(argv, environment))
        return failure(ErrorKind::InvalidInput, Layer::LocalDisk, u"this is no command"_s, tamed(name, 200));
    Result<SocketPair> stream = makeSocketPair();
    int ends[2] = {-1, -1};
    if (!stream)
        return std::unexpected(stream.error());
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return systemFailure(errno);
    FileDescriptor complaints(ends[0]);
    const FileDescriptor complaintsThere = aboveStandard(FileDescriptor(ends[1]));
    const FileDescriptor theirs = aboveStandard(std::move(stream->theirs));
    auto words = std::make_shared<TransportWords>();
    if (!complaintsThere.isValid() || !theirs.isValid() || !words->isUsable())
        return failure(ErrorKind::Io, Layer::LocalDisk, u"no file descriptors are left"_s);
    // Programs expect that they may wait on what they are given.
    ::fcntl(theirs.get(), F_SETFL, 0);
    ::fcntl(complaintsThere.get(), F_SETFL, O_WRONLY);
    const Result<pid_t> pid = spawn(argv, environment, theirs.get(), complaintsThere.get());
    if (!pid)
        return std::unexpected(pid.error());
    auto child = std::make_shared<Child>(*pid, FileDescriptor(::pidfd_open(*pid, 0)), std::move(complaints), name, words);
    bool isWatched = child->isUsable();
    try {
        if (isWatched)
            quietThread([child] { child->run(); }).detach();
    } catch (const std::system_error &) {
        isWatched = false;
    }
    if (!isWatched) {
        ::kill(-*pid, SIGKILL);
        reaped(*pid);
        return failure(ErrorKind::Io, Layer::LocalDisk, u"no descriptors or threads are left"_s);
    }
    const std::shared_ptr<void> behind(child.get(), [child](void *) { child->letGo(); });
    return OpenTransport{std::move(stream->ours), std::move(words), behind};
}

Result<int> runQuietly(const QByteArrayList &argv, const QByteArrayList &environment, const Waiting &waiting)
{
    if (!isCommand(argv, environment))
        return failure(ErrorKind::InvalidInput, Layer::LocalDisk, u"this is no command"_s);
    const FileDescriptor nothing = aboveStandard(FileDescriptor(::open("/dev/null", O_RDWR | O_CLOEXEC)));
    if (!nothing.isValid())
        return systemFailure(errno);
    const Result<pid_t> pid = spawn(argv, environment, nothing.get(), nothing.get());
    if (!pid)
        return std::unexpected(pid.error());
    const FileDescriptor process(::pidfd_open(*pid, 0));
    std::optional<Error> cut;
    if (!process.isValid())
        cut = systemFailure(errno).error();
    while (!cut) {
        pollfd polled[] = {{process.get(), POLLIN, 0}, {waiting.wakeDescriptor, POLLIN, 0}};
        ::poll(polled, 2, millisecondsUntil(waiting.deadline));
        if (polled[0].revents != 0)
            break;
        if (waiting.cancelled())
            cut = Error{ErrorKind::Cancelled, Layer::Ssh, {}, {}};
        else if (millisecondsUntil(waiting.deadline) == 0)
            cut = Error{ErrorKind::Timeout, Layer::Ssh, u"a command did not end in time"_s, {}};
    }
    if (cut)
        ::kill(-*pid, SIGKILL);
    const siginfo_t how = reaped(*pid);
    if (cut)
        return std::unexpected(*cut);
    return how.si_code == CLD_EXITED ? how.si_status : 128 + how.si_status;
}

} // namespace Sandpiper
