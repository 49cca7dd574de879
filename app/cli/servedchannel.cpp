#include "app/cli/servedchannel.h"

#include "app/cli/command.h"
#include "session/errortext.h"

#include <chrono>
#include <utility>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {
namespace {

constexpr auto hangUpPatience = 5s;
// Below it the far end is fed more; above, the client waits.
constexpr qint64 enoughPending = kMostFarInput / 2;

} // namespace

ServedChannel::ServedChannel(std::shared_ptr<FarMail> mail, FarEnds *ends)
    : m_mail(std::move(mail))
    , m_ends(ends)
    , m_bell(m_mail->commands.descriptor(), QSocketNotifier::Read)
{
    connect(&m_bell, &QSocketNotifier::activated, this, &ServedChannel::takeCommands);
    m_patience.setSingleShot(true);
    m_patience.setInterval(hangUpPatience);
    connect(&m_patience, &QTimer::timeout, this, [this] { finish({ExitOurs, {}}); });
}

void ServedChannel::takeCommands()
{
    for (FarCommand &command : m_mail->commands.takeAll())
        handle(command);
}

void ServedChannel::handle(FarCommand &command)
{
    if (const auto *start = std::get_if<ToFar::Start>(&command)) {
        begin(*start);
    } else if (const auto *input = std::get_if<ToFar::Input>(&command)) {
        m_held += input->bytes;
        passInput();
    } else if (std::holds_alternative<ToFar::InputEnd>(command)) {
        m_inputEnded = true;
        passInput();
    } else if (const auto *resize = std::get_if<ToFar::Resize>(&command)) {
        m_start.size = resize->size;
        if (m_open)
            m_far->resize(resize->size);
    } else if (const auto *signal = std::get_if<ToFar::Signal>(&command)) {
        if (m_open)
            m_far->sendSignal(signal->number);
    } else if (const auto *consumed = std::get_if<ToFar::Consumed>(&command)) {
        if (m_open)
            m_far->consumed(consumed->bytes);
    } else {
        hangUp();
    }
}

void ServedChannel::begin(const ToFar::Start &start)
{
    m_start = start;
    m_choice = m_ends->choose(start);
    tryNext();
}

void ServedChannel::tryNext()
{
    while (m_nextWay < m_choice.ways.size()) {
        m_far = m_choice.ways[m_nextWay++]();
        if (m_far) {
            connectFar();
            m_far->start();
            return;
        }
    }
    tell(m_choice.refusal.isEmpty() ? tr("The sandbox offers no way to do this.") : m_choice.refusal);
    finish({ExitOurs, {}});
}

void ServedChannel::connectFar()
{
    connect(m_far.get(), &FarEnd::opened, this, &ServedChannel::onOpened);
    connect(m_far.get(), &FarEnd::output, this, [this](const QByteArray &bytes, bool isError) {
        m_mail->events.put(FromFar::Output{bytes, isError});
    });
    connect(m_far.get(), &FarEnd::outputEnded, this, [this] { m_mail->events.put(FromFar::OutputEnd{}); });
    connect(m_far.get(), &FarEnd::inputDrained, this, &ServedChannel::passInput);
    connect(m_far.get(), &FarEnd::ended, this, &ServedChannel::onEnded);
}

void ServedChannel::onOpened()
{
    m_open = true;
    if (m_start.what == ToFar::Start::What::Connect)
        m_mail->events.put(FromFar::Opened{});
    if (m_start.terminal)
        m_far->resize(m_start.size);
    passInput();
}

void ServedChannel::passInput()
{
    if (!m_open || m_hungUp)
        return;
    if (!m_held.isEmpty()) {
        m_untold += m_held.size();
        m_far->write(std::exchange(m_held, {}));
    }
    if (m_far->pendingInput() <= enoughPending && m_untold > 0)
        m_mail->events.put(FromFar::Taken{std::exchange(m_untold, 0)});
    if (std::exchange(m_inputEnded, false))
        m_far->closeInput();
}

void ServedChannel::onEnded(const ShellEnd &end)
{
    m_far.release()->deleteLater();
    const bool wasOpen = std::exchange(m_open, false);
    if (!wasOpen && !m_hungUp && end.kind == ShellEnd::Kind::Failed && m_nextWay < m_choice.ways.size()) {
        tryNext();
        return;
    }
    if (wasOpen && m_start.what == ToFar::Start::What::Connect)
        return finish({0, {}});
    if (const QString more = m_ends->explain(m_start, end); !more.isEmpty())
        tell(more);
    switch (end.kind) {
    case ShellEnd::Kind::Exited:
        return finish({statusOfExit(end.exitCode), {}});
    case ShellEnd::Kind::Signalled:
        return finish(end.signalName.isEmpty() ? FromFar::Ended{ExitOurs, {}} : FromFar::Ended{0, end.signalName.toLatin1()});
    case ShellEnd::Kind::Killed:
        return finish({ExitOurs, {}});
    case ShellEnd::Kind::Lost:
    case ShellEnd::Kind::Failed:
        tell(errorText(end.error).sentence);
        return finish({ExitOurs, {}});
    }
}

void ServedChannel::tell(const QString &sentence)
{
    // A connection has no stream for words.
    if (m_start.what == ToFar::Start::What::Connect)
        emit said(tr("No connection to %1:%2. %3").arg(tamed(m_start.host, 80)).arg(m_start.port).arg(sentence));
    else
        m_mail->events.put(FromFar::Output{"sandpiper-cli: " + sentence.toUtf8() + (m_start.terminal ? "\r\n" : "\n"), true});
}

void ServedChannel::finish(const FromFar::Ended &end)
{
    if (std::exchange(m_finished, true))
        return;
    m_mail->events.put(end);
    QMetaObject::invokeMethod(this, &ServedChannel::over, Qt::QueuedConnection);
}

void ServedChannel::hangUp()
{
    if (std::exchange(m_hungUp, true) || m_finished)
        return;
    if (!m_far)
        return finish({ExitOurs, {}});
    m_patience.start();
    m_far->hangUp();
}

} // namespace Sandpiper
