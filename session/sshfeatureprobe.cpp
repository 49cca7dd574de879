#include "session/sshfeatureprobe.h"

#include "session/sftpversion.h"
#include "session/sshrefusal.h"

#include <QRandomGenerator>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

using Kind = FeatureAnswer::Kind;

// Of a channel; start files of shells may have a lot to say, but not more than this.
constexpr qsizetype kMostOutput = 64 << 10;
// A server that leaves so many questions in a row without an answer is not asked more.
constexpr int kMostSilences = 2;
constexpr int kMostProbedPorts = 2;
constexpr unsigned char kNoModes[] = {0};
// Where nobody listens: tcpmux, which only an administrator could open.
constexpr int kSilentPort = 1;

QString firstLine(const QByteArray &text)
{
    return tamed(QString::fromUtf8(text.trimmed().split('\n').constFirst().trimmed()), ServerFeatures::mostWords);
}

} // namespace

// One channel of ours, what has come on it, and how it ended.
class SshFeatureProbe::Channel
{
public:
    Channel(ssh_session session, LateChannels &late)
        : m_late(late)
        , m_handle(ssh_channel_new(session))
    {
        ssh_callbacks_init(&m_callbacks);
        m_callbacks.userdata = this;
        // All of it is taken, so that the window never closes; what is too much is only counted.
        m_callbacks.channel_data_function = [](ssh_session, ssh_channel, void *data, uint32_t size, int isError, void *self) {
            const auto channel = static_cast<Channel *>(self);
            QByteArray &to = isError ? channel->errors : channel->output;
            to.append(static_cast<const char *>(data), std::min(qsizetype(size), kMostOutput - to.size()));
            channel->isFlooded |= to.size() >= kMostOutput;
            return int(size);
        };
        m_callbacks.channel_open_response_function = [](ssh_session, ssh_channel, bool, void *self) {
            static_cast<Channel *>(self)->m_opening = LateChannels::Opening::Settled;
        };
        m_callbacks.channel_close_function = [](ssh_session, ssh_channel, void *self) { static_cast<Channel *>(self)->isClosed = true; };
        m_callbacks.channel_exit_status_function = [](ssh_session, ssh_channel, int code, void *self) { static_cast<Channel *>(self)->status = code; };
        if (m_handle)
            ssh_add_channel_callbacks(m_handle, &m_callbacks); // before anything can arrive
    }
    ~Channel()
    {
        if (!m_handle)
            return;
        ssh_remove_channel_callbacks(m_handle, &m_callbacks);
        m_late.letGo(m_handle, m_opening);
    }
    Channel(const Channel &) = delete;
    Channel &operator=(const Channel &) = delete;
    [[nodiscard]] ssh_channel get() const { return m_handle; }
    // In the server's own words, else by its status.
    [[nodiscard]] QString lastWords() const
    {
        if (const QString said = firstLine(errors.trimmed().isEmpty() ? output : errors); !said.isEmpty())
            return said;
        return status ? u"the command ended with status %1"_s.arg(*status) : u"the server closed the channel"_s;
    }

    QByteArray output;
    QByteArray errors;
    std::optional<int> status;
    bool isClosed = false;
    bool isFlooded = false;

private:
    LateChannels &m_late;
    ssh_channel m_handle;
    LateChannels::Opening m_opening = LateChannels::Opening::Awaited; // each is made to be opened at once
    ssh_channel_callbacks_struct m_callbacks = {};
};

SshFeatureProbe::SshFeatureProbe(std::chrono::milliseconds patience, LateChannels &late)
    : m_patience(patience)
    , m_late(late)
    , m_mark("sandpiper-" + QByteArray::number(QRandomGenerator::global()->generate64(), 16))
{
}

SshFeatureProbe::~SshFeatureProbe() = default;

void SshFeatureProbe::pump(ssh_session session, const Around &around)
{
    // Whoever notices a lost connection for all channels says so.
    while (!isOver() && ssh_is_connected(session)) {
        const auto now = std::chrono::steady_clock::now();
        if (!m_deadline)
            m_deadline = now + m_patience;
        const Step step = ask(session, around);
        if (step == Step::Over) {
            // One question needs no answer where another had none.
            if (m_question != Question::Agent || m_features.of(ServerFeature::Exec).kind == Kind::Yes)
                m_silences = 0;
            next();
        } else if (step == Step::Wait && now < *m_deadline) {
            return;
        } else if (step == Step::Wait) {
            giveUp();
        }
    }
}

void SshFeatureProbe::next()
{
    m_channel.reset();
    m_question = Question(int(m_question) + 1);
    m_stage = 0;
    m_isSecondTry = false;
    m_deadline.reset();
    m_isGlobal = false;
    if (m_question == Question::Remote)
        m_agentHolder.reset();
}

// Every answer begins as unknown, so there is only its reason to say.
void SshFeatureProbe::giveUp()
{
    const auto say = [this](ServerFeature feature, const QString &words) {
        FeatureAnswer &answer = m_features.of(feature);
        if (answer == FeatureAnswer())
            answer.words = words;
    };
    static constexpr ServerFeature asked[] = {ServerFeature::Terminal, ServerFeature::Exec, ServerFeature::Sftp, ServerFeature::LocalForward,
                                              ServerFeature::AgentForward, ServerFeature::UnixForward, ServerFeature::RemoteForward};
    say(asked[int(m_question)], u"the server gave no answer in time"_s);
    if (m_isGlobal && m_stage == 0)
        m_portInDoubt = m_port;
    const bool isDumb = ++m_silences >= kMostSilences;
    next();
    if (!isDumb)
        return;
    for (; !isOver(); next())
        say(asked[int(m_question)], u"it was not asked: the server had stopped answering"_s);
}

SshFeatureProbe::Step SshFeatureProbe::answer(ServerFeature feature, Kind kind, const QString &words)
{
    m_features.of(feature) = {kind, tamed(words, ServerFeatures::mostWords)};
    return Step::Over;
}

SshFeatureProbe::Step SshFeatureProbe::ask(ssh_session session, const Around &around)
{
    switch (m_question) {
    case Question::Terminal: return askTerminal(session, around);
    case Question::Exec: return askExec(session, around);
    case Question::Sftp: return askSftp(session, around);
    case Question::Local: return askLocal(session);
    case Question::Agent: return askAgent(session, around);
    case Question::Unix: return askUnix(session);
    case Question::Remote: return askRemote(session, around);
    case Question::None: break;
    }
    return Step::Over;
}

SshFeatureProbe::Call SshFeatureProbe::request(int code)
{
    if (code == SSH_AGAIN)
        return Call::Wait;
    if (code != SSH_OK)
        return Call::Refused;
    ++m_stage;
    return Call::Granted;
}

SshFeatureProbe::Call SshFeatureProbe::openSession(ssh_session session, const Around &around, ServerFeature feature)
{
    if (!m_channel)
        m_channel = std::make_unique<Channel>(session, m_late);
    const Call call = m_channel->get() ? request(ssh_channel_open_session(m_channel->get())) : Call::Refused;
    if (call == Call::Refused && m_question != Question::Terminal && !std::exchange(m_isSecondTry, true)) {
        // Of a server that gives one session at a time the last one was still being tidied away.
        m_channel.reset();
        return openSession(session, around, feature);
    }
    m_hadSession = m_hadSession || call == Call::Granted;
    if (call == Call::Refused)
        (void)answer(feature, around.hasSessions || m_hadSession ? Kind::Unknown : Kind::No, openingRefusal(session).words);
    return call;
}

SshFeatureProbe::Step SshFeatureProbe::askTerminal(ssh_session session, const Around &around)
{
    if (m_stage == 0) {
        if (const Call opened = openSession(session, around, ServerFeature::Terminal); opened != Call::Granted)
            return opened == Call::Wait ? Step::Wait : Step::Over;
    }
    switch (request(ssh_channel_request_pty_size_modes(m_channel->get(), "xterm", 80, 24, kNoModes, sizeof kNoModes))) {
    case Call::Wait: return Step::Wait;
    case Call::Granted: return answer(ServerFeature::Terminal, Kind::Yes);
    case Call::Refused: return answer(ServerFeature::Terminal, Kind::No, u"the server gives no terminals"_s);
    }
    Q_UNREACHABLE_RETURN(Step::Over);
}

std::optional<QString> SshFeatureProbe::echoed() const
{
    const qsizetype at = m_channel->output.indexOf(m_mark);
    const qsizetype end = at < 0 ? -1 : m_channel->output.indexOf('\n', at);
    if (end < 0)
        return std::nullopt;
    return QString::fromUtf8(m_channel->output.sliced(at + m_mark.size(), end - at - m_mark.size()).trimmed());
}

// Stages: 0–2 with the variable that the next question needs; 3–5 without: csh stops at one that is not set.
SshFeatureProbe::Step SshFeatureProbe::askExec(ssh_session session, const Around &around)
{
    const bool isPlain = m_stage >= 3;
    if (m_stage % 3 == 0) {
        if (const Call opened = openSession(session, around, ServerFeature::Exec); opened != Call::Granted)
            return opened == Call::Wait ? Step::Wait : Step::Over;
    }
    if (m_stage % 3 == 1) {
        const QByteArray line = "echo " + m_mark + (isPlain ? "" : " \"$SSH_AUTH_SOCK\"");
        switch (request(ssh_channel_request_exec(m_channel->get(), line.constData()))) {
        case Call::Wait: return Step::Wait;
        case Call::Granted: break;
        case Call::Refused: return answer(ServerFeature::Exec, Kind::No, u"the server refuses to run commands"_s);
        }
        ssh_channel_send_eof(m_channel->get()); // whatever was started instead may wait for us
    }
    return judgeExec();
}

SshFeatureProbe::Step SshFeatureProbe::judgeExec()
{
    const std::optional<QString> line = echoed();
    // The status follows the output; a server that says none closes all the same.
    if (line && (m_channel->status || m_channel->isClosed)) {
        if (m_stage < 3)
            m_agentBefore = *line;
        return answer(ServerFeature::Exec, Kind::Yes, m_channel->status ? QString() : u"it does not say how commands end"_s);
    }
    if (!m_channel->isClosed && !m_channel->isFlooded)
        return Step::Wait;
    if (m_stage < 3) {
        m_channel.reset();
        m_stage = 3;
        m_isSecondTry = false;
        m_deadline.reset();
        return Step::Again;
    }
    return answer(ServerFeature::Exec, Kind::No,
                  m_channel->output.isEmpty() && m_channel->errors.isEmpty() && m_channel->status.value_or(0) == 0
                          ? u"something else than the command ran"_s
                          : m_channel->lastWords());
}

SshFeatureProbe::Step SshFeatureProbe::askAgent(ssh_session session, const Around &around)
{
    // No answer belongs to the request itself; what it has done is seen in the environment of a command.
    if (m_features.of(ServerFeature::Exec).kind != Kind::Yes)
        return answer(ServerFeature::AgentForward, Kind::Unknown, u"it is seen in a command only, and none can be run"_s);
    if (m_stage == 0) {
        if (const Call opened = openSession(session, around, ServerFeature::AgentForward); opened != Call::Granted)
            return opened == Call::Wait ? Step::Wait : Step::Over;
        // Nothing is forwarded: a link that does not want it refuses the server's channels.
        if (ssh_channel_request_auth_agent(m_channel->get()) == SSH_ERROR)
            return answer(ServerFeature::AgentForward, Kind::Unknown);
    }
    if (m_stage == 1) {
        const QByteArray line = "echo " + m_mark + " \"$SSH_AUTH_SOCK\"; cat";
        switch (request(ssh_channel_request_exec(m_channel->get(), line.constData()))) {
        case Call::Wait: return Step::Wait;
        case Call::Granted: break;
        case Call::Refused: return answer(ServerFeature::AgentForward, Kind::Unknown, u"no second command could be run"_s);
        }
    }
    const std::optional<QString> socket = echoed();
    if (!socket)
        return m_channel->isClosed || m_channel->isFlooded ? answer(ServerFeature::AgentForward, Kind::Unknown, m_channel->lastWords()) : Step::Wait;
    if (socket->isEmpty())
        return answer(ServerFeature::AgentForward, Kind::No, u"the server makes no socket for it"_s);
    if (!socket->startsWith(u'/') || *socket == m_agentBefore)
        return answer(ServerFeature::AgentForward, Kind::Unknown, u"SSH_AUTH_SOCK is there without it, too"_s);
    m_agentSocket = *socket;
    m_agentHolder = std::move(m_channel);
    return answer(ServerFeature::AgentForward, Kind::Yes);
}

SshFeatureProbe::Step SshFeatureProbe::askSftp(ssh_session session, const Around &around)
{
    if (m_stage == 0) {
        if (const Call opened = openSession(session, around, ServerFeature::Sftp); opened != Call::Granted)
            return opened == Call::Wait ? Step::Wait : Step::Over;
    }
    if (m_stage == 1) {
        switch (request(ssh_channel_request_subsystem(m_channel->get(), "sftp"))) {
        case Call::Wait: return Step::Wait;
        case Call::Granted: break;
        case Call::Refused: return answer(ServerFeature::Sftp, Kind::No, u"the server has no SFTP"_s);
        }
    }
    if (m_stage == 2) {
        const QByteArray init = sftpInit();
        const int sent = ssh_channel_window_size(m_channel->get()) < uint32_t(init.size())
                ? 0
                : ssh_channel_write(m_channel->get(), init.constData(), uint32_t(init.size()));
        if (sent == int(init.size()))
            ++m_stage;
    }
    return judgeSftp();
}

SshFeatureProbe::Step SshFeatureProbe::judgeSftp()
{
    const SftpVersion version = readSftpVersion(m_channel->output);
    switch (version.reading) {
    case SftpVersion::Reading::Whole:
        m_features.sftpVersion = version.version;
        m_features.sftpExtensions = version.extensions;
        return answer(ServerFeature::Sftp, Kind::Yes);
    case SftpVersion::Reading::NotSftp:
        return answer(ServerFeature::Sftp, Kind::No, u"its answer is not SFTP: "_s + firstLine(m_channel->output));
    case SftpVersion::Reading::More:
        break;
    }
    return m_channel->isClosed ? answer(ServerFeature::Sftp, Kind::No, m_channel->lastWords()) : Step::Wait;
}

SshFeatureProbe::Step SshFeatureProbe::askLocal(ssh_session session)
{
    if (!m_channel)
        m_channel = std::make_unique<Channel>(session, m_late);
    if (!m_channel->get())
        return answer(ServerFeature::LocalForward, Kind::Unknown);
    switch (request(ssh_channel_open_forward(m_channel->get(), "127.0.0.1", kSilentPort, "127.0.0.1", 0))) {
    case Call::Wait: return Step::Wait;
    case Call::Granted: return answer(ServerFeature::LocalForward, Kind::Yes); // somebody is there
    case Call::Refused: break;
    }
    const OpeningRefusal refusal = openingRefusal(session);
    switch (refusal.reason) {
    case OpeningRefusal::ConnectFailed: // so it has tried
        return answer(ServerFeature::LocalForward, Kind::Yes);
    case OpeningRefusal::Prohibited:
        // A server made with libssh has this one number for everything.
        if (refusal.words.isEmpty() && QByteArrayView(ssh_get_serverbanner(session)).contains("libssh"))
            return answer(ServerFeature::LocalForward, Kind::Unknown, u"it says the same of what it forbids and of what is not there"_s);
        return answer(ServerFeature::LocalForward, Kind::No, refusal.words.isEmpty() ? u"it is prohibited"_s : refusal.words);
    case OpeningRefusal::UnknownType:
        return answer(ServerFeature::LocalForward, Kind::No, refusal.words);
    case OpeningRefusal::Shortage:
    case OpeningRefusal::Other:
        break;
    }
    return answer(ServerFeature::LocalForward, Kind::Unknown, refusal.words);
}

// OpenSSH says "open failed" of what it forbids and of what is not there alike, so this needs a socket that
// is there: the agent's, which leads back to this link, and is refused here.
SshFeatureProbe::Step SshFeatureProbe::askUnix(ssh_session session)
{
    if (ssh_get_openssh_version(session) == 0)
        return answer(ServerFeature::UnixForward, Kind::Unknown, u"only OpenSSH can be asked for it"_s); // by the library
    if (!m_agentHolder || m_agentHolder->isClosed)
        return answer(ServerFeature::UnixForward, Kind::Unknown, u"it is seen at an agent's socket only, and there is none"_s);
    if (!m_channel)
        m_channel = std::make_unique<Channel>(session, m_late);
    if (!m_channel->get())
        return answer(ServerFeature::UnixForward, Kind::Unknown);
    switch (request(ssh_channel_open_forward_unix(m_channel->get(), m_agentSocket.toUtf8().constData(), "127.0.0.1", 0))) {
    case Call::Wait: return Step::Wait;
    case Call::Granted: return answer(ServerFeature::UnixForward, Kind::Yes);
    case Call::Refused: break;
    }
    const OpeningRefusal refusal = openingRefusal(session);
    const bool isShort = refusal.reason == OpeningRefusal::Shortage || refusal.reason == OpeningRefusal::Other;
    return answer(ServerFeature::UnixForward, isShort ? Kind::Unknown : Kind::No, refusal.words);
}

// Stages: 0 asks for a port, 1 gives it back. The port is ours to choose: the library reads the one that a
// server chooses out of whatever packet came last, and then the listener could not be given back.
SshFeatureProbe::Step SshFeatureProbe::askRemote(ssh_session session, const Around &around)
{
    // dropbear 2025.87 says that it has nothing to give back, and goes on listening.
    if (QByteArrayView(ssh_get_serverbanner(session)).contains("dropbear"))
        return answer(ServerFeature::RemoteForward, Kind::Unknown, u"it would not give the port back"_s);
    if (!m_isGlobal) {
        if (around.isAsking)
            return Step::Wait;
        m_isGlobal = true;
        m_isStale = around.awaitsLife;
    }
    if (m_stage == 0) {
        if (m_port == 0)
            m_port = QRandomGenerator::global()->bounded(61'000, 65'536); // no system gives these away by itself
        const int code = ssh_channel_listen_forward(session, "127.0.0.1", m_port, nullptr);
        if (code == SSH_AGAIN)
            return Step::Wait;
        if (m_isStale) {
            // That was the answer to a keep-alive, and our request has not been sent yet. A yes may be ours all
            // the same, where the answer had come with the keep-alive's own call: then there is something to
            // give back.
            m_isStale = false;
            if (code != SSH_OK)
                return Step::Again;
        }
        if (code == SSH_OK) {
            m_stage = 1;
        } else if (++m_portsTried < kMostProbedPorts) {
            m_port = 0; // somebody may have had that one
            return Step::Again;
        } else {
            return answer(ServerFeature::RemoteForward, Kind::No, u"the server listens to nothing for us"_s);
        }
    }
    const int code = ssh_channel_cancel_forward(session, "127.0.0.1", m_port);
    if (code == SSH_AGAIN)
        return Step::Wait;
    return answer(ServerFeature::RemoteForward, Kind::Yes, code == SSH_OK ? QString() : u"it did not give the port back"_s);
}

} // namespace Sandpiper
