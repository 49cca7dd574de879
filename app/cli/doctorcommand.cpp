#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "session/background.h"
#include "session/errortext.h"
#include "session/sshhostoptions.h"

#include <QHostAddress>
#include <QHostInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QNetworkProxy>
#include <QTcpSocket>
#include <QTimer>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr std::chrono::seconds kPatience{15};

Error tcpError(QAbstractSocket::SocketError error, const QString &words, const QString &host)
{
    switch (error) {
    case QAbstractSocket::ConnectionRefusedError: return {ErrorKind::ConnectionRefused, Layer::Tcp, words, host};
    case QAbstractSocket::SocketTimeoutError: return {ErrorKind::Timeout, Layer::Tcp, words, host};
    default: return {ErrorKind::HostUnreachable, Layer::Tcp, words, host};
    }
}

} // namespace

DoctorCommand::DoctorCommand(Directory *directory)
    : Command(directory)
    , m_prompts(directory->makePrompts())
{
}

DoctorCommand::~DoctorCommand() = default;

void DoctorCommand::start(const QStringList &arguments)
{
    QCommandLineParser parser;
    parser.addOption({u"json"_s, u"One JSON document."_s});
    parser.addPositionalArgument(u"TARGET"_s, u"A sandbox's name or id, ACCOUNT/name, or ssh://user@host:port."_s);
    if (!parse(parser, u"doctor"_s, arguments))
        return;
    m_json = parser.isSet(u"json"_s);
    if (parser.positionalArguments().size() != 1)
        return usage(u"doctor takes one TARGET"_s);
    const CliResult<TargetText> text = parseTarget(parser.positionalArguments().constFirst());
    if (!text)
        return fail(text.error());
    directory()->load(Directory::Gateway::WhereUsed).then(this, [this, text = *text] {
        directory()->resolveToConnect(text).then(this, [this](const CliResult<Target> &target) { checkTarget(target); });
    });
}

void DoctorCommand::checkTarget(const CliResult<Target> &target)
{
    if (!target)
        return bad(u"account and API"_s, u"the account answers and knows the sandbox"_s, target.error().error);
    m_target = *target;
    if (m_target.provider == nullptr)
        return checkName();
    good(u"account and API"_s, u"%1 answers"_s.arg(m_target.accountName));
    if (m_target.sandbox.state != SandboxState::Running)
        return bad(u"sandbox"_s, u"it is running"_s,
                   {ErrorKind::SandboxNotRunning, Layer::SandboxState, m_target.sandbox.stateText, m_target.sandbox.displayName()});
    good(u"sandbox"_s, u"%1 is running"_s.arg(m_target.sandbox.displayName()));
    checkPty();
}

void DoctorCommand::checkPty()
{
    // Lists only: a doctor leaves nothing behind.
    m_target.provider->ptySessions(m_target.sandbox).then(this, [this](const Result<QList<PtySession>> &sessions) {
        if (!sessions)
            return bad(u"PTY"_s, u"the sandbox lists its sessions"_s, sessions.error());
        good(u"PTY"_s, u"the sandbox answers, %1 session(s)"_s.arg(sessions->size()));
        checkName();
    });
}

void DoctorCommand::checkName()
{
    if (!m_target.sandbox.ssh) {
        skip(u"SSH"_s, m_target.sandbox.capabilities.reasonAgainst(Capability::SshShell));
        return conclude();
    }
    const SshEndpoint &endpoint = *m_target.sandbox.ssh;
    m_host = endpoint.host;
    m_port = endpoint.port;
    const Result<SshHostQuery> query = hostQueryFor(linkOptionsFor(m_target.sandbox, m_target.signIn));
    if (endpoint.alias.isEmpty() || !query)
        return lookUp();
    const auto read = [query = *query] { return SshConfig(SshConfig::defaultSources()).resolve(query); };
    inBackground(this, read, [this](const SshHostConfig &config) {
        m_host = config.hostName;
        m_port = config.port;
        if (config.jumps.isEmpty() && !config.proxyCommand)
            return lookUp();
        // It leads there by other hosts and programs; only the link knows.
        skip(u"DNS"_s, u"ssh_config says how %1 is reached"_s.arg(m_target.sandbox.ssh->alias));
        skip(u"TCP"_s, u"ssh_config says how %1 is reached"_s.arg(m_target.sandbox.ssh->alias));
        checkSsh();
    });
}

void DoctorCommand::lookUp()
{
    if (!QHostAddress(m_host).isNull()) {
        skip(u"DNS"_s, u"%1 is an address"_s.arg(m_host));
        return checkPort();
    }
    const auto patience = new QTimer(this);
    patience->setSingleShot(true);
    const int id = QHostInfo::lookupHost(m_host, this, [this, patience](const QHostInfo &info) {
        if (!patience->isActive())
            return;
        patience->stop();
        if (info.error() != QHostInfo::NoError || info.addresses().isEmpty())
            return bad(u"DNS"_s, u"the name has an address"_s, {ErrorKind::HostNotFound, Layer::Dns, info.errorString(), info.hostName()});
        QStringList addresses;
        for (const QHostAddress &address : info.addresses())
            addresses.append(address.toString());
        good(u"DNS"_s, u"%1 is %2"_s.arg(m_host, addresses.mid(0, 4).join(u", "_s)));
        checkPort();
    });
    connect(patience, &QTimer::timeout, this, [this, id] {
        QHostInfo::abortHostLookup(id);
        bad(u"DNS"_s, u"the name has an address"_s, {ErrorKind::Timeout, Layer::Dns, {}, m_host});
    });
    patience->start(kPatience);
}

void DoctorCommand::checkPort()
{
    m_socket = std::make_unique<QTcpSocket>();
    m_socket->setProxy(QNetworkProxy::NoProxy); // as the link does
    const auto patience = new QTimer(m_socket.get());
    patience->setSingleShot(true);
    const auto expected = u"something listens at port %1"_s.arg(m_port);
    connect(patience, &QTimer::timeout, this, [this, expected, host = m_host] {
        m_socket->disconnect(this);
        bad(u"TCP"_s, expected, {ErrorKind::Timeout, Layer::Tcp, {}, host});
    });
    connect(m_socket.get(), &QTcpSocket::errorOccurred, this, [this, expected, patience, host = m_host](QAbstractSocket::SocketError error) {
        patience->stop();
        bad(u"TCP"_s, expected, tcpError(error, m_socket->errorString(), host));
    });
    connect(m_socket.get(), &QTcpSocket::connected, this, [this, patience] {
        patience->stop();
        good(u"TCP"_s, u"%1 port %2 answers"_s.arg(m_socket->peerAddress().toString()).arg(m_socket->peerPort()));
        m_socket->disconnect(this);
        m_socket->abort();
        checkSsh();
    });
    patience->start(kPatience);
    m_socket->connectToHost(m_host, m_port); // one address after the other
}

void DoctorCommand::checkSsh()
{
    m_link = std::make_unique<SshLink>(linkOptionsFor(m_target.sandbox, m_target.signIn), m_prompts.get());
    connect(m_link.get(), &SshLink::stateChanged, this, &DoctorCommand::reached);
    connect(m_link.get(), &SshLink::closed, this, [this](const Error &error) {
        switch (m_reached) {
        case LinkState::Idle:
        case LinkState::Connecting:
            return bad(u"SSH key exchange"_s, u"the server greets as SSH and shares algorithms"_s, error);
        case LinkState::Verifying:
            return bad(u"host key"_s, u"the key that is known for it"_s, error);
        case LinkState::Authenticating:
            return bad(u"authentication"_s, u"the server takes a key or a password"_s, error);
        case LinkState::Ready:
        case LinkState::Closed:
            return bad(u"channel"_s, u"the server runs a command"_s, error);
        }
    });
    m_link->connectToHost();
}

void DoctorCommand::reached(LinkState state)
{
    if (state == LinkState::Closed)
        return;
    m_reached = state;
    if (state == LinkState::Authenticating) {
        good(u"SSH key exchange"_s, m_link->serverVersion());
        good(u"host key"_s, m_link->hostKeyFingerprint());
    } else if (state == LinkState::Ready) {
        good(u"authentication"_s, m_target.sandbox.ssh->user.isEmpty() ? u"logged in"_s : u"logged in as %1"_s.arg(m_target.sandbox.ssh->user));
        checkCommand();
    }
}

void DoctorCommand::checkCommand()
{
    CommandSpec spec;
    spec.argv = {u"true"_s};
    m_remote = m_link->makeCommand(spec);
    connect(m_remote.get(), &RemoteCommand::ended, this, [this](const ShellEnd &end) {
        const QString expected = u"'true' ends with status 0"_s;
        if (end.kind == ShellEnd::Kind::Exited && end.exitCode == 0) {
            good(u"channel"_s, u"a command ran"_s);
            conclude();
        } else if (end.kind == ShellEnd::Kind::Exited) {
            bad(u"channel"_s, expected, {ErrorKind::ServerError, Layer::Ssh, u"'true' ended with status %1"_s.arg(end.exitCode), m_target.sandbox.displayName()});
        } else {
            bad(u"channel"_s, expected, end.error);
        }
    });
    m_remote->start();
    m_remote->closeInput();
}

void DoctorCommand::good(const QString &layer, const QString &seen)
{
    m_layers.append(QJsonObject{{u"layer"_s, layer}, {u"result"_s, u"ok"_s}, {u"seen"_s, tamed(seen)}});
    if (!m_json)
        printLine(u"ok  %1: %2"_s.arg(layer, tamed(seen)));
}

void DoctorCommand::skip(const QString &layer, const QString &why)
{
    m_layers.append(QJsonObject{{u"layer"_s, layer}, {u"result"_s, u"skipped"_s}, {u"seen"_s, tamed(why)}});
    if (!m_json)
        printLine(u"–   %1: %2"_s.arg(layer, tamed(why)));
}

void DoctorCommand::bad(const QString &layer, const QString &expected, const Error &error)
{
    if (m_failed)
        return; // a command ends when its link does
    m_failed = true;
    const ErrorText text = errorText(error);
    m_layers.append(QJsonObject{{u"layer"_s, layer}, {u"result"_s, u"bad"_s}, {u"seen"_s, text.sentence}, {u"expected"_s, expected},
                                {u"todo"_s, text.stepLabel}, {u"error"_s, describe(error)}});
    if (!m_json) {
        printLine(u"BAD %1: %2"_s.arg(layer, text.sentence));
        printLine(u"    expected: %1"_s.arg(expected));
        if (!text.stepLabel.isEmpty())
            printLine(u"    → %1"_s.arg(text.stepLabel));
        if (!error.detail.isEmpty())
            printLine(u"    (%1)"_s.arg(describe(error)));
    }
    conclude();
}

void DoctorCommand::conclude()
{
    // What the link says of its own end is no finding.
    if (m_remote)
        m_remote->disconnect(this);
    if (m_link)
        m_link->disconnect(this);
    if (m_json)
        printJson(QJsonDocument(QJsonObject{{u"target"_s, m_target.sandbox.displayName()}, {u"ok"_s, !m_failed}, {u"layers"_s, m_layers}}));
    finishLater(m_failed ? ExitFailed : ExitOk);
}

} // namespace Sandpiper
