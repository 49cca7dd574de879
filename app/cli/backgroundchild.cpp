#include "app/cli/backgroundchild.h"

#include <QCoreApplication>
#include <QFile>

#include <cerrno>
#include <csignal>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace Sandpiper {
namespace {

constexpr auto kReadyVariable = "SANDPIPER_READY_FD";

int readyDescriptor = -1; // of this process, where it is such a child

} // namespace

BackgroundChild::BackgroundChild(QObject *parent)
    : QObject(parent)
{
}

BackgroundChild::~BackgroundChild() = default;

bool BackgroundChild::start(const QStringList &arguments)
{
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        return false;
    m_ready = FileDescriptor(ends[0]);
    const FileDescriptor theirs(ends[1]);
    QByteArrayList words{QFile::encodeName(QCoreApplication::applicationFilePath())};
    for (const QString &argument : arguments)
        words.append(argument.toLocal8Bit());
    std::vector<char *> argv;
    for (QByteArray &word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    // Beyond what a program opens by itself; the copy is not closed at the start.
    const FileDescriptor kept(::fcntl(theirs.get(), F_DUPFD, 64));
    if (!kept.isValid())
        return false;
    QByteArray ready = QByteArray(kReadyVariable) + '=' + QByteArray::number(kept.get());
    std::vector<char *> environment;
    for (char **one = environ; *one; ++one)
        environment.push_back(*one);
    environment.push_back(ready.data());
    environment.push_back(nullptr);
    const int failed = ::posix_spawn(&m_process, words.first().constData(), nullptr, nullptr, argv.data(), environment.data());
    if (failed != 0) {
        m_process = -1;
        errno = failed;
        return false;
    }
    m_notifier = std::make_unique<QSocketNotifier>(m_ready.get(), QSocketNotifier::Read);
    connect(m_notifier.get(), &QSocketNotifier::activated, this, &BackgroundChild::read);
    return true;
}

void BackgroundChild::stop()
{
    if (m_process > 0)
        ::kill(m_process, SIGTERM);
}

void BackgroundChild::read()
{
    char byte = 0;
    const ssize_t got = ::read(m_ready.get(), &byte, 1);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    m_notifier->setEnabled(false);
    if (got == 1) {
        emit finished(0);
        return;
    }
    // Its end of the pipe is closed, so it is ending.
    int status = 0;
    while (::waitpid(m_process, &status, 0) < 0 && errno == EINTR) {}
    m_process = -1;
    emit finished(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

bool BackgroundChild::isChild()
{
    bool isNumber = false;
    const int descriptor = qEnvironmentVariableIntValue(kReadyVariable, &isNumber);
    if (!isNumber || descriptor < 3 || ::fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0)
        return false;
    // Programs that this one starts are no children of that kind.
    qunsetenv(kReadyVariable);
    readyDescriptor = descriptor;
    return true;
}

void BackgroundChild::leave()
{
    ::setsid();
    const FileDescriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    for (int standard = 0; standard < 3; ++standard)
        ::dup2(nothing.get(), standard);
    // Not to keep a file system busy; every path of ours is absolute.
    (void)!::chdir("/");
    const char ready = 1;
    (void)!::write(readyDescriptor, &ready, 1);
    ::close(std::exchange(readyDescriptor, -1));
}

} // namespace Sandpiper
