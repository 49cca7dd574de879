#include "session/sshconfiglines.h"

#include <QHash>
#include <QSet>

#include <optional>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype kMostOfALine = 64 << 10;

bool isBlank(QChar c)
{
    return c == u' ' || c == u'\t';
}

bool isSpace(QChar c)
{
    return isBlank(c) || c == u'\r' || c == u'\n' || c == u'\f';
}

const QHash<QString, SshKeyword> &keywords()
{
    using enum SshKeyword;
    static const QHash<QString, SshKeyword> table{
        {u"host"_s, Host},
        {u"match"_s, Match},
        {u"include"_s, Include},
        {u"ignoreunknown"_s, IgnoreUnknown},
        {u"tag"_s, Tag},
        {u"hostname"_s, HostName},
        {u"port"_s, Port},
        {u"user"_s, User},
        {u"identityfile"_s, IdentityFile},
        {u"identityfile2"_s, IdentityFile},
        {u"certificatefile"_s, CertificateFile},
        {u"identityagent"_s, IdentityAgent},
        {u"identitiesonly"_s, IdentitiesOnly},
        {u"proxyjump"_s, ProxyJump},
        {u"proxycommand"_s, ProxyCommand},
        {u"hostkeyalias"_s, HostKeyAlias},
        {u"userknownhostsfile"_s, UserKnownHostsFile},
        {u"globalknownhostsfile"_s, GlobalKnownHostsFile},
        {u"stricthostkeychecking"_s, StrictHostKeyChecking},
        {u"serveraliveinterval"_s, ServerAliveInterval},
        {u"serveralivecountmax"_s, ServerAliveCountMax},
        {u"forwardagent"_s, ForwardAgent},
        {u"localforward"_s, LocalForward},
        {u"remoteforward"_s, RemoteForward},
        {u"dynamicforward"_s, DynamicForward},
        {u"gatewayports"_s, GatewayPorts},
        {u"exitonforwardfailure"_s, ExitOnForwardFailure},
        {u"clearallforwardings"_s, ClearAllForwardings},
        {u"streamlocalbindmask"_s, StreamLocalBindMask},
        {u"streamlocalbindunlink"_s, StreamLocalBindUnlink},
        {u"permitremoteopen"_s, PermitRemoteOpen},
        {u"sendenv"_s, SendEnv},
        {u"setenv"_s, SetEnv},
        {u"remotecommand"_s, RemoteCommand},
        {u"requesttty"_s, RequestTty},
        {u"ciphers"_s, Ciphers},
        {u"kexalgorithms"_s, KexAlgorithms},
        {u"macs"_s, Macs},
        {u"hostkeyalgorithms"_s, HostKeyAlgorithms},
        {u"pubkeyacceptedalgorithms"_s, PubkeyAcceptedAlgorithms},
        {u"pubkeyacceptedkeytypes"_s, PubkeyAcceptedAlgorithms},
        {u"connecttimeout"_s, ConnectTimeout},
        {u"addressfamily"_s, AddressFamily},
        {u"bindaddress"_s, BindAddress},
        {u"compression"_s, Compression},
        {u"addkeystoagent"_s, AddKeysToAgent},
        {u"preferredauthentications"_s, PreferredAuthentications},
        {u"pubkeyauthentication"_s, PubkeyAuthentication},
        {u"dsaauthentication"_s, PubkeyAuthentication},
        {u"passwordauthentication"_s, PasswordAuthentication},
        {u"kbdinteractiveauthentication"_s, KbdInteractiveAuthentication},
        {u"challengeresponseauthentication"_s, KbdInteractiveAuthentication},
        {u"skeyauthentication"_s, KbdInteractiveAuthentication},
        {u"tisauthentication"_s, KbdInteractiveAuthentication},
    };
    return table;
}

// How ssh reports, hashes, shows and shares is its own affair; so is what it has given up.
const QSet<QString> &meaninglessKeywords()
{
    static const QSet<QString> names{
        u"afstokenpassing"_s, u"batchmode"_s, u"canonicaldomains"_s, u"canonicalizefallbacklocal"_s,
        u"canonicalizemaxdots"_s, u"canonicalizepermittedcnames"_s, u"checkhostip"_s, u"cipher"_s,
        u"compressionlevel"_s, u"connectionattempts"_s, u"controlmaster"_s, u"controlpath"_s,
        u"controlpersist"_s, u"enableescapecommandline"_s, u"enablesshkeysign"_s, u"escapechar"_s,
        u"fallbacktorsh"_s, u"fingerprinthash"_s, u"forkafterauthentication"_s,
        u"forwardx11timeout"_s, u"forwardx11trusted"_s, u"globalknownhostsfile2"_s,
        u"gssapiclientidentity"_s, u"gssapidelegatecredentials"_s, u"gssapikexalgorithms"_s,
        u"gssapirenewalforcesrekey"_s, u"gssapiserveridentity"_s, u"gssapitrustdns"_s, u"hashknownhosts"_s,
        u"hostbasedacceptedalgorithms"_s, u"hostbasedkeytypes"_s, u"ipqos"_s, u"kbdinteractivedevices"_s, u"keepalive"_s,
        u"kerberosauthentication"_s, u"kerberostgtpassing"_s, u"loglevel"_s, u"logverbose"_s,
        u"numberofpasswordprompts"_s, u"obscurekeystroketiming"_s, u"protocol"_s, u"requiredrsasize"_s,
        u"rhostsauthentication"_s, u"rhostsrsaauthentication"_s, u"rsaauthentication"_s, u"sessiontype"_s,
        u"smartcarddevice"_s, u"stdinnull"_s,
        u"syslogfacility"_s, u"tcpkeepalive"_s, u"tunneldevice"_s, u"useprivilegedport"_s, u"userknownhostsfile2"_s,
        u"useroaming"_s, u"usersh"_s, u"versionaddendum"_s, u"visualhostkey"_s, u"warnweakcrypto"_s, u"xauthlocation"_s,
    };
    return names;
}

const QSet<QString> &keywordsNotDone()
{
    static const QSet<QString> names{
        u"bindinterface"_s, u"canonicalizehostname"_s, u"casignaturealgorithms"_s, u"channeltimeout"_s,
        u"forwardx11"_s, u"gssapiauthentication"_s, u"gssapikeyexchange"_s, u"hostbasedauthentication"_s,
        u"knownhostscommand"_s, u"localcommand"_s, u"nohostauthenticationforlocalhost"_s, u"permitlocalcommand"_s,
        u"pkcs11provider"_s, u"proxyusefdpass"_s, u"refuseconnection"_s, u"rekeylimit"_s,
        u"revokedhostkeys"_s, u"securitykeyprovider"_s, u"tunnel"_s, u"updatehostkeys"_s, u"verifyhostkeydns"_s,
    };
    return names;
}

SshKeyword keywordOf(const QString &name)
{
    if (const auto known = keywords().constFind(name); known != keywords().cend())
        return *known;
    if (meaninglessKeywords().contains(name))
        return SshKeyword::Meaningless;
    return keywordsNotDone().contains(name) ? SshKeyword::NotDone : SshKeyword::Unknown;
}

// The keyword ends at a blank or at one "=" with blanks around it; it may stand in double quotes, and no
// "=" comes then.
// False: a quote is not closed.
bool takeKeyword(QStringView &text, QString &name)
{
    qsizetype end = 0;
    bool mayEqual = true;
    if (text.startsWith(u'"')) {
        const qsizetype quote = text.indexOf(u'"', 1);
        if (quote < 0)
            return false;
        name = text.sliced(1, quote - 1).toString().toLower();
        text = text.sliced(quote + 1);
        mayEqual = false;
    } else {
        while (end < text.size() && !isSpace(text[end]) && text[end] != u'=' && text[end] != u'"')
            ++end;
        name = text.first(end).toString().toLower();
        text = text.sliced(end);
    }
    const auto skipBlanks = [&text] {
        while (!text.isEmpty() && isSpace(text.front()))
            text = text.sliced(1);
    };
    skipBlanks();
    if (mayEqual && text.startsWith(u'=')) {
        text = text.sliced(1);
        skipBlanks();
    }
    return true;
}

std::optional<SshConfigLine> parsedLine(QStringView text, int number)
{
    while (!text.isEmpty() && isSpace(text.back()))
        text.chop(1);
    while (!text.isEmpty() && isSpace(text.front()) && text.front() != u'\f')
        text = text.sliced(1);
    if (text.isEmpty() || text.front() == u'#')
        return std::nullopt;
    SshConfigLine line;
    line.number = number;
    line.keyword = SshKeyword::Meaningless;
    if (text.size() > kMostOfALine) {
        line.mistake = u"the line is too long"_s;
        return line;
    }
    if (!takeKeyword(text, line.name)) {
        line.mistake = u"a quote is not closed"_s;
        return line;
    }
    line.keyword = keywordOf(line.name);
    line.rest = text.toString();
    if (text.isEmpty())
        line.mistake = u"there is nothing behind the keyword"_s;
    else if (!splitSshWords(text, line.arguments))
        line.mistake = u"a quote is not closed"_s;
    return line;
}

} // namespace

bool splitSshWords(QStringView text, QStringList &words)
{
    qsizetype i = 0;
    while (i < text.size()) {
        if (isBlank(text[i])) {
            ++i;
            continue;
        }
        if (text[i] == u'#')
            return true;
        QString word;
        QChar quote;
        for (; i < text.size(); ++i) {
            const QChar c = text[i];
            if (c == u'\\' && i + 1 < text.size()) {
                const QChar next = text[i + 1];
                const bool escapes = next == u'\'' || next == u'"' || next == u'\\' || (quote.isNull() && next == u' ');
                if (escapes)
                    ++i;
                word += text[i];
            } else if (quote.isNull() && isBlank(c)) {
                break;
            } else if (quote.isNull() && (c == u'"' || c == u'\'')) {
                quote = c;
            } else if (!quote.isNull() && c == quote) {
                quote = {};
            } else {
                word += c;
            }
        }
        if (!quote.isNull())
            return false;
        words.append(word);
    }
    return true;
}

QList<SshConfigLine> sshConfigLines(QByteArrayView content)
{
    QList<SshConfigLine> lines;
    int number = 0;
    while (!content.isEmpty()) {
        const qsizetype newline = content.indexOf('\n');
        QByteArrayView bytes = newline < 0 ? content : content.first(newline);
        content = newline < 0 ? QByteArrayView() : content.sliced(newline + 1);
        ++number;
        // What stands behind a NUL does not exist for ssh.
        if (const qsizetype nul = bytes.indexOf('\0'); nul >= 0)
            bytes = bytes.first(nul);
        if (std::optional<SshConfigLine> line = parsedLine(QString::fromUtf8(bytes), number))
            lines.append(*std::move(line));
        if (lines.size() >= kMostConfigLines) {
            lines.last().mistake = u"the file has too many lines"_s;
            break;
        }
    }
    return lines;
}

bool matchesSshPattern(QStringView text, QStringView pattern)
{
    qsizetype t = 0;
    qsizetype p = 0;
    qsizetype star = -1;
    qsizetype resume = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == u'*') {
            star = p++;
            resume = t;
        } else if (p < pattern.size() && (pattern[p] == u'?' || pattern[p] == text[t])) {
            ++p;
            ++t;
        } else if (star >= 0) {
            // The last star takes one more; those before it need not be asked again.
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == u'*')
        ++p;
    return p == pattern.size();
}

bool matchesSshPatterns(QStringView text, QStringView list, PatternCase patternCase)
{
    bool matched = false;
    const QString lowered = patternCase == PatternCase::Lowered ? list.toString().toLower() : QString();
    const QStringView patterns = patternCase == PatternCase::Lowered ? QStringView(lowered) : list;
    for (QStringView pattern : patterns.tokenize(u',')) {
        const bool negated = pattern.startsWith(u'!');
        if (negated)
            pattern = pattern.sliced(1);
        if (!matchesSshPattern(text, pattern))
            continue;
        if (negated)
            return false;
        matched = true;
    }
    return matched;
}

} // namespace Sandpiper
