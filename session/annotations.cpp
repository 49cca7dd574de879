#include "session/annotations.h"

#include <QCoreApplication>
#include <QJsonObject>
#include <QSet>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// Also what a file of somebody else's making cannot make the window hold or draw more than.
constexpr qsizetype mostSandboxes = 10'000;
constexpr qsizetype mostLabels = 20;
constexpr qsizetype longestLabel = 40;
constexpr qsizetype longestGroup = 60;
constexpr qsizetype longestNote = 2000;

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

Annotations::Annotations(const QString &file, QObject *parent)
    : QObject(parent)
    , m_file(file, u"annotations"_s)
{
    m_annotations = parsed(m_file.load([](const QJsonArray &items) { return parsed(items).size() == items.size(); }));
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
    QHash<SandboxId, Annotation> all;
    const Done saved = m_file.change([&](const std::optional<QJsonArray> &now) -> Result<QJsonArray> {
        all = now ? parsed(*now) : m_annotations;
        for (const auto &[id, given] : fresh.asKeyValueRange()) {
            const Annotation annotation = tidied(given);
            if (const Done good = checkAnnotation(annotation); !good)
                return std::unexpected(good.error());
            if (annotation.isEmpty())
                all.remove(id);
            else
                all.insert(id, annotation);
        }
        if (all.size() > mostSandboxes)
            return failure(ErrorKind::TooLarge, Layer::LocalDisk, u"too many sandboxes with labels or notes"_s);
        QList<std::pair<QString, QJsonObject>> sorted;
        for (const auto &[id, annotation] : all.asKeyValueRange())
            sorted.append({id.toString(), toJson(id, annotation)});
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
    if (!touched.isEmpty())
        emit changed(touched.values());
    return {};
}

} // namespace Sandpiper
