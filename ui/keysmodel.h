// One row per SSH key, by fingerprint, wherever it is known. GUI thread.
#pragma once

#include "session/availablekeys.h"
#include "ui/accounthub.h"

#include <QAbstractTableModel>

namespace Sandpiper {

class KeysModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { Name, Type, Fingerprint, Comment, Added, LastUsed, Here, Registered, ColumnCount };
    struct Registration
    {
        QString accountId;
        QString accountName;
        QString keyId;
    };
    struct Row
    {
        QString fingerprint; // empty: a locked key without its public half
        QString name;
        QString type;
        QString comment;
        QDateTime addedAt; // at an account, else the file's last change
        QDateTime lastUsedAt;
        QByteArray line; // empty: the vendor tells no more than the fingerprint
        std::optional<KeyFile> file;
        QByteArray agentBlob; // empty: not in the agent
        QList<Registration> registrations;

        [[nodiscard]] bool hasPrivateHalf() const { return file && file->form != KeyFile::Form::PublicOnly; }
    };

    // Borrowed; all outlive it.
    KeysModel(SandboxRegistry *registry, AccountHub *hub, AvailableKeys *available, QObject *parent = nullptr);
    [[nodiscard]] const Row &row(int row) const { return m_rows.at(row); }
    [[nodiscard]] bool isEmptyColumn(Column column) const;

    int rowCount(const QModelIndex &parent) const override;
    int columnCount(const QModelIndex &parent) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    void rebuild();
    void addFiles();
    void addAgentKeys();
    void addRegistrations();
    Row &rowFor(const QString &fingerprint);
    [[nodiscard]] static QString textOf(const Row &row, Column column);

    SandboxRegistry *m_registry;
    AccountHub *m_hub;
    AvailableKeys *m_available;
    QList<Row> m_rows;
};

} // namespace Sandpiper
