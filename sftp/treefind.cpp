#include "sftp/treefind.h"

#include <algorithm>
#include <iterator>

#include <fnmatch.h>
#include <sys/stat.h>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

constexpr size_t kMostListings = 8;
constexpr size_t kMostLooks = 8;
constexpr size_t kMostToRead = 5'000; // known; while more wait no folder is listed
constexpr quint64 kLargestRead = 64 << 20;
constexpr qsizetype kLongestRecord = FilePath::mostBytes + 200;
constexpr int kMissing = 127;

// $1 the top, $2 -name or -iname, $3 its pattern, $4 the text, $5 how grep takes it. Each word stays one word. What is found goes
// in hex, as the interfaces of some vendors carry text alone; without stdbuf it comes in larger pieces.
QString script()
{
    return uR"(command -v find >/dev/null && command -v od >/dev/null || exit 127
if [ -n "$4" ]; then command -v grep >/dev/null || exit 127; fi
b=; l=
if command -v stdbuf >/dev/null 2>&1; then b='stdbuf -o0'; l='stdbuf -oL'; fi
[ -d "$1" ] || exit 3
{
if [ -z "$4" ]; then
  if find / -maxdepth 0 -printf '' 2>/dev/null; then $b find "$1" "$2" "$3" -printf '%y %s %T@ %p\0'
  else find "$1" "$2" "$3" -print0; fi
elif printf x | grep -lZF x >/dev/null 2>&1; then
  $b find "$1" -type f "$2" "$3" -exec grep -sIlZ"$5" -e "$4" -- {} +
else
  find "$1" -type f "$2" "$3" -exec grep -sq"$5" -e "$4" {} \; -print0
fi
} | $l od -An -v -tx1)"_s;
}

// "f 12 1700000000.5 /a/b" of GNU find; "/a/b" of any.
std::optional<FindHit> hitFrom(const QByteArray &record)
{
    FindHit hit;
    qsizetype at = 0;
    if (!record.startsWith('/')) {
        qsizetype ends[3];
        for (qsizetype &end : ends) {
            end = record.indexOf(' ', at);
            if (end < 0)
                return std::nullopt;
            at = end + 1;
        }
        constexpr quint32 types[] = {S_IFREG, S_IFDIR, S_IFLNK};
        if (const qsizetype type = QByteArrayView("fdl").indexOf(record.at(0)); type >= 0)
            hit.attributes.mode = types[type];
        bool isNumber = false;
        const quint64 size = record.mid(ends[0] + 1, ends[1] - ends[0] - 1).toULongLong(&isNumber);
        if (isNumber)
            hit.attributes.size = size;
        const double modified = record.mid(ends[1] + 1, ends[2] - ends[1] - 1).toDouble();
        if (modified > 0 && modified < 4294967296.0)
            hit.attributes.times = FileTimes{quint32(modified), quint32(modified)};
    }
    const Result<FilePath> path = FilePath::fromBytes(record.mid(at));
    if (!path || !path->isAbsolute())
        return std::nullopt;
    hit.path = *path;
    return hit;
}

} // namespace

// A file that is being read.
struct TreeFind::Look
{
    FindHit hit;
    std::unique_ptr<FileReader> reader;
    QByteArray tail; // of what came before: the text may begin in it
    bool isFirst = true;
};

TreeFind::TreeFind(FileSystem *files, const FileCommandMaker &command, const FindWish &wish, QObject *parent)
    : QObject(parent)
    , m_files(files)
    , m_command(command)
    , m_wish(wish)
    , m_pattern(patternFor(wish.name))
    , m_text(wish.matchesCase ? wish.text.toUtf8() : wish.text.toUtf8().toLower())
{
}

TreeFind::~TreeFind()
{
    // A find that finds nothing writes nothing, and would not notice that nobody listens.
    letEnd(std::move(m_remote));
}

QByteArray TreeFind::patternFor(const QString &name)
{
    if (name.isEmpty())
        return "*";
    if (name.contains(u'*') || name.contains(u'?'))
        return name.toUtf8();
    QByteArray escaped;
    for (const char byte : name.toUtf8()) {
        if (byte == '[' || byte == ']' || byte == '\\')
            escaped += '\\';
        escaped += byte;
    }
    return '*' + escaped + '*';
}

void TreeFind::start()
{
    const std::optional<CommandSpec> spec = m_command ? commandSpec() : std::nullopt;
    spec ? runCommand(*spec) : walk();
}

// There, by find and grep ----------------------------------------------------------------------------

std::optional<CommandSpec> TreeFind::commandSpec() const
{
    const std::optional<QString> top = commandWord(m_wish.top.bytes());
    if (!top || !m_wish.top.isAbsolute() || m_wish.text.contains(u'\n'))
        return std::nullopt;
    CommandSpec spec;
    spec.argv = {u"sh"_s, u"-c"_s, script(), u"sh"_s, *top, m_wish.matchesCase ? u"-name"_s : u"-iname"_s, QString::fromUtf8(m_pattern), m_wish.text,
                 m_wish.matchesCase ? u"F"_s : u"Fi"_s};
    return spec;
}

void TreeFind::runCommand(const CommandSpec &spec)
{
    Result<std::unique_ptr<RemoteCommand>> made = m_command(spec);
    if (!made || !*made)
        return walk();
    m_remote = std::move(*made);
    m_outcome.wasByCommand = true;
    connect(m_remote.get(), &RemoteCommand::outputReceived, this, [this](const QByteArray &bytes) {
        m_remote->consumed(bytes.size());
        takeOutput(bytes);
    });
    connect(m_remote.get(), &RemoteCommand::errorOutputReceived, this, [this](const QByteArray &bytes) {
        m_remote->consumed(bytes.size());
        m_outcome.unreadable += bytes.count('\n'); // a line for each
    });
    connect(m_remote.get(), &RemoteCommand::ended, this, &TreeFind::commandEnded);
    m_remote->start();
    m_remote->closeInput();
}

void TreeFind::takeOutput(const QByteArray &hex)
{
    QList<FindHit> hits;
    QByteArray digits = std::exchange(m_half, {});
    std::ranges::copy_if(hex, std::back_inserter(digits), [](char digit) { return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f'); });
    if (digits.size() % 2 != 0) {
        m_half = digits.last(1);
        digits.chop(1);
    }
    for (const char byte : QByteArray::fromHex(digits)) {
        if (byte != 0) {
            if (m_record.size() <= kLongestRecord)
                m_record += byte;
            continue;
        }
        const std::optional<FindHit> hit = hitFrom(std::exchange(m_record, {}));
        // Only what lies below the top: a command may say anything.
        const QByteArray inside = m_wish.top.bytes().endsWith('/') ? m_wish.top.bytes() : m_wish.top.bytes() + '/';
        if (hit && hit->path.bytes().startsWith(inside) && hit->path.bytes().size() > inside.size())
            hits.append(*hit);
    }
    tell(hits);
}

void TreeFind::commandEnded(const ShellEnd &end)
{
    if (m_isOver)
        return;
    m_remote.release()->deleteLater(); // it is what speaks
    const bool cannot = end.kind == ShellEnd::Kind::Failed || (end.kind == ShellEnd::Kind::Exited && end.exitCode == kMissing);
    if (m_outcome.hits == 0 && cannot) {
        m_outcome = {};
        return walk();
    }
    if (end.kind == ShellEnd::Kind::Lost)
        m_outcome.error = end.error;
    else if (end.kind == ShellEnd::Kind::Exited && end.exitCode == 3)
        m_outcome.error = Error{ErrorKind::NotFound, Layer::Sftp, {}, m_wish.top.shown()};
    finish();
}

// Folder by folder -----------------------------------------------------------------------------------

void TreeFind::walk()
{
    m_folders.push_back(m_wish.top);
    startMore();
    QMetaObject::invokeMethod(this, &TreeFind::settle, Qt::QueuedConnection);
}

void TreeFind::startMore()
{
    while (m_files && !m_isOver && m_looks.size() < kMostLooks && !m_toRead.empty()) {
        const FindHit hit = m_toRead.front();
        m_toRead.pop_front();
        look(hit);
    }
    while (m_files && !m_isOver && m_listings.size() < kMostListings && m_toRead.size() < kMostToRead && !m_folders.empty()) {
        const FilePath folder = m_folders.front();
        m_folders.pop_front();
        list(folder);
    }
}

void TreeFind::list(const FilePath &folder)
{
    std::unique_ptr<FileListing> made = m_files->list(folder);
    FileListing *listing = made.get();
    m_listings.emplace(listing, std::move(made));
    connect(listing, &FileListing::rowsReceived, this, [this, folder, listing](const QList<FileEntry> &rows) {
        listing->consumed(rows.size());
        take(folder, rows);
    });
    connect(listing, &FileListing::finished, this, [this, folder, listing](const Result<ListEnd> &end) {
        const auto node = m_listings.find(listing);
        if (node == m_listings.end())
            return;
        node->second.release()->deleteLater(); // it is what speaks
        m_listings.erase(node);
        if (!end && folder == m_wish.top)
            m_outcome.error = end.error();
        else if (!end)
            ++m_outcome.unreadable;
        startMore();
        settle();
    });
}

void TreeFind::take(const FilePath &folder, const QList<FileEntry> &rows)
{
    QList<FindHit> hits;
    for (const FileEntry &row : rows) {
        const Result<FilePath> path = folder.child(row.name);
        if (!path)
            continue;
        ++m_looked;
        if (row.attributes.isFolder())
            m_folders.push_back(*path);
        if (::fnmatch(m_pattern.constData(), row.name.constData(), m_wish.matchesCase ? 0 : FNM_CASEFOLD) != 0)
            continue;
        if (m_text.isEmpty())
            hits.append({*path, row.attributes});
        else if (row.attributes.type() == FileType::File)
            m_toRead.push_back({*path, row.attributes});
    }
    emit progressed(m_looked);
    tell(hits);
    startMore();
}

void TreeFind::look(const FindHit &hit)
{
    if (hit.attributes.size.value_or(0) > kLargestRead) {
        ++m_outcome.skipped;
        return;
    }
    FileReadWish wish;
    wish.path = hit.path;
    wish.listedSize = hit.attributes.size;
    auto made = std::make_unique<Look>(hit, m_files->read(wish));
    FileReader *reader = made->reader.get();
    m_looks.emplace(reader, std::move(made));
    // Whatever it is that ends it.
    const auto over = [this, reader] {
        const auto node = m_looks.find(reader);
        if (node == m_looks.end())
            return;
        reader->disconnect(this);
        node->second->reader.release()->deleteLater(); // it is what speaks
        m_looks.erase(node);
        startMore();
        settle();
    };
    connect(reader, &FileReader::received, this, [this, reader, over](const QByteArray &bytes) {
        const auto node = m_looks.find(reader);
        if (node == m_looks.end())
            return;
        reader->consumed(bytes.size());
        Look &one = *node->second;
        if (std::exchange(one.isFirst, false) && bytes.first(std::min<qsizetype>(8000, bytes.size())).contains('\0'))
            return over(); // no text, as grep takes it
        const QByteArray piece = one.tail + (m_wish.matchesCase ? bytes : bytes.toLower());
        if (piece.contains(m_text)) {
            tell({one.hit});
            return over();
        }
        one.tail = piece.last(std::min(piece.size(), m_text.size() - 1));
    });
    connect(reader, &FileReader::finished, this, [this, over](const Result<ReadEnd> &end) {
        if (!end)
            ++m_outcome.unreadable;
        over();
    });
}

// Both -----------------------------------------------------------------------------------------------

void TreeFind::tell(const QList<FindHit> &hits)
{
    if (hits.isEmpty() || m_isOver)
        return;
    const qsizetype room = qsizetype(mostHits - m_outcome.hits);
    m_outcome.hits += std::min(room, hits.size());
    emit found(hits.first(std::min(room, hits.size())));
    if (hits.size() < room)
        return;
    m_outcome.isCut = true;
    // Not from within what speaks.
    QMetaObject::invokeMethod(this, &TreeFind::finish, Qt::QueuedConnection);
}

void TreeFind::settle()
{
    if (m_isOver || m_remote)
        return;
    if (!m_files && !m_outcome.error)
        m_outcome.error = Error{ErrorKind::ConnectionLost, Layer::Sftp, {}, {}};
    const bool isDone = m_listings.empty() && m_looks.empty() && m_folders.empty() && m_toRead.empty();
    if (isDone || !m_files)
        finish();
}

void TreeFind::finish()
{
    if (m_isOver)
        return;
    m_isOver = true;
    letEnd(std::move(m_remote));
    m_listings.clear();
    m_looks.clear();
    emit finished(m_outcome);
}

} // namespace Sandpiper
