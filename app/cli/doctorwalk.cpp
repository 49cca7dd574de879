#include "app/cli/doctorwalk.h"

#include "app/cli/doctornetwork.h"
#include "session/background.h"
#include "session/errortext.h"
#include "session/featurestore.h"
#include "session/netproxy.h"
#include "session/sshhostoptions.h"
#include "session/transportopening.h"

#include <QHostAddress>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// Less than this is worth a word: authorities renew earlier.
constexpr qint64 kFewDays = 14;

QString routeWords(const SshHostConfig &config)
{
    if (!config.proxyCommand.value_or(QString()).isEmpty())
        return u"through the ProxyCommand of ssh_config"_s;
    QStringList hops;
    for (const SshJumpHop &hop : config.jumps)
        hops.append(hop.host);
    return u"by way of %1 (ProxyJump in ssh_config)"_s.arg(hops.join(u", "_s));
}

QString proxyWords(const ProxySetting &proxy)
{
    const QString kind = proxy.kind == ProxySetting::Kind::Socks5 ? u"SOCKS5 proxy"_s : u"HTTP proxy"_s;
    return u"through the %1 %2:%3"_s.arg(kind, proxy.host).arg(proxy.port);
}

// The socket of a session that is not there is refused by whoever would open it.
bool isAnswerOfServer(const ErrorKind kind)
{
    return kind == ErrorKind::NotFound || kind == ErrorKind::AuthRejected || kind == ErrorKind::PermissionDenied || kind == ErrorKind::Conflict;
}

} // namespace

DoctorWalk::DoctorWalk(Directory *directory, QObject *parent)
    : QObject(parent)
    , m_directory(directory)
    , m_prompts(directory->makePrompts())
{
}

DoctorWalk::~DoctorWalk()
{
    m_link.reset(); // it tells us what it has found out, to the last
}

void DoctorWalk::start(const TargetText &text)
{
    m_directory->resolveToConnect(text).then(this, [this](const CliResult<Target> &target) { checkTarget(target); });
}

void DoctorWalk::checkTarget(const CliResult<Target> &target)
{
    const QString expected = u"the account answers and knows the sandbox"_s;
    if (!target)
        return bad(u"account and API"_s, expected, target.error().error);
    m_target = *target;
    if (!m_target.provider)
        return checkRoute();
    good(u"account and API"_s, expected, u"%1 answers"_s.arg(m_target.accountName));
    for (const auto &entry : m_directory->entries()) {
        if (entry->provider.get() != m_target.provider)
            continue;
        m_pinnedCa = entry->account.pinnedCa;
        m_secureUrls.append({u"TLS of the API"_s, entry->account.apiUrl});
    }
    const QUrl &inside = m_target.sandbox.controlUrl;
    if (!inside.isEmpty() && (m_secureUrls.isEmpty() || m_secureUrls.constFirst().second.authority() != inside.authority()))
        m_secureUrls.append({u"TLS of the sandbox"_s, inside});
    checkTls();
}

void DoctorWalk::checkTls()
{
    if (m_secureUrls.isEmpty()) {
        if (m_target.sandbox.state != SandboxState::Running)
            return bad(u"sandbox"_s, u"it is running"_s,
                       {ErrorKind::SandboxNotRunning, Layer::SandboxState, m_target.sandbox.stateText, m_target.sandbox.displayName()});
        good(u"sandbox"_s, u"it is running"_s, u"%1 is running"_s.arg(m_target.sandbox.displayName()));
        return checkPty();
    }
    const auto [layer, url] = m_secureUrls.takeFirst();
    if (url.scheme() != "https"_L1) {
        skip(layer, u"%1 is reached without it, on this computer"_s.arg(url.host()));
        return checkTls();
    }
    certificateOf(url, m_pinnedCa, this).then(this, [this, layer, url](const Result<SeenCertificate> &certificate) {
        const QString expected = u"a certificate that is trusted, valid for %1 days or more"_s.arg(kFewDays);
        if (!certificate)
            return bad(layer, expected, certificate.error());
        const qint64 days = QDateTime::currentDateTimeUtc().daysTo(certificate->until);
        DoctorLine line{layer, DoctorLine::Result::Ok, expected,
                        u"the certificate of %1 is from %2, %3 days left"_s.arg(url.host(), certificate->issuer).arg(days), {}, {}};
        if (days < kFewDays) {
            line.result = DoctorLine::Result::Differs;
            line.todo = u"Whoever runs %1 should renew it."_s.arg(url.host());
        }
        emit seen(line);
        checkTls();
    });
}

void DoctorWalk::checkPty()
{
    if (!m_target.sandbox.capabilities.has(Capability::PtyShell)) {
        skip(u"PTY"_s, m_target.sandbox.capabilities.reasonAgainst(Capability::PtyShell));
        return checkRoute();
    }
    m_target.provider->ptySessions(m_target.sandbox).then(this, [this](const Result<QList<PtySession>> &sessions) {
        const QString expected = u"the sandbox lists its sessions"_s;
        if (!sessions)
            return bad(u"PTY"_s, expected, sessions.error());
        good(u"PTY"_s, expected, u"the sandbox answers, %1 session(s)"_s.arg(sessions->size()));
        checkWebSocket();
    });
}

void DoctorWalk::checkWebSocket()
{
    // A session that cannot be there: whoever says so has understood a WebSocket's request, and nothing was
    // started for it.
    const PtyHandle nobodys{u"sandpiper-doctor"_s, std::make_shared<Secret>("none")};
    m_pty = m_target.provider->makePtyShell(m_target.sandbox, {}, nobodys);
    if (!m_pty)
        return checkRoute();
    connect(m_pty.get(), &Shell::ended, this, [this](const ShellEnd &end) {
        const QString expected = u"the sandbox answers to a request for a WebSocket"_s;
        if (end.kind != ShellEnd::Kind::Failed || isAnswerOfServer(end.error.kind)) {
            good(u"WebSocket"_s, expected, u"it answers: no such session"_s);
            return checkRoute();
        }
        bad(u"WebSocket"_s, expected, end.error);
    });
    m_pty->attach({});
}

void DoctorWalk::checkRoute()
{
    if (!m_target.sandbox.ssh) {
        skip(u"SSH"_s, m_target.sandbox.capabilities.reasonAgainst(Capability::SshShell));
        return conclude();
    }
    const SshEndpoint &endpoint = *m_target.sandbox.ssh;
    const Result<SshHostQuery> query = hostQueryFor(linkOptionsFor(m_target.sandbox, m_target.signIn));
    if (endpoint.alias.isEmpty() || !query)
        return goDirectly(endpoint.host, endpoint.port);
    const auto read = [query = *query] { return SshConfig(SshConfig::defaultSources()).resolve(query); };
    inBackground(this, read, [this](const SshHostConfig &config) {
        if (config.jumps.isEmpty() && config.proxyCommand.value_or(QString()).isEmpty())
            return goDirectly(config.hostName, config.port);
        // What lies on that way only the link knows.
        good(u"route"_s, u"ssh_config says how it is reached"_s, routeWords(config));
        for (const QString &layer : {u"DNS"_s, u"TCP"_s})
            skip(layer, u"%1 is not reached directly"_s.arg(config.hostName));
        checkSsh();
    });
}

void DoctorWalk::goDirectly(const QString &host, quint16 port)
{
    const ProxySetting proxy = sshProxyFrom(ownEnvironment(), host, port);
    if (proxy.kind == ProxySetting::Kind::None)
        return lookUp({host, port, u"something"_s});
    good(u"route"_s, u"the proxy that is set for %1"_s.arg(host), proxyWords(proxy));
    lookUp({proxy.host, proxy.port, u"the proxy"_s});
}

void DoctorWalk::lookUp(const Place &place)
{
    if (!QHostAddress(place.host).isNull()) {
        skip(u"DNS"_s, u"%1 is an address"_s.arg(place.host));
        return checkPort(place);
    }
    addressesOf(place.host, this).then(this, [this, place](const Result<QStringList> &addresses) {
        const QString expected = u"the name has an address"_s;
        if (!addresses)
            return bad(u"DNS"_s, expected, addresses.error());
        good(u"DNS"_s, expected, u"%1 is %2"_s.arg(place.host, addresses->mid(0, 4).join(u", "_s)));
        checkPort(place);
    });
}

void DoctorWalk::checkPort(const Place &place)
{
    connectDirectly(place.host, place.port, this).then(this, [this, place](const Result<QString> &there) {
        const QString expected = u"%1 listens at port %2"_s.arg(place.what).arg(place.port);
        if (!there)
            return bad(u"TCP"_s, expected, there.error());
        good(u"TCP"_s, expected, u"%1 answers"_s.arg(*there));
        checkSsh();
    });
}

void DoctorWalk::checkSsh()
{
    LinkOptions options = linkOptionsFor(m_target.sandbox, m_target.signIn);
    options.features = this;
    m_link = std::make_unique<SshLink>(options, m_prompts.get());
    connect(m_link.get(), &SshLink::stateChanged, this, &DoctorWalk::reached);
    connect(m_link.get(), &SshLink::closed, this, &DoctorWalk::lost);
    m_link->connectToHost();
}

void DoctorWalk::reached(LinkState state)
{
    if (state == LinkState::Closed)
        return;
    m_reached = state;
    if (state == LinkState::Authenticating) {
        good(u"SSH key exchange"_s, u"the server greets as SSH and shares algorithms"_s, m_link->serverVersion());
        good(u"host key"_s, u"the key that is known for it"_s, m_link->hostKeyFingerprint());
    } else if (state == LinkState::Ready) {
        const QString user = m_target.sandbox.ssh->user;
        good(u"authentication"_s, u"the server takes a key or a password"_s, user.isEmpty() ? u"logged in"_s : u"logged in as %1"_s.arg(user));
    }
}

void DoctorWalk::lost(const Error &error)
{
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
}

std::optional<std::chrono::milliseconds> DoctorWalk::wantsAfter(const SandboxId &, const QString &)
{
    return std::chrono::milliseconds(0);
}

void DoctorWalk::told(const SandboxId &sandbox, const Result<ServerFeatures> &features)
{
    if (!features || m_isOver)
        return; // the link says how it ended
    for (const DoctorLine &line : featureLines(m_target.sandbox.capabilities, *features))
        emit seen(line);
    // For the window, which need not ask then. That it cannot be kept is no finding about the target.
    if (const QString file = featuresFile(); !file.isEmpty() && !sandbox.isEmpty())
        (void)FeatureStore(file).keep(sandbox, *features);
    conclude();
}

void DoctorWalk::good(const QString &layer, const QString &expected, const QString &what)
{
    emit seen({layer, DoctorLine::Result::Ok, expected, tamed(what), {}, {}});
}

void DoctorWalk::skip(const QString &layer, const QString &why)
{
    emit seen({layer, DoctorLine::Result::Skipped, {}, tamed(why), {}, {}});
}

void DoctorWalk::bad(const QString &layer, const QString &expected, const Error &error)
{
    if (m_isOver)
        return;
    const ErrorText text = errorText(error);
    emit seen({layer, DoctorLine::Result::Bad, expected, text.sentence, text.stepLabel, describe(error)});
    conclude();
}

void DoctorWalk::conclude()
{
    if (std::exchange(m_isOver, true))
        return;
    // What these say of their own end is no finding.
    if (m_pty)
        m_pty->disconnect(this);
    if (m_link)
        m_link->disconnect(this);
    emit finished();
}

} // namespace Sandpiper
