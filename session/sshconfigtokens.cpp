#include "session/sshconfigtokens.h"

#include <QCryptographicHash>

#include <array>

#include <pwd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype kMostExpanded = 64 << 10;

bool takesVariables(TokenUse use)
{
    switch (use) {
    case TokenUse::User:
    case TokenUse::Path:
    case TokenUse::Include:
    case TokenUse::EnvironmentOnly: return true;
    case TokenUse::HostName:
    case TokenUse::Proxy:
    case TokenUse::Command: return false;
    }
    Q_UNREACHABLE_RETURN(false);
}

QStringView tokensFor(TokenUse use)
{
    switch (use) {
    case TokenUse::HostName: return u"h";
    case TokenUse::User:
    case TokenUse::Include: return u"dhijkLlnpu";
    case TokenUse::Proxy: return u"hnpr";
    case TokenUse::Command:
    case TokenUse::Path: return u"CdhijkLlnpru";
    case TokenUse::EnvironmentOnly: return {};
    }
    Q_UNREACHABLE_RETURN({});
}

QString valueOf(QChar token, const SshTokens &tokens)
{
    switch (token.unicode()) {
    case u'C': return tokens.connectionHash();
    case u'd': return tokens.home;
    case u'h': return tokens.hostName;
    case u'i': return QString::number(tokens.uid);
    case u'j': return tokens.jumpHost;
    case u'k': return tokens.keyAlias;
    case u'L': return tokens.localHost.section(u'.', 0, 0);
    case u'l': return tokens.localHost;
    case u'n': return tokens.original;
    case u'p': return QString::number(tokens.port);
    case u'r': return tokens.remoteUser;
    case u'u': return tokens.localUser;
    default: return {};
    }
}

std::unexpected<Error> refused(const QString &why)
{
    return failure(ErrorKind::InvalidInput, Layer::Ssh, tamed(why, 200));
}

} // namespace

QString SshTokens::connectionHash() const
{
    const QString all = localHost + hostName + QString::number(port) + remoteUser + jumpHost;
    return QString::fromLatin1(QCryptographicHash::hash(all.toUtf8(), QCryptographicHash::Sha1).toHex());
}

Result<QString> expandSshTokens(const QString &text, const SshTokens &tokens, TokenUse use)
{
    QString result;
    for (qsizetype i = 0; i < text.size(); ++i) {
        if (result.size() > kMostExpanded)
            return refused(u"the value becomes too long"_s);
        if (takesVariables(use) && QStringView(text).sliced(i).startsWith(u"${")) {
            const qsizetype close = text.indexOf(u'}', i);
            if (close < 0 || close == i + 2)
                return refused(u"'%1' is no variable"_s.arg(text.sliced(i)));
            const QString name = text.sliced(i + 2, close - i - 2);
            const std::optional<QString> value = tokens.variable ? tokens.variable(name) : std::nullopt;
            if (!value)
                return refused(u"the variable %1 is not set"_s.arg(name));
            result += *value;
            i = close;
        } else if (text[i] == u'%' && use != TokenUse::EnvironmentOnly) {
            if (++i == text.size())
                return refused(u"a lone %% stands at the end"_s.replace("%%"_L1, "%"_L1));
            if (text[i] == u'%')
                result += u'%';
            else if (tokensFor(use).contains(text[i]))
                result += valueOf(text[i], tokens);
            else
                return refused(u"%"_s + text[i] + u" cannot stand here"_s);
        } else {
            result += text[i];
        }
    }
    return result;
}

Result<QString> expandSshHome(const QString &path, const QString &home)
{
    if (!path.startsWith(u'~'))
        return path;
    const qsizetype slash = path.indexOf(u'/');
    const QString user = path.sliced(1, (slash < 0 ? path.size() : slash) - 1);
    const QString rest = slash < 0 ? QString() : path.sliced(slash);
    if (user.isEmpty())
        return home + rest;
    passwd entry{};
    passwd *found = nullptr;
    std::array<char, 16384> buffer{};
    if (user.size() > 64 || ::getpwnam_r(user.toLocal8Bit().constData(), &entry, buffer.data(), buffer.size(), &found) != 0 || !found)
        return refused(u"there is no user '%1'"_s.arg(user));
    return QString::fromLocal8Bit(found->pw_dir) + rest;
}

} // namespace Sandpiper
