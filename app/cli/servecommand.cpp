#include "app/cli/servecommand.h"

#include "app/cli/output.h"
#include "app/cli/servekeys.h"
#include "app/cli/stdiopump.h"
#include "app/cli/terminal.h"
#include "session/background.h"
#include "session/paths.h"
#include "sshserver/hostkey.h"

#include <QFileInfo>
#include <QHostAddress>

#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

struct Keys
{
    ServeKeys authorized;
    QByteArray hostKey; // public line
};

Result<Keys> prepareKeys(const QString &hostKeyFile, const QString &authorizedKeys, const QByteArray &agentSocket)
{
    Result<ServeKeys> authorized = authorizedKeys.isEmpty() ? keysOfUser(agentSocket) : keysOfFile(authorizedKeys);
    if (!authorized)
        return std::unexpected(authorized.error());
    Result<QByteArray> hostKey = hostKeyFrom(hostKeyFile);
    if (!hostKey)
        return std::unexpected(hostKey.error());
    return Keys{std::move(*authorized), std::move(*hostKey)};
}

} // namespace

ServeCommand::ServeCommand(Directory *directory)
    : Command(directory)
    , m_prompts(directory->makePrompts())
{
}

ServeCommand::~ServeCommand()
{
    // The pump carries the last words of the connection.
    m_serving.reset();
    m_pump.reset();
}

bool ServeCommand::read(QCommandLineParser &parser, const QStringList &arguments, TargetText &target)
{
    parser.addOptions({{u"stdio"_s, u"Serves one client on standard input and output; for ProxyCommand."_s},
                       {u"listen"_s, u"Serves on this address of this computer; port 0 takes a free one."_s, u"ADDRESS:PORT"_s, u"127.0.0.1:0"_s},
                       {u"via"_s, u"ssh or api (the vendor's terminals and commands); SSH where the sandbox has it."_s, u"ROUTE"_s},
                       {u"host-key"_s, u"A private key file of the server, in the place of the one that is made once."_s, u"FILE"_s},
                       {u"authorized-keys"_s, u"The public keys that may enter, in the place of your own."_s, u"FILE"_s},
                       {u"user"_s, u"The only user name that may enter."_s, u"USER"_s},
                       {u"no-sftp"_s, u"Refuses SFTP."_s}});
    parser.addPositionalArgument(u"TARGET"_s, u"A sandbox's name or id, ACCOUNT/name, or ssh://user@host:port."_s);
    if (!parse(parser, u"serve"_s, arguments))
        return false;
    const auto mistake = [this](const QString &line) {
        usage(line);
        return false;
    };
    if (parser.positionalArguments().size() != 1)
        return mistake(u"serve takes one TARGET"_s);
    const CliResult<TargetText> text = parseTarget(parser.positionalArguments().constFirst());
    if (!text) {
        fail(text.error());
        return false;
    }
    target = *text;
    m_wish.stdio = parser.isSet(u"stdio"_s);
    if (m_wish.stdio && parser.isSet(u"listen"_s))
        return mistake(u"--stdio and --listen exclude each other"_s);
    if (m_wish.stdio && (isTerminal(STDIN_FILENO) || isTerminal(STDOUT_FILENO)))
        return mistake(u"--stdio speaks SSH and not to a terminal; use it as ssh's ProxyCommand"_s);
    const QString listen = parser.value(u"listen"_s);
    const qsizetype colon = listen.lastIndexOf(u':');
    bool isNumber = false;
    m_wish.address = listen.left(qMax<qsizetype>(colon, 0));
    if (m_wish.address.startsWith(u'[') && m_wish.address.endsWith(u']'))
        m_wish.address = m_wish.address.sliced(1).chopped(1);
    m_wish.port = listen.sliced(colon + 1).toUShort(&isNumber);
    if (!isNumber || !QHostAddress(m_wish.address).isLoopback())
        return mistake(u"--listen takes an address of this computer and a port (127.0.0.1:0), not '%1'"_s.arg(tamed(listen, 80)));
    m_wish.via = parser.value(u"via"_s);
    if (!m_wish.via.isEmpty() && m_wish.via != "ssh"_L1 && m_wish.via != "api"_L1)
        return mistake(u"--via takes ssh or api, not '%1'"_s.arg(tamed(m_wish.via, 40)));
    m_wish.hostKeyFile = parser.value(u"host-key"_s);
    if (!m_wish.hostKeyFile.isEmpty() && !QFileInfo(m_wish.hostKeyFile).isReadable())
        return mistake(u"--host-key: '%1' cannot be read"_s.arg(tamed(m_wish.hostKeyFile, 200)));
    m_wish.authorizedKeys = parser.value(u"authorized-keys"_s);
    m_wish.serving.host.user = parser.value(u"user"_s);
    m_wish.serving.ends.sftp = parser.isSet(u"no-sftp"_s) ? FarEnds::Sftp::Never : FarEnds::Sftp::Where;
    return true;
}

void ServeCommand::start(const QStringList &arguments)
{
    QCommandLineParser parser;
    TargetText text;
    if (!read(parser, arguments, text))
        return;
    directory()->load(Directory::Gateway::WhereUsed).then(this, [this, text] {
        directory()->resolveToConnect(text).then(this, [this](const CliResult<Target> &target) {
            if (!target)
                return fail(target.error());
            findKeys(*target);
        });
    });
}

void ServeCommand::findKeys(const Target &target)
{
    const bool api = m_wish.via == "api"_L1 || (m_wish.via.isEmpty() && !target.sandbox.ssh);
    if (api ? target.provider == nullptr : !target.sandbox.ssh.has_value()) {
        return fail(Error{ErrorKind::Unsupported, Layer::Provider, api ? QString() : target.sandbox.capabilities.reasonAgainst(Capability::SshShell),
                          target.sandbox.displayName()});
    }
    FarEnds::Options &ends = m_wish.serving.ends;
    ends.sandbox = target.sandbox;
    ends.provider = target.provider;
    ends.signIn = target.signIn;
    if (target.signIn.choice.withoutSftp)
        ends.sftp = FarEnds::Sftp::Never;
    ends.route = api ? FarEnds::Route::Vendor : FarEnds::Route::Ssh;
    ends.prompts = m_prompts.get();
    m_wish.serving.host.sandbox = target.sandbox.displayName();
    if (m_wish.hostKeyFile.isEmpty())
        m_wish.hostKeyFile = stateFolder() + u"/serve_host_key"_s;
    m_wish.serving.hostKeyFile = m_wish.hostKeyFile;
    inBackground(
            this,
            [hostKey = m_wish.hostKeyFile, authorized = m_wish.authorizedKeys, agent = qgetenv("SSH_AUTH_SOCK")] {
                return prepareKeys(hostKey, authorized, agent);
            },
            [this](const Result<Keys> &keys) {
                if (!keys)
                    return fail(keys.error());
                for (const QString &note : keys->authorized.notes)
                    say(note);
                if (m_wish.authorizedKeys.isEmpty())
                    say(u"lets in the keys of "_s + keys->authorized.sources.join(u", "_s));
                m_wish.serving.host.blobs = keys->authorized.blobs;
                serve();
            });
}

void ServeCommand::serve()
{
    m_serving = std::make_unique<Serving>(m_wish.serving);
    connect(m_serving.get(), &Serving::said, this, [](const QString &line) { say(line); });
    connect(m_serving.get(), &Serving::idle, this, [this] {
        if (m_ending || m_wish.stdio)
            finishLater(ExitOk);
    });
    if (m_wish.stdio)
        return serveStdio();
    const Result<quint16> port = m_serving->listen(m_wish.address, m_wish.port);
    if (!port)
        return fail(port.error());
    const bool v6 = m_wish.address.contains(u':');
    printLine((v6 ? u"[%1]:%2"_s : u"%1:%2"_s).arg(m_wish.address).arg(*port));
}

void ServeCommand::serveStdio()
{
    // The connection notices that its transport has ended; so there is nothing to do about it here.
    Result<std::unique_ptr<StdioPump>> pump = StdioPump::make(STDIN_FILENO, STDOUT_FILENO, [] { });
    if (!pump)
        return fail(pump.error());
    m_pump = std::move(*pump);
    m_serving->add(m_pump->takeSocket());
}

void ServeCommand::interrupt()
{
    if (!m_serving)
        return finishLater(ExitInterrupted);
    m_ending = true;
    m_serving->close(u"sandpiper-cli serve is ending"_s);
}

} // namespace Sandpiper
