#include "session/forwardwishes.h"

#include "session/keptlist.h"
#include "session/shellquote.h"

#include <QCoreApplication>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>
#include <QUuid>

#include <algorithm>
#include <array>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype kMostWishes = 2'000;
constexpr qsizetype kMostWishName = 80;
constexpr qint64 kMostBytesPerSecond = qint64(1) << 40;
constexpr qsizetype kMostPasted = 64 << 10;   // characters
constexpr qsizetype kMostImported = 4 << 20;  // bytes

QString freshId()
{
    return QUuid::createUuid().toString(QUuid::WithoutBraces);
}

std::optional<ForwardSpec::Kind> kindOfOption(QChar letter)
{
    switch (letter.unicode()) {
    case u'L': return ForwardSpec::Kind::Local;
    case u'R': return ForwardSpec::Kind::Remote;
    case u'D': return ForwardSpec::Kind::Dynamic;
    default: return std::nullopt;
    }
}

std::optional<ForwardSpec::Kind> kindOfKeyword(const QString &word)
{
    const std::array keywords{std::pair{"localforward"_L1, ForwardSpec::Kind::Local}, std::pair{"remoteforward"_L1, ForwardSpec::Kind::Remote},
                              std::pair{"dynamicforward"_L1, ForwardSpec::Kind::Dynamic}};
    for (const auto &[keyword, kind] : keywords) {
        if (word.compare(keyword, Qt::CaseInsensitive) == 0)
            return kind;
    }
    return std::nullopt;
}

QJsonObject wishJson(const ForwardWish &wish)
{
    return {{u"id"_s, wish.id},
            {u"sandbox"_s, wish.sandbox.toString()},
            {u"sandbox_name"_s, wish.sandboxName},
            {u"name"_s, wish.name},
            {u"forward"_s, forwardArgument(wish.spec)},
            {u"on"_s, wish.isOn},
            {u"starts_with_sandpiper"_s, wish.startsWithProgram},
            {u"starts_with_sandbox"_s, wish.startsWithSandbox},
            {u"bytes_per_second"_s, wish.bytesPerSecond},
            {u"way"_s, keyOf(wish.way)}};
}

std::optional<ForwardWish> wishFrom(const QJsonObject &json)
{
    const QString text = json.value("forward"_L1).toString();
    const std::optional<ForwardSpec::Kind> kind = text.size() > 3 && text.startsWith(u'-') && text.at(2) == u' ' ? kindOfOption(text.at(1)) : std::nullopt;
    const std::optional<SandboxId> sandbox = SandboxId::parse(json.value("sandbox"_L1).toString());
    const Result<ForwardSpec> spec = kind ? parseForward(*kind, text.sliced(3)) : Result<ForwardSpec>(std::unexpected(Error{}));
    // Files from before there was a choice do not say it.
    const std::optional<ForwardWay> way = forwardWayOf(json.value("way"_L1).toString(keyOf(ForwardWay::Automatic)));
    if (!sandbox || !spec || !way)
        return std::nullopt;
    ForwardWish wish{json.value("id"_L1).toString(),
                     *sandbox,
                     json.value("sandbox_name"_L1).toString(),
                     json.value("name"_L1).toString(),
                     *spec,
                     json.value("on"_L1).toBool(),
                     json.value("starts_with_sandpiper"_L1).toBool(),
                     json.value("starts_with_sandbox"_L1).toBool(),
                     *way,
                     std::clamp<qint64>(json.value("bytes_per_second"_L1).toInteger(), 0, kMostBytesPerSecond)};
    if (wish.id.isEmpty() || !checkForwardWish(wish))
        return std::nullopt;
    return wish;
}

QList<ForwardWish> wishesFrom(const QJsonArray &items)
{
    QList<ForwardWish> wishes;
    for (const QJsonValue &item : items) {
        const std::optional<ForwardWish> wish = wishFrom(item.toObject());
        if (wish && wishes.size() < kMostWishes && std::ranges::find(wishes, wish->id, &ForwardWish::id) == wishes.end())
            wishes.append(*wish);
    }
    return wishes;
}

// Takes the words of one command line apart as getopt does with ssh's letters.
class CommandWords
{
public:
    Done take(const QStringList &words)
    {
        for (qsizetype i = 0; i < words.size(); ++i) {
            const QString &word = words.at(i);
            if (word == "--"_L1)
                break;
            if (word.size() < 2 || word.front() != u'-')
                continue; // the host, or a command that runs there
            for (qsizetype at = 1; at < word.size(); ++at) {
                static const QString withValue = u"BbcDEeFIiJLlmOoPpQRSWw"_s;
                if (!withValue.contains(word.at(at)))
                    continue;
                const bool isNext = at + 1 == word.size();
                if (isNext && i + 1 == words.size())
                    return failure(ErrorKind::InvalidInput, Layer::Ssh, u"something is missing behind '-%1'"_s.arg(word.at(at)));
                const QString value = isNext ? words.at(++i) : word.sliced(at + 1);
                if (const Done taken = takeOption(word.at(at), value); !taken)
                    return taken;
                break;
            }
        }
        return {};
    }

    QList<ForwardSpec> found;

private:
    Done takeOption(QChar letter, const QString &value)
    {
        if (letter == u'o')
            return takeLine(value);
        const std::optional<ForwardSpec::Kind> kind = kindOfOption(letter);
        if (!kind)
            return {};
        return keep(parseForward(*kind, value));
    }

public:
    // "LocalForward 8080 db:80" or "LocalForward=8080 db:80"; other keywords are passed over.
    Done takeLine(const QString &line)
    {
        const qsizetype end = std::ranges::find_if(line, [](QChar c) { return c.isSpace() || c == u'='; }) - line.cbegin();
        const std::optional<ForwardSpec::Kind> kind = kindOfKeyword(line.first(end));
        if (!kind)
            return {};
        QString rest = line.sliced(end).trimmed();
        if (rest.startsWith(u'='))
            rest = rest.sliced(1);
        const std::optional<QStringList> words = splitWords(rest);
        if (!words)
            return failure(ErrorKind::InvalidInput, Layer::Ssh, u"a quote is left open"_s);
        return keep(parseForwardWords(*kind, *words));
    }

private:
    Done keep(const Result<ForwardSpec> &spec)
    {
        if (!spec)
            return std::unexpected(spec.error());
        found.append(*spec);
        return {};
    }
};

} // namespace

Done checkForwardWish(const ForwardWish &wish)
{
    const auto refused = [&wish](const char *why) {
        return failure(ErrorKind::InvalidInput, Layer::LocalDisk, QCoreApplication::translate("ForwardWishes", why), wish.name);
    };
    if (wish.sandbox.isEmpty())
        return refused(QT_TRANSLATE_NOOP("ForwardWishes", "Choose the sandbox or host that it leads to."));
    if (wish.name.size() > kMostWishName || wish.name != tamed(wish.name, kMostWishName))
        return refused(QT_TRANSLATE_NOOP("ForwardWishes", "The name must be at most 80 plain characters."));
    return {};
}

QString forwardsCommand(const QList<ForwardWish> &wishes, const QString &destination)
{
    QStringList words{u"ssh"_s, u"-N"_s};
    for (const ForwardWish &wish : wishes)
        words << forwardOption(wish.spec.kind) << forwardText(wish.spec);
    return joinWords(words << destination);
}

Result<QList<ForwardSpec>> forwardsIn(const QString &text)
{
    if (text.size() > kMostPasted)
        return failure(ErrorKind::TooLarge, Layer::Ssh, u"that is too long for a command line"_s);
    CommandWords words;
    // A backslash at the end of a line goes on in the next.
    const QStringList lines = QString(text).replace(u"\\\n"_s, u" "_s).split(u'\n');
    for (const QString &raw : lines) {
        const QString line = raw.trimmed();
        if (line.isEmpty() || line.startsWith(u'#'))
            continue;
        const bool isConfig = kindOfKeyword(line.section(QRegularExpression(u"[\\s=]"_s), 0, 0)).has_value();
        const std::optional<QStringList> split = isConfig ? std::optional(QStringList()) : splitWords(line);
        if (!split)
            return failure(ErrorKind::InvalidInput, Layer::Ssh, u"a quote is left open"_s);
        if (const Done taken = isConfig ? words.takeLine(line) : words.take(*split); !taken)
            return std::unexpected(taken.error());
    }
    if (words.found.isEmpty())
        return failure(ErrorKind::InvalidInput, Layer::Ssh, u"there is no forward in it: none of -L, -R, -D, LocalForward, RemoteForward, DynamicForward"_s);
    return words.found;
}

ForwardWishes::ForwardWishes(const QString &file, QObject *parent)
    : QObject(parent)
    , m_file(file, u"forwards"_s)
{
    m_wishes = wishesFrom(m_file.load([](const QJsonArray &items) { return wishesFrom(items).size() == items.size(); }));
}

std::optional<ForwardWish> ForwardWishes::wish(const QString &id) const
{
    const auto it = std::ranges::find(m_wishes, id, &ForwardWish::id);
    return it == m_wishes.cend() ? std::nullopt : std::optional(*it);
}

Done ForwardWishes::change(const std::function<Done(QList<ForwardWish> &)> &edit)
{
    const Done saved = changeKeptList<ForwardWish>(m_file, m_wishes, &wishesFrom, &wishJson, edit);
    if (saved)
        emit changed();
    return saved;
}

Result<QStringList> ForwardWishes::add(const QList<ForwardWish> &fresh)
{
    QStringList ids;
    const Done done = change([&](QList<ForwardWish> &wishes) -> Done {
        if (wishes.size() + fresh.size() > kMostWishes)
            return failure(ErrorKind::TooLarge, Layer::LocalDisk, u"too many forwards"_s);
        for (ForwardWish wish : fresh) {
            if (wish.id.isEmpty())
                wish.id = freshId();
            if (const Done good = checkForwardWish(wish); !good)
                return good;
            ids.append(wish.id);
            wishes.append(wish);
        }
        return {};
    });
    if (!done)
        return std::unexpected(done.error());
    return ids;
}

Done ForwardWishes::update(const QList<ForwardWish> &changedOnes)
{
    return change([&](QList<ForwardWish> &wishes) -> Done {
        for (const ForwardWish &wish : changedOnes) {
            if (const Done good = checkForwardWish(wish); !good)
                return good;
            const auto it = std::ranges::find(wishes, wish.id, &ForwardWish::id);
            if (it == wishes.end())
                return failure(ErrorKind::NotFound, Layer::LocalDisk, {}, wish.name);
            *it = wish;
        }
        return {};
    });
}

Done ForwardWishes::remove(const QStringList &ids)
{
    return change([&ids](QList<ForwardWish> &wishes) -> Done {
        wishes.removeIf([&ids](const ForwardWish &wish) { return ids.contains(wish.id); });
        return {};
    });
}

QByteArray ForwardWishes::exported() const
{
    QJsonArray items;
    for (const ForwardWish &wish : m_wishes)
        items.append(wishJson(wish));
    return QJsonDocument(QJsonObject{{u"sandpiper_forwards"_s, 1}, {u"forwards"_s, items}}).toJson();
}

Result<QList<ForwardWish>> ForwardWishes::imported(const QByteArray &content)
{
    const auto refused = [](const QString &why) { return failure(ErrorKind::InvalidInput, Layer::LocalDisk, why); };
    if (content.size() > kMostImported)
        return refused(u"the file is too large for a list of forwards"_s);
    const QJsonObject json = QJsonDocument::fromJson(content).object();
    if (json.value("sandpiper_forwards"_L1).toInt() != 1)
        return refused(u"the file is no list of forwards of this version of Sandpiper"_s);
    const QJsonArray items = json.value("forwards"_L1).toArray();
    QList<ForwardWish> wishes = wishesFrom(items);
    if (wishes.size() != items.size())
        return refused(u"%1 of its %2 forwards make no sense"_s.arg(items.size() - wishes.size()).arg(items.size()));
    for (ForwardWish &wish : wishes) {
        wish.id = freshId();
        wish.isOn = false;
    }
    return wishes;
}

} // namespace Sandpiper
