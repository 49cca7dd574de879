#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "app/cli/transferparts.h"
#include "session/errortext.h"
#include "session/forwardways.h"
#include "session/runafter.h"

#include <QJsonObject>
#include <QRandomGenerator>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype kMostForwards = 100; // as ssh has it
constexpr qsizetype kMostName = 80;

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
                       {u"f"_s, u"Goes on in the background when all of them are ready."_s},
                       {u"limit"_s, u"For each forward and direction at most as many bytes a second; with K, M or G behind it."_s, u"RATE"_s},
                       {u"way"_s, u"How they get there: auto, ssh, tunnel (the vendor's, without a key) or bridge (a program in the sandbox)."_s, u"WAY"_s},
                       {u"name"_s, u"What `forwards` calls them; else the TARGET's name."_s, u"NAME"_s},
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
            qsizetype mistakeAt = 0;
            const Result<ForwardSpec> spec = parseForward(kind, value, &mistakeAt);
            if (!spec) {
                const QString caret = forwardCaret(value, mistakeAt);
                return usage(caret.isEmpty() ? spec.error().detail : spec.error().detail + u'\n' + caret);
            }
            m_wishes.append(*spec);
        }
    }
    if (m_wishes.isEmpty())
        return usage(u"forward takes at least one -L, -R or -D"_s);
    if (m_wishes.size() > kMostForwards)
        return usage(u"forward takes at most %1 of -L, -R and -D"_s.arg(kMostForwards));
    if (parser.isSet(u"limit"_s)) {
        const CliResult<quint64> rate = parseRate(parser.value(u"limit"_s));
        if (!rate)
            return fail(rate.error());
        m_limit = qint64(*rate);
    }
    const std::optional<ForwardWay> way = parser.isSet(u"way"_s) ? forwardWayOf(parser.value(u"way"_s)) : ForwardWay::Automatic;
    if (!way)
        return usage(u"--way must be auto, ssh, tunnel or bridge, not \"%1\""_s.arg(parser.value(u"way"_s)));
    m_way = *way;
    m_name = parser.value(u"name"_s);
    if (parser.isSet(u"name"_s) && (m_name.trimmed().isEmpty() || m_name.size() > kMostName))
        return usage(u"--name must be 1 to %1 characters"_s.arg(kMostName));
    if (parser.isSet(u"f"_s)) {
        m_leaves = BackgroundChild::isChild();
        if (!m_leaves)
            return beginInBackground(arguments);
    }
    directory()->load(Directory::Gateway::WhereUsed).then(this, [this, text = *text] {
        directory()->resolveToConnect(text).then(this, [this](const CliResult<Target> &target) {
            target ? forward(*target) : fail(target.error());
        });
    });
}

void ForwardCommand::forward(const Target &target)
{
    if (const std::optional<Error> refusal = wayRefusal(m_way, target.sandbox))
        return fail(*refusal);
    StandingForwards::Services services;
    services.provider = target.provider;
    if (!target.provider)
        services.plainHost = target.sandbox;
    services.makeLink = [ways = ForwardWays{target.provider, [signIn = target.signIn](const Sandbox &sandbox) { return linkOptionsFor(sandbox, signIn); }, m_prompts.get(), {}},
                         way = m_way](const Sandbox &sandbox) { return makeForwardLink(ways, way, sandbox); };
    services.random = [] { return QRandomGenerator::global()->generateDouble(); };
    services.after = runAfter;
    m_forwards = std::make_unique<StandingForwards>(target.sandbox.id, m_wishes, services);
    for (qsizetype i = 0; i < m_wishes.size(); ++i)
        m_forwards->limit(i, m_limit);
    connect(m_forwards.get(), &StandingForwards::noticeReceived, this, [](const QString &text) { say(text); });
    connect(m_forwards.get(), &StandingForwards::forwardChanged, this, &ForwardCommand::onForward);
    connect(m_forwards.get(), &StandingForwards::connectionFailed, this, [this](qsizetype index, const Error &error) {
        tell(u"connection_failed"_s, index, error, u"%1: a connection could not be made: %2"_s.arg(forwardArgument(m_wishes.at(index)), error.detail));
    });
    connect(m_forwards.get(), &StandingForwards::statusChanged, this, &ForwardCommand::onStatus);
    m_target = target.sandbox.displayName();
    if (m_name.isEmpty())
        m_name = m_target;
    m_teller = std::make_unique<ForwardsTeller>(runningForwardsFolder(), [this] { return running(); });
    if (!m_teller->isListening())
        say(u"these forwards will not be listed: there is no folder for it"_s);
    connect(m_teller.get(), &ForwardsTeller::stopWished, this, [this] {
        m_forwards->disconnect(this);
        m_forwards.reset();
        finishLater(ExitOk);
    });
    m_forwards->open();
}

RunningForwards ForwardCommand::running() const
{
    RunningForwards running{m_name, m_target, QCoreApplication::applicationPid(), {}, {}, {}};
    if (!m_forwards)
        return running;
    using State = StandingForwards::State;
    const State state = m_forwards->status().state;
    running.state = state == State::Open ? u"open"_s : state == State::Waiting ? u"waiting"_s : u"opening"_s;
    for (qsizetype i = 0; i < m_wishes.size(); ++i)
        running.forwards.append(runningForward(m_wishes.at(i), m_forwards->forward(i), m_forwards->traffic(i)));
    return running;
}

// The same command once more: it asks and says what it has to here, and stays when this one has gone.
void ForwardCommand::beginInBackground(const QStringList &arguments)
{
    m_child = std::make_unique<BackgroundChild>();
    connect(m_child.get(), &BackgroundChild::finished, this, &ForwardCommand::finishLater);
    if (!m_child->start(QStringList{u"forward"_s} + arguments))
        fail(Error{ErrorKind::Io, Layer::LocalDisk, u"it cannot be started in the background: %1"_s.arg(qt_error_string()), {}});
}

void ForwardCommand::leaveWhenReady()
{
    const auto listens = [this](qsizetype i) { return m_forwards->forward(i).state == ForwardStatus::State::Listening; };
    for (qsizetype i = 0; i < m_wishes.size(); ++i) {
        if (!listens(i))
            return;
    }
    if (!std::exchange(m_leaves, false))
        return;
    standardOutput().flush();
    standardError().flush();
    BackgroundChild::leave();
}

void ForwardCommand::tell(const QString &event, qsizetype index, const Error &error, const QString &line)
{
    if (!m_json)
        return say(line);
    QJsonObject json{{u"event"_s, event}, {u"error"_s, line}, {u"kind"_s, nameOf(error.kind)}};
    if (index >= 0)
        json.insert(u"forward"_s, forwardArgument(m_wishes.at(index)));
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
                                                {u"forward"_s, forwardArgument(spec)},
                                                {u"direction"_s, kindText(spec.kind)},
                                                {u"address"_s, isPath ? QJsonValue() : QJsonValue(status.at.address.value_or(QString()))},
                                                {u"port"_s, isPath ? QJsonValue() : QJsonValue(status.at.port)},
                                                {u"path"_s, isPath ? QJsonValue(status.at.path) : QJsonValue()},
                                                {u"way"_s, keyOf(status.way)}}));
        } else {
            printLine(forwardEndText(status.at) + u' ' + forwardArgument(spec));
        }
        return leaveWhenReady();
    case ForwardStatus::State::Failed:
        tell(u"failed"_s, index, status.error, forwardFailure(spec, status.error));
        // Somebody who is told "ready" counts on all of them.
        return m_leaves ? finishLater(ExitFailed) : finishIfNothingWorks();
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
    if (m_child)
        return m_child->stop();
    if (m_forwards)
        m_forwards->disconnect(this);
    m_forwards.reset(); // what it listens at goes before we say that we have ended
    finishLater(ExitInterrupted);
}

} // namespace Sandpiper
