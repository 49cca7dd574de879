#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "session/errortext.h"
#include "session/runafter.h"

#include <QJsonObject>
#include <QRandomGenerator>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype kMostForwards = 100; // as ssh has it

QString wishText(const ForwardSpec &spec)
{
    return forwardOption(spec.kind) + u' ' + forwardText(spec);
}

QString kindText(ForwardSpec::Kind kind)
{
    switch (kind) {
    case ForwardSpec::Kind::Local: return u"local"_s;
    case ForwardSpec::Kind::Remote: return u"remote"_s;
    case ForwardSpec::Kind::Dynamic: return u"dynamic"_s;
    case ForwardSpec::Kind::RemoteDynamic: return u"remote_dynamic"_s;
    }
    Q_UNREACHABLE_RETURN({});
}

} // namespace

ForwardCommand::ForwardCommand(Directory *directory)
    : Command(directory)
    , m_prompts(directory->makePrompts())
{
}

ForwardCommand::~ForwardCommand() = default;

void ForwardCommand::start(const QStringList &arguments)
{
    QCommandLineParser parser;
    parser.addOptions({{u"L"_s, u"Listens here: [address:]port:host:hostport, or a socket's path in the place of either end. May be repeated."_s, u"SPEC"_s},
                       {u"R"_s, u"Listens there and connects from here: the same. May be repeated."_s, u"SPEC"_s},
                       {u"D"_s, u"A SOCKS proxy here, whose connections are made from there: [address:]port. May be repeated."_s, u"SPEC"_s},
                       {u"json"_s, u"One JSON object for each event."_s}});
    parser.addPositionalArgument(u"TARGET"_s, u"A sandbox's name or id, ACCOUNT/name, or ssh://user@host:port."_s);
    if (!parse(parser, u"forward"_s, arguments))
        return;
    if (parser.positionalArguments().size() != 1)
        return usage(u"forward takes one TARGET"_s);
    const CliResult<TargetText> text = parseTarget(parser.positionalArguments().constFirst());
    if (!text)
        return fail(text.error());
    m_json = parser.isSet(u"json"_s);
    for (const auto &[option, kind] : {std::pair{u"L"_s, ForwardSpec::Kind::Local}, std::pair{u"R"_s, ForwardSpec::Kind::Remote},
                                       std::pair{u"D"_s, ForwardSpec::Kind::Dynamic}}) {
        for (const QString &value : parser.values(option)) {
            const Result<ForwardSpec> spec = parseForward(kind, value);
            if (!spec)
                return usage(spec.error().detail);
            m_wishes.append(*spec);
        }
    }
    if (m_wishes.isEmpty())
        return usage(u"forward takes at least one -L, -R or -D"_s);
    if (m_wishes.size() > kMostForwards)
        return usage(u"forward takes at most %1 of -L, -R and -D"_s.arg(kMostForwards));
    directory()->load(Directory::Gateway::WhereUsed).then(this, [this, text = *text] {
        directory()->resolveToConnect(text).then(this, [this](const CliResult<Target> &target) {
            target ? forward(*target) : fail(target.error());
        });
    });
}

void ForwardCommand::forward(const Target &target)
{
    if (!target.sandbox.ssh)
        return fail(Error{ErrorKind::Unsupported, Layer::Provider, target.sandbox.capabilities.reasonAgainst(Capability::SshShell), target.sandbox.displayName()});
    StandingForwards::Services services;
    services.provider = target.provider;
    if (!target.provider)
        services.plainHost = target.sandbox;
    services.makeLink = [prompts = m_prompts.get(), signIn = target.signIn](const Sandbox &sandbox) {
        return sandbox.ssh ? std::make_unique<SshLink>(linkOptionsFor(sandbox, signIn), prompts) : nullptr;
    };
    services.random = [] { return QRandomGenerator::global()->generateDouble(); };
    services.after = runAfter;
    m_forwards = std::make_unique<StandingForwards>(target.sandbox.id, m_wishes, services);
    connect(m_forwards.get(), &StandingForwards::noticeReceived, this, [](const QString &text) { say(text); });
    connect(m_forwards.get(), &StandingForwards::forwardChanged, this, &ForwardCommand::onForward);
    connect(m_forwards.get(), &StandingForwards::connectionFailed, this, [this](qsizetype index, const Error &error) {
        tell(u"connection_failed"_s, index, error, u"%1: a connection could not be made: %2"_s.arg(wishText(m_wishes.at(index)), error.detail));
    });
    connect(m_forwards.get(), &StandingForwards::statusChanged, this, &ForwardCommand::onStatus);
    m_forwards->open();
}

void ForwardCommand::tell(const QString &event, qsizetype index, const Error &error, const QString &line)
{
    if (!m_json)
        return say(line);
    QJsonObject json{{u"event"_s, event}, {u"error"_s, line}, {u"kind"_s, nameOf(error.kind)}};
    if (index >= 0)
        json.insert(u"forward"_s, wishText(m_wishes.at(index)));
    printJson(QJsonDocument(json));
}

void ForwardCommand::onForward(qsizetype index, const ForwardStatus &status)
{
    const ForwardSpec &spec = m_wishes.at(index);
    switch (status.state) {
    case ForwardStatus::State::Listening:
        if (m_json) {
            const bool isPath = !status.at.path.isEmpty();
            printJson(QJsonDocument(QJsonObject{{u"event"_s, u"listening"_s},
                                                {u"forward"_s, wishText(spec)},
                                                {u"direction"_s, kindText(spec.kind)},
                                                {u"address"_s, isPath ? QJsonValue() : QJsonValue(status.at.address.value_or(QString()))},
                                                {u"port"_s, isPath ? QJsonValue() : QJsonValue(status.at.port)},
                                                {u"path"_s, isPath ? QJsonValue(status.at.path) : QJsonValue()}}));
        } else {
            printLine(forwardEndText(status.at) + u' ' + wishText(spec));
        }
        return;
    case ForwardStatus::State::Failed:
        tell(u"failed"_s, index, status.error, forwardFailure(spec, status.error));
        return finishIfNothingWorks();
    case ForwardStatus::State::Waiting:
    case ForwardStatus::State::Lost:
    case ForwardStatus::State::Stopped: return;
    }
}

// One that works is worth staying for, and so is one that did once: it is tried again.
void ForwardCommand::finishIfNothingWorks()
{
    for (qsizetype i = 0; i < m_wishes.size(); ++i) {
        if (m_forwards->forward(i).state != ForwardStatus::State::Failed)
            return;
    }
    if (!m_forwards->hasEverListened())
        finishLater(ExitFailed);
}

void ForwardCommand::onStatus(const StandingForwards::Status &status)
{
    using State = StandingForwards::State;
    switch (status.state) {
    case State::Open: m_wasOpen = true; return;
    case State::Waiting:
        // What has never been there is not waited for: a script would hang on a mistyped host.
        if (!m_wasOpen)
            return fail(status.error);
        return tell(u"waiting"_s, -1, status.error, errorText(status.error).sentence + u" Trying again; Ctrl-C stops."_s);
    case State::Suspended:
        say(u"%1 is suspended. To wake it: sandpiper-cli resume %1"_s.arg(status.error.subject));
        return finishLater(ExitFailed);
    case State::Gone:
    case State::Failed: return fail(status.error);
    case State::Stopped: return finishLater(ExitInterrupted);
    case State::Idle:
    case State::Opening: return;
    }
}

void ForwardCommand::interrupt()
{
    if (m_forwards)
        m_forwards->disconnect(this);
    m_forwards.reset(); // what it listens at goes before we say that we have ended
    finishLater(ExitInterrupted);
}

} // namespace Sandpiper
