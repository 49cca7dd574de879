#include "session/forwardspec.h"

#include "session/sshdestination.h"

#include <QFile>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

using Kind = ForwardSpec::Kind;
using End = ForwardSpec::End;

constexpr qsizetype kMostOfASpec = 2048; // two socket paths and two names are shorter
constexpr qsizetype kMostOfAHost = 255;
constexpr qsizetype kMostFields = 4;

struct Field
{
    QString text;
    bool isPath = false;
    qsizetype at = 0; // in the whole
};

// As parse_fwd_field() of OpenSSH has it: a slash makes a path of a field, brackets take it as it is.
// Nothing: a bracket is not closed, a backslash stands at the end, or there are too many; at says where.
std::optional<QList<Field>> fieldsOf(QStringView whole, qsizetype &at)
{
    QList<Field> fields;
    QStringView text = whole;
    while (!text.isEmpty()) {
        at = whole.size() - text.size();
        if (fields.size() == kMostFields)
            return std::nullopt;
        Field field;
        field.at = at;
        qsizetype i = 0;
        if (text.front() == u'[') {
            const qsizetype close = text.indexOf(u']');
            if (close < 0 || (close + 1 < text.size() && text[close + 1] != u':'))
                return std::nullopt;
            field.text = text.sliced(1, close - 1).toString();
            field.isPath = field.text.contains(u'/');
            i = close + 1;
        } else {
            for (; i < text.size() && text[i] != u':'; ++i) {
                const bool isEscaped = text[i] == u'\\';
                if (isEscaped && ++i == text.size()) {
                    at = whole.size() - 1;
                    return std::nullopt;
                }
                field.isPath |= text[i] == u'/' && !isEscaped;
                field.text += text[i];
            }
        }
        fields.append(field);
        text = i < text.size() ? text.sliced(i + 1) : QStringView();
    }
    return fields;
}

QString shapeOf(Kind kind)
{
    switch (kind) {
    case Kind::Local: return u"[address:]port:host:hostport, with a socket's path in the place of either end where wanted"_s;
    case Kind::Remote:
    case Kind::RemoteDynamic:
        return u"[address:]port:host:hostport, with a socket's path in the place of either end where wanted, or [address:]port"_s;
    case Kind::Dynamic: return u"[address:]port"_s;
    }
    Q_UNREACHABLE_RETURN({});
}

class Reading
{
public:
    Reading(Kind kind, const QString &name, const QString &text)
        : m_kind(kind)
        , m_name(name)
        , m_text(text)
    {
    }

    Result<ForwardSpec> run();
    // After a mistake.
    [[nodiscard]] qsizetype mistakeAt() const { return m_at; }

private:
    [[nodiscard]] std::unexpected<Error> mistake(qsizetype at, const QString &why)
    {
        m_at = at;
        return failure(ErrorKind::InvalidInput, Layer::Ssh, u"%1 %2"_s.arg(m_name, why));
    }
    [[nodiscard]] std::unexpected<Error> notThis(qsizetype at)
    {
        return mistake(at, u"must be %1, not '%2'"_s.arg(shapeOf(m_kind), tamed(m_text, 80)));
    }
    [[nodiscard]] Result<quint16> port(const Field &field, bool mayBeAny);
    [[nodiscard]] Result<End> place(const Field *address, const Field &port, bool mayBeAny);
    [[nodiscard]] Result<End> path(const Field &field);
    [[nodiscard]] Result<End> target(const QList<Field> &fields);

    Kind m_kind;
    const QString &m_name;
    const QString &m_text;
    qsizetype m_at = 0;
};

Result<quint16> Reading::port(const Field &field, bool mayBeAny)
{
    if (field.text == "0"_L1 && mayBeAny)
        return quint16(0);
    if (const std::optional<quint16> number = sshPort(field.text))
        return *number;
    return mistake(field.at, u"needs a port from %1 to 65535, not '%2'"_s.arg(mayBeAny ? 0 : 1).arg(tamed(field.text, 40)));
}

Result<End> Reading::place(const Field *address, const Field &portField, bool mayBeAny)
{
    End end;
    const Result<quint16> number = port(portField, mayBeAny);
    if (!number)
        return std::unexpected(number.error());
    end.port = *number;
    if (!address)
        return end;
    end.address = address->text;
    const bool isName = address->text.size() <= kMostOfAHost && !address->text.startsWith(u'-')
            && std::ranges::none_of(address->text, [](QChar c) { return c.isSpace() || c == u'/' || c == u'\\' || c == u'[' || c == u']'; });
    if (!isName)
        return mistake(address->at, u"needs a host name or an address, not '%1'"_s.arg(tamed(address->text, 60)));
    return end;
}

Result<End> Reading::path(const Field &field)
{
    if (QFile::encodeName(field.text).size() > kMostSocketPath)
        return mistake(field.at, u"needs a shorter path for its socket: at most %1 bytes, not '%2…'"_s.arg(kMostSocketPath).arg(tamed(field.text, 40)));
    return End{{}, 0, field.text};
}

Result<End> Reading::target(const QList<Field> &fields)
{
    if (fields.size() == 1 && fields[0].isPath)
        return path(fields[0]);
    if (fields.size() == 1)
        return notThis(m_text.size());
    if (fields.size() != 2 || fields[0].isPath)
        return notThis(fields[fields[0].isPath ? 1 : 2].at);
    if (fields[0].text.isEmpty())
        return notThis(fields[0].at);
    return place(&fields[0], fields[1], false);
}

Result<ForwardSpec> Reading::run()
{
    const auto control = std::ranges::find_if(m_text, [](QChar c) { return c.category() == QChar::Other_Control; });
    if (m_text.size() > kMostOfASpec || control != m_text.cend())
        return notThis(control - m_text.cbegin());
    const QStringView text = QStringView(m_text).trimmed();
    const qsizetype before = text.isEmpty() ? 0 : text.data() - m_text.constData();
    qsizetype wrongAt = 0;
    std::optional<QList<Field>> fields = fieldsOf(text, wrongAt);
    if (!fields || fields->isEmpty())
        return notThis(before + wrongAt);
    for (Field &field : *fields)
        field.at += before;
    ForwardSpec spec;
    spec.kind = m_kind;
    // How many of them are the end that listens: what is left is the target.
    qsizetype own = 0;
    if (fields->at(0).isPath)
        own = 1;
    else if (const qsizetype size = fields->size(); size == 1 || (size == 2 && fields->at(1).isPath) || (size == 3 && !fields->at(2).isPath))
        own = 1;
    else
        own = 2;
    const QList<Field> targetFields = fields->sliced(own);
    if (fields->at(0).isPath) {
        const Result<End> listen = path(fields->at(0));
        if (!listen)
            return std::unexpected(listen.error());
        spec.listen = *listen;
    } else {
        const Result<End> listen = place(own == 2 ? &fields->at(0) : nullptr, fields->at(own - 1), true);
        if (!listen)
            return std::unexpected(listen.error());
        spec.listen = *listen;
    }
    if (targetFields.isEmpty() && m_kind == Kind::Remote)
        spec.kind = Kind::RemoteDynamic;
    if (hasTarget(spec.kind) == targetFields.isEmpty())
        return notThis(targetFields.isEmpty() ? m_text.size() : targetFields.constFirst().at);
    if (!hasTarget(spec.kind))
        return spec;
    const Result<End> found = target(targetFields);
    if (!found)
        return std::unexpected(found.error());
    spec.target = *found;
    return spec;
}

// In brackets, or with backslashes where these are of no use.
QString fieldText(const QString &text)
{
    if (!text.contains(u':') && !text.contains(u'\\') && !text.startsWith(u'['))
        return text;
    if (!text.contains(u']'))
        return u'[' + text + u']';
    QString escaped;
    for (const QChar c : text) {
        if (c == u':' || c == u'\\' || (c == u'[' && escaped.isEmpty()))
            escaped += u'\\';
        escaped += c;
    }
    return escaped;
}

} // namespace

Result<ForwardSpec> parseForward(Kind option, const QString &text, qsizetype *mistakeAt)
{
    const QString name = forwardOption(option);
    Reading reading(option, name, text);
    Result<ForwardSpec> spec = reading.run();
    if (!spec && mistakeAt)
        *mistakeAt = reading.mistakeAt();
    return spec;
}

QString forwardCaret(const QString &text, qsizetype mistakeAt)
{
    // One column for each character, and all of them in a line.
    const bool isShown = text.size() <= 100 && std::ranges::all_of(text, [](QChar c) { return c >= u' ' && c <= u'~'; });
    return isShown ? u"  "_s + text + u"\n  "_s + QString(mistakeAt, u' ') + u'^' : QString();
}

Result<ForwardSpec> parseForwardWords(Kind keyword, const QStringList &words)
{
    const QString name = keyword == Kind::Local ? u"LocalForward"_s : keyword == Kind::Dynamic ? u"DynamicForward"_s : u"RemoteForward"_s;
    const auto mistake = [&](const QString &why) { return failure(ErrorKind::InvalidInput, Layer::Ssh, name + u' ' + why); };
    if (words.isEmpty() || words.constFirst().isEmpty())
        return mistake(u"needs a port"_s);
    if (words.size() > (hasTarget(keyword) ? 2 : 1))
        return mistake(u"takes nothing more behind '%1'"_s.arg(words.at(hasTarget(keyword) ? 1 : 0)));
    if (keyword == Kind::Local && (words.size() == 1 || words.at(1).isEmpty()))
        return mistake(u"needs the place to forward to behind '%1'"_s.arg(words.constFirst()));
    // ssh puts them together too, and takes them apart at the colons.
    Result<ForwardSpec> spec = Reading(keyword, name, words.join(u':')).run();
    if (!spec)
        return spec;
    if (words.size() == 2 && spec->kind == Kind::RemoteDynamic)
        return mistake(u"needs a place to forward to, not '%1'"_s.arg(words.at(1)));
    if (spec->listen.path.isEmpty() && spec->listen.port == 0 && listensHere(keyword))
        return mistake(u"needs a port from 1 to 65535, not '0'"_s);
    return spec;
}

bool permitsRemoteTarget(const ForwardRules &rules, const QString &host, quint16 port)
{
    const auto permits = [&](const QString &word) {
        if (word.compare("any"_L1, Qt::CaseInsensitive) == 0)
            return true;
        const qsizetype colon = word.lastIndexOf(u':');
        QStringView name = QStringView(word).first(std::max<qsizetype>(0, colon));
        if (name.startsWith(u'[') && name.endsWith(u']'))
            name = name.sliced(1, name.size() - 2);
        const QStringView number = QStringView(word).sliced(colon + 1);
        return (name == u'*' || name == host) && (number == u'*' || number == QString::number(port));
    };
    return !rules.remoteTargets || std::ranges::any_of(*rules.remoteTargets, permits);
}

QString forwardOption(Kind kind)
{
    switch (kind) {
    case Kind::Local: return u"-L"_s;
    case Kind::Remote:
    case Kind::RemoteDynamic: return u"-R"_s;
    case Kind::Dynamic: return u"-D"_s;
    }
    Q_UNREACHABLE_RETURN({});
}

QString forwardEndText(const End &end)
{
    if (!end.path.isEmpty())
        return fieldText(end.path);
    return (end.address ? fieldText(*end.address) + u':' : QString()) + QString::number(end.port);
}

QString forwardText(const ForwardSpec &spec)
{
    return forwardEndText(spec.listen) + (hasTarget(spec.kind) ? u':' + forwardEndText(spec.target) : QString());
}

QString forwardArgument(const ForwardSpec &spec)
{
    return forwardOption(spec.kind) + u' ' + forwardText(spec);
}

QString keyOf(ForwardWay way)
{
    switch (way) {
    case ForwardWay::Automatic: return u"auto"_s;
    case ForwardWay::Ssh: return u"ssh"_s;
    case ForwardWay::Tunnel: return u"tunnel"_s;
    case ForwardWay::Bridge: return u"bridge"_s;
    }
    Q_UNREACHABLE_RETURN({});
}

std::optional<ForwardWay> forwardWayOf(const QString &key)
{
    for (const ForwardWay way : {ForwardWay::Automatic, ForwardWay::Ssh, ForwardWay::Tunnel, ForwardWay::Bridge}) {
        if (key == keyOf(way))
            return way;
    }
    return std::nullopt;
}

QString forwardFailure(const ForwardSpec &spec, const Error &error)
{
    return tamed(u"The forward %1 failed: %2."_s.arg(forwardArgument(spec),
                                                       error.detail.isEmpty() ? nameOf(error.kind) : error.detail));
}

} // namespace Sandpiper
