// "New terminal with…": what to run, where, and by which route. Shown with open(), never exec().
#pragma once

#include "session/sandbox.h"
#include "ui/launchform.h"

#include <QDialog>

class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QPushButton;
class QRadioButton;

namespace Sandpiper {

class NewTerminalDialog : public QDialog
{
    Q_OBJECT
public:
    NewTerminalDialog(const Sandbox &sandbox, const Launch &last, QWidget *parent = nullptr);

    [[nodiscard]] LaunchForm form() const;
    void setForm(const LaunchForm &form);

signals:
    void agreed(const Sandpiper::Launch &launch); // then it closes

private:
    void check();
    void accept() override;
    QRadioButton *m_pty;
    QRadioButton *m_ssh;
    QLineEdit *m_command;
    QLineEdit *m_arguments;
    QPlainTextEdit *m_environment;
    QLineEdit *m_directory;
    QLineEdit *m_term;
    QLabel *m_problem;
    QPushButton *m_open;
};

} // namespace Sandpiper
