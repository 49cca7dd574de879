#include "app/cli/synccommand.h"

#include "app/cli/fsparts.h"
#include "app/cli/output.h"
#include "app/cli/rawarguments.h"
#include "app/cli/terminal.h"
#include "app/cli/transferparts.h"
#include "session/errortext.h"
#include "session/sshlink.h"
#include "sftp/localfilesystem.h"
#include "sftp/sftpfilesystem.h"

#include <QJsonObject>
#include <QRandomGenerator>

#include <algorithm>

#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

using Action = SyncStep::Action;

QString wordFor(Action action)
{
    switch (action) {
    case Action::MakeFolder: return u"make folder"_s;
    case Action::Copy: return u"copy"_s;
    case Action::Replace: return u"replace"_s;
    case Action::Adjust: return u"adjust"_s;
    case Action::Remove: return u"remove"_s;
    case Action::LeaveOut: return u"leave out"_s;
    }
    Q_UNREACHABLE_RETURN({});
}

QStringList wordsFor(Differences differences)
{
    QStringList words;
    const std::pair<Difference, QString> table[] = {{Difference::Kind, u"kind"_s},       {Difference::Size, u"size"_s},          {Difference::Time, u"time"_s},
                                                    {Difference::Content, u"content"_s}, {Difference::LinkTarget, u"target"_s}, {Difference::Mode, u"permissions"_s}};
    for (const auto &[difference, word] : table) {
        if (differences.testFlag(difference))
            words.append(word);
    }
    return words;
}

QString lineFor(const SyncStep &step)
{
    const QString why = wordsFor(step.differences).join(", "_L1);
    return wordFor(step.action).leftJustified(13) + step.path.shown() + (step.type == FileType::Folder ? u"/"_s : QString()) + (why.isEmpty() ? QString() : u"  (%1)"_s.arg(why));
}

QJsonObject jsonOf(const SyncStep &step)
{
    QJsonObject one{{u"action"_s, wordFor(step.action).replace(u' ', u'_')}, {u"type"_s, fsTypeText(step.type)}};
    addFsBytes(one, u"path"_s, step.path.bytes());
    if (step.differences)
        one.insert(u"differs"_s, QJsonArray::fromStringList(wordsFor(step.differences)));
    if (step.type == FileType::File && step.source.size)
        one.insert(u"size"_s, qint64(*step.source.size));
    if (step.action == Action::LeaveOut)
        one.insert(u"error"_s, step.error ? errorText(*step.error).sentence : step.reason);
    return one;
}

} // namespace

SyncCommand::SyncCommand(Directory *directory)
    : Command(directory)
    , m_prompts(directory->makePrompts())
{
}

SyncCommand::~SyncCommand() = default;

void SyncCommand::start(const QStringList &arguments)
{
    QCommandLineParser parser;
    parser.addOptions({{u"delete"_s, u"What is only in DST goes, when everything else has succeeded."_s},
                       {u"dry-run"_s, u"Says what would be done, and does nothing."_s},
                       {u"exclude"_s, u"Leaves out what has this name, as rsync has it: *.o, node_modules/, /build. May be given several times."_s, u"GLOB"_s},
                       {u"checksum"_s, u"Where only the time differs, the files are read to know."_s},
                       {u"json"_s, u"What was done, as one JSON document."_s}});
    parser.addPositionalArgument(u"SRC"_s, u"The folder that is as it is to be: TARGET:PATH, or one on this computer."_s);
    parser.addPositionalArgument(u"DST"_s, u"The folder that becomes as SRC; made where it is missing."_s);
    if (!parse(parser, u"sync"_s, arguments))
        return;
    const QStringList words = parser.positionalArguments();
    if (words.size() != 2)
        return usage(u"sync takes SRC and DST, one of them TARGET:PATH"_s);
    QByteArrayList patterns;
    for (const QString &pattern : parser.values(u"exclude"_s))
        patterns.append(pattern.toUtf8());
    const Result<Excludes> excludes = Excludes::fromPatterns(patterns);
    if (!excludes)
        return usage(u"--exclude '%1': %2"_s.arg(excludes.error().subject, excludes.error().detail));
    m_options.excludes = *excludes;
    m_options.readsContent = parser.isSet(u"checksum"_s);
    m_removes = parser.isSet(u"delete"_s);
    m_isDryRun = parser.isSet(u"dry-run"_s);
    m_json = parser.isSet(u"json"_s);
    m_showsProgress = isTerminal(STDERR_FILENO) && !m_json;

    const QByteArrayList raw = rawArguments(words);
    m_sends = !isFsPlace(raw.at(0));
    if (m_sends && !isFsPlace(raw.at(1)))
        return usage(u"both folders are on this computer; one of them must be TARGET:PATH"_s);
    if (!m_sends && isFsPlace(raw.at(1)))
        return usage(u"from one TARGET to another is not built in yet; one folder must be on this computer"_s);
    const CliResult<FsPlace> place = parseFsPlace(raw.at(m_sends ? 1 : 0));
    if (!place)
        return fail(place.error());
    const CliResult<FilePath> local = parseLocalPath(raw.at(m_sends ? 0 : 1));
    if (!local)
        return fail(local.error());
    m_source = m_sends ? *local : place->path;
    m_destination = m_sends ? place->path : *local;
    directory()->load(Directory::Gateway::WhereUsed).then(this, [this, text = place->target] {
        directory()->resolveToConnect(text).then(this, [this](const CliResult<Target> &found) { begin(found); });
    });
}

void SyncCommand::begin(const CliResult<Target> &target)
{
    if (!target)
        return fail(target.error());
    m_target = *target;
    const Sandbox &sandbox = m_target.sandbox;
    // A connection might wake it, and bill it; that is for its user to decide.
    if (sandbox.state == SandboxState::Suspended || sandbox.state == SandboxState::Terminated)
        return fail(Error{ErrorKind::SandboxNotRunning, Layer::SandboxState, sandbox.stateText, sandbox.displayName()});
    if (const std::optional<Error> reason = reasonAgainstSftp(m_target))
        return fail(*reason);
    m_local = std::make_unique<LocalFileSystem>(u"This computer"_s);
    m_link = std::make_unique<SshLink>(linkOptionsFor(sandbox, m_target.signIn), m_prompts.get());
    m_remote = std::make_unique<SftpFileSystem>(m_link.get(), sandbox.displayName());
    FileSystem *source = m_sends ? m_local.get() : m_remote.get();
    FileSystem *destination = m_sends ? m_remote.get() : m_local.get();
    m_compare = std::make_unique<TreeCompare>(TreeCompare::Place{source, m_source, false}, TreeCompare::Place{destination, m_destination, true}, m_options);
    connect(m_compare.get(), &TreeCompare::found, this, [this](const QList<CompareRow> &rows) {
        std::ranges::copy_if(rows, std::back_inserter(m_rows), [](const CompareRow &row) { return row.state != CompareRow::State::Same; });
    });
    connect(m_compare.get(), &TreeCompare::finished, this, &SyncCommand::compared);
    m_compare->start();
    m_link->connectToHost();
}

void SyncCommand::compared(const Done &end)
{
    if (!end) {
        Error error = end.error();
        if (error.subject.isEmpty())
            error.subject = m_target.sandbox.displayName();
        // What was typed was no mistake.
        if (error.kind == ErrorKind::InvalidInput)
            sayError(error);
        return error.kind == ErrorKind::InvalidInput ? finishLater(ExitFailed) : fail(error);
    }
    m_plan = planSync(std::exchange(m_rows, {}), SyncWay::LeftToRight, m_removes);
    sayFailures();
    if (!m_isDryRun && m_plan.changes() > 0)
        return carryOut();
    if (m_json)
        printDocument({});
    else
        print(m_plan.steps);
    finishLater(m_plan.leftOut > 0 ? ExitFailed : ExitOk);
}

void SyncCommand::carryOut()
{
    m_queue = std::make_unique<TransferQueue>(TransferQueue::Services{linkMakerFor(m_target, m_prompts.get()), {}, [] { return QRandomGenerator::global()->generateDouble(); }});
    const TreeSync::Places places{m_sends ? m_local.get() : m_remote.get(), m_source, m_sends ? m_remote.get() : m_local.get(), m_destination,
                                  m_target.sandbox.id, m_target.sandbox.displayName()};
    m_sync = std::make_unique<TreeSync>(places, m_plan, m_queue.get());
    connect(m_sync.get(), &TreeSync::began, this, &SyncCommand::print);
    connect(m_sync.get(), &TreeSync::progressed, this, &SyncCommand::show);
    connect(m_sync.get(), &TreeSync::finished, this, &SyncCommand::ended);
    m_sync->start();
}

void SyncCommand::print(const QList<SyncStep> &steps) const
{
    if (m_json)
        return;
    for (const SyncStep &step : steps) {
        if (step.action != Action::LeaveOut)
            printLine(lineFor(step));
    }
}

// What was not to be known, or cannot be brought.
void SyncCommand::sayFailures() const
{
    for (const SyncStep &step : m_plan.steps) {
        if (step.action == Action::LeaveOut)
            step.error ? sayError(*step.error) : say(u"%1: %2"_s.arg(step.path.shown(), step.reason));
    }
}

void SyncCommand::show(const TransferProgress &progress)
{
    if (progress.state == TransferState::Waiting && progress.error)
        return say(errorText(*progress.error).sentence + u" Trying again; Ctrl-C stops."_s);
    if (m_showsProgress && !isOver(progress.state))
        standardError().write("\r\033[K" + progressLine(progress).left(std::max(20, localTerminalSize().columns - 1)).toUtf8());
}

void SyncCommand::ended(const TreeSync::Outcome &outcome)
{
    if (m_showsProgress)
        standardError().write("\r\033[K");
    for (const TransferFailure &failure : outcome.failures)
        sayError(failure.error);
    if (m_isInterrupted)
        return finishLater(ExitInterrupted);
    if (outcome.heldBack > 0 && outcome.failed > 0)
        say(u"Because of this %1 more steps were not taken, removals among them."_s.arg(outcome.heldBack));
    if (m_json)
        printDocument(outcome);
    if (outcome.error)
        return fail(*outcome.error);
    finishLater(outcome.isWhole() && m_plan.leftOut == 0 ? ExitOk : ExitFailed);
}

void SyncCommand::printDocument(const TreeSync::Outcome &outcome) const
{
    QJsonArray actions;
    for (const SyncStep &step : m_plan.steps)
        actions.append(jsonOf(step));
    printJson(QJsonDocument(QJsonObject{{u"dry_run"_s, m_isDryRun},
                                        {u"actions"_s, actions},
                                        {u"only_there"_s, m_plan.onlyThere},
                                        {u"files"_s, outcome.filesMoved},
                                        {u"bytes"_s, qint64(outcome.bytesMoved)},
                                        {u"adjusted"_s, outcome.adjusted},
                                        {u"removed"_s, outcome.removed},
                                        {u"held_back"_s, outcome.heldBack},
                                        {u"failed"_s, outcome.failed + m_plan.leftOut},
                                        {u"failures"_s, failuresJson(outcome.failures)}}));
}

void SyncCommand::interrupt()
{
    // Once: nothing half is left. Twice: at once.
    if (!m_sync || std::exchange(m_isInterrupted, true))
        return finishLater(ExitInterrupted);
    m_sync->cancel();
}

} // namespace Sandpiper
