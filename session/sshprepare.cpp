// SshThread's first steps: what the user's ssh_config says of the host, and what SSH is to run over.
#include "session/childtransport.h"
#include "session/sshhostoptions.h"
#include "session/sshthread.h"

#include <QHash>
#include <QLoggingCategory>

#include <poll.h>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {

static Q_LOGGING_CATEGORY(lcPrepare, "sandpiper.session.sshthread", QtInfoMsg)

namespace {

constexpr auto kPatienceWithMatchExec = 30s;

// What the user has said to each command of a "Match exec", for as long as this program runs.
class Consents
{
public:
    [[nodiscard]] std::optional<bool> answerTo(const QString &command)
    {
        const std::lock_guard guard(m_mutex);
        const auto it = m_answers.constFind(command);
        return it == m_answers.constEnd() ? std::nullopt : std::optional(*it);
    }
    void remember(const QString &command, bool answer)
    {
        const std::lock_guard guard(m_mutex);
        if (m_answers.size() < 1000)
            m_answers.insert(command, answer);
    }

private:
    std::mutex m_mutex;
    QHash<QString, bool> m_answers;
};

Consents &consents()
{
    static Consents all;
    return all;
}

QMap<QString, QString> asMap(const QByteArrayList &environment)
{
    QMap<QString, QString> variables;
    for (const QByteArray &variable : environment) {
        if (const qsizetype equals = variable.indexOf('='); equals > 0)
            variables.insert(QString::fromLocal8Bit(variable.first(equals)), QString::fromLocal8Bit(variable.sliced(equals + 1)));
    }
    return variables;
}

} // namespace

Done SshThread::prepare()
{
    if (const Done usable = checkSshLibrary(); !usable)
        return usable;
    if (!m_options.endpoint.alias.isEmpty()) {
        if (const Done read = readConfiguration(); !read)
            return read;
    }
    // Only TCP needs a name that can be looked up; a pinned key, or an alias for it, needs none at all.
    if (m_options.endpoint.host.isEmpty() && !std::holds_alternative<TcpTransport>(m_options.transport)) {
        m_host = m_options.hostKeyAlias.toUtf8();
        if (!m_host.isEmpty() || !m_options.endpoint.hostKey.isEmpty())
            return {};
    }
    Result<QByteArray> host = hostForLookup(m_options.endpoint.host);
    if (!host)
        return std::unexpected(host.error());
    m_host = std::move(*host);
    return {};
}

Done SshThread::readConfiguration()
{
    const Result<SshHostQuery> query = hostQueryFor(m_options);
    if (!query)
        return std::unexpected(query.error());
    SshConfig::Sources sources = SshConfig::defaultSources();
    sources.variable = [this](const QString &name) -> std::optional<QString> {
        const QByteArray value = variableOf(m_environment, name.toLocal8Bit());
        return value.isEmpty() ? std::nullopt : std::optional(QString::fromLocal8Bit(value));
    };
    sources.runs = [this](const QString &command) { return allowsAndRuns(command); };
    const SshHostConfig config = SshConfig(std::move(sources)).resolve(*query);
    if (isCancelled())
        return failure(ErrorKind::Cancelled, Layer::Ssh);
    for (const SshConfigProblem &problem : config.problems)
        qCInfo(lcPrepare).noquote() << problem.toString();
    Result<LinkOptions> options = withHostConfig(m_options, config, asMap(m_environment));
    if (!options)
        return std::unexpected(options.error());
    m_options = std::move(*options);
    return {};
}

bool SshThread::allowsAndRuns(const QString &command)
{
    std::optional<bool> agreed = consents().answerTo(command);
    if (!agreed) {
        if (command.size() > Prompt::maxCommand || m_closing)
            return false;
        Prompt prompt;
        prompt.kind = Prompt::Kind::Confirm;
        prompt.target = m_subject;
        prompt.title = u"Run a command of your SSH configuration?"_s;
        prompt.text = u"“Match exec” in it makes settings for %1 depend on this command."_s.arg(m_subject);
        prompt.command = command;
        const Result<std::shared_ptr<PromptAnswer>> answer = ask(prompt);
        if (!answer || (*answer)->kind == PromptAnswer::Kind::Refused)
            return false; // nobody has said anything
        agreed = (*answer)->kind == PromptAnswer::Kind::Accepted;
        consents().remember(command, *agreed);
    }
    if (!*agreed)
        return false;
    QByteArray shell = variableOf(m_environment, "SHELL");
    if (shell.isEmpty())
        shell = "/bin/sh";
    const Result<int> status = runQuietly({shell, "-c", command.toLocal8Bit()}, m_environment,
                                          {Clock::now() + kPatienceWithMatchExec, wakeDescriptor(), [this] { return isCancelled(); }});
    return status == 0;
}

Done SshThread::openWay(Deadline deadline)
{
    Result<OpenTransport> way = failure(ErrorKind::Unsupported, Layer::Ssh);
    if (const auto *jump = std::get_if<JumpTransport>(&m_options.transport)) {
        way = askForWay(jump->hops);
    } else {
        const TcpTarget target{m_host, m_options.endpoint.port, m_options.keepAlive * m_options.keepAliveCount, SshAddressFamily::Any, {}};
        way = openTransport(m_options.transport, target, m_environment, {deadline, wakeDescriptor(), [this] { return isCancelled(); }});
    }
    if (!way)
        return std::unexpected(way.error());
    m_way = std::move(*way);
    m_explanation.reset();
    return {};
}

Result<OpenTransport> SshThread::askForWay(const QList<SshJumpHop> &hops)
{
    const int request = ++m_lastRequest;
    m_transports.clear();
    m_mail->events.put(FromLink::NeedTransport{request, hops, m_host, m_options.endpoint.port});
    for (;;) {
        if (isCancelled())
            return failure(ErrorKind::Cancelled, Layer::Ssh);
        for (ToLink::Transport &transport : m_transports) {
            if (transport.request == request)
                return std::move(transport.transport);
        }
        m_transports.clear();
        pollfd waiting = {wakeDescriptor(), POLLIN, 0};
        ::poll(&waiting, 1, -1);
    }
}

// Only the way was wanted: it is somebody else's now, until it breaks or the link is closed.
Error SshThread::lendWay()
{
    if (const Done open = openWay(Clock::now() + m_options.connectTimeout); !open)
        return open.error();
    m_mail->events.put(FromLink::TransportReady{std::make_shared<FileDescriptor>(std::move(m_way.descriptor))});
    setState(LinkState::Ready);
    for (;;) {
        if (isCancelled())
            return {ErrorKind::Cancelled, Layer::Ssh, {}, {}};
        if (const std::optional<Error> words = lastWords(m_way.words, 0ms))
            return *words;
        pollfd waiting[] = {{wakeDescriptor(), POLLIN, 0}, {m_way.words ? m_way.words->descriptor() : -1, POLLIN, 0}};
        ::poll(waiting, 2, -1);
    }
}

} // namespace Sandpiper
