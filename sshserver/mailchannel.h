// A channel whose other end lives on another thread: what the two say to each other, and the
// connection's side of it.
#pragma once

#include "session/mailbox.h"
#include "sshserver/sshhost.h"

#include <QMap>

#include <deque>
#include <functional>
#include <optional>
#include <variant>
#include <vector>

namespace Sandpiper {

namespace ToFar {
struct Start // the first one
{
    enum class What { Shell, Exec, Subsystem, Connect };
    What what = What::Shell;
    QByteArray command; // Exec: the command line. Subsystem: its name
    bool terminal = false;
    QString term;
    TerminalSize size;
    QMap<QString, QString> environment;
    QString host; // Connect
    quint16 port = 0;
};
struct Input
{
    QByteArray bytes;
};
struct InputEnd
{
};
struct Resize
{
    TerminalSize size;
};
struct Signal
{
    int number = 0;
};
struct Consumed // of FromFar::Output
{
    qint64 bytes = 0;
};
struct HangUp // the last one: the client has gone, or has all it waits for
{
};
} // namespace ToFar
using FarCommand = std::variant<ToFar::Start, ToFar::Input, ToFar::InputEnd, ToFar::Resize, ToFar::Signal, ToFar::Consumed, ToFar::HangUp>;

namespace FromFar {
struct Opened // Connect: it is connected
{
};
struct Output
{
    QByteArray bytes;
    bool isError = false;
};
struct OutputEnd // of a connection; the other direction may go on
{
};
struct Taken // of ToFar::Input
{
    qint64 bytes = 0;
};
struct Ended // the last one
{
    int exitCode = 0;
    QByteArray signalName; // "TERM"; where not empty, this is told instead
};
} // namespace FromFar
using FarEvent = std::variant<FromFar::Opened, FromFar::Output, FromFar::OutputEnd, FromFar::Taken, FromFar::Ended>;

// Owned by both ends together.
struct FarMail
{
    Mailbox<FarCommand> commands;
    Mailbox<FarEvent> events;
};

// Input given to the far end and not reported as taken: from here on the client's window stays shut.
inline constexpr qint64 kMostFarInput = 256 << 10;

class MailChannel : public SshChannelWork
{
public:
    using Announce = std::function<void(const std::shared_ptr<FarMail> &)>;
    // A session. The far end is told of by announce when the client has said what to run.
    MailChannel(ssh_channel channel, Announce announce);
    // A connection that is there already; early: what its far end has said since.
    MailChannel(ssh_channel channel, std::shared_ptr<FarMail> mail, std::vector<FarEvent> early);
    ~MailChannel() override;

    [[nodiscard]] ssh_channel channel() const override { return m_channel; }
    [[nodiscard]] bool request(ssh_message message) override;
    void addPolls(std::vector<pollfd> &polls, SessionRoom room) const override;
    void step(SessionRoom room) override;
    [[nodiscard]] bool isDone() const override { return m_done; }
    void abandonChannel() override;

private:
    void setCallbacks();
    int takeData(const void *data, uint32_t size);
    bool setEnvironment(const QByteArray &name, const QByteArray &value);
    bool start(ToFar::Start::What what, const QByteArray &command);
    void fetchInput();
    void handle(FarEvent &event);
    void sendOutput(SessionRoom room);
    void finishWhenOver();

    ssh_channel m_channel;
    ssh_channel_callbacks_struct m_callbacks = {};
    Announce m_announce;
    std::shared_ptr<FarMail> m_mail; // null before the start
    ToFar::Start m_spec;
    qsizetype m_environmentBytes = 0;
    qint64 m_inFlight = 0;
    std::deque<FromFar::Output> m_output;
    std::optional<FromFar::Ended> m_end;
    bool m_outputEnded = false;
    bool m_clientEof = false;
    bool m_clientClosed = false;
    bool m_eofPassed = false;
    bool m_eofSent = false;
    bool m_done = false;
};

// A connection that the far end makes.
class MailDial : public SshDial
{
public:
    MailDial(const QString &host, quint16 port, const MailChannel::Announce &announce);
    ~MailDial() override;

    void addPolls(std::vector<pollfd> &polls) const override;
    [[nodiscard]] State state() override;
    [[nodiscard]] std::unique_ptr<SshChannelWork> take(ssh_channel channel) override;

private:
    std::shared_ptr<FarMail> m_mail; // null once taken
    std::vector<FarEvent> m_early;
    State m_state = State::Waiting;
};

} // namespace Sandpiper
