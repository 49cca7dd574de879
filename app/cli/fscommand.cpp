#include "app/cli/fscommand.h"

#include "app/cli/output.h"
#include "app/cli/rawarguments.h"
#include "app/cli/terminal.h"
#include "app/cli/transferparts.h"
#include "session/sshlink.h"

#include <QJsonArray>

#include <algorithm>
#include <csignal>

#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qint64 kMostPending = 8 << 20; // of `write`

} // namespace

struct FsCommand::Verb
{
    QString name;
    QString form; // of its arguments
    qsizetype words;
    QStringList options; // that it knows
    void (FsCommand::*run)();
};

const QList<FsCommand::Verb> &FsCommand::verbs()
{
    static const QList<Verb> table{
        {u"ls"_s, u"TARGET:PATH"_s, 1, {u"l"_s, u"0"_s, u"json"_s}, &FsCommand::ls},
        {u"stat"_s, u"TARGET:PATH"_s, 1, {u"L"_s, u"json"_s}, &FsCommand::stat},
        {u"cat"_s, u"TARGET:PATH"_s, 1, {}, &FsCommand::cat},
        {u"write"_s, u"TARGET:PATH"_s, 1, {u"f"_s, u"m"_s, u"sync"_s}, &FsCommand::write},
        {u"mkdir"_s, u"TARGET:PATH"_s, 1, {u"p"_s, u"m"_s}, &FsCommand::mkdir},
        {u"rm"_s, u"TARGET:PATH"_s, 1, {}, &FsCommand::rm},
        {u"rmdir"_s, u"TARGET:PATH"_s, 1, {}, &FsCommand::rmdir},
        {u"mv"_s, u"TARGET:FROM TO"_s, 2, {u"f"_s}, &FsCommand::mv},
        {u"ln"_s, u"TARGET:EXISTING LINK"_s, 2, {u"s"_s}, &FsCommand::ln},
        {u"readlink"_s, u"TARGET:PATH"_s, 1, {u"json"_s}, &FsCommand::readlink},
        {u"realpath"_s, u"TARGET:PATH"_s, 1, {u"json"_s}, &FsCommand::realpath},
        {u"chmod"_s, u"MODE TARGET:PATH"_s, 2, {}, &FsCommand::chmod},
        {u"df"_s, u"TARGET:PATH"_s, 1, {u"json"_s}, &FsCommand::df},
    };
    return table;
}

FsCommand::FsCommand(Directory *directory)
    : Command(directory)
    , m_prompts(directory->makePrompts())
{
}

FsCommand::~FsCommand() = default;

void FsCommand::start(const QStringList &arguments)
{
    QCommandLineParser parser;
    parser.addOptions({{u"json"_s, u"One JSON document (ls, stat, readlink, realpath, df)."_s},
                       {u"l"_s, u"With mode, owner, size and time (ls)."_s},
                       {u"0"_s, u"A NUL behind each name in place of a newline (ls)."_s},
                       {u"L"_s, u"What a link leads to, not the link (stat)."_s},
                       {u"p"_s, u"And the folders above it (mkdir)."_s},
                       {u"m"_s, u"The mode of what is made, in octal (mkdir, write)."_s, u"MODE"_s},
                       {u"f"_s, u"Over what is there (mv, write)."_s},
                       {u"s"_s, u"A symbolic link, which says EXISTING as it is given (ln)."_s},
                       {u"sync"_s, u"Ends when the bytes are on the disk there (write)."_s}});
    parser.addPositionalArgument(u"ls | stat | cat | write | mkdir | rm | rmdir | mv | ln | readlink | realpath | chmod MODE | df"_s, u"What to do."_s);
    parser.addPositionalArgument(u"TARGET:PATH [PATH]"_s, u"Where; PATH is relative to where a login lands, unless it begins with a slash."_s);
    if (!parse(parser, u"fs"_s, arguments))
        return;
    const QStringList words = parser.positionalArguments();
    const auto verb = std::find_if(verbs().cbegin(), verbs().cend(), [&](const Verb &one) { return one.name == words.value(0); });
    if (verb == verbs().cend())
        return usage(u"fs takes ls, stat, cat, write, mkdir, rm, rmdir, mv, ln, readlink, realpath, chmod or df, then TARGET:PATH"_s);
    if (words.size() != verb->words + 1)
        return usage(u"fs %1 takes %2"_s.arg(verb->name, verb->form));
    for (const QString &option : parser.optionNames()) {
        if (!verb->options.contains(option))
            return usage(u"fs %1 has no option %2%3"_s.arg(verb->name, option.size() > 1 ? u"--"_s : u"-"_s, option));
        m_options.insert(option);
    }
    const QString mode = verb->name == "chmod"_L1 ? words.at(1) : parser.value(u"m"_s);
    if (verb->name == "chmod"_L1 || parser.isSet(u"m"_s)) {
        const CliResult<quint32> bits = parseFsMode(mode);
        if (!bits)
            return fail(bits.error());
        m_mode = *bits;
    }
    const QByteArrayList raw = rawArguments(words);
    const CliResult<FsPlace> place = parseFsPlace(raw.at(verb->name == "chmod"_L1 ? 2 : 1));
    if (!place)
        return fail(place.error());
    m_path = place->path;
    if (verb->words == 2 && verb->name != "chmod"_L1) {
        const CliResult<FilePath> other = parseFsPath(raw.at(2));
        if (!other)
            return fail(other.error());
        m_other = *other;
    }
    m_run = [this, run = verb->run] { (this->*run)(); };
    directory()->load(Directory::Gateway::WhereUsed).then(this, [this, text = place->target] {
        directory()->resolveToConnect(text).then(this, [this](const CliResult<Target> &target) { connectTo(target); });
    });
}

void FsCommand::connectTo(const CliResult<Target> &target)
{
    if (!target)
        return fail(target.error());
    const Sandbox &sandbox = target->sandbox;
    m_targetName = sandbox.displayName();
    // A connection might wake it, and bill it; that is for its user to decide.
    if (sandbox.state == SandboxState::Suspended || sandbox.state == SandboxState::Terminated)
        return fail(Error{ErrorKind::SandboxNotRunning, Layer::SandboxState, sandbox.stateText, m_targetName});
    if (const std::optional<Error> reason = reasonAgainstSftp(*target))
        return fail(*reason);
    m_link = std::make_unique<SshLink>(linkOptionsFor(sandbox, target->signIn), m_prompts.get());
    m_client = std::make_unique<SftpClient>(m_link.get());
    connect(m_client.get(), &SftpClient::ended, this, &FsCommand::failFs);
    connect(m_client.get(), &SftpClient::ready, this, [this] { m_run(); });
    m_link->connectToHost();
}

void FsCommand::failFs(Error error)
{
    if (std::exchange(m_hasFailed, true))
        return;
    if (error.subject.isEmpty())
        error.subject = m_targetName;
    // What was typed was no mistake.
    if (error.kind == ErrorKind::InvalidInput)
        sayError(error);
    error.kind == ErrorKind::InvalidInput ? finishLater(ExitFailed) : fail(error);
}

void FsCommand::endWith(const Done &done)
{
    done ? finishLater(ExitOk) : failFs(done.error());
}

void FsCommand::printPath(const Result<FilePath> &path)
{
    if (!path)
        return failFs(path.error());
    if (m_options.contains(u"json"_s)) {
        QJsonObject object;
        addFsBytes(object, u"path"_s, path->bytes());
        printJson(QJsonDocument(object));
    } else {
        standardOutput().write((isTerminal(STDOUT_FILENO) ? path->shown().toUtf8() : path->bytes()) + '\n');
    }
    finishLater(ExitOk);
}

void FsCommand::ls()
{
    m_client->stat(m_path).then(this, [this](const Result<FileAttributes> &found) {
        // A link that leads nowhere is listed by itself, as a file is.
        if (found && (found->isFolder() || !found->mode)) {
            m_listing = m_client->list(m_path);
            connect(m_listing.get(), &SftpListing::rowsReceived, this, [this](const QList<FileEntry> &rows) {
                m_rows += rows;
                m_listing->consumed(rows.size());
            });
            connect(m_listing.get(), &SftpListing::finished, this, &FsCommand::listed);
            return;
        }
        m_client->stat(m_path, LinkPolicy::NoFollow).then(this, [this](const Result<FileAttributes> &itself) {
            if (!itself)
                return failFs(itself.error());
            m_rows = {{m_path.bytes(), *itself}};
            listed(ListEnd{1, 0});
        });
    });
}

void FsCommand::listed(const Result<ListEnd> &end)
{
    if (!end)
        return failFs(end.error());
    if (end->refused > 0)
        say(u"%1 names that no file can have were left out"_s.arg(end->refused));
    std::sort(m_rows.begin(), m_rows.end(), [](const FileEntry &a, const FileEntry &b) { return a.name < b.name; });
    if (!m_options.contains(u"l"_s) && !m_options.contains(u"json"_s))
        return printRows({});
    completeRows([this] {
        QList<FileAttributes> all;
        for (const FileEntry &row : std::as_const(m_rows))
            all.append(row.attributes);
        askOwners(all, [this](const OwnerNames &names) { printRows(names); });
    });
}

void FsCommand::completeRows(const std::function<void()> &then)
{
    QList<QFuture<void>> all;
    for (qsizetype i = 0; i < m_rows.size(); ++i) {
        if (m_rows[i].attributes.mode)
            continue;
        const Result<FilePath> path = m_path.child(m_rows[i].name);
        if (!path)
            continue;
        all += m_client->stat(*path, LinkPolicy::NoFollow).then(this, [this, i](const Result<FileAttributes> &found) {
            if (found)
                m_rows[i].attributes = *found;
        });
    }
    QtFuture::whenAll(all.begin(), all.end()).then(this, [then](const QList<QFuture<void>> &) { then(); });
}

void FsCommand::askOwners(const QList<FileAttributes> &of, const std::function<void(const OwnerNames &)> &then)
{
    QSet<quint32> users;
    QSet<quint32> groups;
    for (const FileAttributes &one : of) {
        if (one.owner) {
            users.insert(one.owner->user);
            groups.insert(one.owner->group);
        }
    }
    // So many fit in a packet; where there are more, numbers do.
    constexpr qsizetype most = 1000;
    if (users.size() > most || groups.size() > most || !m_client->server().has(SftpExtension::UsersGroupsById))
        return then({});
    m_client->ownerNames(users.values(), groups.values()).then(this, [then](const Result<OwnerNames> &names) { then(names.value_or(OwnerNames())); });
}

void FsCommand::printRows(const OwnerNames &names)
{
    if (m_options.contains(u"json"_s)) {
        QJsonArray rows;
        for (const FileEntry &row : std::as_const(m_rows)) {
            QJsonObject object = fsJson(row.attributes, names);
            addFsBytes(object, u"name"_s, row.name);
            rows.append(object);
        }
        printJson(QJsonDocument(rows));
        return finishLater(ExitOk);
    }
    const bool isZero = m_options.contains(u"0"_s);
    const bool isShown = isTerminal(STDOUT_FILENO);
    QByteArray lines;
    for (const FileEntry &row : std::as_const(m_rows)) {
        if (m_options.contains(u"l"_s))
            lines += fsLongLine(row.attributes, names);
        lines += isShown ? shownBytes(row.name).toUtf8() : row.name;
        lines += isZero ? '\0' : '\n';
    }
    standardOutput().write(lines);
    finishLater(ExitOk);
}

void FsCommand::stat()
{
    const LinkPolicy links = m_options.contains(u"L"_s) ? LinkPolicy::Follow : LinkPolicy::NoFollow;
    m_client->stat(m_path, links).then(this, [this](const Result<FileAttributes> &found) {
        if (!found)
            return failFs(found.error());
        askOwners({*found}, [this, found](const OwnerNames &names) {
            if (found->type() != FileType::Link)
                return printStat(*found, names, {});
            m_client->readLink(m_path).then(this, [this, found, names](const Result<FilePath> &target) {
                printStat(*found, names, target ? target->bytes() : QByteArray());
            });
        });
    });
}

void FsCommand::printStat(const FileAttributes &attributes, const OwnerNames &names, const QByteArray &target)
{
    QJsonObject object = fsJson(attributes, names);
    if (m_options.contains(u"json"_s)) {
        addFsBytes(object, u"path"_s, m_path.bytes());
        if (!target.isEmpty())
            addFsBytes(object, u"target"_s, target);
        printJson(QJsonDocument(object));
        return finishLater(ExitOk);
    }
    printLine(u"path         "_s + m_path.shown());
    for (const char *key : {"type", "size", "mode", "uid", "owner", "gid", "group", "accessed_at", "modified_at"}) {
        const QJsonValue value = object.value(QLatin1StringView(key));
        if (!value.isUndefined())
            printLine(QString::fromLatin1(key).leftJustified(13) + (value.isString() ? tamed(value.toString()) : QString::number(value.toInteger())));
    }
    if (!target.isEmpty())
        printLine(u"target       "_s + shownBytes(target));
    finishLater(ExitOk);
}

void FsCommand::cat()
{
    m_reader = m_client->read({.path = m_path});
    SftpReader *reader = m_reader.get();
    connect(reader, &SftpReader::received, this, [](const QByteArray &bytes) { standardOutput().write(bytes); });
    connect(&standardOutput(), &OutputStream::written, reader, &SftpReader::consumed);
    connect(&standardOutput(), &OutputStream::broken, this, [this] { finishLater(128 + SIGPIPE); });
    connect(reader, &SftpReader::finished, this, [this](const Result<ReadEnd> &end) {
        if (!end)
            return failFs(end.error());
        if (!end->isShort)
            return finishLater(ExitOk);
        say(u"“%1” ended after %2 bytes, and the server says that it is longer"_s.arg(m_path.shown()).arg(end->bytes));
        finishLater(ExitFailed);
    });
}

void FsCommand::write()
{
    FileWriteWish wish{.path = m_path, .existing = m_options.contains(u"f"_s) ? FileWriteWish::Existing::Empty : FileWriteWish::Existing::Refuse, .mode = m_mode};
    m_writer = m_client->write(wish);
    SftpWriter *writer = m_writer.get();
    auto *input = new InputReader(writer);
    connect(input, &InputReader::received, writer, [writer, input](const QByteArray &bytes) {
        writer->write(bytes);
        input->setPaused(writer->pending() > kMostPending);
    });
    connect(writer, &SftpWriter::taken, input, [writer, input] { input->setPaused(writer->pending() > kMostPending); });
    connect(input, &InputReader::ended, writer, [this, writer] {
        writer->close(m_options.contains(u"sync"_s) ? SftpWriter::Sync::Yes : SftpWriter::Sync::No);
    });
    connect(input, &InputReader::failed, writer, [this](int reason) {
        failFs({ErrorKind::Io, Layer::LocalDisk, qt_error_string(reason), u"standard input"_s});
    });
    connect(writer, &SftpWriter::finished, this, &FsCommand::endWith);
}

void FsCommand::mkdir()
{
    const auto make = [this] {
        m_client->makeFolder(m_path, m_mode).then(this, [this](const Done &made) {
            if (made || made.error().kind != ErrorKind::Conflict || !m_options.contains(u"p"_s))
                return endWith(made);
            m_client->stat(m_path).then(this, [this, made](const Result<FileAttributes> &there) {
                endWith(there && there->isFolder() ? Done() : made);
            });
        });
    };
    m_options.contains(u"p"_s) ? makeParents(m_path.parent(), make) : make();
}

// Each is asked for from the bottom up, and made on the way back.
void FsCommand::makeParents(const FilePath &folder, const std::function<void()> &then)
{
    if (folder.isEmpty() || folder.name().isEmpty() || folder.name() == "..")
        return then();
    m_client->stat(folder).then(this, [this, folder, then](const Result<FileAttributes> &there) {
        if (there)
            return then();
        if (there.error().kind != ErrorKind::NotFound)
            return failFs(there.error());
        makeParents(folder.parent(), [this, folder, then] {
            m_client->makeFolder(folder).then(this, [this, then](const Done &made) {
                // Somebody else may have been faster.
                made || made.error().kind == ErrorKind::Conflict ? then() : failFs(made.error());
            });
        });
    });
}

void FsCommand::rm()
{
    m_client->removeFile(m_path).then(this, [this](const Done &done) { endWith(done); });
}

void FsCommand::rmdir()
{
    m_client->removeFolder(m_path).then(this, [this](const Done &done) { endWith(done); });
}

void FsCommand::mv()
{
    m_client->stat(m_other).then(this, [this](const Result<FileAttributes> &there) {
        // Into a folder, as mv(1) does.
        const Result<FilePath> inside = there && there->isFolder() ? m_other.child(m_path.name()) : Result<FilePath>(m_other);
        if (!inside)
            return failFs(inside.error());
        const RenamePolicy policy = m_options.contains(u"f"_s) ? RenamePolicy::Replace : RenamePolicy::Keep;
        m_client->rename(m_path, *inside, policy).then(this, [this](const Done &done) { endWith(done); });
    });
}

void FsCommand::ln()
{
    const QFuture<Done> made = m_options.contains(u"s"_s) ? m_client->makeSymlink(m_path, m_other) : m_client->makeHardlink(m_path, m_other);
    QFuture<Done>(made).then(this, [this](const Done &done) { endWith(done); });
}

void FsCommand::readlink()
{
    m_client->readLink(m_path).then(this, [this](const Result<FilePath> &path) { printPath(path); });
}

void FsCommand::realpath()
{
    m_client->realPath(m_path).then(this, [this](const Result<FilePath> &path) { printPath(path); });
}

void FsCommand::chmod()
{
    FileAttributes attributes;
    attributes.mode = m_mode;
    m_client->setAttributes(m_path, attributes).then(this, [this](const Done &done) { endWith(done); });
}

void FsCommand::df()
{
    m_client->space(m_path).then(this, [this](const Result<FileSystemSpace> &space) {
        if (!space)
            return failFs(space.error());
        const QJsonObject object = fsJson(*space);
        if (m_options.contains(u"json"_s)) {
            printJson(QJsonDocument(object));
            return finishLater(ExitOk);
        }
        const auto cell = [&](const char *key) { return QString::number(object.value(QLatin1StringView(key)).toDouble(), 'f', 0); };
        printTable({u"TOTAL"_s, u"FREE"_s, u"AVAILABLE"_s, u"FILES"_s, u"FILES FREE"_s},
                   {{cell("total"), cell("free"), cell("available"), cell("files"), cell("files_available")}});
        finishLater(ExitOk);
    });
}

} // namespace Sandpiper
