#include "app/cli/commands.h"
#include "app/cli/json.h"
#include "app/cli/output.h"
#include "session/providers/factory.h"

#include <QTimer>

#include <chrono>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {
namespace {

constexpr auto followDeadline = 300s; // the vendors' own clients wait as long
constexpr auto followStep = 500ms;

qint64 steadyMilliseconds()
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

} // namespace

void LifeCommand::startOn(const QString &name, const QStringList &arguments)
{
    QCommandLineParser parser;
    parser.addOptions({{u"no-wait"_s, u"Does not wait for the new state."_s}, {u"json"_s, u"One JSON document."_s}});
    parser.addPositionalArgument(u"TARGET"_s, u"A sandbox's name or id, or ACCOUNT/name."_s);
    if (!parse(parser, name, arguments))
        return;
    if (parser.positionalArguments().size() != 1)
        return usage(name + u" takes one TARGET"_s);
    m_wait = !parser.isSet(u"no-wait"_s);
    m_json = parser.isSet(u"json"_s);
    const CliResult<TargetText> text = parseTarget(parser.positionalArguments().constFirst());
    if (!text)
        return fail(text.error());
    if (text->ssh)
        return usage(u"an SSH host cannot be told to %1"_s.arg(name));
    directory()->load(Directory::Gateway::WhereUsed).then(this, [this, text = *text] {
        directory()->resolve(text).then(this, [this](const CliResult<Target> &target) {
            if (!target)
                return fail(target.error());
            ask(*target).then(this, [this, target = *target](const Done &done) {
                if (!done)
                    return fail(done.error());
                follow(target.provider, target.sandbox.id.id);
            });
        });
    });
}

void LifeCommand::follow(SandboxProvider *provider, const QString &id)
{
    if (!m_wait)
        return finishLater(ExitOk);
    m_deadline = steadyMilliseconds() + std::chrono::milliseconds(followDeadline).count();
    askAgain(provider, id);
}

void LifeCommand::askAgain(SandboxProvider *provider, const QString &id)
{
    provider->find(id).then(this, [this, provider, id](const Result<Sandbox> &sandbox) {
        const bool gone = !sandbox && sandbox.error().kind == ErrorKind::NotFound;
        if (gone && wanted() == SandboxState::Terminated)
            return finishLater(ExitOk);
        if (!sandbox)
            return fail(sandbox.error());
        if (sandbox->state == wanted())
            return arrived(*sandbox);
        if (sandbox->state == SandboxState::Terminated)
            return fail(Error{ErrorKind::SandboxNotRunning, Layer::SandboxState, sandbox->note, sandbox->displayName()});
        if (steadyMilliseconds() > m_deadline)
            return fail(Error{ErrorKind::Timeout, Layer::SandboxState, u"it is still %1"_s.arg(sandbox->stateText), sandbox->displayName()});
        QTimer::singleShot(followStep, this, [this, provider, id] { askAgain(provider, id); });
    });
}

void LifeCommand::arrived(const Sandbox &sandbox)
{
    if (m_json)
        printJson(QJsonDocument(sandboxJson(sandbox.id.account, sandbox)));
    finishLater(ExitOk);
}

void CreateCommand::start(const QStringList &arguments)
{
    QCommandLineParser parser;
    parser.addOptions({{u"account"_s, u"Where; the only account, else this computer."_s, u"ACCOUNT"_s},
                       {u"image"_s, u"The vendor's image or template."_s, u"IMAGE"_s},
                       {u"cpus"_s, u"Number of processors."_s, u"N"_s},
                       {u"memory"_s, u"MiB of memory."_s, u"MIB"_s},
                       {u"disk"_s, u"MiB of disk."_s, u"MIB"_s},
                       {u"timeout"_s, u"Seconds until it suspends by itself; 0: never, where the vendor allows it."_s, u"S"_s},
                       {u"no-wait"_s, u"Does not wait until it runs."_s},
                       {u"json"_s, u"One JSON document."_s}});
    parser.addPositionalArgument(u"NAME"_s, u"Lower-case letters, digits and dashes."_s);
    if (!parse(parser, u"create"_s, arguments))
        return;
    if (parser.positionalArguments().size() != 1)
        return usage(u"create takes one NAME"_s);
    m_wait = !parser.isSet(u"no-wait"_s);
    m_json = parser.isSet(u"json"_s);
    CreateRequest request;
    request.name = parser.positionalArguments().constFirst();
    request.image = parser.value(u"image"_s);
    if (parser.isSet(u"cpus"_s)) {
        bool ok = false;
        request.cpus = parser.value(u"cpus"_s).toDouble(&ok);
        if (!ok || !(*request.cpus > 0 && *request.cpus <= 1024))
            return usage(u"--cpus must be a number above 0, not '%1'"_s.arg(parser.value(u"cpus"_s)));
    }
    const auto wholeNumber = [&](const QString &option, std::optional<qint64> &into) {
        if (!parser.isSet(option))
            return true;
        bool ok = false;
        into = parser.value(option).toLongLong(&ok);
        if (ok && *into >= 0 && *into <= 1'000'000'000)
            return true;
        usage(u"--%1 must be a whole number, not '%2'"_s.arg(option, parser.value(option)));
        return false;
    };
    if (!wholeNumber(u"memory"_s, request.memoryMiB) || !wholeNumber(u"disk"_s, request.diskMiB) || !wholeNumber(u"timeout"_s, request.timeoutSeconds))
        return;
    const QString account = parser.value(u"account"_s);
    // Without a word of an account and with none to choose from, this computer is meant.
    const bool local = account.isEmpty() && directory()->accounts()->accounts().isEmpty() && accountsFromEnvironment().isEmpty();
    const auto gateway = local || account == vendorName(localVendorId()) || account == localVendorId() ? Directory::Gateway::Start : Directory::Gateway::FindOnly;
    directory()->load(gateway).then(this, [this, account, request] {
        const CliResult<Directory::Entry *> entry = directory()->entry(account);
        if (!entry)
            return fail(entry.error());
        SandboxProvider *provider = (*entry)->provider.get();
        if (provider == nullptr)
            return fail((*entry)->error);
        provider->create(request).then(this, [this, provider](const Result<Sandbox> &sandbox) {
            if (!sandbox)
                return fail(sandbox.error());
            if (!m_json)
                printLine(sandbox->id.id);
            else if (!m_wait)
                printJson(QJsonDocument(sandboxJson(sandbox->id.account, *sandbox)));
            follow(provider, sandbox->id.id);
        });
    });
}

QFuture<Done> CreateCommand::ask(const Target &)
{
    return QtFuture::makeReadyValueFuture(Done{});
}

} // namespace Sandpiper
