// Shows the hosts that another program has saved, and keeps those that are chosen. GUI thread.
#pragma once

#include "session/hostimport.h"

#include <QDialog>

class QComboBox;
class QLabel;
class QListWidget;
class QPushButton;

namespace Sandpiper {

class ImportDialog : public QDialog
{
    Q_OBJECT
public:
    // own is borrowed and outlives it. home is where the other programs keep their files. Deletes
    // itself when closed.
    ImportDialog(OwnHosts *own, const QString &home, QWidget *parent);
    // What was found; nothing is kept before "Import".
    void showFound(const ImportedHosts &found);

private:
    void chooseFile();
    void readChosen(const QString &path);
    void updateButton();
    void importChosen();
    OwnHosts *m_own;
    QString m_home;
    ImportedHosts m_found;
    QLabel *m_summary;
    QListWidget *m_list;
    QPushButton *m_import;
};

} // namespace Sandpiper
