// "Log in as…": the user, TERM and key for one sandbox. Shown with open(). GUI thread.
#pragma once

#include "session/availablekeys.h"
#include "session/logins.h"

#include <QDialog>

class QComboBox;
class QCheckBox;
class QLabel;
class QLineEdit;

namespace Sandpiper {

class LoginDialog : public QDialog
{
    Q_OBJECT
public:
    // Both are borrowed for its life.
    LoginDialog(const Sandbox &sandbox, LoginStore *logins, const AvailableKeys *keys, QWidget *parent = nullptr);

private:
    void accept() override;
    SandboxId m_sandbox;
    LoginStore *m_logins;
    QLineEdit *m_user;
    QLineEdit *m_term;
    QComboBox *m_key;
    QCheckBox *m_agent;
    QCheckBox *m_sftp;
    QLabel *m_problem;
};

} // namespace Sandpiper
