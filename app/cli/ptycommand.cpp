#include "app/cli/commands.h"
#include "app/cli/json.h"
#include "app/cli/output.h"
#include "app/cli/shellrunner.h"

#include <QJsonArray>
#include <QRegularExpression>
#include <QTimer>

#include <chrono>

#include <unistd.h>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {
namespace {

std::optional<TerminalSize> parseSize(const QString &text)
{
    static const QRegularExpression form(u"^([0-9]{1,4})x([0-9]{1,3})$"_s);
    const QRegularExpressionMatch match = form.match(text);
    const TerminalSize size{match.captured(1).toInt(), match.captured(2).toInt()};
    if (!match.hasMatch() || size != size.clamped())
        return std::nullopt;
    return size;
}

} // namespace

PtyCommand::PtyCommand(Directory *directory)
    : Command(directory)
{
}

PtyCommand::~PtyCommand() = default;

void PtyCommand::start(const QStringList &arguments)
{
    const qsizetype dashes = arguments.indexOf(u"--"_s);
    const QStringList argv = dashes < 0 ? QStringList() : arguments.sliced(dashes + 1);
    QCommandLineParser parser;
    parser.addOption({u"json"_s, u"One JSON document."_s});
    parser.addPositionalArgument(u"ls | create | get ID | attach ID | resize ID CxR | wait ID | kill ID"_s, u"What to do."_s);
    parser.addPositionalArgument(u"TARGET [-- CMD…]"_s, u"Where; create runs CMD, else a login shell."_s);
    if (!parse(parser, u"pty"_s, dashes < 0 ? arguments : arguments.first(dashes)))
        return;
    m_json = parser.isSet(u"json"_s);
    const QStringList words = parser.positionalArguments();
    const QString what = words.value(0);
    static const QMap<QString, qsizetype> forms = {{u"ls"_s, 2}, {u"create"_s, 2}, {u"get"_s, 3}, {u"attach"_s, 3},
                                                   {u"resize"_s, 4}, {u"wait"_s, 3}, {u"kill"_s, 3}};
    if (forms.value(what) != words.size() || (!argv.isEmpty() && what != "create"_L1))
        return usage(u"pty takes ls, create, get ID, attach ID, resize ID CxR, wait ID or kill ID, then a TARGET"_s);
    std::optional<TerminalSize> size;
    if (what == "resize"_L1) {
        size = parseSize(words.at(2));
        if (!size)
            return usage(u"a size is COLUMNSxROWS, at most 1000x500, not '%1'"_s.arg(words.at(2)));
    }
    if (what == "attach"_L1 && !isTerminal(STDIN_FILENO))
        return usage(u"attach needs a terminal on standard input"_s);
    const CliResult<TargetText> text = parseTarget(words.constLast());
    if (!text)
        return fail(text.error());
    if (text->ssh)
        return usage(u"an SSH host has no PTY sessions to list"_s);
    const QString session = words.size() > 2 ? words.at(1) : QString();
    directory()->load(Directory::Gateway::WhereUsed).then(this, [this, text = *text, what, session, size, argv] {
        directory()->resolve(text).then(this, [this, what, session, size, argv](const CliResult<Target> &target) {
            if (!target)
                return fail(target.error());
            SandboxProvider *provider = target->provider;
            const auto done = [this](const Done &answer) { answer ? finishLater(ExitOk) : fail(answer.error()); };
            if (what == "ls"_L1)
                return list(*target);
            if (what == "create"_L1)
                return create(*target, argv);
            if (what == "attach"_L1)
                return attach(*target, session);
            if (what == "wait"_L1)
                return waitFor(*target, session);
            if (what == "kill"_L1) {
                provider->killPty(target->sandbox, session).then(this, done);
                return;
            }
            if (size) {
                provider->resizePty(target->sandbox, session, *size).then(this, done);
                return;
            }
            provider->ptySession(target->sandbox, session).then(this, [this](const Result<PtySession> &answer) {
                if (!answer)
                    return fail(answer.error());
                show(*answer);
                finishLater(ExitOk);
            });
        });
    });
}

void PtyCommand::show(const PtySession &session)
{
    if (m_json)
        printJson(QJsonDocument(ptyJson(session)));
    else
        printTable({u"ID"_s, u"PID"_s, u"COMMAND"_s, u"SIZE"_s, u"STATE"_s},
                   {{session.id, QString::number(session.pid), (QStringList(session.command) + session.arguments).join(u' '),
                     u"%1x%2"_s.arg(session.size.columns).arg(session.size.rows),
                     session.isAlive ? u"alive"_s : u"ended with %1"_s.arg(session.exitCode.value_or(-1))}});
}

void PtyCommand::list(const Target &target)
{
    target.provider->ptySessions(target.sandbox).then(this, [this](const Result<QList<PtySession>> &sessions) {
        if (!sessions)
            return fail(sessions.error());
        QJsonArray json;
        QList<QStringList> rows;
        for (const PtySession &session : *sessions) {
            json << ptyJson(session);
            rows << QStringList{session.id, QString::number(session.pid), (QStringList(session.command) + session.arguments).join(u' '),
                                session.isAlive ? u"alive"_s : u"ended with %1"_s.arg(session.exitCode.value_or(-1))};
        }
        if (m_json)
            printJson(QJsonDocument(json));
        else if (!rows.isEmpty())
            printTable({u"ID"_s, u"PID"_s, u"COMMAND"_s, u"STATE"_s}, rows);
        finishLater(ExitOk);
    });
}

void PtyCommand::create(const Target &target, const QStringList &argv)
{
    ShellSpec spec;
    spec.command = argv.value(0);
    spec.arguments = argv.mid(1);
    target.provider->createPty(target.sandbox, spec, localTerminalSize()).then(this, [this, target](const Result<PtyHandle> &handle) {
        if (!handle)
            return fail(handle.error());
        // The token is told once, here; without it nobody can attach. It goes to the keychain only.
        const QString key = u"pty/"_s + target.sandbox.id.toString() + u'/' + handle->sessionId;
        directory()->keychain()->write(key, *handle->token).then(this, [this, key, session = handle->sessionId](const Done &written) {
            if (!written || directory()->keychain()->persistenceOf(key) != Keychain::Persistence::Lasting)
                say(u"there is no keychain to keep its token in: this session cannot be attached later"_s);
            printLine(session);
            finishLater(ExitOk);
        });
    });
}

void PtyCommand::attach(const Target &target, const QString &session)
{
    ShellRunner::Wish wish;
    wish.target = target;
    wish.ptySession = session;
    wish.detachKeys = *DetachKeys::parse(u"ctrl-]"_s);
    m_runner = std::make_unique<ShellRunner>(directory(), wish);
    connect(m_runner.get(), &ShellRunner::finished, this, &PtyCommand::finishLater);
    m_runner->start();
}

void PtyCommand::waitFor(const Target &target, const QString &session)
{
    target.provider->ptySession(target.sandbox, session).then(this, [this, target, session](const Result<PtySession> &answer) {
        if (!answer)
            return fail(answer.error());
        if (!answer->isAlive)
            return finishLater(statusOfExit(answer->exitCode.value_or(-1)));
        QTimer::singleShot(500ms, this, [this, target, session] { waitFor(target, session); });
    });
}

void PtyCommand::interrupt()
{
    m_runner ? m_runner->leave() : finishLater(ExitInterrupted);
}

} // namespace Sandpiper
