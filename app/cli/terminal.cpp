#include "app/cli/terminal.h"

#include "app/cli/output.h"

#include <QCoreApplication>
#include <QMetaMethod>
#include <QScopeGuard>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype maxAnswer = 64 * 1024;

termios g_cooked = {};
bool g_raw = false;

void restoreTerminal()
{
    if (g_raw)
        ::tcsetattr(STDIN_FILENO, TCSANOW, &g_cooked);
    g_raw = false;
}

std::array<int, 2> g_signalPipe = {-1, -1};

void onSignal(int number)
{
    const int saved = errno;
    const char byte = char(number);
    [[maybe_unused]] const ssize_t done = ::write(g_signalPipe[1], &byte, 1);
    errno = saved;
}

Error nobodyToAsk(const QString &label)
{
    return {ErrorKind::InvalidInput, Layer::Provider, u"%1 is needed, and there is no terminal to ask on"_s.arg(label), {}};
}

// One line from a terminal, byte by byte so that nothing behind it is swallowed.
Result<QByteArray> readLine(int fd, const QString &label)
{
    QByteArray line;
    for (char c = 0; line.size() < maxAnswer;) {
        const ssize_t got = ::read(fd, &c, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || (got == 0 && line.isEmpty()))
            return std::unexpected(nobodyToAsk(label));
        if (got == 0 || c == '\n')
            return line;
        line += c;
    }
    return failure(ErrorKind::TooLarge, Layer::Provider, u"%1 is too long"_s.arg(label));
}

} // namespace

bool isTerminal(int descriptor)
{
    return ::isatty(descriptor) == 1;
}

TerminalSize localTerminalSize()
{
    winsize size = {};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 && ::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) != 0)
        return {};
    if (size.ws_col == 0 || size.ws_row == 0)
        return {};
    return TerminalSize{size.ws_col, size.ws_row}.clamped();
}

Result<Secret> readSecret(const QString &label)
{
    if (!isTerminal(STDIN_FILENO)) {
        Result<QByteArray> line = readLine(STDIN_FILENO, label);
        if (!line)
            return std::unexpected(line.error());
        return Secret::taking(*line);
    }
    const int tty = ::open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (tty < 0)
        return std::unexpected(nobodyToAsk(label));
    const auto close = qScopeGuard([tty] { ::close(tty); });
    termios before = {};
    ::tcgetattr(tty, &before);
    termios silent = before;
    silent.c_lflag &= ~tcflag_t(ECHO);
    ::tcsetattr(tty, TCSAFLUSH, &silent);
    const QByteArray question = label.toUtf8() + ": ";
    [[maybe_unused]] ssize_t done = ::write(tty, question.constData(), size_t(question.size()));
    Result<QByteArray> line = readLine(tty, label);
    ::tcsetattr(tty, TCSAFLUSH, &before);
    done = ::write(tty, "\n", 1);
    if (!line)
        return std::unexpected(line.error());
    return Secret::taking(*line);
}

Result<QString> readAnswer(const QString &question)
{
    const int tty = ::open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (tty < 0)
        return std::unexpected(nobodyToAsk(question));
    const auto close = qScopeGuard([tty] { ::close(tty); });
    const QByteArray text = question.toUtf8() + ' ';
    [[maybe_unused]] const ssize_t done = ::write(tty, text.constData(), size_t(text.size()));
    const Result<QByteArray> line = readLine(tty, question);
    if (!line)
        return std::unexpected(line.error());
    return QString::fromUtf8(*line).trimmed();
}

RawMode::RawMode()
{
    if (::tcgetattr(STDIN_FILENO, &g_cooked) != 0)
        return;
    static const int atExit = std::atexit(restoreTerminal);
    (void)atExit;
    termios raw = g_cooked;
    ::cfmakeraw(&raw);
    g_raw = ::tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

RawMode::~RawMode()
{
    restoreTerminal();
}

InputReader::InputReader(QObject *parent)
    : QObject(parent)
    , m_readable(STDIN_FILENO, QSocketNotifier::Read)
{
    connect(&m_readable, &QSocketNotifier::activated, this, &InputReader::read);
}

void InputReader::setPaused(bool paused)
{
    m_readable.setEnabled(!paused && !m_ended);
}

void InputReader::read()
{
    QByteArray buffer(32 * 1024, Qt::Uninitialized);
    const ssize_t got = ::read(STDIN_FILENO, buffer.data(), size_t(buffer.size()));
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got <= 0) {
        const int reason = got < 0 ? errno : 0;
        m_ended = true;
        m_readable.setEnabled(false);
        if (reason != 0 && isSignalConnected(QMetaMethod::fromSignal(&InputReader::failed)))
            emit failed(reason);
        else
            emit ended();
        return;
    }
    buffer.truncate(got);
    emit received(buffer);
}

SignalWatch::SignalWatch(QObject *parent)
    : QObject(parent)
{
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, g_signalPipe.data()) != 0)
        return;
    auto *readable = new QSocketNotifier(g_signalPipe[0], QSocketNotifier::Read, this);
    connect(readable, &QSocketNotifier::activated, this, [this] {
        char byte = 0;
        while (::read(g_signalPipe[0], &byte, 1) == 1)
            emit raised(byte);
    });
    struct sigaction action = {};
    action.sa_handler = onSignal;
    action.sa_flags = SA_RESTART;
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGWINCH})
        ::sigaction(number, &action, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
}

SignalWatch &signalWatch()
{
    static auto *watch = new SignalWatch(qApp);
    return *watch;
}

CliResult<DetachKeys> DetachKeys::parse(const QString &text)
{
    DetachKeys keys;
    if (text == "none"_L1)
        return keys;
    const auto wrong = [&] {
        return mistyped(u"--detach-keys takes ctrl-X or single characters, parted by commas, at most %1, or none; not '%2'"_s.arg(mostKeys).arg(tamed(text, 60)));
    };
    if (text.count(u',') >= mostKeys)
        return wrong();
    for (const QString &part : text.split(u',')) {
        const bool control = part.startsWith("ctrl-"_L1);
        const QString rest = control ? part.sliced(5) : part;
        if (rest.size() != 1 || rest.front() < u' ' || rest.front() > u'~')
            return wrong();
        const char key = char(rest.front().toUpper().unicode());
        if (!control) {
            keys.m_sequence += char(rest.front().unicode());
            continue;
        }
        // @ A–Z [ \ ] ^ _ are the keys that Ctrl turns into control characters.
        if (key < '@' || key > '_')
            return wrong();
        keys.m_sequence += char(key & 0x1f);
    }
    return keys;
}

QByteArray DetachKeys::expired(Time now)
{
    if (m_held == 0 || m_matched || now < m_deadline)
        return {};
    return m_sequence.first(std::exchange(m_held, 0));
}

QByteArray DetachKeys::filter(QByteArrayView typed, Time now)
{
    if (m_sequence.isEmpty())
        return typed.toByteArray();
    QByteArray passed = expired(now);
    for (const char c : typed) {
        if (m_matched)
            break;
        const QByteArray candidate = m_sequence.first(m_held) + c;
        // Of what is held, the longest end that may still begin the sequence stays held.
        qsizetype keep = candidate.size();
        while (keep > 0 && !m_sequence.startsWith(QByteArrayView(candidate).last(keep)))
            --keep;
        passed += candidate.first(candidate.size() - keep);
        m_held = keep;
        m_matched = m_held == m_sequence.size();
    }
    m_deadline = now + patience;
    return passed;
}

} // namespace Sandpiper
