#include "session/sshhostblock.h"

#include "session/shellquote.h"

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype kLongestAlias = 60;
constexpr QLatin1StringView kSuffix(".sandpiper");

bool hasControls(const QString &text)
{
    return std::any_of(text.cbegin(), text.cend(), [](QChar c) { return c.unicode() < 0x20 || c.unicode() == 0x7f; });
}

// ssh fills in "${NAME}" in paths, and has no way to say that it is meant as it stands.
Done checkPath(const QString &path)
{
    if (hasControls(path) || path.contains("${"_L1))
        return failure(ErrorKind::InvalidInput, Layer::Ssh, u"ssh_config cannot hold the path %1"_s.arg(tamed(path, 200)));
    return {};
}

Done checkEndpoint(const SshEndpoint &endpoint)
{
    const auto bad = [](const QString &what, const QString &value) {
        return failure(ErrorKind::InvalidInput, Layer::Ssh, u"ssh_config cannot hold the %1 %2"_s.arg(what, tamed(value, 100)));
    };
    const auto isOdd = [](const QString &text, QLatin1StringView odd) {
        return text.isEmpty() || text.startsWith(u'-') || hasControls(text)
                || std::any_of(text.cbegin(), text.cend(), [&](QChar c) { return c.isSpace() || odd.contains(c); });
    };
    if (isOdd(endpoint.host, "%\"'\\`$;&|<>(){}*?!,/"_L1))
        return bad(u"host"_s, endpoint.host);
    // OpenSSH refuses a user with these, and newer ones fill in "%" and "${".
    if (isOdd(endpoint.user, "%\"'\\`$;&|<>(){}"_L1))
        return bad(u"user"_s, endpoint.user);
    return {};
}

} // namespace

QString safeForAlias(const QString &name)
{
    QString safe;
    for (const QChar c : name.toLower()) {
        const bool good = (c >= u'a' && c <= u'z') || (c >= u'0' && c <= u'9') || c == u'.' || c == u'_' || c == u'-';
        if (good)
            safe += c;
        else if (!safe.endsWith(u'-'))
            safe += u'-';
    }
    while (!safe.isEmpty() && (safe.front() == u'-' || safe.front() == u'.'))
        safe.removeFirst();
    safe.truncate(kLongestAlias);
    while (!safe.isEmpty() && (safe.back() == u'-' || safe.back() == u'.'))
        safe.chop(1);
    return safe;
}

QString hostAliasFor(const Sandbox &sandbox, const QString &accountName, quint16 insidePort,
                     const QHash<QString, QString> &owners)
{
    const QString port = insidePort == 0 ? QString() : QString::number(insidePort) + u'-';
    const QString id = safeForAlias(sandbox.id.id);
    const QString name = safeForAlias(sandbox.displayName());
    const QString account = safeForAlias(accountName);
    QStringList wishes;
    if (!name.isEmpty())
        wishes << name;
    if (!name.isEmpty() && !account.isEmpty())
        wishes << name + u'.' + account;
    if (!id.isEmpty())
        wishes << id;
    const QString owner = sandbox.id.toString();
    for (const QString &wish : wishes) {
        const QString alias = port + wish + kSuffix;
        const auto taken = owners.constFind(alias);
        if (taken == owners.cend() || *taken == owner)
            return alias;
    }
    for (int n = 2;; ++n) {
        const QString alias = port + wishes.value(0, u"sandbox"_s) + u'-' + QString::number(n) + kSuffix;
        if (!owners.contains(alias))
            return alias;
    }
}

QHash<QString, QString> withoutAccount(const QHash<QString, QString> &owners, const QString &account)
{
    QHash<QString, QString> others;
    for (auto it = owners.cbegin(); it != owners.cend(); ++it) {
        const std::optional<SandboxId> id = SandboxId::parse(it.value());
        if (id && id->account != account)
            others.insert(it.key(), it.value());
    }
    return others;
}

QString hostKeyAliasFor(const SandboxId &sandbox)
{
    return safeForAlias(sandbox.id) + u'.' + safeForAlias(sandbox.vendor) + kSuffix;
}

Result<SshHostBlock> hostBlockFor(const Sandbox &sandbox, const SshHostWish &wish)
{
    if (!sandbox.ssh)
        return failure(ErrorKind::Unsupported, Layer::Provider, sandbox.capabilities.reasonAgainst(Capability::SshShell), sandbox.displayName());
    const SshEndpoint &endpoint = *sandbox.ssh;
    if (!endpoint.alias.isEmpty())
        return failure(ErrorKind::Unsupported, Layer::Ssh, u"%1 is a Host of your ssh_config already"_s.arg(tamed(endpoint.alias, 100)), endpoint.alias);
    if (const Done fine = checkEndpoint(endpoint); !fine)
        return std::unexpected(fine.error());
    SshHostBlock block;
    block.owner = sandbox.id.toString();
    block.hostName = endpoint.host;
    block.port = endpoint.port;
    block.user = wish.signIn.choice.user.isEmpty() ? endpoint.user : wish.signIn.choice.user;
    if (wish.insidePort != 0)
        block.user.prepend(QString::number(wish.insidePort) + u'-');
    block.identityFiles = endpoint.identityFiles;
    if (const QString key = keyFileOf(wish.signIn); block.identityFiles.isEmpty() && !key.isEmpty())
        block.identityFiles = {key};
    block.proxy = wish.proxy;
    if (!endpoint.hostKey.isEmpty()) {
        block.hostKeyAlias = hostKeyAliasFor(sandbox.id);
        block.hostKey = endpoint.hostKey;
        block.knownHostsFile = wish.knownHostsFile;
    }
    for (const QString &path : block.identityFiles + QStringList{block.knownHostsFile}) {
        if (const Done fine = checkPath(path); !fine)
            return std::unexpected(fine.error());
    }
    if (hasControls(block.proxy.join(QString())))
        return failure(ErrorKind::InvalidInput, Layer::Ssh, u"the ProxyCommand has control characters"_s);
    return block;
}

QString sshConfigWord(const QString &value)
{
    const bool plain = !value.isEmpty() && std::all_of(value.cbegin(), value.cend(), [](QChar c) {
        return c.isLetterOrNumber() || "._-/~:@%+,=[]"_L1.contains(c);
    });
    if (plain)
        return value;
    QString quoted = value;
    return u'"' + quoted.replace(u'\\', u"\\\\"_s).replace(u'"', u"\\\""_s) + u'"';
}

QString sshConfigPath(const QString &path)
{
    QString doubled = path;
    return sshConfigWord(doubled.replace(u'%', u"%%"_s));
}

QByteArray textOf(const SshHostBlock &block)
{
    QStringList lines{u"Host "_s + block.alias,
                      u"    HostName "_s + block.hostName,
                      u"    Port "_s + QString::number(block.port),
                      u"    User "_s + sshConfigWord(block.user)};
    for (const QString &file : block.identityFiles)
        lines << u"    IdentityFile "_s + sshConfigPath(file);
    if (!block.identityFiles.isEmpty())
        lines << u"    IdentitiesOnly yes"_s;
    if (!block.hostKeyAlias.isEmpty())
        lines << u"    HostKeyAlias "_s + block.hostKeyAlias;
    if (!block.hostKey.isEmpty())
        lines << u"    UserKnownHostsFile "_s + sshConfigPath(block.knownHostsFile)
              << u"    StrictHostKeyChecking yes"_s;
    if (!block.proxy.isEmpty()) {
        QStringList words;
        for (const QString &word : block.proxy)
            words << shellWord(word);
        lines << u"    ProxyCommand "_s + words.join(u' ').replace(u'%', u"%%"_s);
    }
    return lines.join(u'\n').toUtf8() + '\n';
}

QByteArray knownHostsLineOf(const SshHostBlock &block)
{
    return block.hostKey.isEmpty() ? QByteArray() : block.hostKeyAlias.toUtf8() + ' ' + block.hostKey.trimmed() + '\n';
}

} // namespace Sandpiper
