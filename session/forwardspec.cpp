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
};

// As parse_fwd_field() of OpenSSH has it: a slash makes a path of a field, brackets take it as it is.
// Nothing: a bracket is not closed, a backslash stands at the end, or there are too many.
std::optional<QList<Field>> fieldsOf(QStringView text)
{
    QList<Field> fields;
    while (!text.isEmpty()) {
        if (fields.size() == kMostFields)
            return std::nullopt;
        Field field;
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
                if (isEscaped && ++i == text.size())
                    return std::nullopt;
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

private:
    [[nodiscard]] std::unexpected<Error> mistake(const QString &why) const
    {
        return failure(ErrorKind::InvalidInput, Layer::Ssh, u"%1 %2"_s.arg(m_name, why));
    }
    [[nodiscard]] std::unexpected<Error> notThis() const
    {
        return mistake(u"must be %1, not '%2'"_s.arg(shapeOf(m_kind), tamed(m_text, 80)));
    }
    [[nodiscard]] Result<quint16> port(const QString &text, bool mayBeAny) const;
    [[nodiscard]] Result<End> place(const std::optional<QString> &address, const QString &port, bool mayBeAny) const;
    [[nodiscard]] Result<End> path(const QString &text) const;
    [[nodiscard]] Result<End> target(const QList<Field> &fields) const;

    Kind m_kind;
    const QString &m_name;
    const QString &m_text;
};

Result<quint16> Reading::port(const QString &text, bool mayBeAny) const
{
    if (text == "0"_L1 && mayBeAny)
        return quint16(0);
    if (const std::optional<quint16> number = sshPort(text))
        return *number;
    return mistake(u"needs a port from %1 to 65535, not '%2'"_s.arg(mayBeAny ? 0 : 1).arg(tamed(text, 40)));
}

Result<End> Reading::place(const std::optional<QString> &address, const QString &portText, bool mayBeAny) const
{
    End end;
    const Result<quint16> number = port(portText, mayBeAny);
    if (!number)
        return std::unexpected(number.error());
    end.port = *number;
    end.address = address;
    if (!address)
        return end;
    const bool isName = address->size() <= kMostOfAHost && !address->startsWith(u'-')
            && std::ranges::none_of(*address, [](QChar c) { return c.isSpace() || c == u'/' || c == u'\\' || c == u'[' || c == u']'; });
    if (!isName)
        return mistake(u"needs a host name or an address, not '%1'"_s.arg(tamed(*address, 60)));
    return end;
}

Result<End> Reading::path(const QString &text) const
{
    if (QFile::encodeName(text).size() > kMostSocketPath)
        return mistake(u"needs a shorter path for its socket: at most %1 bytes, not '%2…'"_s.arg(kMostSocketPath).arg(tamed(text, 40)));
    return End{{}, 0, text};
}

Result<End> Reading::target(const QList<Field> &fields) const
{
    if (fields.size() == 1 && fields[0].isPath)
        return path(fields[0].text);
    if (fields.size() != 2 || fields[0].isPath || fields[0].text.isEmpty())
        return notThis();
    return place(fields[0].text, fields[1].text, false);
}

Result<ForwardSpec> Reading::run()
{
    const bool isPlain = m_text.size() <= kMostOfASpec
            && std::ranges::none_of(m_text, [](QChar c) { return c.category() == QChar::Other_Control; });
    const std::optional<QList<Field>> fields = isPlain ? fieldsOf(QStringView(m_text).trimmed()) : std::nullopt;
    if (!fields || fields->isEmpty())
        return notThis();
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
        const Result<End> listen = path(fields->at(0).text);
        if (!listen)
            return std::unexpected(listen.error());
        spec.listen = *listen;
    } else {
        const std::optional<QString> address = own == 2 ? std::optional(fields->at(0).text) : std::nullopt;
        const Result<End> listen = place(address, fields->at(own - 1).text, true);
        if (!listen)
            return std::unexpected(listen.error());
        spec.listen = *listen;
    }
    if (targetFields.isEmpty() && m_kind == Kind::Remote)
        spec.kind = Kind::RemoteDynamic;
    if (hasTarget(spec.kind) == targetFields.isEmpty())
        return notThis();
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

Result<ForwardSpec> parseForward(Kind option, const QString &text)
{
    return Reading(option, forwardOption(option), text).run();
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

QString forwardFailure(const ForwardSpec &spec, const Error &error)
{
    return tamed(u"The forward %1 failed: %2."_s.arg(forwardArgument(spec),
                                                       error.detail.isEmpty() ? nameOf(error.kind) : error.detail));
}

} // namespace Sandpiper
