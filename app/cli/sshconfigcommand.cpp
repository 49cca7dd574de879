#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "app/cli/terminal.h"
#include "session/sshconfigstore.h"

#include <QCoreApplication>

#include <algorithm>

#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

struct SshConfigCommand::Wish
{
    SshConfigFiles files = defaultSshConfigFiles();
    QList<TargetText> targets; // empty: every sandbox that has SSH
    quint16 insidePort = 0;
    bool writes = false;
    bool viaProxy = false;
    bool isAgreed = false;
};

struct SshConfigCommand::Gathered
{
    struct Found
    {
        Sandbox sandbox;
        QString accountName;
        SignIn signIn;
    };
    QList<Found> found;
    QList<SshHostBlock> blocks;
    QHash<QString, QString> owners; // by alias
    QStringList listedAccounts;     // whose sandboxes are all known
    qsizetype waiting = 0;
    bool hasFailed = false;
};

SshConfigCommand::SshConfigCommand(Directory *directory)
    : Command(directory)
    , m_wish(std::make_unique<Wish>())
    , m_gathered(std::make_unique<Gathered>())
{
}

SshConfigCommand::~SshConfigCommand() = default;

void SshConfigCommand::start(const QStringList &arguments)
{
    QCommandLineParser parser;
    parser.addOptions({{u"write"_s, u"Keep the blocks in a file of Sandpiper's own, included from ~/.ssh/config."_s},
                       {u"yes"_s, u"With --write: adds the one line to ~/.ssh/config without asking."_s},
                       {u"proxy"_s, u"Go through sandpiper-cli proxy, which finds a sandbox wherever it is."_s},
                       {u"ssh-port"_s, u"The SSH server on this port inside the sandbox."_s, u"N"_s}});
    parser.addPositionalArgument(u"TARGET…"_s, u"Sandboxes; without any, all that have SSH."_s, u"[TARGET…]"_s);
    if (!parse(parser, u"ssh-config"_s, arguments))
        return;
    m_wish->writes = parser.isSet(u"write"_s);
    m_wish->isAgreed = parser.isSet(u"yes"_s);
    m_wish->viaProxy = parser.isSet(u"proxy"_s);
    if (m_wish->isAgreed && !m_wish->writes)
        return usage(u"--yes goes with --write"_s);
    if (parser.isSet(u"ssh-port"_s)) {
        bool ok = false;
        const int port = parser.value(u"ssh-port"_s).toInt(&ok);
        if (!ok || port < 1 || port > 65535)
            return usage(u"--ssh-port must be 1 to 65535, not '%1'"_s.arg(parser.value(u"ssh-port"_s)));
        if (parser.positionalArguments().isEmpty())
            return usage(u"--ssh-port needs a TARGET"_s);
        m_wish->insidePort = quint16(port);
    }
    for (const QString &word : parser.positionalArguments()) {
        const CliResult<TargetText> text = parseTarget(word);
        if (!text)
            return fail(text.error());
        m_wish->targets << *text;
    }
    const Result<QHash<QString, QString>> owners = sshAliasOwners(m_wish->files);
    if (!owners)
        return fail(owners.error());
    m_gathered->owners = *owners;
    directory()->load(Directory::Gateway::WhereUsed).then(this, [this] { m_wish->targets.isEmpty() ? gatherAll() : gatherNamed(); });
}

void SshConfigCommand::gatherNamed()
{
    m_gathered->waiting = m_wish->targets.size();
    for (const TargetText &text : std::as_const(m_wish->targets)) {
        directory()->resolveToConnect(text).then(this, [this, isAddress = text.ssh.has_value()](const CliResult<Target> &target) {
            if (target) {
                m_gathered->found << Gathered::Found{target->sandbox, target->accountName, target->signIn};
                if (isAddress) // no name that ssh_config could have
                    m_gathered->found.last().sandbox.ssh->alias.clear();
            } else {
                refuse(target.error());
            }
            arrived();
        });
    }
}

void SshConfigCommand::gatherAll()
{
    m_gathered->waiting = 1;
    for (const auto &entry : directory()->entries()) {
        if (!entry->provider) {
            // A gateway that does not run has nothing to list; that is no failure.
            if (entry->error.kind != ErrorKind::NotFound)
                refuse({entry->error, {}});
            continue;
        }
        ++m_gathered->waiting;
        entry->provider->list(SandboxProvider::ListScope::Live).then(this, [this, raw = entry.get()](const Result<QList<Sandbox>> &sandboxes) {
            for (const Sandbox &sandbox : sandboxes.value_or(QList<Sandbox>())) {
                if (!sandbox.ssh || !sandbox.ssh->alias.isEmpty())
                    continue;
                ++m_gathered->waiting;
                directory()->signInTo(sandbox, raw->provider.get()).then(this, [this, sandbox, raw](const SignIn &signIn) {
                    m_gathered->found << Gathered::Found{sandbox, raw->account.name, signIn};
                    arrived();
                });
            }
            if (sandboxes)
                m_gathered->listedAccounts << raw->account.id;
            else
                refuse({sandboxes.error(), {}});
            arrived();
        });
    }
    arrived();
}

void SshConfigCommand::refuse(const CliError &error)
{
    m_gathered->hasFailed = true;
    error.sentence.isEmpty() ? sayError(error.error) : say(error.sentence);
}

void SshConfigCommand::makeBlocks()
{
    auto &[found, blocks, owners, accounts, waiting, hasFailed] = *m_gathered;
    std::sort(found.begin(), found.end(), [](const Gathered::Found &one, const Gathered::Found &other) {
        return std::pair(one.sandbox.displayName(), one.sandbox.id.id) < std::pair(other.sandbox.displayName(), other.sandbox.id.id);
    });
    for (const Gathered::Found &one : std::as_const(found))
        owners = withoutAccount(owners, one.sandbox.id.account);
    for (const Gathered::Found &one : std::as_const(found)) {
        SshHostWish wish;
        wish.knownHostsFile = m_wish->files.knownHosts;
        wish.insidePort = m_wish->insidePort;
        wish.signIn = one.signIn;
        if (m_wish->viaProxy && !one.accountName.isEmpty())
            wish.proxy = {QCoreApplication::applicationFilePath(), u"proxy"_s, one.accountName + u'/' + one.sandbox.id.id};
        Result<SshHostBlock> block = hostBlockFor(one.sandbox, wish);
        if (!block) {
            refuse({block.error(), {}});
            continue;
        }
        block->alias = hostAliasFor(one.sandbox, one.accountName, wish.insidePort, owners);
        owners.insert(block->alias, block->owner);
        blocks << *block;
    }
}

void SshConfigCommand::arrived()
{
    if (--m_gathered->waiting > 0)
        return;
    makeBlocks();
    if (m_wish->writes)
        return write();
    // A Host that pins a host key is of no use without the file that has it.
    if (const Done done = writeSshHostKeys(m_wish->files, m_gathered->blocks); !done)
        return fail(done.error());
    QByteArrayList texts;
    for (const SshHostBlock &block : std::as_const(m_gathered->blocks))
        texts << textOf(block);
    standardOutput().write(texts.join('\n'));
    finishLater(m_gathered->hasFailed ? ExitFailed : ExitOk);
}

void SshConfigCommand::write()
{
    const SshConfigFiles &files = m_wish->files;
    const Result<bool> included = hasSshInclude(files);
    if (!included)
        return fail(included.error());
    if (m_gathered->hasFailed && m_gathered->blocks.isEmpty())
        return finishLater(ExitFailed);
    if (!*included && !m_wish->isAgreed) {
        const Result<QString> answer = isTerminal(STDIN_FILENO)
                ? readAnswer(u"Put the line \"%1\" at the top of %2? The file is copied first. [y/N]"_s.arg(sshIncludeLine(files), files.userConfig))
                : failure(ErrorKind::InvalidInput, Layer::LocalDisk);
        if (!answer)
            return usage(u"%1 has to be changed, once, and there is no terminal to ask on; --yes agrees to it"_s.arg(files.userConfig));
        m_wish->isAgreed = answer->compare("y"_L1, Qt::CaseInsensitive) == 0 || answer->compare("yes"_L1, Qt::CaseInsensitive) == 0;
        if (!m_wish->isAgreed) {
            say(u"nothing was changed"_s);
            return finishLater(ExitFailed);
        }
    }
    SshBlockChange change{m_gathered->blocks, {}};
    if (m_wish->targets.isEmpty()) {
        // Blocks of sandboxes that are gone go; of an account that did not answer nothing is known.
        QStringList live;
        for (const SshHostBlock &block : std::as_const(m_gathered->blocks))
            live << block.owner;
        change.keeps = [live, accounts = m_gathered->listedAccounts](const QString &owner) {
            const std::optional<SandboxId> id = SandboxId::parse(owner);
            return live.contains(owner) || (id && !accounts.contains(id->account));
        };
    }
    if (const Done done = writeSshBlocks(files, change); !done)
        return fail(done.error());
    if (!*included) {
        const Result<QString> copy = addSshInclude(files);
        if (!copy)
            return fail(copy.error());
        say(copy->isEmpty() ? u"made %1"_s.arg(files.userConfig) : u"changed %1; as it was, it is %2"_s.arg(files.userConfig, *copy));
    }
    for (const SshHostBlock &block : std::as_const(m_gathered->blocks))
        printLine(block.alias);
    finishLater(m_gathered->hasFailed ? ExitFailed : ExitOk);
}

} // namespace Sandpiper
