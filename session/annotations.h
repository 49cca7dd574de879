// What the user says of sandboxes and SSH hosts: favourite, group, labels, note. It stays on this computer;
// no vendor hears of it. What is said of a vendor's sandbox goes some time after it: see listed().
// One file, annotations.json. GUI thread.
#pragma once

#include "session/keptfile.h"
#include "session/sandbox.h"

#include <QDate>
#include <QObject>
#include <QStringList>

#include <functional>

namespace Sandpiper {

struct Annotation
{
    bool isFavourite = false;
    QString group;      // of its account; empty: none
    QStringList labels; // without "#", in the user's order
    QString note;       // lines are ended by "\n"

    [[nodiscard]] bool isEmpty() const { return *this == Annotation(); }
    [[nodiscard]] bool hasLabel(const QString &label) const { return labels.contains(label, Qt::CaseInsensitive); }
    friend bool operator==(const Annotation &, const Annotation &) = default;
};

// As it is kept: blanks around are gone, "#" before labels too, and no label is there twice in any case.
[[nodiscard]] Annotation tidied(Annotation annotation);
// InvalidInput with a sentence in its detail: what is too long, too many, or not plain text.
[[nodiscard]] Done checkAnnotation(const Annotation &annotation);
// "prod, eu" as a list; empty parts are left out.
[[nodiscard]] QStringList labelsFromText(const QString &text);

class Annotations : public QObject
{
    Q_OBJECT
public:
    // file: annotations.json; see KeptFile. today: the date, in UTC; null: the computer's.
    explicit Annotations(const QString &file, std::function<QDate()> today = {}, QObject *parent = nullptr);

    [[nodiscard]] Annotation of(const SandboxId &sandbox) const { return m_annotations.value(sandbox); }
    [[nodiscard]] std::optional<Error> loadError() const { return m_file.error(); }
    // All in use, each once in any case, sorted; for completion.
    [[nodiscard]] QStringList groups() const;
    [[nodiscard]] QStringList labels() const;
    // All or none, tidied; an empty one takes a sandbox out. InvalidInput, TooLarge, LocalDisk: nothing has changed.
    [[nodiscard]] Done set(const QHash<SandboxId, Annotation> &annotations);
    // An account has been listed completely. What is said of a sandbox that is in none of its account's lists for
    // 30 days is forgotten; not of SSH hosts, whose file may be put aside for longer.
    void listed(const QString &vendor, const QString &account, const std::function<bool(const SandboxId &)> &isThere);

signals:
    void changed(const QList<Sandpiper::SandboxId> &sandboxes);

private:
    // By sandbox: since when it is in no list of its account.
    using Missing = QHash<SandboxId, QDate>;
    [[nodiscard]] Done change(const std::function<Done(QHash<SandboxId, Annotation> &all, Missing &missing)> &edit);

    KeptFile m_file;
    std::function<QDate()> m_today;
    QHash<SandboxId, Annotation> m_annotations;
    Missing m_missing;
};

} // namespace Sandpiper
