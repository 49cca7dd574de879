// The page of SSH keys: what is registered where, what lies on this computer and what its agent holds.
// GUI thread.
#pragma once

#include "session/logins.h"
#include "ui/dialogkit.h"
#include "ui/keysmodel.h"

#include <QPointer>

class QAction;
class QMenu;
class QPushButton;
class QTableView;

namespace Sandpiper {

class KeysPage : public QWidget
{
    Q_OBJECT
public:
    // All borrowed; they outlive it.
    KeysPage(SandboxRegistry *registry, AccountHub *hub, AvailableKeys *available, LoginStore *logins, QWidget *parent = nullptr);
    void refresh();

signals:
    void closeWanted();

private:
    void build();
    void buildMoreMenu();
    void connectButtons();
    void updateButtons();
    void updateEmptyText();
    void fillRegisterMenu();
    void fillAgentMenu();
    [[nodiscard]] const KeysModel::Row *currentRow() const;
    [[nodiscard]] QList<AccountHub::Entry> accountsWithKeys() const;

    // ui/keyspageactions.cpp
    void generate();
    void chooseFile();
    void addFromFile(const QStringList &accountIds, const QString &file);
    // At all of them, with one result for each.
    void registerKey(const QStringList &accountIds, const QString &name, const QByteArray &line);
    void askRemove();
    void removeFrom(const KeysModel::Registration &registration, const QString &name);
    void copyLine();
    void addToAgent();
    void removeFromAgent();
    void changePassphraseOf();
    void convert();
    void unlockThen(const KeyFile &key, const QString &verb, std::function<void(const std::shared_ptr<Secret> &)> go);
    void tellTrouble(const QString &what, const Error &error);

    SandboxRegistry *m_registry;
    AccountHub *m_hub;
    AvailableKeys *m_available;
    LoginStore *m_logins;
    KeysModel *m_model;
    QTableView *m_table;
    QLabel *m_empty;
    NoticeBar *m_notices;
    QPushButton *m_generate;
    QPushButton *m_add;
    QPushButton *m_register;
    QPushButton *m_copy;
    QPushButton *m_remove;
    QPushButton *m_more;
    QAction *m_addToAgent = nullptr;
    QAction *m_removeFromAgent = nullptr;
    QAction *m_changePassphrase = nullptr;
    QAction *m_convert = nullptr;
    QMenu *m_agents = nullptr;
};

} // namespace Sandpiper
