#include "session/annotations.h"

#include "session/providers/sshhosts.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QJsonObject>
#include <QLoggingCategory>
#include <QSet>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

static Q_LOGGING_CATEGORY(lcAnnotations, "sandpiper.session.annotations", QtInfoMsg)

namespace {

// Also what a file of somebody else's making cannot make the window hold or draw more than.
constexpr qsizetype mostSandboxes = 10'000;
constexpr qsizetype mostLabels = 20;
constexpr qsizetype longestLabel = 40;
constexpr qsizetype longestGroup = 60;
constexpr qsizetype longestNote = 2000;
constexpr int daysUntilForgotten = 30;
constexpr auto missingSince = "missingSince"_L1;

bool isPlain(const QString &text, qsizetype most)
{
    return text.size() <= most && text == tamed(text, most);
}

// A line may be indented and have blanks in a row; what it may not have are controls and overrides.
bool isPlainNote(const QString &note)
{
    return std::ranges::none_of(note, [](QChar c) {
        return c != u'\n' && c != u'\t' && (c.category() == QChar::Other_Control || c.category() == QChar::Other_Format);
    });
}

QJsonObject toJson(const SandboxId &id, const Annotation &annotation)
{
    return {{u"sandbox"_s, id.toString()},
            {u"favourite"_s, annotation.isFavourite},
            {u"group"_s, annotation.group},
            {u"labels"_s, QJsonArray::fromStringList(annotation.labels)},
            {u"note"_s, annotation.note}};
}

QHash<SandboxId, Annotation> parsed(const QJsonArray &items)
{
    QHash<SandboxId, Annotation> annotations;
    for (const QJsonValue &item : items) {
        const QJsonObject json = item.toObject();
        const std::optional<SandboxId> id = SandboxId::parse(json.value("sandbox"_L1).toString());
        Annotation annotation{json.value("favourite"_L1).toBool(), json.value("group"_L1).toString(), {}, json.value("note"_L1).toString()};
        for (const QJsonValue &label : json.value("labels"_L1).toArray())
            annotation.labels.append(label.toString());
        annotation = tidied(annotation);
        if (id && !annotation.isEmpty() && checkAnnotation(annotation) && annotations.size() < mostSandboxes)
            annotations.insert(*id, annotation);
    }
    return annotations;
}

QHash<SandboxId, QDate> parsedMissing(const QJsonArray &items, const QHash<SandboxId, Annotation> &annotations)
{
    QHash<SandboxId, QDate> missing;
    for (const QJsonValue &item : items) {
        const QDate since = QDate::fromString(item.toObject().value(missingSince).toString(), Qt::ISODate);
        const std::optional<SandboxId> id = SandboxId::parse(item.toObject().value("sandbox"_L1).toString());
        if (since.isValid() && id && annotations.contains(*id))
            missing.insert(*id, since);
    }
    return missing;
}

void sortByCase(QStringList &texts)
{
    std::ranges::sort(texts, [](const QString &a, const QString &b) {
        const int order = a.compare(b, Qt::CaseInsensitive);
        return order != 0 ? order < 0 : a < b;
    });
    const auto same = std::ranges::unique(texts, [](const QString &a, const QString &b) { return a.compare(b, Qt::CaseInsensitive) == 0; });
    texts.erase(same.begin(), same.end());
}

} // namespace

Annotation tidied(Annotation annotation)
{
    annotation.group = annotation.group.trimmed();
    QStringList labels;
    for (QString label : std::as_const(annotation.labels)) {
        label = label.trimmed();
        while (label.startsWith(u'#'))
            label = label.sliced(1).trimmed();
        if (!label.isEmpty() && !labels.contains(label, Qt::CaseInsensitive))
            labels.append(label);
    }
    annotation.labels = labels;
    annotation.note.replace("\r\n"_L1, "\n"_L1);
    // Blanks before the first line belong to it; empty lines around the whole do not.
    while (annotation.note.startsWith(u'\n'))
        annotation.note.removeFirst();
    while (!annotation.note.isEmpty() && annotation.note.back().isSpace())
        annotation.note.chop(1);
    return annotation;
}

QStringList labelsFromText(const QString &text)
{
    return tidied({false, {}, text.split(u','), {}}).labels;
}

Done checkAnnotation(const Annotation &annotation)
{
    const auto refused = [](const char *why) {
        return failure(ErrorKind::InvalidInput, Layer::LocalDisk, QCoreApplication::translate("Annotations", why));
    };
    if (!isPlain(annotation.group, longestGroup))
        return refused(QT_TRANSLATE_NOOP("Annotations", "A group's name is one line of at most 60 plain characters."));
    for (const QString &label : annotation.labels) {
        if (label.isEmpty() || label.contains(u',') || !isPlain(label, longestLabel))
            return refused(QT_TRANSLATE_NOOP("Annotations", "A label is one line of at most 40 plain characters, without a comma."));
    }
    if (annotation.labels.size() > mostLabels)
        return refused(QT_TRANSLATE_NOOP("Annotations", "There can be at most 20 labels."));
    if (annotation.note.size() > longestNote)
        return refused(QT_TRANSLATE_NOOP("Annotations", "A note has at most 2,000 characters."));
    if (!isPlainNote(annotation.note))
        return refused(QT_TRANSLATE_NOOP("Annotations", "The note has control characters, which cannot be kept."));
    return {};
}

Annotations::Annotations(const QString &file, std::function<QDate()> today, QObject *parent)
    : QObject(parent)
    , m_file(file, u"annotations"_s)
    , m_today(today ? std::move(today) : [] { return QDateTime::currentDateTimeUtc().date(); })
{
    const QJsonArray items = m_file.load([](const QJsonArray &all) { return parsed(all).size() == all.size(); });
    m_annotations = parsed(items);
    m_missing = parsedMissing(items, m_annotations);
}

QStringList Annotations::groups() const
{
    QStringList all;
    for (const Annotation &one : m_annotations) {
        if (!one.group.isEmpty())
            all.append(one.group);
    }
    sortByCase(all);
    return all;
}

QStringList Annotations::labels() const
{
    QStringList all;
    for (const Annotation &one : m_annotations)
        all += one.labels;
    sortByCase(all);
    return all;
}

Done Annotations::set(const QHash<SandboxId, Annotation> &fresh)
{
    return change([&](QHash<SandboxId, Annotation> &all, Missing &) -> Done {
        for (const auto &[id, given] : fresh.asKeyValueRange()) {
            const Annotation annotation = tidied(given);
            if (const Done good = checkAnnotation(annotation); !good)
                return good;
            if (annotation.isEmpty())
                all.remove(id);
            else
                all.insert(id, annotation);
        }
        if (all.size() > mostSandboxes)
            return failure(ErrorKind::TooLarge, Layer::LocalDisk, u"too many sandboxes with labels or notes"_s);
        return {};
    });
}

void Annotations::listed(const QString &vendor, const QString &account, const std::function<bool(const SandboxId &)> &isThere)
{
    if (vendor == sshVendorId())
        return;
    const QDate today = m_today();
    enum class Step { Keep, Miss, Find, Forget };
    const auto stepOf = [&](const SandboxId &id, const QDate &since) {
        if (id.vendor != vendor || id.account != account)
            return Step::Keep;
        if (isThere(id))
            return since.isValid() ? Step::Find : Step::Keep;
        if (!since.isValid() || since > today) // the clock was wrong
            return Step::Miss;
        return since.daysTo(today) >= daysUntilForgotten ? Step::Forget : Step::Keep;
    };
    // Lists come every few seconds: the file is touched where there is something to say only.
    const auto hasNews = [&](const auto &one) { return stepOf(one.first, m_missing.value(one.first)) != Step::Keep; };
    const auto known = m_annotations.asKeyValueRange();
    if (std::none_of(known.begin(), known.end(), hasNews))
        return;
    const Done saved = change([&](QHash<SandboxId, Annotation> &all, Missing &missing) -> Done {
        const QList<SandboxId> every = all.keys();
        for (const SandboxId &id : every) {
            switch (stepOf(id, missing.value(id))) {
            case Step::Keep: break;
            case Step::Miss: missing.insert(id, today); break;
            case Step::Find: missing.remove(id); break;
            case Step::Forget: all.remove(id); break;
            }
        }
        return {};
    });
    if (!saved)
        qCWarning(lcAnnotations).noquote() << describe(saved.error());
}

Done Annotations::change(const std::function<Done(QHash<SandboxId, Annotation> &all, Missing &missing)> &edit)
{
    QHash<SandboxId, Annotation> all;
    Missing missing;
    const Done saved = m_file.change([&](const std::optional<QJsonArray> &now) -> Result<QJsonArray> {
        all = now ? parsed(*now) : m_annotations;
        missing = now ? parsedMissing(*now, all) : m_missing;
        if (const Done done = edit(all, missing); !done)
            return std::unexpected(done.error());
        missing.removeIf([&](const auto &one) { return !all.contains(one.key()); });
        QList<std::pair<QString, QJsonObject>> sorted;
        for (const auto &[id, annotation] : all.asKeyValueRange()) {
            QJsonObject item = toJson(id, annotation);
            if (const auto since = missing.constFind(id); since != missing.cend())
                item.insert(missingSince, since->toString(Qt::ISODate));
            sorted.append({id.toString(), item});
        }
        // In one order always: a file under version control then shows what was changed.
        std::ranges::sort(sorted, {}, &std::pair<QString, QJsonObject>::first);
        QJsonArray items;
        for (const auto &one : std::as_const(sorted))
            items.append(one.second);
        return items;
    });
    if (!saved)
        return saved;
    // What another program has changed since counts as changed too.
    QSet<SandboxId> touched;
    for (const QHash<SandboxId, Annotation> *side : {&m_annotations, &all}) {
        for (const SandboxId &id : side->keys()) {
            if (m_annotations.value(id) != all.value(id))
                touched.insert(id);
        }
    }
    m_annotations = all;
    m_missing = missing;
    if (!touched.isEmpty())
        emit changed(touched.values());
    return {};
}

} // namespace Sandpiper
