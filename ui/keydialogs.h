// Small questions about key files: a new key, a passphrase, a change of it. Shown with open(). GUI thread.
#pragma once

#include "session/sshkeyfile.h"

#include <QDialog>

class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;

namespace Sandpiper {

class GenerateKeyDialog : public QDialog
{
    Q_OBJECT
public:
    // folder: where the key will lie.
    explicit GenerateKeyDialog(const QString &folder, QWidget *parent = nullptr);

signals:
    // Once; then it closes.
    void agreed(Sandpiper::NewKeyType type, const QString &file, const QString &comment, const std::shared_ptr<Sandpiper::Secret> &passphrase);

protected:
    void accept() override;

private:
    void check();
    QString m_folder;
    QComboBox *m_type;
    QLineEdit *m_name;
    QLineEdit *m_comment;
    QLineEdit *m_passphrase;
    QLineEdit *m_again;
    QLabel *m_problem;
    QPushButton *m_make;
};

// One passphrase that opens the key, and, where it is to be changed, the new one twice.
class KeyPassphraseDialog : public QDialog
{
    Q_OBJECT
public:
    enum class Purpose { Unlock, Change };
    KeyPassphraseDialog(const KeyFile &key, Purpose purpose, const QString &verb, QWidget *parent = nullptr);

signals:
    // Once; then it closes. shared_ptr: signals need copies and Secret has none.
    void agreed(const std::shared_ptr<Sandpiper::Secret> &before, const std::shared_ptr<Sandpiper::Secret> &after);

protected:
    void accept() override;

private:
    void check();
    QLineEdit *m_before = nullptr;
    QLineEdit *m_after = nullptr;
    QLineEdit *m_again = nullptr;
    QLabel *m_problem;
    QPushButton *m_go;
};

} // namespace Sandpiper
