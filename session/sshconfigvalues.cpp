#include "session/sshconfigvalues.h"

#include "session/sshdestination.h"

#include <algorithm>
#include <limits>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype kMostFiles = 100;    // as ssh has it
constexpr qsizetype kMostForwards = 100;
constexpr qsizetype kMostVariables = 1024;

template <typename T>
struct Word
{
    QLatin1StringView name;
    T value;
};

template <typename T, size_t N>
std::optional<T> oneOf(const Word<T> (&words)[N], const QString &text)
{
    for (const Word<T> &word : words) {
        if (text.compare(word.name, Qt::CaseInsensitive) == 0)
            return word.value;
    }
    return std::nullopt;
}

constexpr Word<bool> kFlags[] = {{"yes"_L1, true}, {"true"_L1, true}, {"no"_L1, false}, {"false"_L1, false}};
constexpr Word<bool> kPubkey[] = {{"yes"_L1, true},  {"true"_L1, true},       {"no"_L1, false},
                                  {"false"_L1, false}, {"unbound"_L1, true}, {"host-bound"_L1, true}};
constexpr Word<SshHostChecking> kChecking[] = {
    {"true"_L1, SshHostChecking::Strict}, {"yes"_L1, SshHostChecking::Strict}, {"false"_L1, SshHostChecking::Off},
    {"no"_L1, SshHostChecking::Off},      {"off"_L1, SshHostChecking::Off},    {"ask"_L1, SshHostChecking::Ask},
    {"accept-new"_L1, SshHostChecking::AcceptNew}};
constexpr Word<SshAddressFamily> kFamilies[] = {
    {"any"_L1, SshAddressFamily::Any}, {"inet"_L1, SshAddressFamily::Inet}, {"inet6"_L1, SshAddressFamily::Inet6}};
constexpr Word<SshTtyWish> kTtys[] = {{"auto"_L1, SshTtyWish::Auto}, {"yes"_L1, SshTtyWish::Yes},
                                      {"true"_L1, SshTtyWish::Yes},  {"no"_L1, SshTtyWish::No},
                                      {"false"_L1, SshTtyWish::No},  {"force"_L1, SshTtyWish::Force}};

// "1h30", "90", "2d"; seconds.
std::optional<qint64> sshTime(const QString &text)
{
    qint64 total = 0;
    qsizetype i = 0;
    if (text.isEmpty())
        return std::nullopt;
    while (i < text.size()) {
        qint64 number = 0;
        const qsizetype begin = i;
        for (; i < text.size() && text[i] >= u'0' && text[i] <= u'9'; ++i) {
            number = number * 10 + text[i].digitValue();
            if (number > std::numeric_limits<int>::max())
                return std::nullopt;
        }
        if (i == begin)
            return std::nullopt;
        if (i < text.size()) {
            switch (text[i].toLower().unicode()) {
            case u's': break;
            case u'm': number *= 60; break;
            case u'h': number *= 3600; break;
            case u'd': number *= 86400; break;
            case u'w': number *= 604800; break;
            default: return std::nullopt;
            }
            ++i;
        }
        total += number;
        if (total > std::numeric_limits<int>::max())
            return std::nullopt;
    }
    return total;
}

class Setter
{
public:
    Setter(const SshConfigLine &line, SshWritten &written)
        : m_line(line)
        , m_written(written)
        , m_values(written.values)
    {
    }

    SshApplied apply();

private:
    void refuse(const QString &why) { m_result.mistake = why; }
    [[nodiscard]] QString only()
    {
        if (m_line.arguments.isEmpty() || m_line.arguments.constFirst().isEmpty()) {
            refuse(u"a value is missing"_s);
            return {};
        }
        if (m_line.arguments.size() > 1)
            refuse(u"there is more behind the value"_s);
        return m_line.arguments.constFirst();
    }
    template <typename T>
    void first(std::optional<T> &slot, const T &value)
    {
        if (slot || !m_result.mistake.isEmpty())
            return;
        slot = value;
        m_result.took = true;
    }
    void text(QString &slot)
    {
        const QString value = only();
        if (!slot.isEmpty() || !m_result.mistake.isEmpty())
            return;
        slot = value;
        m_result.took = true;
    }
    void text(std::optional<QString> &slot) { first(slot, only()); }
    template <typename T, size_t N>
    void word(std::optional<T> &slot, const Word<T> (&words)[N])
    {
        const std::optional<T> value = oneOf(words, only());
        if (!value)
            return refuse(u"'%1' is not among what can stand here"_s.arg(m_line.rest));
        first(slot, *value);
    }
    void time(std::optional<std::chrono::seconds> &slot);
    void number(std::optional<int> &slot);
    void file(QStringList &list);
    void files(std::optional<QStringList> &slot);
    void command(std::optional<QString> &slot);
    void jump();
    void sendEnv();
    void setEnv();
    void forward(ForwardSpec::Kind kind);
    void permitRemoteOpen();
    void octal(std::optional<int> &slot);
    void addKeys();
    void algorithms(QString &slot);

    const SshConfigLine &m_line;
    SshWritten &m_written;
    SshHostConfig &m_values;
    SshApplied m_result;
};

void Setter::time(std::optional<std::chrono::seconds> &slot)
{
    const QString value = only();
    if (value == "none"_L1)
        return;
    const std::optional<qint64> seconds = sshTime(value);
    if (!seconds)
        return refuse(u"'%1' is no time"_s.arg(value));
    first(slot, std::chrono::seconds(*seconds));
}

void Setter::number(std::optional<int> &slot)
{
    bool ok = false;
    const int value = only().toInt(&ok);
    if (!ok || value < 0)
        return refuse(u"'%1' is no number that can stand here"_s.arg(m_line.rest));
    first(slot, value);
}

void Setter::file(QStringList &list)
{
    const QString name = only();
    if (!m_result.mistake.isEmpty() || list.contains(name))
        return;
    if (list.size() >= kMostFiles)
        return refuse(u"there are more than %1 of these"_s.arg(kMostFiles));
    list.append(name);
    m_result.took = true;
}

void Setter::files(std::optional<QStringList> &slot)
{
    const QStringList &names = m_line.arguments;
    if (names.isEmpty() || names.contains(QString()))
        return refuse(u"a file name is missing"_s);
    if (names.size() > 1 && names.contains("none"_L1, Qt::CaseInsensitive))
        return refuse(u"\"none\" must stand alone"_s);
    if (names.size() > 32)
        return refuse(u"there are too many files"_s);
    first(slot, names.constFirst().compare("none"_L1, Qt::CaseInsensitive) == 0 ? QStringList() : names);
}

void Setter::command(std::optional<QString> &slot)
{
    first(slot, m_line.rest);
}

void Setter::jump()
{
    // The first word counts, quotes and all.
    QString value = m_line.rest;
    for (qsizetype i = 0; i < value.size(); ++i) {
        if (value[i].isSpace())
            value.truncate(i);
    }
    const bool isNone = value.compare("none"_L1, Qt::CaseInsensitive) == 0;
    if (!isNone && !sshJumpHops(value))
        return refuse(u"'%1' is no list of hosts"_s.arg(value));
    // Whichever of ProxyJump and ProxyCommand comes first counts.
    if (!m_values.proxyCommand)
        first(m_written.jumpHost, isNone ? u"none"_s : value);
}

void Setter::sendEnv()
{
    if (m_line.arguments.isEmpty())
        return refuse(u"a name is missing"_s);
    QStringList names = m_values.sendEnv;
    for (const QString &argument : m_line.arguments) {
        if (argument.isEmpty() || argument.contains(u'='))
            return refuse(u"'%1' is no name of a variable"_s.arg(argument));
        if (argument.startsWith(u'-'))
            names.removeIf([&](const QString &name) { return matchesSshPattern(name, QStringView(argument).sliced(1)); });
        else
            names.append(argument);
    }
    if (names.size() > kMostVariables)
        return refuse(u"there are too many variables"_s);
    m_result.took = names != m_values.sendEnv;
    m_values.sendEnv = names;
}

void Setter::setEnv()
{
    if (m_line.arguments.isEmpty())
        return refuse(u"NAME=VALUE is missing"_s);
    QList<std::pair<QString, QString>> pairs;
    for (const QString &argument : m_line.arguments) {
        const qsizetype equals = argument.indexOf(u'=');
        if (equals < 1)
            return refuse(u"'%1' is not NAME=VALUE"_s.arg(argument));
        const QString name = argument.first(equals);
        const bool isThere = std::any_of(pairs.cbegin(), pairs.cend(), [&](const auto &pair) { return pair.first == name; });
        if (!isThere)
            pairs.append({name, argument.sliced(equals + 1)});
    }
    if (pairs.size() > kMostVariables)
        return refuse(u"there are too many variables"_s);
    // The first line that says any counts.
    if (!m_values.setEnv.isEmpty())
        return;
    m_values.setEnv = pairs;
    m_result.took = true;
}

void Setter::forward(ForwardSpec::Kind kind)
{
    const Result<ForwardSpec> spec = parseForwardWords(kind, m_line.arguments);
    if (!spec)
        return refuse(spec.error().detail);
    if (m_values.forwards.contains(*spec))
        return;
    if (m_values.forwards.size() >= kMostForwards)
        return refuse(u"there are more than %1 forwards"_s.arg(kMostForwards));
    m_values.forwards.append(*spec);
    m_result.took = true;
}

void Setter::permitRemoteOpen()
{
    if (m_line.arguments.isEmpty())
        return refuse(u"a place is missing"_s);
    for (const QString &argument : m_line.arguments) {
        if (argument.compare("any"_L1, Qt::CaseInsensitive) == 0 || argument.compare("none"_L1, Qt::CaseInsensitive) == 0) {
            if (m_line.arguments.size() > 1)
                return refuse(u"'%1' stands alone"_s.arg(argument));
            continue;
        }
        const qsizetype colon = argument.lastIndexOf(u':');
        const QString port = argument.sliced(colon + 1);
        if (colon < 1 || (port != "*"_L1 && !sshPort(port)))
            return refuse(u"'%1' is not HOST:PORT"_s.arg(argument));
    }
    first(m_written.permitRemoteOpen, m_line.arguments);
}

void Setter::octal(std::optional<int> &slot)
{
    bool ok = false;
    const int value = only().toInt(&ok, 8);
    if (!ok || value < 0 || value > 0777)
        return refuse(u"'%1' is no octal number up to 0777"_s.arg(m_line.rest));
    first(slot, value);
}

void Setter::addKeys()
{
    QStringList words;
    for (const QString &argument : m_line.arguments) {
        const QString word = argument.toLower();
        if (const std::optional<bool> flag = oneOf(kFlags, word); flag && words.isEmpty() && m_line.arguments.size() == 1)
            words.append(*flag ? u"yes"_s : u"no"_s);
        else if (word == "ask"_L1 && m_line.arguments.size() == 1)
            words.append(word);
        else if (word == "confirm"_L1 && words.isEmpty())
            words.append(word);
        else if (const std::optional<qint64> seconds = sshTime(word); seconds && words.size() < 2)
            words.append(QString::number(*seconds));
        else
            return refuse(u"'%1' is not among what can stand here"_s.arg(argument));
    }
    if (words.isEmpty())
        return refuse(u"a value is missing"_s);
    if (!m_values.addKeysToAgent.isEmpty())
        return;
    m_values.addKeysToAgent = words.join(u' ');
    m_result.took = true;
}

void Setter::algorithms(QString &slot)
{
    // Which names there are depends on the library; which characters they have does not.
    const QString list = only();
    for (const QChar c : list) {
        if (c.unicode() < 0x21 || c.unicode() > 0x7e)
            return refuse(u"'%1' is no list of algorithms"_s.arg(list));
    }
    text(slot);
}

SshApplied Setter::apply()
{
    using enum SshKeyword;
    using Kind = ForwardSpec::Kind;
    switch (m_line.keyword) {
    case IgnoreUnknown: text(m_written.ignoreUnknown); break;
    case Tag: text(m_written.tag); break;
    case HostName: text(m_written.hostName); break;
    case Port:
        if (const std::optional<quint16> port = sshPort(only()))
            first(m_written.port, *port);
        else
            refuse(u"'%1' is no port"_s.arg(m_line.rest));
        break;
    case User: text(m_written.user); break;
    case IdentityFile: file(m_values.identityFiles); break;
    case CertificateFile: file(m_values.certificateFiles); break;
    case IdentityAgent: text(m_values.identityAgent); break;
    case IdentitiesOnly: word(m_values.identitiesOnly, kFlags); break;
    case ProxyJump: jump(); break;
    case ProxyCommand:
        if (!m_written.jumpHost || *m_written.jumpHost == "none"_L1)
            command(m_values.proxyCommand);
        break;
    case HostKeyAlias: text(m_written.hostKeyAlias); break;
    case UserKnownHostsFile: files(m_values.userKnownHostsFiles); break;
    case GlobalKnownHostsFile: files(m_values.globalKnownHostsFiles); break;
    case StrictHostKeyChecking: word(m_values.hostChecking, kChecking); break;
    case ServerAliveInterval: time(m_values.serverAliveInterval); break;
    case ServerAliveCountMax: number(m_values.serverAliveCountMax); break;
    case ForwardAgent: text(m_written.agentForward); break;
    case LocalForward: forward(Kind::Local); break;
    case RemoteForward: forward(Kind::Remote); break;
    case DynamicForward: forward(Kind::Dynamic); break;
    case GatewayPorts: word(m_written.gatewayPorts, kFlags); break;
    case ExitOnForwardFailure: word(m_written.exitOnForwardFailure, kFlags); break;
    case ClearAllForwardings: word(m_written.clearAllForwardings, kFlags); break;
    case StreamLocalBindMask: octal(m_written.streamLocalBindMask); break;
    case StreamLocalBindUnlink: word(m_written.streamLocalBindUnlink, kFlags); break;
    case PermitRemoteOpen: permitRemoteOpen(); break;
    case SendEnv: sendEnv(); break;
    case SetEnv: setEnv(); break;
    case RemoteCommand: command(m_written.remoteCommand); break;
    case RequestTty: word(m_written.requestTty, kTtys); break;
    case Ciphers: algorithms(m_values.ciphers); break;
    case KexAlgorithms: algorithms(m_values.kexAlgorithms); break;
    case Macs: algorithms(m_values.macs); break;
    case HostKeyAlgorithms: algorithms(m_values.hostKeyAlgorithms); break;
    case PubkeyAcceptedAlgorithms: algorithms(m_values.pubkeyAcceptedAlgorithms); break;
    case ConnectTimeout: time(m_values.connectTimeout); break;
    case AddressFamily: word(m_written.addressFamily, kFamilies); break;
    case BindAddress: text(m_written.bindAddress); break;
    case Compression: word(m_written.compression, kFlags); break;
    case AddKeysToAgent: addKeys(); break;
    case PreferredAuthentications: text(m_written.preferredAuthentications); break;
    case PubkeyAuthentication: word(m_written.pubkeyAuthentication, kPubkey); break;
    case PasswordAuthentication: word(m_written.passwordAuthentication, kFlags); break;
    case KbdInteractiveAuthentication: word(m_written.kbdInteractiveAuthentication, kFlags); break;
    case Host:
    case Match:
    case Include:
    case Meaningless:
    case NotDone:
    case Unknown: break;
    }
    return m_result;
}

} // namespace

SshApplied applySshSetting(const SshConfigLine &line, SshWritten &written)
{
    return Setter(line, written).apply();
}

} // namespace Sandpiper
