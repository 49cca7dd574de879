#include "session/knownhosts.h"

#include "session/filedescriptor.h"
#include "session/paths.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QtEndian>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qint64 kLargestFile = 16 << 20;
constexpr qsizetype kLongestLine = 64 << 10;
constexpr int kHashSize = SHA_DIGEST_LENGTH;

enum class Marker { None, Revoked, CertificateAuthority };

struct Line
{
    Marker marker = Marker::None;
    QByteArrayView hosts;
    HostKey key;
    qsizetype number = 0;
};

QByteArrayView takeWord(QByteArrayView &rest)
{
    rest = rest.trimmed();
    qsizetype end = 0;
    while (end < rest.size() && rest[end] != ' ' && rest[end] != '\t')
        ++end;
    const QByteArrayView word = rest.first(end);
    rest = rest.sliced(end);
    return word;
}

std::optional<Line> parseLine(QByteArrayView text)
{
    if (text.size() > kLongestLine)
        return {};
    Line line;
    QByteArrayView first = takeWord(text);
    if (first.isEmpty() || first.startsWith('#'))
        return {};
    if (first.startsWith('@')) {
        if (first == "@revoked")
            line.marker = Marker::Revoked;
        else if (first == "@cert-authority")
            line.marker = Marker::CertificateAuthority;
        else
            return {};
        first = takeWord(text);
    }
    line.hosts = first;
    const std::optional<HostKey> key = hostKeyFromLine(text);
    if (!key)
        return {};
    line.key = *key;
    return line;
}

template <typename Visitor>
void forEachLine(const QByteArray &content, Visitor visit)
{
    qsizetype number = 0;
    for (qsizetype at = 0; at < content.size();) {
        qsizetype end = content.indexOf('\n', at);
        if (end < 0)
            end = content.size();
        ++number;
        if (std::optional<Line> line = parseLine(QByteArrayView(content).sliced(at, end - at))) {
            line->number = number;
            visit(*line);
        }
        at = end + 1;
    }
}

// '*' and '?', without recursion: a hostile file must not cost more than length × length.
bool matchesGlob(QByteArrayView name, QByteArrayView pattern)
{
    qsizetype n = 0;
    qsizetype p = 0;
    qsizetype star = -1;
    qsizetype resume = 0;
    while (n < name.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = n;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
            ++p;
            ++n;
        } else if (star >= 0) {
            p = star + 1;
            n = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*')
        ++p;
    return p == pattern.size();
}

QByteArray hashedName(const QByteArray &name, const QByteArray &salt)
{
    QByteArray digest(kHashSize, Qt::Uninitialized);
    unsigned int size = 0;
    if (!HMAC(EVP_sha1(), salt.constData(), int(salt.size()),
              reinterpret_cast<const unsigned char *>(name.constData()), size_t(name.size()),
              reinterpret_cast<unsigned char *>(digest.data()), &size)
        || size != kHashSize)
        return {};
    return digest;
}

bool matchesHosts(const QByteArray &name, QByteArrayView hosts)
{
    if (hosts.startsWith("|1|")) {
        const QByteArrayView rest = hosts.sliced(3);
        const qsizetype bar = rest.indexOf('|');
        if (bar < 0)
            return false;
        const QByteArray salt = QByteArray::fromBase64(rest.first(bar).toByteArray());
        const QByteArray hash = QByteArray::fromBase64(rest.sliced(bar + 1).toByteArray());
        return !salt.isEmpty() && hash.size() == kHashSize && hashedName(name, salt) == hash;
    }
    bool matched = false;
    for (const QByteArray &pattern : hosts.toByteArray().toLower().split(',')) {
        // One negated match outweighs all others, wherever it stands.
        if (pattern.startsWith('!')) {
            if (matchesGlob(name, QByteArrayView(pattern).sliced(1)))
                return false;
        } else if (matchesGlob(name, pattern)) {
            matched = true;
        }
    }
    return matched;
}

QByteArray lookupName(const QString &host, quint16 port)
{
    const QByteArray name = host.toUtf8().toLower();
    return port == 22 ? name : '[' + name + "]:" + QByteArray::number(port);
}

HostKeyDecision decideFor(const QList<KnownHostsFile> &files, const QByteArray &name, const HostKey &offered)
{
    using Verdict = HostKeyDecision::Verdict;
    HostKeyDecision decision;
    for (const KnownHostsFile &file : files) {
        forEachLine(file.content, [&](const Line &line) {
            if (decision.verdict == Verdict::Revoked || !matchesHosts(name, line.hosts))
                return;
            const QString where = file.path + u':' + QString::number(line.number);
            const bool same = line.key == offered;
            switch (line.marker) {
            case Marker::CertificateAuthority:
                decision.hasCertificateAuthority = true;
                return;
            case Marker::Revoked:
                if (same) {
                    decision.verdict = Verdict::Revoked;
                    decision.where = where;
                }
                return;
            case Marker::None:
                break;
            }
            if (same) {
                decision.verdict = Verdict::Match;
                decision.where = where;
            } else if (decision.verdict == Verdict::Unknown
                       || (decision.verdict == Verdict::Changed && line.key.type == offered.type
                           && decision.known.type != offered.type)) {
                decision.verdict = Verdict::Changed;
                decision.known = line.key;
                decision.where = where;
            }
        });
    }
    return decision;
}

Error diskError(const QString &path, int number)
{
    return {ErrorKind::Io, Layer::LocalDisk, QString::fromLocal8Bit(std::strerror(number)), path};
}

} // namespace

std::optional<HostKey> hostKeyFromBlob(const QByteArray &blob)
{
    if (blob.size() < 5)
        return {};
    const quint32 size = qFromBigEndian<quint32>(blob.constData());
    if (size == 0 || size > 128 || qsizetype(size) + 4 >= blob.size())
        return {};
    const QByteArray type = blob.sliced(4, size);
    for (const char c : type) {
        if (c <= ' ' || c > '~')
            return {};
    }
    return HostKey{type, blob};
}

std::optional<HostKey> hostKeyFromLine(QByteArrayView line)
{
    const QByteArrayView type = takeWord(line);
    const QByteArrayView encoded = takeWord(line);
    const auto decoded = QByteArray::fromBase64Encoding(encoded.toByteArray(), QByteArray::AbortOnBase64DecodingErrors);
    if (!decoded)
        return {};
    const std::optional<HostKey> key = hostKeyFromBlob(*decoded);
    return key && key->type == type ? key : std::nullopt;
}

QString fingerprintOf(const HostKey &key)
{
    QByteArray digest(SHA256_DIGEST_LENGTH, Qt::Uninitialized);
    SHA256(reinterpret_cast<const unsigned char *>(key.blob.constData()), size_t(key.blob.size()),
           reinterpret_cast<unsigned char *>(digest.data()));
    return u"SHA256:"_s + QString::fromLatin1(digest.toBase64(QByteArray::OmitTrailingEquals));
}

HostKeyDecision decideHostKey(const QList<KnownHostsFile> &files, const QString &host, quint16 port, const HostKey &offered)
{
    using Verdict = HostKeyDecision::Verdict;
    const HostKeyDecision decision = decideFor(files, lookupName(host, port), offered);
    if (port == 22 || decision.verdict == Verdict::Revoked)
        return decision;
    HostKeyDecision bare = decideFor(files, lookupName(host, 22), offered);
    const bool decides = bare.verdict == Verdict::Revoked
            || (bare.verdict == Verdict::Match && decision.verdict == Verdict::Unknown);
    return decides ? bare : decision;
}

QList<QByteArray> knownKeyTypes(const QList<KnownHostsFile> &files, const QString &host, quint16 port)
{
    QList<QByteArray> types;
    QList<QByteArray> names{lookupName(host, port)};
    if (port != 22)
        names.append(lookupName(host, 22));
    for (const QByteArray &name : names) {
        for (const KnownHostsFile &file : files) {
            forEachLine(file.content, [&](const Line &line) {
                if (line.marker == Marker::None && !types.contains(line.key.type) && matchesHosts(name, line.hosts))
                    types.append(line.key.type);
            });
        }
    }
    return types;
}

QStringList defaultKnownHostsFiles()
{
    const QString home = QDir::homePath();
    return {home + u"/.ssh/known_hosts"_s, home + u"/.ssh/known_hosts2"_s,
            u"/etc/ssh/ssh_known_hosts"_s, u"/etc/ssh/ssh_known_hosts2"_s};
}

Result<QList<KnownHostsFile>> readKnownHosts(const QStringList &paths)
{
    QList<KnownHostsFile> files;
    for (const QString &path : paths) {
        Result<QByteArray> content = readFile(path, kLargestFile);
        if (content)
            files.append({path, std::move(*content)});
        else if (content.error().kind != ErrorKind::NotFound)
            return std::unexpected(content.error());
    }
    return files;
}

Done rememberHostKey(const QString &path, const QString &host, quint16 port, const HostKey &key)
{
    // What is a pattern or a separator in the file must not come from a name.
    for (const QChar c : host) {
        if (c <= u' ' || c == u'\x7f' || u",*?!#@|[]"_s.contains(c))
            return failure(ErrorKind::InvalidInput, Layer::LocalDisk, u"this is no host name"_s, host);
    }
    const QString folder = QFileInfo(path).absolutePath();
    // An existing ~/.ssh keeps the mode its owner gave it.
    if (!QFileInfo(folder).isDir()) {
        if (const Done made = makePrivateFolder(folder); !made)
            return made;
    }
    const FileDescriptor file(::open(QFile::encodeName(path).constData(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!file.isValid())
        return std::unexpected(diskError(path, errno));
    const Result<QByteArray> before = readFile(path, kLargestFile);
    if (!before)
        return std::unexpected(before.error());

    QByteArray name = lookupName(host, port);
    if (before->startsWith("|1|") || before->contains("\n|1|")) {
        QByteArray salt(kHashSize, Qt::Uninitialized);
        if (RAND_bytes(reinterpret_cast<unsigned char *>(salt.data()), kHashSize) != 1)
            return failure(ErrorKind::Io, Layer::LocalDisk, u"OpenSSL has no random numbers"_s, path);
        name = "|1|" + salt.toBase64() + '|' + hashedName(name, salt).toBase64();
    }
    QByteArray line;
    if (!before->isEmpty() && !before->endsWith('\n'))
        line += '\n';
    line += name + ' ' + key.type + ' ' + key.blob.toBase64() + '\n';
    const ssize_t written = ::write(file.get(), line.constData(), size_t(line.size()));
    if (written != line.size())
        return std::unexpected(diskError(path, written < 0 ? errno : ENOSPC));
    if (::fsync(file.get()) != 0 && errno != EINVAL)
        return std::unexpected(diskError(path, errno));
    return {};
}

} // namespace Sandpiper
