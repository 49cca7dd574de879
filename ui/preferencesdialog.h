// The preferences, made from the rows of the settings table; what is changed holds at once. GUI thread.
#pragma once

#include "ui/preferences.h"

#include <QDialog>

class QListWidget;
class QStackedWidget;

namespace Sandpiper {

class PreferencesDialog : public QDialog
{
    Q_OBJECT
public:
    // Borrowed; outlives it. Deletes itself when closed.
    PreferencesDialog(Preferences *preferences, QWidget *parent);

private:
    [[nodiscard]] QWidget *makePage(SettingPage page, const QString &title);
    [[nodiscard]] QWidget *makeField(const SettingRow &row, QWidget *parent);
    Preferences *m_preferences;
    QListWidget *m_list;
    QStackedWidget *m_pages;
};

} // namespace Sandpiper
