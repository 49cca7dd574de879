#include "ui/annotationcommands.h"

#include "session/errortext.h"
#include "ui/annotationdialog.h"

#include <algorithm>

namespace Sandpiper {

AnnotationCommands::AnnotationCommands(const Parts &parts, QObject *parent)
    : QObject(parent)
    , m_parts(parts)
{
    connect((*parts.actions)[ActionId::Favourite], &QAction::triggered, this, &AnnotationCommands::setFavourite);
    connect((*parts.actions)[ActionId::LabelsAndNotes], &QAction::triggered, this, &AnnotationCommands::edit);
    if (parts.store)
        connect(parts.store, &Annotations::changed, this, &AnnotationCommands::updateActions);
}

bool AnnotationCommands::areFavourites(const QList<Sandbox> &sandboxes) const
{
    return !sandboxes.isEmpty() && std::ranges::all_of(sandboxes, [this](const Sandbox &one) { return of(one.id).isFavourite; });
}

void AnnotationCommands::updateActions()
{
    const QList<Sandbox> sandboxes = m_parts.selected();
    QAction *favourite = m_parts.actions->action(ActionId::Favourite);
    const bool can = m_parts.store && !sandboxes.isEmpty();
    favourite->setEnabled(can);
    favourite->setChecked(areFavourites(sandboxes));
    m_parts.actions->action(ActionId::LabelsAndNotes)->setEnabled(can);
}

void AnnotationCommands::setFavourite(bool isFavourite)
{
    QHash<SandboxId, Annotation> changes;
    for (const Sandbox &sandbox : m_parts.selected()) {
        Annotation annotation = of(sandbox.id);
        annotation.isFavourite = isFavourite;
        changes.insert(sandbox.id, annotation);
    }
    if (changes.isEmpty() || !m_parts.store)
        return;
    const Done kept = m_parts.store->set(changes);
    if (!kept)
        emit failed(tr("The favourite could not be kept: %1").arg(errorText(kept.error()).sentence));
    updateActions();
}

void AnnotationCommands::edit()
{
    if (const QList<Sandbox> sandboxes = m_parts.selected(); !sandboxes.isEmpty() && m_parts.store)
        (new AnnotationDialog(sandboxes, m_parts.store, m_parts.window))->open();
}

} // namespace Sandpiper
