#include "session/commandrun.h"

#include <csignal>

namespace Sandpiper {
namespace {

// A piece is dropped as a whole, so none may be large.
constexpr qsizetype kLargestPiece = 64 * 1024;
constexpr qsizetype kLongestLastLine = 200;

} // namespace

CommandRun::CommandRun(const Sandbox &sandbox, Services services, QObject *parent)
    : QObject(parent)
    , m_sandbox(sandbox)
    , m_services(std::move(services))
    , m_hashes{QCryptographicHash(QCryptographicHash::Sha256), QCryptographicHash(QCryptographicHash::Sha256)}
{
    if (!m_services.now)
        m_services.now = [] { return std::chrono::steady_clock::now(); };
    m_patience.setSingleShot(true);
    connect(&m_patience, &QTimer::timeout, this, &CommandRun::stop);
}

CommandRun::~CommandRun() = default;

void CommandRun::setState(State state)
{
    Q_ASSERT(state > m_state);
    m_state = state;
    if (isOver()) {
        m_endedAt = m_services.now();
        m_patience.stop();
    }
    emit changed();
}

void CommandRun::start()
{
    if (m_state != State::Waiting)
        return;
    m_startedAt = m_services.now();
    Result<std::unique_ptr<RemoteCommand>> made = m_services.make();
    if (!made)
        return fail(made.error());
    m_remote = std::move(*made);
    RemoteCommand *remote = m_remote.get();
    connect(remote, &RemoteCommand::started, this, [this, remote] {
        remote->closeInput();
        if (m_state == State::Connecting)
            setState(State::Running);
    });
    connect(remote, &RemoteCommand::outputReceived, this, [this](const QByteArray &bytes) { take(CommandPiece::Stream::Output, bytes); });
    connect(remote, &RemoteCommand::errorOutputReceived, this, [this](const QByteArray &bytes) { take(CommandPiece::Stream::ErrorOutput, bytes); });
    connect(remote, &RemoteCommand::ended, this, &CommandRun::onEnded);
    setState(State::Connecting);
    remote->start();
}

void CommandRun::stop()
{
    if (isOver())
        return;
    if (m_state == State::Running && !m_isStopping) {
        m_isStopping = true;
        m_remote->sendSignal(SIGTERM);
        m_patience.start(m_services.stopPatience);
        return;
    }
    if (m_state == State::Waiting)
        m_startedAt = m_services.now();
    // This may be a signal of the command itself.
    if (m_remote) {
        m_remote->disconnect(this);
        m_remote.release()->deleteLater();
    }
    setState(State::Stopped);
}

void CommandRun::take(CommandPiece::Stream stream, const QByteArray &bytes)
{
    m_remote->consumed(bytes.size());
    m_hashes[int(stream)].addData(bytes);
    const QString text = m_plain[int(stream)].feed(bytes);
    for (qsizetype at = 0; at < text.size(); at += kLargestPiece) {
        const CommandPiece piece{stream, text.mid(at, kLargestPiece)};
        m_characters += piece.text.size();
        // Many small ones of a stream are one: a program that writes byte by byte must not cost more.
        if (!m_pieces.empty() && m_pieces.back().stream == stream && m_pieces.back().text.size() + piece.text.size() <= kLargestPiece)
            m_pieces.back().text += piece.text;
        else
            m_pieces.push_back(piece);
        while (m_characters > m_services.mostCharacters && m_pieces.size() > 1) {
            m_characters -= m_pieces.front().text.size();
            m_dropped += m_pieces.front().text.size();
            m_pieces.pop_front();
        }
        emit appended(piece);
    }
}

void CommandRun::onEnded(const ShellEnd &end)
{
    if (isOver())
        return;
    switch (end.kind) {
    case ShellEnd::Kind::Exited:
        m_exitCode = end.exitCode;
        return setState(m_isStopping ? State::Stopped : State::Exited);
    case ShellEnd::Kind::Signalled:
    case ShellEnd::Kind::Killed:
        m_signalName = end.signalName;
        return setState(m_isStopping ? State::Stopped : State::Signalled);
    case ShellEnd::Kind::Lost:
    case ShellEnd::Kind::Failed: return fail(end.error);
    }
}

void CommandRun::fail(const Error &error)
{
    m_error = error;
    if (m_error.subject.isEmpty())
        m_error.subject = m_sandbox.displayName();
    setState(m_isStopping ? State::Stopped : State::Failed);
}

std::chrono::milliseconds CommandRun::elapsed() const
{
    if (m_state == State::Waiting)
        return {};
    return std::chrono::duration_cast<std::chrono::milliseconds>((isOver() ? m_endedAt : m_services.now()) - m_startedAt);
}

QString CommandRun::text() const
{
    QString all;
    for (const CommandPiece &piece : m_pieces)
        all += piece.text;
    return all;
}

QString CommandRun::lastLine() const
{
    QString line;
    for (auto piece = m_pieces.crbegin(); piece != m_pieces.crend(); ++piece) {
        line.prepend(piece->text.right(kLargestPiece));
        while (line.endsWith(u'\n') || line.endsWith(u' '))
            line.chop(1);
        if (const qsizetype end = line.lastIndexOf(u'\n'); end >= 0)
            return line.sliced(end + 1).left(kLongestLastLine);
        if (line.size() > kLargestPiece)
            break;
    }
    return line.left(kLongestLastLine);
}

QByteArray CommandRun::fingerprint() const
{
    if (!isOver())
        return {};
    return QByteArray::number(int(m_state)) + ' ' + QByteArray::number(m_exitCode) + ' ' + m_signalName.toUtf8() + ' '
            + (m_state == State::Failed ? nameOf(m_error.kind).toUtf8() : QByteArray()) + ' ' + m_hashes[0].result() + m_hashes[1].result();
}

} // namespace Sandpiper
