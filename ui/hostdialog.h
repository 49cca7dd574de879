// Enters an SSH host of the user's own, or changes one. GUI thread.
#pragma once

#include "session/ownhosts.h"

#include <QDialog>

class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QSpinBox;

namespace Sandpiper {

class HostDialog : public QDialog
{
    Q_OBJECT
public:
    // host: what the fields begin with; with an id it is changed, else a new one is kept. own is
    // borrowed and outlives it. Deletes itself when closed.
    HostDialog(OwnHosts *own, const OwnHost &host, QWidget *parent);

private:
    // A whole "ssh://user@host:2222" pasted into the field of the host is taken apart.
    void takeDestination();
    void chooseKeyFile();
    void submit();
    void tell(const QString &problem);
    OwnHosts *m_own;
    OwnHost m_host;
    QLineEdit *m_name;
    QLineEdit *m_address;
    QSpinBox *m_port;
    QLineEdit *m_user;
    QLineEdit *m_keyFile;
    QPlainTextEdit *m_note;
    QLabel *m_problem;
};

} // namespace Sandpiper
