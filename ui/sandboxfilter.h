// What of the sidebar is shown while there is something in its filter field. GUI thread.
#pragma once

#include "session/annotations.h"

#include <QSortFilterProxyModel>

namespace Sandpiper {

// What was typed: words that begin with "#" name labels, the others are looked for everywhere. All must be
// found. Pure.
struct SandboxNeedle
{
    QStringList words;
    QStringList labels; // the beginnings of

    [[nodiscard]] static SandboxNeedle parse(const QString &typed);
    [[nodiscard]] bool matches(const Sandbox &sandbox, const Annotation &annotation) const;
    // A head that matches shows all that is under it.
    [[nodiscard]] bool matchesHead(const QString &name) const;
};

// Sandboxes in whose name, image, id, labels, group and note the needle is found; accounts and groups that have one,
// or whose name does.
class SandboxFilter : public QSortFilterProxyModel
{
    Q_OBJECT
public:
    explicit SandboxFilter(QObject *parent = nullptr);
    void setNeedle(const QString &needle);
    [[nodiscard]] QString needle() const { return m_typed; }

protected:
    bool filterAcceptsRow(int row, const QModelIndex &parent) const override;

private:
    QString m_typed;
    SandboxNeedle m_needle;
};

} // namespace Sandpiper
