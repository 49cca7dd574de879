// The preferences, made from the rows of the settings table; what is changed holds at once. GUI thread.
#pragma once

#include "ui/preferences.h"

#include <QDialog>

class QLabel;
class QListWidget;
class QStackedWidget;

namespace Sandpiper {

class PreferencesDialog : public QDialog
{
    Q_OBJECT
public:
    // Borrowed; outlives it. Deletes itself when closed.
    PreferencesDialog(Preferences *preferences, QWidget *parent);

protected:
    void keyPressEvent(QKeyEvent *event) override;

private:
    [[nodiscard]] QWidget *makePage(SettingPage page, const QString &title);
    [[nodiscard]] QWidget *makeField(const SettingRow &row, QWidget *parent);
    [[nodiscard]] QWidget *makeTextField(const SettingRow &row, QWidget *parent);
    [[nodiscard]] QWidget *makeCertificateField(const SettingRow &row, QWidget *parent);
    void chooseCertificate(Setting setting);
    void change(Setting setting, const QVariant &value);
    // In the line under its field. Empty: as it is now, which may be wrong too.
    void tell(Setting setting, const QString &problem);
    Preferences *m_preferences;
    QHash<Setting, QLabel *> m_problems;
    QListWidget *m_list;
    QStackedWidget *m_pages;
};

} // namespace Sandpiper
