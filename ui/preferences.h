// What the user may choose: one row per setting. The dialog, the defaults and the stored keys all
// come from the rows. GUI thread.
#pragma once

#include "terminal/terminalview.h"
#include "ui/closepolicy.h"
#include "ui/theme.h"
#include "ui/toolstart.h"

#include <QHash>
#include <QObject>
#include <QSettings>
#include <QVariant>

#include <memory>
#include <optional>

namespace Sandpiper {

class NetworkStore;

enum class Setting {
    Theme,
    InterfaceFontSize,
    TerminalFontFamily,
    TerminalFontSize,
    TerminalScheme,
    TerminalHistory,
    TerminalPadding,
    BlinkingCursor,
    VisualBell,
    ConfirmMultilinePaste,
    CopyOnSelect,
    MiddleClickPastes,
    FileOpening,
    FileEditor,
    FileDeleting,
    FileHashes,
    AskBeforeDetaching,
    AskBeforeEnding,
    AskBeforeQuitting,
    RestoreTabs,
    Proxy,
    ProxyAddress,
    ProxyUser,
    ProxyPassword,
    ProxyExceptions,
    ExtraAuthority,
    Notify,
    PortRadar,
    // Not shown in the dialog: what the window remembers of itself.
    WindowGeometry,
    WindowState,
    SidebarWidth,
    SidebarVisible,
    LogDrawerHeight,
    CollapsedAccounts,
    PaletteUse,
    LastRoutes,
    RecentSandboxes,
    KeychainNoticeShown,
    LocalSandboxesUsed,
};

enum class SettingPage { Appearance, Terminal, Clipboard, Files, Closing, Network, Notifications, None };
// Password: its value is only whether there is one. Certificate: PEM.
enum class SettingKind { Switch, Number, Choice, Font, Text, Password, Certificate, Stored };
// Preferences may move to another computer with the file; Local ones describe this screen. Network ones
// serve the command line too and lie in session/networkstore.
enum class SettingScope { Preference, Local, Network };

struct SettingOption
{
    QString value; // stored
    const char *label = nullptr; // untranslated, context "Preferences"
};

struct SettingRow
{
    Setting setting;
    const char *key; // "group/name" in the file; never changes
    SettingKind kind;
    SettingScope scope;
    SettingPage page;
    QVariant defaultValue;
    const char *label = nullptr; // untranslated, context "Preferences"
    const char *hint = nullptr;
    int minimum = 0; // Number
    int maximum = 0;
    const char *unit = nullptr;
    QList<SettingOption> options = {}; // Choice
    // Only of use where that other setting, a Choice, has this value.
    struct Need
    {
        Setting setting;
        QString value;
    };
    std::optional<Need> needs = {};
};

[[nodiscard]] const QList<SettingRow> &settingRows();
[[nodiscard]] const SettingRow &settingRow(Setting setting);

class Preferences : public QObject
{
    Q_OBJECT
public:
    // file: an INI file, made 0600 with the first change; preferences.ini in configFolder(). network is
    // borrowed and outlives it; without one, settings of that scope stay at their defaults.
    explicit Preferences(const QString &file, NetworkStore *network = nullptr, QObject *parent = nullptr);
    ~Preferences() override;

    // The stored value where it fits the row, else the default.
    [[nodiscard]] QVariant value(Setting setting) const;
    [[nodiscard]] bool isOn(Setting setting) const { return value(setting).toBool(); }
    [[nodiscard]] int number(Setting setting) const { return value(setting).toInt(); }
    [[nodiscard]] QString text(Setting setting) const { return value(setting).toString(); }
    // A value that does not fit the row is ignored.
    void set(Setting setting, const QVariant &value) { (void)change(setting, value); }
    // The same, and says why it was ignored, in a sentence; empty: it was not.
    [[nodiscard]] QString change(Setting setting, const QVariant &value);
    // What is wrong with the value that it has now, in a sentence; mostly empty.
    [[nodiscard]] QString problemWith(Setting setting) const;
    [[nodiscard]] bool isOfUse(Setting setting) const; // see SettingRow::needs
    void reset(Setting setting);
    void resetPage(SettingPage page);

    [[nodiscard]] ThemeChoice themeChoice() const;
    // The scheme follows the theme where the choice says so.
    [[nodiscard]] TerminalOptions terminalOptions() const;
    [[nodiscard]] FileChoices fileChoices() const;
    [[nodiscard]] CloseChoices closeChoices() const;
    void setCloseChoices(const CloseChoices &choices);

signals:
    void changed(Sandpiper::Setting setting);

private:
    [[nodiscard]] static QVariant fitted(const SettingRow &row, const QVariant &value);
    [[nodiscard]] QVariant networkValue(Setting setting) const;
    [[nodiscard]] QString changeNetwork(Setting setting, const QVariant &value);
    void networkChanged();
    NetworkStore *m_network;
    QHash<Setting, QVariant> m_networkSeen; // what was told of last
    QString m_file;
    std::unique_ptr<QSettings> m_store;
};

} // namespace Sandpiper
