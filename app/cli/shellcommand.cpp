#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "app/cli/shellrunner.h"

#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

ShellCommand::ShellCommand(Directory *directory)
    : Command(directory)
{
}

ShellCommand::~ShellCommand() = default;

void ShellCommand::start(const QStringList &arguments)
{
    QCommandLineParser parser;
    parser.addOptions({{u"via"_s, u"ssh or pty; what the sandbox can best where nothing is said."_s, u"ROUTE"_s},
                       {u"shell"_s, u"Another program than the usual shell."_s, u"PATH"_s},
                       {u"cwd"_s, u"Where it starts."_s, u"FOLDER"_s},
                       {u"env"_s, u"Added to its environment; may be repeated."_s, u"K=V"_s},
                       {u"term"_s, u"Its TERM; xterm-256color, or what Log in as says."_s, u"TERM"_s},
                       {u"ssh-port"_s, u"The SSH server on this port inside the sandbox."_s, u"N"_s},
                       {u"A"_s, u"Programs there may use the keys of your SSH agent; over ssh."_s},
                       {u"detach-keys"_s, u"Keys that let go without ending it; none switches it off."_s, u"KEYS"_s, u"ctrl-]"_s}});
    parser.addPositionalArgument(u"TARGET"_s, u"A sandbox's name or id, ACCOUNT/name, or ssh://user@host:port."_s);
    if (!parse(parser, u"shell"_s, arguments))
        return;
    if (parser.positionalArguments().size() != 1)
        return usage(u"shell takes one TARGET"_s);
    const CliResult<TargetText> text = parseTarget(parser.positionalArguments().constFirst());
    if (!text)
        return fail(text.error());
    const QString via = parser.value(u"via"_s);
    if (!via.isEmpty() && via != "ssh"_L1 && via != "pty"_L1)
        return usage(u"--via takes ssh or pty, not '%1'"_s.arg(via));
    const CliResult<DetachKeys> keys = DetachKeys::parse(parser.value(u"detach-keys"_s));
    if (!keys)
        return fail(keys.error());
    int port = 0;
    if (parser.isSet(u"ssh-port"_s)) {
        bool ok = false;
        port = parser.value(u"ssh-port"_s).toInt(&ok);
        if (!ok || port < 1 || port > 65535)
            return usage(u"--ssh-port must be 1 to 65535, not '%1'"_s.arg(parser.value(u"ssh-port"_s)));
        if (via == "pty"_L1)
            return usage(u"--ssh-port goes with --via ssh"_s);
    }
    ShellRunner::Wish wish;
    wish.detachKeys = *keys;
    wish.spec.command = parser.value(u"shell"_s);
    wish.spec.workingDirectory = parser.value(u"cwd"_s);
    const QString term = parser.value(u"term"_s);
    for (const QString &pair : parser.values(u"env"_s)) {
        const qsizetype equals = pair.indexOf(u'=');
        if (equals <= 0)
            return usage(u"--env takes NAME=VALUE, not '%1'"_s.arg(pair));
        wish.spec.environment.insert(pair.left(equals), pair.mid(equals + 1));
    }
    if (!isTerminal(STDIN_FILENO))
        return usage(u"shell needs a terminal on standard input; for one command use: sandpiper-cli exec TARGET -- CMD"_s);
    directory()->load(Directory::Gateway::WhereUsed).then(this, [this, text = *text, wish, via, port, term, forwards = parser.isSet(u"A"_s)] {
        directory()->resolveToConnect(text).then(this, [this, wish, via, port, term, forwards](const CliResult<Target> &target) mutable {
            if (!target)
                return fail(target.error(), ExitOurs);
            wish.target = *target;
            wish.target.signIn.choice.forwardsAgent |= forwards;
            if (const QString wanted = term.isEmpty() ? target->signIn.choice.term : term; !wanted.isEmpty())
                wish.spec.term = wanted;
            const Result<ShellRoute> route = chooseRoute(wish.target.sandbox, port != 0 ? u"ssh"_s : via);
            if (!route)
                return fail(route.error(), ExitOurs);
            wish.route = *route;
            if (port != 0)
                wish.target.sandbox.ssh->user = QString::number(port) + u'-' + wish.target.sandbox.ssh->user;
            m_runner = std::make_unique<ShellRunner>(directory(), wish);
            connect(m_runner.get(), &ShellRunner::finished, this, &ShellCommand::finishLater);
            m_runner->start();
        });
    });
}

void ShellCommand::interrupt()
{
    m_runner ? m_runner->leave() : finishLater(ExitInterrupted);
}

} // namespace Sandpiper
