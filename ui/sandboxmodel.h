// The sidebar as a tree: the favourites of all accounts, then the accounts with their sandboxes, the user's
// groups among these, and the SSH keys at the end. A sandbox has one row: among the favourites, else in its
// group, else in its account. Follows the registry and the annotations by difference, so that selection and
// scroll stay where they are. GUI thread.
#pragma once

#include "session/annotations.h"
#include "ui/accounthub.h"

#include <QAbstractItemModel>
#include <QTimer>

#include <functional>
#include <memory>
#include <vector>

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
        Favourites, // there while there is one
        Group,
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
        CountRole,      // int: sandboxes of an account, a group; favourites; keys
        TroubleRole,    // QString: what is wrong with an account that still shows what was known
        AnnotationRole, // Annotation, of a sandbox
        SectionRole,    // QString: what folds are remembered by; empty: does not fold
    };

    // Borrowed; they outlive the model. annotations: null where nothing is ever said of a sandbox.
    SandboxModel(SandboxRegistry *registry, AccountHub *hub, const Annotations *annotations = nullptr, QObject *parent = nullptr);
    ~SandboxModel() override;

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
    struct Place
    {
        quintptr section = 0; // its serial
        int row = 0;
    };
    // What has rows: the favourites, an account, a group of an account.
    struct Section
    {
        RowKind kind = RowKind::Account;
        quintptr serial = 0;       // of its children's indexes; stable while rows move
        Section *parent = nullptr; // a group's account
        QString accountId;         // empty: the favourites
        QString name;              // a group's
        QList<Row> rows;
        // Of an account, after its rows, sorted by name.
        std::vector<std::unique_ptr<Section>> groups;
        QList<Place> places; // of an account: of each sandbox in the registry's order, as last seen
        int total = 0;       // of an account: its sandboxes, wherever they stand
        bool hasNote = false;
        [[nodiscard]] int childCount() const { return hasNote ? 1 : int(rows.size()) + int(groups.size()); }
    };
    struct Sorted; // the sandboxes of one account by where they belong
    void syncGroups();
    void syncRows(const QString &accountId);
    void annotationsChanged(const QList<SandboxId> &sandboxes);
    // True where the same sandboxes came under the same names: then only values change.
    [[nodiscard]] bool updateInPlace(const Section &account, const QList<Sandbox> &sandboxes);
    void arrange(Section &account, const QList<Sandbox> &sandboxes);
    [[nodiscard]] Sorted sorted(const Section &account, const QList<Sandbox> &sandboxes) const;
    void makeSections(Section &account, const Sorted &wanted);
    void moveBetweenSections(Section &account, const Sorted &wanted);
    void dropEmptySections(Section &account);
    void keepPlaces(Section &account, const QList<Sandbox> &sandboxes);
    void mergeRows(Section &section, const QList<Row> &fresh);
    void removeWhatIsGone(Section &section, const QHash<SandboxId, qsizetype> &freshAt);
    void reorder(Section &section, const QHash<SandboxId, qsizetype> &freshAt);
    void insertWhatIsNew(Section &section, const QList<Row> &fresh);
    void emitRuns(const Section &section, QList<int> rows);
    void accountChanged(const QString &accountId);
    void keysChanged();
    // What folds are remembered by.
    [[nodiscard]] static QString sectionKey(const QString &accountId, const QString &group = {});
    [[nodiscard]] static QString sectionKey(const Section &section) { return sectionKey(section.accountId, section.name); }
    [[nodiscard]] static bool isBefore(const Row &a, const Row &b);
    [[nodiscard]] std::unique_ptr<Section> makeSection(RowKind kind, Section *parent, const QString &accountId, const QString &name);
    void forget(const Section &section);
    [[nodiscard]] Section *favourites() const; // null: there are none
    [[nodiscard]] Section *accountSection(const QString &accountId) const;
    [[nodiscard]] QList<Section *> sectionsOf(const Section &account) const; // itself, its groups, the favourites
    [[nodiscard]] Section *sectionAt(const QModelIndex &index) const; // that index is the head of
    [[nodiscard]] QModelIndex indexOf(const Section &section) const;
    [[nodiscard]] Annotation annotationOf(const SandboxId &id) const;
    [[nodiscard]] QString accountName(const QString &accountId) const;
    [[nodiscard]] QVariant sectionData(const Section &section, int role) const;
    [[nodiscard]] QVariant accountData(const Section &account, int role) const;
    [[nodiscard]] QVariant noteData(const Section &account, int role) const;
    [[nodiscard]] QVariant rowData(const Section &section, const Row &row, int role) const;
    [[nodiscard]] QVariant keysData(int role) const;
    struct Note
    {
        QString sentence = {};
        NoteAction action = NoteAction::None;
        QString label = {};
    };
    [[nodiscard]] Note noteOf(const Section &account) const;

    SandboxRegistry *m_registry;
    AccountHub *m_hub;
    std::function<int(const SandboxId &)> m_shells;
    const Annotations *m_annotations;
    std::vector<std::unique_ptr<Section>> m_top; // the favourites first, where there are any
    QHash<quintptr, Section *> m_bySerial;
    QHash<SandboxId, QString> m_pending;
    quintptr m_nextSerial = 1;
    QTimer m_clock; // ages, times left, and what takes long
};

} // namespace Sandpiper
