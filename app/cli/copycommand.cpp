#include "app/cli/copycommand.h"

#include "app/cli/fsparts.h"
#include "app/cli/output.h"
#include "app/cli/rawarguments.h"
#include "app/cli/terminal.h"
#include "app/cli/transferparts.h"
#include "session/errortext.h"

#include <QJsonObject>
#include <QRandomGenerator>

#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

const QList<std::pair<QString, OnConflict>> &policies()
{
    static const QList<std::pair<QString, OnConflict>> table{
            {u"ask"_s, OnConflict::Ask}, {u"overwrite"_s, OnConflict::Overwrite}, {u"skip"_s, OnConflict::Skip}, {u"newer"_s, OnConflict::Newer}, {u"rename"_s, OnConflict::Rename}};
    return table;
}

QString sideText(const FileAttributes &attributes)
{
    return u"%1, %2"_s.arg(attributes.size ? fileSizeText(*attributes.size) : u"?"_s, attributes.times ? fsTimeText(attributes.times->modified) : u"?"_s);
}

} // namespace

CopyCommand::CopyCommand(Directory *directory, TransferWay way)
    : Command(directory)
    , m_way(way)
    , m_prompts(directory->makePrompts())
{
}

CopyCommand::~CopyCommand()
{
    m_queue.reset();
    if (m_kept && m_isDone)
        m_kept->forget();
}

void CopyCommand::start(const QStringList &arguments)
{
    const QString name = m_way == TransferWay::Fetch ? u"get"_s : m_way == TransferWay::Send ? u"put"_s : u"cp"_s;
    QCommandLineParser parser;
    parser.addOptions({{u"r"_s, u"Folders too, with all that is in them."_s},
                       {u"conflict"_s, u"What is done where something is there already: ask, overwrite, skip, newer or rename."_s, u"WHAT"_s, u"ask"_s},
                       {u"links"_s, u"As many connections at once, 1 to 8, between here and a sandbox."_s, u"NUMBER"_s, u"8"_s},
                       {u"limit"_s, u"At most as many bytes for each second; with K, M or G behind it."_s, u"RATE"_s},
                       {u"sync"_s, u"Each file is on the disk before it has its name; large ones are in any case."_s},
                       {u"resume"_s, u"Go on with what the same command has left unfinished, and keep what is unfinished now."_s},
                       {u"verify"_s, u"At the end compare each file with its source, by SHA-256."_s},
                       {u"json"_s, u"What was done, as one JSON document."_s}});
    const QString into = u"The folder it comes into, or the name it gets."_s;
    QString form;
    switch (m_way) {
    case TransferWay::Fetch:
        form = u"TARGET:PATH… LOCAL"_s;
        parser.addPositionalArgument(u"TARGET:PATH…"_s, u"What to fetch."_s);
        parser.addPositionalArgument(u"LOCAL"_s, into);
        break;
    case TransferWay::Send:
        form = u"LOCAL… TARGET:PATH"_s;
        parser.addPositionalArgument(u"LOCAL…"_s, u"What to send."_s);
        parser.addPositionalArgument(u"TARGET:PATH"_s, into);
        break;
    case TransferWay::Relay:
        form = u"SOURCE… DESTINATION"_s;
        parser.addPositionalArgument(u"SOURCE…"_s, u"What to copy: TARGET:PATH, or a path here. All of one place."_s);
        parser.addPositionalArgument(u"DESTINATION"_s, into);
        break;
    }
    if (!parse(parser, name, arguments))
        return;
    const QStringList words = parser.positionalArguments();
    if (words.size() < 2)
        return usage(u"%1 takes %2"_s.arg(name, form));
    const auto policy = std::ranges::find(policies(), parser.value(u"conflict"_s), &std::pair<QString, OnConflict>::first);
    if (policy == policies().cend())
        return usage(u"--conflict takes ask, overwrite, skip, newer or rename"_s);
    bool isNumber = false;
    m_wish.mostLinks = parser.value(u"links"_s).toInt(&isNumber);
    if (!isNumber || m_wish.mostLinks < 1 || m_wish.mostLinks > 8)
        return usage(u"--links takes a number from 1 to 8"_s);
    if (parser.isSet(u"limit"_s)) {
        const CliResult<quint64> rate = parseRate(parser.value(u"limit"_s));
        if (!rate)
            return fail(rate.error());
        m_wish.mostBytesPerSecond = *rate;
    }
    m_json = parser.isSet(u"json"_s);
    m_showsProgress = isTerminal(STDERR_FILENO) && !m_json;
    m_wish.onConflict = policy->second;
    m_wish.recurses = parser.isSet(u"r"_s);
    m_wish.syncs = parser.isSet(u"sync"_s);
    m_wish.verifies = parser.isSet(u"verify"_s);
    m_resumes = parser.isSet(u"resume"_s);
    m_wish.namesUnlessFolder = words.size() == 2;
    const QByteArrayList raw = rawArguments(words);
    for (qsizetype i = 0; i < raw.size(); ++i) {
        if (!take(raw.at(i), i + 1 == raw.size()))
            return;
    }
    if (!m_from.text && !m_to.text)
        return begin();
    directory()->load(Directory::Gateway::WhereUsed).then(this, [this] { resolve(m_from, &CopyCommand::resolveTarget); });
}

bool CopyCommand::take(const QByteArray &word, bool isLast)
{
    const bool isThere = m_way == TransferWay::Relay ? isFsPlace(word) : (m_way == TransferWay::Fetch) != isLast;
    std::optional<TargetText> text;
    FilePath path;
    if (isThere) {
        const CliResult<FsPlace> place = parseFsPlace(word);
        if (!place) {
            fail(place.error());
            return false;
        }
        text = place->target;
        path = place->path;
    } else {
        const CliResult<FilePath> local = parseLocalPath(word);
        if (!local) {
            fail(local.error());
            return false;
        }
        path = *local;
    }
    if (isLast) {
        m_to.text = text;
        m_wish.target = path;
        return true;
    }
    if (!m_wish.sources.isEmpty() && m_from.text != text) {
        usage(m_way == TransferWay::Relay ? u"cp takes files of one place"_s : u"get takes files of one TARGET"_s);
        return false;
    }
    m_from.text = text;
    m_wish.sources.append(path);
    return true;
}

void CopyCommand::resolve(Place &place, void (CopyCommand::*then)())
{
    if (!place.text)
        return (this->*then)();
    directory()->resolveToConnect(*place.text).then(this, [this, &place, then](const CliResult<Target> &found) {
        if (!found)
            return fail(found.error());
        place.sandbox = found->sandbox.id;
        m_targets.insert(place.sandbox, *found);
        const std::optional<Error> reason = reasonAgainstFiles(*found);
        reason ? fail(*reason) : (this->*then)();
    });
}

bool CopyCommand::hasSftp(const Place &place) const
{
    return place.text && m_targets.value(place.sandbox).sandbox.ssh;
}

void CopyCommand::begin()
{
    // Between here and a server with SFTP there is a faster way.
    const bool isFetch = hasSftp(m_from) && !m_to.text;
    const bool isSend = !m_from.text && hasSftp(m_to);
    const auto nameOfPlace = [this](const Place &place) { return place.text ? m_targets.value(place.sandbox).sandbox.displayName() : QString(); };
    const Place &other = isFetch ? m_from : m_to;
    m_wish.way = isFetch ? TransferWay::Fetch : isSend ? TransferWay::Send : TransferWay::Relay;
    m_wish.sandbox = other.sandbox;
    m_wish.sandboxName = nameOfPlace(other);
    if (m_wish.way == TransferWay::Relay) {
        m_wish.sourceSandbox = m_from.sandbox;
        m_wish.sourceSandboxName = nameOfPlace(m_from);
    }
    if (m_resumes) {
        CliResult<KeptTransfer> kept = KeptTransfer::open(m_wish);
        if (!kept)
            return fail(kept.error());
        m_kept = std::move(*kept);
    }
    m_queue = std::make_unique<TransferQueue>(TransferQueue::Services{
            linkMakerFor(m_targets.value(other.sandbox), m_prompts.get()),
            m_kept ? m_kept->journal() : QString(), // without one it lives as long as the command does
            [] { return QRandomGenerator::global()->generateDouble(); },
            [this](const SandboxId &id, QObject *context, std::function<void(Result<OpenedFiles>)> then) { openFiles(m_targets.value(id), m_prompts.get(), context, std::move(then)); },
            [this](TransferWish &wish) { amend(wish); }});
    connect(m_queue.get(), &TransferQueue::changed, this, &CopyCommand::show);
    connect(m_queue.get(), &TransferQueue::asked, this, &CopyCommand::ask);
    connect(m_queue.get(), &TransferQueue::finished, this, &CopyCommand::ended);
    connect(m_queue.get(), &TransferQueue::journalFailed, this, [this](const Error &error) { sayError(error); });
    if (!m_kept) {
        m_id = m_queue->add(m_wish);
        return;
    }
    connect(m_queue.get(), &TransferQueue::loaded, this, [this] {
        const QList<qint64> before = m_queue->transfers();
        m_id = before.isEmpty() ? m_queue->add(m_wish) : before.constFirst();
        m_queue->resume(m_id); // where it had come to an end; what had not goes on by itself
    });
}

void CopyCommand::amend(TransferWish &wish) const
{
    wish.onConflict = m_wish.onConflict;
    wish.mostLinks = m_wish.mostLinks;
    wish.mostBytesPerSecond = m_wish.mostBytesPerSecond;
    wish.syncs = m_wish.syncs;
    wish.verifies = m_wish.verifies;
}

void CopyCommand::ask()
{
    const std::optional<TransferQuestion> question = m_queue->question(m_id);
    if (!question)
        return;
    const QString what = u"“%1” is there already (%2; the new one: %3)"_s.arg(question->target.shown(), sideText(question->targetAttributes), sideText(question->sourceAttributes));
    if (m_showsProgress)
        standardError().write("\r\033[K");
    const Result<QString> answer = isTerminal(STDIN_FILENO) ? readAnswer(what + u". (o)verwrite, (s)kip, (n)ewer, (r)ename; in capitals: always: "_s)
                                                            : failure(ErrorKind::InvalidInput, Layer::LocalDisk);
    if (!answer) {
        // Nobody is there to be asked.
        say(what + u"; it was left out. See --conflict."_s);
        m_hasLeftOut = true;
        return m_queue->answer(m_id, OnConflict::Skip, false);
    }
    for (const auto &[word, policy] : policies()) {
        if (policy != OnConflict::Ask && answer->trimmed().startsWith(word.front(), Qt::CaseInsensitive))
            return m_queue->answer(m_id, policy, answer->trimmed().front().isUpper());
    }
    QMetaObject::invokeMethod(this, &CopyCommand::ask, Qt::QueuedConnection);
}

void CopyCommand::show()
{
    const TransferProgress progress = m_queue->progress(m_id);
    m_wasConnected = m_wasConnected || progress.links > 0 || progress.filesMoved > 0;
    tellFailures();
    // What has never been there is not waited for: a script would hang on a mistyped host.
    if (progress.state == TransferState::Waiting && progress.error) {
        if (!m_wasConnected) {
            m_queue->disconnect(this);
            return fail(*progress.error);
        }
        return say(errorText(*progress.error).sentence + u" Trying again; Ctrl-C stops."_s);
    }
    if (!m_showsProgress || isOver(progress.state))
        return;
    standardError().write("\r\033[K" + progressLine(progress).left(std::max(20, localTerminalSize().columns - 1)).toUtf8());
}

void CopyCommand::tellFailures()
{
    const TransferProgress progress = m_queue->progress(m_id);
    for (; m_told < progress.failures.size(); ++m_told) {
        if (m_showsProgress)
            standardError().write("\r\033[K");
        const TransferFailure &failure = progress.failures.at(m_told);
        const QString words = failure.error.kind == ErrorKind::InvalidInput && failure.error.detail == "this is a folder"_L1 ? u"this is a folder; it takes -r"_s : QString();
        words.isEmpty() ? sayError(failure.error) : say(u"%1: %2"_s.arg(failure.path.shown(), words));
    }
}

void CopyCommand::ended()
{
    const TransferProgress progress = m_queue->progress(m_id);
    if (m_showsProgress)
        standardError().write("\r\033[K");
    tellFailures();
    if (m_isInterrupted)
        return finishLater(ExitInterrupted);
    if (progress.state == TransferState::Failed && progress.error)
        return fail(*progress.error);
    if (m_json) {
        QJsonObject object{{u"files"_s, qint64(progress.filesMoved)},
                           {u"bytes"_s, qint64(progress.bytesMoved)},
                           {u"skipped"_s, qint64(progress.filesSkipped)},
                           {u"failed"_s, qint64(progress.filesFailed)},
                           {u"failures"_s, failuresJson(progress.failures)}};
        if (m_wish.verifies)
            object.insert(u"verified"_s, qint64(progress.filesVerified));
        printJson(QJsonDocument(object));
    }
    // What an earlier start has left out, too.
    m_hasLeftOut = m_hasLeftOut || (m_resumes && m_wish.onConflict == OnConflict::Ask && !isTerminal(STDIN_FILENO) && progress.filesSkipped > 0);
    const bool isWhole = progress.state == TransferState::Finished && progress.filesFailed == 0 && !m_hasLeftOut;
    m_isDone = isWhole;
    finishLater(isWhole ? ExitOk : ExitFailed);
}

void CopyCommand::interrupt()
{
    // What is half is kept.
    if (m_kept && m_queue && !isOver(m_queue->progress(m_id).state)) {
        say(u"Interrupted. The same command goes on from here."_s);
        return finishLater(ExitInterrupted);
    }
    // Once: nothing half is left. Twice: at once.
    if (!m_queue || std::exchange(m_isInterrupted, true) || isOver(m_queue->progress(m_id).state))
        return finishLater(ExitInterrupted);
    m_queue->cancel(m_id);
}

} // namespace Sandpiper
