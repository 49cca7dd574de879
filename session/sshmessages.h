// What the thread of a link and its face on the GUI thread say to each other. Values only.
#pragma once

#include "session/error.h"
#include "session/forwardtraffic.h"
#include "session/mailbox.h"
#include "session/prompt.h"
#include "session/serverfeatures.h"
#include "session/shell.h"
#include "session/sshagent.h"
#include "session/sshlink.h"
#include "session/sshsubsystem.h"
#include "session/transportopening.h"

#include <QByteArray>
#include <QMap>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <variant>

namespace Sandpiper {

// Output that its receiver has not reported as consumed, for one channel.
inline constexpr qint64 kMostUnconsumed = 256 << 10;
// Session channels of one link; OpenSSH's MaxSessions is 10, and it counts SFTP too.
inline constexpr int kMostChannels = 8;

inline constexpr int kMostTunnels = 256;

enum class SshStream { Output, ErrorOutput };

// One session channel, as it is wished for.
struct ChannelSpec
{
    enum class Terminal { None, Pty };
    Terminal terminal = Terminal::None;
    QString term;
    TerminalSize size;
    QStringList argv; // empty: the login shell
    QMap<QString, QString> environment;
    QList<std::pair<QString, QString>> offeredEnvironment; // left out where the server refuses it
    QString workingDirectory; // empty: where the server's login lands
    // Where set, in the place of argv and workingDirectory: the server's shell gets it as it is, and
    // variables that the server refuses are dropped.
    QByteArray commandLine;
    bool isBare = false; // without what the configuration says for every channel: agent and variables
    QString subsystem; // where set, in the place of a program
    // Who speaks on it: then Received and Written are of the error output only. Handed over; see there.
    std::shared_ptr<SshSubsystem> speaker;
    // Where the port is set: a TCP connection from there (direct-tcpip) in the place of all that.
    QString connectHost;
    quint16 connectPort = 0;
};

// A connection that the server makes for us (direct-tcpip), or a program of it, joined to a stream of ours.
struct TunnelSpec
{
    QString host; // looked up there
    quint16 port = 0;
    QString path; // where set: a UNIX socket there, in the place of host and port
    QByteArray commandLine; // where set: what the server's shell runs, in the place of a connection
    QString originHost = QStringLiteral("127.0.0.1"); // who it is for: the server may log it
    quint16 originPort = 0;
    std::chrono::milliseconds patience{15'000};    // with the server, until it is open
    std::shared_ptr<FileDescriptor> stream;        // non-blocking; closed at the end
    std::shared_ptr<TransportWords> words;         // why it ended, said before that; may be null
    QByteArray early; // what was read from the stream already
    // What the stream is told first, when the connection is there (null) or could not be made (why); may be null.
    std::function<QByteArray(const Error *)> greeting;
    // The server's, without a stream: whoever is there says by SOCKS where to, in this time.
    std::optional<std::chrono::milliseconds> greetingPatience;
};

namespace ToLink {
struct Close
{
};
struct Probe // is anybody still there?
{
};
struct AskFeatures // Ready only; one at a time
{
};
struct Answer
{
    int prompt = 0;
    std::shared_ptr<PromptAnswer> answer; // owned by whoever reads it last; see PromptHandler
};
struct OpenChannel
{
    int channel = 0;
    ChannelSpec spec;
};
struct OpenTunnel // DropChannel ends it; ChannelOpened and ChannelEnded come as for others
{
    int channel = 0;
    TunnelSpec spec;
};
struct Transport // answers NeedTransport
{
    int request = 0;
    Result<OpenTransport> transport;
};
struct Write
{
    int channel = 0;
    QByteArray bytes;
};
struct CloseInput
{
    int channel = 0;
};
struct Resize
{
    int channel = 0;
    TerminalSize size;
};
struct Signal
{
    int channel = 0;
    QByteArray name; // "TERM"
};
struct Consumed
{
    int channel = 0;
    qint64 bytes = 0;
};
struct HangUp // ends what runs there; ChannelEnded follows
{
    int channel = 0;
};
struct Wake // the subsystems have mail
{
};
struct DropChannel // no word of this channel is wanted any more
{
    int channel = 0;
};
struct AddForward
{
    int forward = 0;
    ForwardSpec spec;
};
struct StopForward
{
    int forward = 0;
};
struct LimitForward
{
    int forward = 0;
    qint64 bytesPerSecond = 0; // 0: as fast as it goes
};
struct CloseForwardConnection
{
    int forward = 0;
    quint64 connection = 0;
};
} // namespace ToLink

using LinkCommand = std::variant<ToLink::Close, ToLink::Probe, ToLink::AskFeatures, ToLink::Answer, ToLink::OpenChannel, ToLink::OpenTunnel,
                                 ToLink::Transport, ToLink::Write, ToLink::CloseInput, ToLink::Resize, ToLink::Signal, ToLink::Consumed,
                                 ToLink::HangUp, ToLink::Wake, ToLink::DropChannel, ToLink::AddForward, ToLink::StopForward,
                                 ToLink::LimitForward, ToLink::CloseForwardConnection>;

namespace FromLink {
struct StateChanged
{
    LinkState state = LinkState::Idle;
};
struct ServerMet
{
    QString version;
    QString fingerprint;
};
struct Features // answers AskFeatures, unless the link ends
{
    ServerFeatures features;
};
struct Banner
{
    QString text;
};
struct Ask
{
    int prompt = 0;
    Prompt question;
};
struct Withdraw // the question is not wanted any more
{
    int prompt = 0;
};
struct NeedTransport // through other links, which only the face can make
{
    int request = 0;
    QList<SshJumpHop> hops;
    QByteArray host; // where the last of them is to connect to
    quint16 port = 0;
};
struct TransportReady // where that is all that was wanted
{
    std::shared_ptr<FileDescriptor> stream;
};
struct ChannelOpened
{
    int channel = 0;
};
struct Received
{
    int channel = 0;
    SshStream stream = SshStream::Output;
    QByteArray bytes;
};
struct Written
{
    int channel = 0;
    qint64 bytes = 0;
};
struct OutputEnded // of a connection; the other direction may go on
{
    int channel = 0;
};
struct ChannelEnded
{
    int channel = 0;
    ShellEnd end;
};
struct ForwardChanged
{
    ForwardReport report;
};
struct ForwardTrafficChanged
{
    int forward = 0;
    ForwardTraffic traffic;
};
struct Closed // the last one
{
    Error error;
};
} // namespace FromLink

using LinkEvent = std::variant<FromLink::StateChanged, FromLink::ServerMet, FromLink::Features, FromLink::Banner, FromLink::Ask, FromLink::Withdraw,
                               FromLink::NeedTransport, FromLink::TransportReady, FromLink::ChannelOpened, FromLink::Received, FromLink::Written,
                               FromLink::OutputEnded, FromLink::ChannelEnded,
                               FromLink::ForwardChanged, FromLink::ForwardTrafficChanged, FromLink::Closed>;

// Owned by the thread and by its face together: whichever of them goes last takes it along, so a
// thread that is stuck in a library can be left behind.
struct LinkMail
{
    Mailbox<LinkCommand> commands;
    Mailbox<LinkEvent> events;

    // Makes a signature by the user's agent fail at once, whoever of the thread is waiting for it.
    void abortSignature()
    {
        const std::lock_guard guard(signatureMutex);
        if (signature)
            signature->abort();
    }
    void setSignature(AgentBridge *bridge)
    {
        const std::lock_guard guard(signatureMutex);
        signature = bridge;
    }

    // Said by the thread as its last word; true when it came in time.
    void sayFinished()
    {
        const std::lock_guard guard(finishedMutex);
        finished = true;
        finishedCondition.notify_all();
    }
    [[nodiscard]] bool waitFinished(std::chrono::milliseconds patience)
    {
        std::unique_lock lock(finishedMutex);
        return finishedCondition.wait_for(lock, patience, [this] { return finished; });
    }

private:
    std::mutex finishedMutex;
    std::condition_variable finishedCondition;
    bool finished = false;
    std::mutex signatureMutex;
    AgentBridge *signature = nullptr; // borrowed from the thread, which resets it
};

template <typename... Handlers>
struct Overloaded : Handlers...
{
    using Handlers::operator()...;
};

} // namespace Sandpiper
