#include "session/sshalgorithms.h"

#include "session/sshconfiglines.h"

#include <QStringList>

namespace Sandpiper {
namespace {

// AES-GCM first: the library's own first choice is three times slower with hardware AES. That comes last,
// because it is of no use with servers that do not know strict key exchange.
constexpr char kCiphers[] = "aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr,"
                            "chacha20-poly1305@openssh.com";
constexpr char kKeyExchange[] = "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,"
                                "ecdh-sha2-nistp521,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,"
                                "diffie-hellman-group-exchange-sha256,diffie-hellman-group14-sha256";
constexpr char kMacs[] = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512";
constexpr char kHostKeys[] = "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256";
constexpr char kPublicKeys[] = "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,"
                               "sk-ssh-ed25519@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,rsa-sha2-256,"
                               "ssh-ed25519-cert-v01@openssh.com,ecdsa-sha2-nistp256-cert-v01@openssh.com,"
                               "ecdsa-sha2-nistp384-cert-v01@openssh.com,ecdsa-sha2-nistp521-cert-v01@openssh.com,"
                               "rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-256-cert-v01@openssh.com";
// Old and weak, for who names them (measured with libssh 0.11.5).
constexpr char kOldCiphers[] = ",aes256-cbc,aes192-cbc,aes128-cbc,3des-cbc";
constexpr char kOldKeyExchange[] = ",diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1,diffie-hellman-group1-sha1";
constexpr char kOldMacs[] = ",hmac-sha1-etm@openssh.com,hmac-sha1";
constexpr char kOtherHostKeys[] = ",sk-ssh-ed25519@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com,ssh-rsa";
constexpr char kOldPublicKeys[] = ",ssh-rsa";

QByteArray keyTypeOf(const QByteArray &algorithm)
{
    return algorithm.startsWith("rsa-sha2-") ? QByteArray("ssh-rsa") : algorithm;
}

} // namespace

QByteArray usualAlgorithms(AlgorithmList list)
{
    switch (list) {
    case AlgorithmList::Ciphers: return kCiphers;
    case AlgorithmList::KeyExchange: return kKeyExchange;
    case AlgorithmList::Macs: return kMacs;
    case AlgorithmList::HostKeys: return kHostKeys;
    case AlgorithmList::PublicKeys: return kPublicKeys;
    }
    Q_UNREACHABLE_RETURN({});
}

QByteArray possibleAlgorithms(AlgorithmList list)
{
    const QByteArray usual = usualAlgorithms(list);
    switch (list) {
    case AlgorithmList::Ciphers: return usual + kOldCiphers;
    case AlgorithmList::KeyExchange: return usual + kOldKeyExchange;
    case AlgorithmList::Macs: return usual + kOldMacs;
    case AlgorithmList::HostKeys: return usual + kOtherHostKeys;
    case AlgorithmList::PublicKeys: return usual + kOldPublicKeys;
    }
    Q_UNREACHABLE_RETURN({});
}

bool needsStrictKex(const QByteArray &cipher, const QByteArray &mac)
{
    return cipher.startsWith("chacha20-poly1305") || (cipher.endsWith("-cbc") && mac.contains("-etm@"));
}

QByteArray withTypesFirst(const QByteArray &hostKeyAlgorithms, const QList<QByteArray> &types)
{
    QByteArrayList first;
    QByteArrayList rest;
    for (const QByteArray &algorithm : hostKeyAlgorithms.split(','))
        (types.contains(keyTypeOf(algorithm)) ? first : rest).append(algorithm);
    return (first + rest).join(',');
}

QByteArray assembledAlgorithms(const QString &text, const QByteArray &defaults, const QByteArray &possible)
{
    const QStringList usual = QString::fromLatin1(defaults).split(QLatin1Char(','), Qt::SkipEmptyParts);
    const QStringList all = QString::fromLatin1(possible).split(QLatin1Char(','), Qt::SkipEmptyParts);
    const QChar sign = text.isEmpty() ? QChar(u'+') : text.front();
    const bool isChange = sign == u'+' || sign == u'-' || sign == u'^';
    const QString list = text.isEmpty() ? QString() : isChange ? text.sliced(1) : text;
    const QStringList given = list.split(QLatin1Char(','), Qt::SkipEmptyParts);
    QStringList wanted = given;
    if (sign == u'+') {
        wanted = usual + given;
    } else if (sign == u'^') {
        wanted = given + usual;
    } else if (sign == u'-') {
        wanted = usual;
        wanted.removeIf([&](const QString &name) { return matchesSshPatterns(name, list, PatternCase::AsWritten); });
    }
    QStringList result;
    for (const QString &pattern : std::as_const(wanted)) {
        for (const QString &name : all) {
            if (!result.contains(name) && matchesSshPattern(name, pattern))
                result.append(name);
        }
    }
    return result.join(QLatin1Char(',')).toLatin1();
}

} // namespace Sandpiper
