// Asks what a new sandbox shall be. GUI thread.
#pragma once

#include "ui/sandboxcommands.h"

#include <QDialog>

class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;
class QCheckBox;

namespace Sandpiper {

class CreateDialog : public QDialog
{
    Q_OBJECT
public:
    // hub and commands are borrowed and outlive it. Deletes itself when closed.
    CreateDialog(AccountHub *hub, SandboxCommands *commands, const QString &accountId, QWidget *parent);
    [[nodiscard]] CreateRequest request() const;
    [[nodiscard]] QString accountId() const;

private:
    void accountChosen();
    void create();
    AccountHub *m_hub;
    SandboxCommands *m_commands;
    QComboBox *m_account;
    QLineEdit *m_name;
    QLineEdit *m_image;
    QDoubleSpinBox *m_cpus;
    QSpinBox *m_memory;
    QSpinBox *m_disk;
    QSpinBox *m_timeout;
    QCheckBox *m_open;
    QLabel *m_reason;
    QPushButton *m_create;
    QString m_suggested;
};

} // namespace Sandpiper
