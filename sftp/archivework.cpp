#include "sftp/archivework.h"

#include <array>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kTaken = 73; // the name, see packing()
constexpr int kMissing = 127;

struct Kind
{
    const char *ending;
    const char *flag; // of tar; null: it is a zip
};
constexpr std::array kKinds = {Kind{".tar.gz", "z"}, Kind{".tgz", "z"}, Kind{".tar.bz2", "j"}, Kind{".tbz2", "j"}, Kind{".tar.xz", "J"}, Kind{".txz", "J"},
                               Kind{".tar.zst", "-zstd"}, Kind{".tar", ""}, Kind{".zip", nullptr}};

const Kind *kindOf(const QByteArray &name)
{
    const QByteArray small = name.toLower();
    for (const Kind &kind : kKinds) {
        if (small.endsWith(kind.ending) && small.size() > qsizetype(qstrlen(kind.ending)))
            return &kind;
    }
    return nullptr;
}

Result<QString> wordFrom(const QByteArray &bytes)
{
    if (const std::optional<QString> word = commandWord(bytes))
        return *word;
    return failure(ErrorKind::InvalidInput, Layer::Sftp, u"Its name is no text, and a command can be told nothing else."_s, shownBytes(bytes));
}

// $1 the folder, $2 the archive, $3 the flag of tar or "zip", then the names. What is half has a hidden name, and goes with whoever stops it.
// A name with a colon would be a host to tar, and one with a dash an option: each has "./" in front.
QString packScript()
{
    return uR"(cd "$1" || exit 1
out=$2; how=$3; shift 3
part=./.sandpiper-$$.part; [ "$how" = zip ] && part=$part.zip
[ -e "./$out" ] && exit 73
trap 'rm -f "$part"' EXIT
trap 'exit 130' INT TERM HUP
case $how in
zip) command -v zip >/dev/null || exit 127; zip -r -y "$part" "$@" || exit 1 ;;
-*) tar -c -v "-$how" -f "$part" "$@" || exit 1 ;;
*) tar -c -v ${how:+-$how} -f "$part" "$@" || exit 1 ;;
esac
[ -e "./$out" ] && exit 73
mv "$part" "./$out")"_s;
}

// $1 the archive, $2 where to.
QString unpackScript()
{
    return uR"(cd "$2" || exit 1
case $3 in
zip) command -v unzip >/dev/null || exit 127; exec unzip -o "$1" ;;
-*) exec tar -x -v "-$3" -f "$1" ;;
*) exec tar -x -v ${3:+-$3} -f "$1" ;;
esac)"_s;
}

} // namespace

bool ArchiveWork::isArchive(const QByteArray &name)
{
    return kindOf(name) != nullptr;
}

QByteArray ArchiveWork::stem(const QByteArray &name)
{
    const Kind *kind = kindOf(name);
    return kind ? name.chopped(qsizetype(qstrlen(kind->ending))) : name;
}

Result<CommandSpec> ArchiveWork::packing(const FilePath &folder, const QList<FilePath> &sources, const QByteArray &name)
{
    const Kind *kind = kindOf(name);
    if (!kind)
        return failure(ErrorKind::InvalidInput, Layer::Sftp, u"It is known by its ending what an archive is to be: .tar.gz, .tar.xz, .tar.zst, .tar or .zip."_s, shownBytes(name));
    if (sources.size() > mostSources)
        return failure(ErrorKind::InvalidInput, Layer::Sftp, u"These are too many at once: pack the folder that they are in."_s, shownBytes(name));
    CommandSpec spec;
    spec.argv = {u"sh"_s, u"-c"_s, packScript(), u"sh"_s};
    QByteArrayList words{folder.bytes(), name, QByteArray(kind->flag ? kind->flag : "zip")};
    for (const FilePath &source : sources)
        words.append("./" + source.name());
    for (const QByteArray &bytes : words) {
        const Result<QString> word = wordFrom(bytes);
        if (!word)
            return std::unexpected(word.error());
        spec.argv.append(*word);
    }
    return spec;
}

Result<CommandSpec> ArchiveWork::unpacking(const FilePath &archive, const FilePath &into)
{
    const Kind *kind = kindOf(archive.name());
    const Result<QString> from = wordFrom(archive.bytes());
    const Result<QString> to = wordFrom(into.bytes());
    if (!kind || !archive.isAbsolute())
        return failure(ErrorKind::InvalidInput, Layer::Sftp, u"It is no archive of a kind that is known here."_s, archive.shown());
    if (!from || !to)
        return std::unexpected(from ? to.error() : from.error());
    CommandSpec spec;
    spec.argv = {u"sh"_s, u"-c"_s, unpackScript(), u"sh"_s, *from, *to, QString::fromLatin1(kind->flag ? kind->flag : "zip")};
    return spec;
}

ArchiveWork::ArchiveWork(const FileCommandMaker &command, const CommandSpec &spec, QObject *parent)
    : QObject(parent)
    , m_command(command)
    , m_spec(spec)
{
}

ArchiveWork::~ArchiveWork()
{
    letEnd(std::move(m_remote));
}

void ArchiveWork::start()
{
    Result<std::unique_ptr<RemoteCommand>> made = m_command ? m_command(m_spec) : Result<std::unique_ptr<RemoteCommand>>(failure(ErrorKind::Unsupported, Layer::Provider));
    if (!made || !*made) {
        const Error error = made ? Error{ErrorKind::Unsupported, Layer::Provider, {}, {}} : made.error();
        QMetaObject::invokeMethod(this, [this, error] { emit finished(std::unexpected(error)); }, Qt::QueuedConnection);
        return;
    }
    m_remote = std::move(*made);
    connect(m_remote.get(), &RemoteCommand::outputReceived, this, [this](const QByteArray &bytes) { take(bytes, m_output); });
    connect(m_remote.get(), &RemoteCommand::errorOutputReceived, this, [this](const QByteArray &bytes) { take(bytes, m_complaint); });
    connect(m_remote.get(), &RemoteCommand::ended, this, &ArchiveWork::ended);
    m_remote->start();
    m_remote->closeInput();
}

// A line for each file, on the one stream or the other; the last one is kept for what it may complain of.
void ArchiveWork::take(const QByteArray &bytes, QByteArray &line)
{
    m_remote->consumed(bytes.size());
    m_lines += bytes.count('\n');
    const QByteArray all = (line + bytes).last(std::min<qsizetype>(2000, line.size() + bytes.size()));
    line = all.contains('\n') ? all.mid(all.lastIndexOf('\n', -2) + 1) : all;
    emit progressed(m_lines);
}

void ArchiveWork::ended(const ShellEnd &end)
{
    m_remote.release()->deleteLater(); // it is what speaks
    if (end.kind == ShellEnd::Kind::Exited && end.exitCode == 0)
        return emit finished({});
    if (end.kind == ShellEnd::Kind::Lost || end.kind == ShellEnd::Kind::Failed)
        return emit finished(std::unexpected(end.error));
    const QString said = tamed(QString::fromUtf8(m_complaint.trimmed()), 300);
    if (end.kind == ShellEnd::Kind::Exited && end.exitCode == kTaken)
        return emit finished(failure(ErrorKind::Conflict, Layer::Sftp, {}, m_spec.argv.value(5)));
    if (end.kind == ShellEnd::Kind::Exited && end.exitCode == kMissing)
        return emit finished(failure(ErrorKind::Unsupported, Layer::Sftp, u"The program for archives of this kind is not installed there."_s, said));
    emit finished(failure(ErrorKind::ServerError, Layer::Sftp, said.isEmpty() ? u"It stopped with status %1."_s.arg(end.exitCode) : said));
}

} // namespace Sandpiper
