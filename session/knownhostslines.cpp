#include "session/knownhostslines.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

namespace Sandpiper {
namespace {

constexpr qsizetype kLongestLine = 64 << 10;
constexpr int kHashSize = SHA_DIGEST_LENGTH;

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

} // namespace

std::optional<KnownHostLine> parseKnownHostLine(QByteArrayView text)
{
    if (text.size() > kLongestLine)
        return {};
    KnownHostLine line;
    QByteArrayView first = takeWord(text);
    if (first.isEmpty() || first.startsWith('#'))
        return {};
    if (first.startsWith('@')) {
        if (first == "@revoked")
            line.marker = KnownHostMarker::Revoked;
        else if (first == "@cert-authority")
            line.marker = KnownHostMarker::CertificateAuthority;
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

qsizetype forEachKnownHost(const QByteArray &content, const std::function<void(const KnownHostLine &)> &visit)
{
    qsizetype number = 0;
    qsizetype garbage = 0;
    for (qsizetype at = 0; at < content.size();) {
        qsizetype end = content.indexOf('\n', at);
        if (end < 0)
            end = content.size();
        ++number;
        const QByteArrayView whole = QByteArrayView(content).sliced(at, end - at);
        const QByteArrayView text = whole.trimmed();
        if (std::optional<KnownHostLine> line = parseKnownHostLine(text)) {
            line->number = number;
            line->whole = whole;
            visit(*line);
        } else if (!text.isEmpty() && !text.startsWith('#')) {
            ++garbage;
        }
        at = end + 1;
    }
    return garbage;
}

bool matchesKnownHosts(const QByteArray &name, QByteArrayView hosts)
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

QByteArray hashedKnownHost(const QByteArray &name)
{
    QByteArray salt(kHashSize, Qt::Uninitialized);
    if (RAND_bytes(reinterpret_cast<unsigned char *>(salt.data()), kHashSize) != 1)
        return {};
    return "|1|" + salt.toBase64() + '|' + hashedName(name, salt).toBase64();
}

QByteArray knownHostName(const QString &host, quint16 port)
{
    const QByteArray name = host.toUtf8().toLower();
    return port == 22 ? name : '[' + name + "]:" + QByteArray::number(port);
}

} // namespace Sandpiper
