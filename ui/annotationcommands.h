// "Favourite" and "Labels and notes…" for the sandboxes that are selected. It wires; what is kept is
// session/annotations. GUI thread.
#pragma once

#include "session/annotations.h"
#include "ui/actions.h"

#include <functional>

namespace Sandpiper {

class AnnotationCommands : public QObject
{
    Q_OBJECT
public:
    struct Parts // borrowed; they outlive it
    {
        Annotations *store = nullptr; // null: nothing can be said of a sandbox, and the actions are off
        const Actions *actions = nullptr;
        QWidget *window = nullptr; // for the dialog
        std::function<QList<Sandbox>()> selected;
    };
    explicit AnnotationCommands(const Parts &parts, QObject *parent = nullptr);

    // After the selection has changed.
    void updateActions();
    [[nodiscard]] Annotation of(const SandboxId &sandbox) const { return m_parts.store ? m_parts.store->of(sandbox) : Annotation(); }

signals:
    void failed(const QString &sentence);

private:
    void setFavourite(bool isFavourite);
    void edit();
    [[nodiscard]] bool areFavourites(const QList<Sandbox> &sandboxes) const;
    Parts m_parts;
};

} // namespace Sandpiper
