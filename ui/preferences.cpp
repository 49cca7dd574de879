#include "ui/preferences.h"

#include "session/networkstore.h"

#include <QFile>
#include <QFileInfo>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

// Shorthands, so that a row reads as a row.
constexpr auto Preference = SettingScope::Preference;
constexpr auto Local = SettingScope::Local;

SettingRow toggle(Setting setting, const char *key, SettingPage page, bool standard, const char *label,
                  const char *hint = nullptr)
{
    return {setting, key, SettingKind::Switch, Preference, page, standard, label, hint};
}

SettingRow number(Setting setting, const char *key, SettingPage page, int standard, int low, int high,
                  const char *label, const char *unit, const char *hint = nullptr)
{
    return {setting, key, SettingKind::Number, Preference, page, standard, label, hint, low, high, unit};
}

SettingRow network(Setting setting, const char *key, SettingKind kind, const char *label, const char *hint)
{
    SettingRow row{setting, key, kind, SettingScope::Network, SettingPage::Network, QString(), label, hint};
    if (kind == SettingKind::Password)
        row.defaultValue = false;
    if (kind == SettingKind::Certificate)
        row.defaultValue = QByteArray();
    else
        row.needs = {Setting::Proxy, u"manual"_s};
    return row;
}

SettingRow stored(Setting setting, const char *key, const QVariant &standard)
{
    return {setting, key, SettingKind::Stored, Local, SettingPage::None, standard};
}

QList<SettingRow> makeRows()
{
    return {
        {Setting::Theme, "appearance/theme", SettingKind::Choice, Preference, SettingPage::Appearance, u"system"_s,
         QT_TRANSLATE_NOOP("Preferences", "Theme"), nullptr, 0, 0, nullptr,
         {{u"system"_s, QT_TRANSLATE_NOOP("Preferences", "Follow the desktop")},
          {u"light"_s, QT_TRANSLATE_NOOP("Preferences", "Light")},
          {u"dark"_s, QT_TRANSLATE_NOOP("Preferences", "Dark")},
          {u"contrast"_s, QT_TRANSLATE_NOOP("Preferences", "High contrast")}}},
        number(Setting::InterfaceFontSize, "appearance/fontSize", SettingPage::Appearance, 13, 11, 20,
               QT_TRANSLATE_NOOP("Preferences", "Text size"), QT_TRANSLATE_NOOP("Preferences", " px"),
               QT_TRANSLATE_NOOP("Preferences", "Of the window; terminals have their own.")),

        {Setting::TerminalFontFamily, "terminal/fontFamily", SettingKind::Font, Preference, SettingPage::Terminal, QString(),
         QT_TRANSLATE_NOOP("Preferences", "Font")},
        number(Setting::TerminalFontSize, "terminal/fontSize", SettingPage::Terminal, 11, 6, 40,
               QT_TRANSLATE_NOOP("Preferences", "Font size"), QT_TRANSLATE_NOOP("Preferences", " pt")),
        {Setting::TerminalScheme, "terminal/scheme", SettingKind::Choice, Preference, SettingPage::Terminal, QString(),
         QT_TRANSLATE_NOOP("Preferences", "Colours"), nullptr, 0, 0, nullptr,
         {{QString(), QT_TRANSLATE_NOOP("Preferences", "Match the theme")}}},
        number(Setting::TerminalHistory, "terminal/history", SettingPage::Terminal, 5000, 0, 1'000'000,
               QT_TRANSLATE_NOOP("Preferences", "Lines kept"), QT_TRANSLATE_NOOP("Preferences", " lines"),
               QT_TRANSLATE_NOOP("Preferences", "What you can scroll back to, for each terminal.")),
        number(Setting::TerminalPadding, "terminal/padding", SettingPage::Terminal, 6, 0, 32,
               QT_TRANSLATE_NOOP("Preferences", "Space around the text"), QT_TRANSLATE_NOOP("Preferences", " px")),
        toggle(Setting::BlinkingCursor, "terminal/blinkingCursor", SettingPage::Terminal, false,
               QT_TRANSLATE_NOOP("Preferences", "Blinking cursor")),
        toggle(Setting::VisualBell, "terminal/visualBell", SettingPage::Terminal, true,
               QT_TRANSLATE_NOOP("Preferences", "Show the bell as a brief flash")),

        toggle(Setting::ConfirmMultilinePaste, "clipboard/confirmMultiline", SettingPage::Clipboard, true,
               QT_TRANSLATE_NOOP("Preferences", "Ask before pasting several lines"),
               QT_TRANSLATE_NOOP("Preferences", "Each line may run as a command at once.")),
        toggle(Setting::CopyOnSelect, "clipboard/copyOnSelect", SettingPage::Clipboard, false,
               QT_TRANSLATE_NOOP("Preferences", "Copy text when it is selected")),
        toggle(Setting::MiddleClickPastes, "clipboard/middleClick", SettingPage::Clipboard, true,
               QT_TRANSLATE_NOOP("Preferences", "Paste the selection with the middle mouse button")),

        {Setting::FileOpening, "files/doubleClick", SettingKind::Choice, Preference, SettingPage::Files, u"preview"_s,
         QT_TRANSLATE_NOOP("Preferences", "A double click on a file"), nullptr, 0, 0, nullptr,
         {{u"preview"_s, QT_TRANSLATE_NOOP("Preferences", "Looks into it")},
          {u"edit"_s, QT_TRANSLATE_NOOP("Preferences", "Edits it")},
          {u"open"_s, QT_TRANSLATE_NOOP("Preferences", "Opens it with the desktop’s program")}}},
        {Setting::FileEditor, "files/editor", SettingKind::Text, Preference, SettingPage::Files, QString(),
         QT_TRANSLATE_NOOP("Preferences", "Editor"), QT_TRANSLATE_NOOP("Preferences", "A command, such as: code %f. Empty: what the desktop has for the file.")},
        {Setting::FileDeleting, "files/delete", SettingKind::Choice, Preference, SettingPage::Files, u"trash"_s,
         QT_TRANSLATE_NOOP("Preferences", "Delete"), QT_TRANSLATE_NOOP("Preferences", "Shift+Delete always deletes for good."), 0, 0, nullptr,
         {{u"trash"_s, QT_TRANSLATE_NOOP("Preferences", "Moves to the trash, also in sandboxes")},
          {u"forGood"_s, QT_TRANSLATE_NOOP("Preferences", "Deletes for good")}}},
        toggle(Setting::FileHashes, "files/hashes", SettingPage::Files, false, QT_TRANSLATE_NOOP("Preferences", "Take a SHA-256 of each file that is copied"),
               QT_TRANSLATE_NOOP("Preferences", "Shown in the receipt of a transfer.")),

        toggle(Setting::AskBeforeDetaching, "closing/askBeforeDetaching", SettingPage::Closing, true,
               QT_TRANSLATE_NOOP("Preferences", "Ask before closing a tab whose shell lives on")),
        toggle(Setting::AskBeforeEnding, "closing/askBeforeEnding", SettingPage::Closing, true,
               QT_TRANSLATE_NOOP("Preferences", "Ask before closing a tab whose shell ends with it")),
        toggle(Setting::AskBeforeQuitting, "closing/askBeforeQuitting", SettingPage::Closing, true,
               QT_TRANSLATE_NOOP("Preferences", "Ask before quitting with shells open")),
        toggle(Setting::RestoreTabs, "closing/restoreTabs", SettingPage::Closing, true,
               QT_TRANSLATE_NOOP("Preferences", "Bring tabs back at the next start"),
               QT_TRANSLATE_NOOP("Preferences", "Shells that live on are attached again; nothing that sleeps is woken.")),

        {Setting::Proxy, "network/proxy", SettingKind::Choice, SettingScope::Network, SettingPage::Network, u"environment"_s,
         QT_TRANSLATE_NOOP("Preferences", "Proxy"),
         QT_TRANSLATE_NOOP("Preferences", "For vendors, terminals and SSH, also in sandpiper-cli. This computer is always reached directly."), 0, 0, nullptr,
         {{u"environment"_s, QT_TRANSLATE_NOOP("Preferences", "As the environment says")},
          {u"none"_s, QT_TRANSLATE_NOOP("Preferences", "None")},
          {u"manual"_s, QT_TRANSLATE_NOOP("Preferences", "This one")}}},
        network(Setting::ProxyAddress, "network/address", SettingKind::Text, QT_TRANSLATE_NOOP("Preferences", "Address"),
                QT_TRANSLATE_NOOP("Preferences", "socks5://host:1080 or http://host:3128")),
        network(Setting::ProxyUser, "network/user", SettingKind::Text, QT_TRANSLATE_NOOP("Preferences", "User name"),
                QT_TRANSLATE_NOOP("Preferences", "Where the proxy asks for one.")),
        network(Setting::ProxyPassword, "network/password", SettingKind::Password, QT_TRANSLATE_NOOP("Preferences", "Password"), nullptr),
        network(Setting::ProxyExceptions, "network/exceptions", SettingKind::Text, QT_TRANSLATE_NOOP("Preferences", "Hosts without it"),
                QT_TRANSLATE_NOOP("Preferences", "Separated by commas; .example.com is a whole domain.")),
        network(Setting::ExtraAuthority, "network/authority", SettingKind::Certificate, QT_TRANSLATE_NOOP("Preferences", "Extra authority"),
                QT_TRANSLATE_NOOP("Preferences", "A PEM file. Trusted beside the system's authorities; an account with its own keeps to that.")),

        toggle(Setting::Notify, "notifications/enabled", SettingPage::Notifications, true,
               QT_TRANSLATE_NOOP("Preferences", "Tell me when something finished or broke"),
               QT_TRANSLATE_NOOP("Preferences", "Only while this window is not in front.")),
        toggle(Setting::PortRadar, "notifications/ports", SettingPage::Notifications, true,
               QT_TRANSLATE_NOOP("Preferences", "Offer ports that begin to be listened at in sandboxes"),
               QT_TRANSLATE_NOOP("Preferences", "Looked for over SSH connections that are open anyway, and in what terminals print.")),

        stored(Setting::WindowGeometry, "window/geometry", QByteArray()),
        stored(Setting::WindowState, "window/state", QByteArray()),
        stored(Setting::SidebarWidth, "window/sidebarWidth", 280),
        stored(Setting::SidebarVisible, "window/sidebarVisible", true),
        stored(Setting::LogDrawerHeight, "window/logHeight", 180),
        stored(Setting::CollapsedAccounts, "window/collapsed", QStringList()),
        stored(Setting::PaletteUse, "palette/use", QVariantMap()),
        stored(Setting::LastRoutes, "sandboxes/lastRoutes", QVariantMap()),
        stored(Setting::RecentSandboxes, "sandboxes/recent", QStringList()),
        stored(Setting::KeychainNoticeShown, "notices/keychain", false),
        stored(Setting::LocalSandboxesUsed, "sandboxes/localUsed", false),
    };
}

} // namespace

const QList<SettingRow> &settingRows()
{
    static const QList<SettingRow> rows = makeRows();
    return rows;
}

const SettingRow &settingRow(Setting setting)
{
    const QList<SettingRow> &rows = settingRows();
    const auto it = std::ranges::find(rows, setting, &SettingRow::setting);
    Q_ASSERT(it != rows.cend());
    return *it;
}

Preferences::Preferences(const QString &file, NetworkStore *network, QObject *parent)
    : QObject(parent)
    , m_network(network)
    , m_file(file)
    , m_store(std::make_unique<QSettings>(file, QSettings::IniFormat))
{
    if (!network)
        return;
    networkChanged(); // nobody listens yet
    connect(network, &NetworkStore::changed, this, &Preferences::networkChanged);
}

Preferences::~Preferences()
{
    m_store->sync();
    // QSettings writes with the umask; what one opened and when is nobody else's business.
    if (QFileInfo::exists(m_file))
        QFile::setPermissions(m_file, QFile::ReadOwner | QFile::WriteOwner);
}

QVariant Preferences::fitted(const SettingRow &row, const QVariant &value)
{
    switch (row.kind) {
    case SettingKind::Switch: {
        const QString text = value.toString();
        if (text == "true"_L1 || text == "false"_L1)
            return text == "true"_L1;
        return {};
    }
    case SettingKind::Number: {
        bool ok = false;
        const int n = value.toInt(&ok);
        return ok && n >= row.minimum && n <= row.maximum ? QVariant(n) : QVariant();
    }
    case SettingKind::Choice:
        if (row.setting == Setting::TerminalScheme)
            return value.toString();
        for (const SettingOption &option : row.options) {
            if (option.value == value.toString())
                return option.value;
        }
        return {};
    case SettingKind::Font:
    case SettingKind::Text:
    case SettingKind::Password:
        return value.toString();
    case SettingKind::Certificate:
        return value.toByteArray();
    case SettingKind::Stored: {
        QVariant converted = value;
        return converted.convert(row.defaultValue.metaType()) ? converted : QVariant();
    }
    }
    Q_UNREACHABLE_RETURN({});
}

QVariant Preferences::value(Setting setting) const
{
    const SettingRow &row = settingRow(setting);
    if (row.scope == SettingScope::Network)
        return networkValue(setting);
    const QString key = QLatin1StringView(row.key);
    if (!m_store->contains(key))
        return row.defaultValue;
    const QVariant kept = fitted(row, m_store->value(key));
    return kept.isValid() ? kept : row.defaultValue;
}

QString Preferences::change(Setting setting, const QVariant &wanted)
{
    const SettingRow &row = settingRow(setting);
    const QVariant next = fitted(row, wanted);
    if (!next.isValid())
        return tr("This value cannot be used.");
    if (row.scope == SettingScope::Network)
        return changeNetwork(setting, next);
    if (next == value(setting))
        return {};
    m_store->setValue(QLatin1StringView(row.key), next);
    emit changed(setting);
    return {};
}

bool Preferences::isOfUse(Setting setting) const
{
    const SettingRow &row = settingRow(setting);
    return !row.needs || text(row.needs->setting) == row.needs->value;
}

void Preferences::reset(Setting setting)
{
    const SettingRow &row = settingRow(setting);
    if (row.scope == SettingScope::Network) {
        // Of a password it is not the value that is set.
        set(setting, row.kind == SettingKind::Password ? QVariant(QString()) : row.defaultValue);
        return;
    }
    const bool differs = value(setting) != row.defaultValue;
    m_store->remove(QLatin1StringView(row.key));
    if (differs)
        emit changed(setting);
}

void Preferences::resetPage(SettingPage page)
{
    for (const SettingRow &row : settingRows()) {
        if (row.page == page)
            reset(row.setting);
    }
}

ThemeChoice Preferences::themeChoice() const
{
    const QString choice = text(Setting::Theme);
    return choice == "light"_L1 ? ThemeChoice::Light
            : choice == "dark"_L1 ? ThemeChoice::Dark
            : choice == "contrast"_L1 ? ThemeChoice::HighContrast
                                      : ThemeChoice::System;
}

TerminalOptions Preferences::terminalOptions() const
{
    TerminalOptions options;
    const QString family = text(Setting::TerminalFontFamily);
    options.font = QFont();
    if (!family.isEmpty())
        options.font.setFamilies({family});
    else
        options.font.setFamilies({});
    options.font.setPointSize(number(Setting::TerminalFontSize));
    options.colorScheme = text(Setting::TerminalScheme);
    if (options.colorScheme.isEmpty())
        options.colorScheme = themeColors().dark ? u"Sandpiper Dark"_s : u"Sandpiper Light"_s;
    options.historyLines = number(Setting::TerminalHistory);
    options.confirmMultilinePaste = isOn(Setting::ConfirmMultilinePaste);
    options.copyOnSelect = isOn(Setting::CopyOnSelect);
    options.middleClickPastes = isOn(Setting::MiddleClickPastes);
    options.blinkingCursor = isOn(Setting::BlinkingCursor);
    options.visualBell = isOn(Setting::VisualBell);
    options.paddingPx = number(Setting::TerminalPadding);
    return options;
}

FileChoices Preferences::fileChoices() const
{
    const QString opening = text(Setting::FileOpening);
    return {text(Setting::FileEditor), opening == "edit"_L1 ? FileOpening::Edit : opening == "open"_L1 ? FileOpening::Open : FileOpening::Preview,
            text(Setting::FileDeleting) == "forGood"_L1, isOn(Setting::FileHashes)};
}

CloseChoices Preferences::closeChoices() const
{
    return {isOn(Setting::AskBeforeDetaching), isOn(Setting::AskBeforeEnding), isOn(Setting::AskBeforeQuitting)};
}

void Preferences::setCloseChoices(const CloseChoices &choices)
{
    set(Setting::AskBeforeDetaching, choices.askBeforeDetaching);
    set(Setting::AskBeforeEnding, choices.askBeforeEnding);
    set(Setting::AskBeforeQuitting, choices.askBeforeQuitting);
}

} // namespace Sandpiper
