// How files get from one side of a browser to the other, and to it from the desktop: by keys, by dragging. GUI thread.
#pragma once

#include "ui/carriedfiles.h"
#include "ui/filepane.h"

#include <QSet>

namespace Sandpiper {

class FileWork;

class FileCarrier : public QObject
{
    Q_OBJECT
public:
    enum class Carry { Copy, Move };
    // panes and work are borrowed and outlive it.
    FileCarrier(const FileServices &services, FilePane *const (&panes)[2], FileWork *const (&work)[2]);
    ~FileCarrier() override;

    // Into a folder of a pane; says there why it cannot.
    void carry(Carry how, const CarriedFiles &files, int to, const FilePath &folder);
    // The chosen rows, to where the other pane is.
    void carryToOther(Carry how, int from);
    [[nodiscard]] QString reasonAgainstOther(Carry how, int from) const; // whatever is chosen
    // What new names alone do not move, as a transfer.
    void moveWithin(int side, const QList<FilePath> &paths, const FilePath &folder);
    // The chosen rows, until they are dropped or not.
    void startDrag(int side, Qt::DropActions actions);
    void drop(int side, const CarriedFiles &files, Qt::DropAction action, int row);
    void toClipboard(int side, Carry how); // Move: a cut
    void paste(int side);

signals:
    void noteworthy(const QString &title, const QString &text);

private:
    void watchTransfers();
    [[nodiscard]] CarriedFiles chosenOf(int side) const;
    [[nodiscard]] CarryTarget targetOf(int side, const FilePath &folder) const;
    [[nodiscard]] QString reasonAgainstPlaces(Carry how, const SandboxId &from, int to) const;
    [[nodiscard]] QString reasonAgainst(Carry how, const CarriedFiles &files, int to, const FilePath &folder) const;
    [[nodiscard]] DropVerdict judge(const CarriedFiles &files, Qt::KeyboardModifiers modifiers, int side, int row) const;
    void addTransfer(Carry how, const CarriedFiles &files, int to, const FilePath &folder);

    FileServices m_services;
    QSet<qint64> m_ownTransfers; // begun here: their questions are asked here
    FilePane *m_panes[2];
    FileWork *m_work[2];
};

} // namespace Sandpiper
