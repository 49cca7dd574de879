// Accounts and their sandboxes as a tree of two levels, and the SSH keys after them. Follows the
// registry by difference, so that selection and scroll stay where they are. GUI thread.
#pragma once

#include "ui/accounthub.h"

#include <QAbstractItemModel>
#include <QTimer>

#include <functional>

namespace Sandpiper {

class SandboxModel : public QAbstractItemModel
{
    Q_OBJECT
public:
    enum class RowKind {
        Account,
        Sandbox,
        Note, // what an account has to say where it has no sandboxes: a sentence and an action
        Keys,
    };
    enum class NoteAction { None, NewSandbox, NewHost, Retry, EnterSecret };
    enum Role {
        KindRole = Qt::UserRole,
        AccountIdRole,  // QString
        SandboxRole,    // Sandbox
        DetailRole,     // QString: second line
        ShellsRole,     // int
        BusyRole,       // bool: a wish of ours is on its way
        NoteActionRole, // NoteAction
        NoteLabelRole,  // QString: the action's verb
        CountRole,      // int: sandboxes of an account; keys
        TroubleRole,    // QString: what is wrong with an account that still shows what was known
    };

    // Borrowed; both outlive the model.
    SandboxModel(SandboxRegistry *registry, AccountHub *hub, QObject *parent = nullptr);

    // How many shells of ours are attached; asked when painting.
    void setShellCounter(std::function<int(const SandboxId &)> counter);
    void shellsChanged();
    // Shows `name` and that something is on its way until the vendor's answer is here.
    void setPending(const SandboxId &id, const QString &word);
    void clearPending(const SandboxId &id);

    [[nodiscard]] QModelIndex indexOf(const SandboxId &id) const;
    [[nodiscard]] QModelIndex accountIndex(const QString &accountId) const;
    [[nodiscard]] QModelIndex keysIndex() const;
    [[nodiscard]] static RowKind kindOf(const QModelIndex &index);
    [[nodiscard]] static Sandbox sandboxAt(const QModelIndex &index);

    QModelIndex index(int row, int column, const QModelIndex &parent) const override;
    QModelIndex parent(const QModelIndex &child) const override;
    using QObject::parent;
    int rowCount(const QModelIndex &parent) const override;
    int columnCount(const QModelIndex &parent) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    // Editing a sandbox's name asks for it; the row changes when the vendor has agreed.
    bool setData(const QModelIndex &index, const QVariant &value, int role) override;
    Qt::ItemFlags flags(const QModelIndex &index) const override;

signals:
    void timePassed(); // what is painted of ages and waits is a little old
    void renameWanted(const Sandpiper::Sandbox &sandbox, const QString &name);

private:
    struct Row
    {
        Sandbox sandbox;
        QString key; // sortKey of the name shown
    };
    struct Group
    {
        quintptr serial = 0; // of its children's indexes; stable while rows move
        QString accountId;
        QList<Row> rows;
        QList<int> placeOf; // row of each sandbox in the registry's order
        bool hasNote = false;
        [[nodiscard]] int childCount() const { return hasNote ? 1 : int(rows.size()); }
    };
    void syncGroups();
    void syncRows(const QString &accountId);
    // True where the same sandboxes came under the same names: then only values change.
    [[nodiscard]] bool updateInPlace(int group, const QList<Sandbox> &sandboxes);
    void mergeRows(int group, QList<Row> fresh);
    void accountChanged(const QString &accountId);
    void keysChanged();
    [[nodiscard]] int groupOf(const QString &accountId) const; // -1: none
    [[nodiscard]] int groupBySerial(quintptr serial) const;
    [[nodiscard]] QVariant accountData(const Group &group, int role) const;
    [[nodiscard]] QVariant noteData(const Group &group, int role) const;
    [[nodiscard]] QVariant rowData(const Row &row, int role) const;
    [[nodiscard]] QVariant keysData(int role) const;
    struct Note
    {
        QString sentence = {};
        NoteAction action = NoteAction::None;
        QString label = {};
    };
    [[nodiscard]] Note noteOf(const Group &group) const;

    SandboxRegistry *m_registry;
    AccountHub *m_hub;
    std::function<int(const SandboxId &)> m_shells;
    QList<Group> m_groups;
    QHash<SandboxId, QString> m_pending;
    quintptr m_nextSerial = 1;
    QTimer m_clock; // ages, times left, and what takes long
};

} // namespace Sandpiper
