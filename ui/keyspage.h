// The page of SSH keys: what is registered where, and what lies on this computer. GUI thread.
#pragma once

#include "ui/accounthub.h"
#include "ui/dialogkit.h"
#include "ui/localkeys.h"

#include <QAbstractTableModel>
#include <QFuture>

class QMenu;
class QPushButton;
class QTableView;

namespace Sandpiper {

// One row per key, by fingerprint, wherever it is known.
class KeysModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { Name, Type, Fingerprint, Comment, Added, Where, ColumnCount };
    struct Registration
    {
        QString accountId;
        QString accountName;
        QString keyId;
    };
    struct Row
    {
        QString fingerprint;
        QString name;
        QString type;
        QString comment;
        QDateTime addedAt;
        QString localFile; // empty: not on this computer
        QByteArray line;   // empty: the vendor tells no more than the fingerprint
        QList<Registration> registrations;
    };

    // Borrowed; both outlive it.
    KeysModel(SandboxRegistry *registry, AccountHub *hub, QObject *parent = nullptr);
    void setLocalKeys(const QList<LocalKey> &keys);
    void rebuild();
    [[nodiscard]] const Row &row(int row) const { return m_rows.at(row); }

    int rowCount(const QModelIndex &parent) const override;
    int columnCount(const QModelIndex &parent) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    SandboxRegistry *m_registry;
    AccountHub *m_hub;
    QList<LocalKey> m_local;
    QList<Row> m_rows;
};

class KeysPage : public QWidget
{
    Q_OBJECT
public:
    // localFolder: ~/.ssh, or a test's.
    KeysPage(SandboxRegistry *registry, AccountHub *hub, const QString &localFolder, QWidget *parent = nullptr);
    void refresh();

signals:
    void closeWanted();

private:
    void chooseFile();
    void fillRegisterMenu();
    void registerKey(const QString &accountId, const QString &name, const QByteArray &line);
    void addFromFile(const QString &accountId, const QString &file);
    void askRemove();
    void removeFrom(const KeysModel::Registration &registration, const QString &name);
    void copyLine();
    void updateButtons();
    [[nodiscard]] const KeysModel::Row *currentRow() const;
    [[nodiscard]] QList<AccountHub::Entry> accountsWithKeys() const;

    SandboxRegistry *m_registry;
    AccountHub *m_hub;
    QString m_folder;
    KeysModel *m_model;
    QTableView *m_table;
    QLabel *m_empty;
    NoticeBar *m_notices;
    QPushButton *m_add;
    QPushButton *m_register;
    QPushButton *m_copy;
    QPushButton *m_remove;
};

} // namespace Sandpiper
