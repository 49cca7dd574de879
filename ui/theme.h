// Colours and measures of the interface. One theme for the whole program, like QPalette itself.
// GUI thread.
#pragma once

#include "terminal/terminalscheme.h" // contrastRatio()

#include <QColor>
#include <QDBusVariant>
#include <QObject>
#include <QString>

class QApplication;
class QPalette;

namespace Sandpiper {

enum class ThemeChoice { System, Light, Dark, HighContrast };

// Roles, not hues: a widget names what it means. Every text role reaches 4.5:1 on every surface it is
// drawn on, every mark 3:1; tests/ui/tst_theme holds the pairs.
struct ThemeColors
{
    QString name; // "light", "dark", "contrast": stable, for tests and settings
    bool dark = false;
    QColor window;        // behind everything: workspace, dialogs
    QColor panel;         // sidebar, drawer, status bar, tab strip
    QColor raised;        // fields, menus, cards
    QColor border;        // between surfaces
    QColor controlBorder; // around what can be operated: 3:1 only in high contrast
    QColor text;
    QColor muted;         // second lines, hints
    QColor disabled;      // exempt from contrast by its nature, still readable
    QColor accent;        // links, focus ring, the active tab's mark
    QColor accentFill;    // default buttons
    QColor onAccent;      // text on accentFill
    QColor selection;     // rows, with the focus
    QColor selectionIdle; // rows, without
    QColor hover;
    QColor running;       // marks and words of state
    QColor waiting;
    QColor resting;
    QColor danger;
    QColor dangerFill;    // buttons that destroy
    QColor onDanger;
};

// 4 px grid; device-independent pixels.
struct Metrics
{
    static constexpr int unit = 4;
    static constexpr int radius = 6;
    static constexpr int rowHeight = 28;
    static constexpr int twoLineRowHeight = 40;
    static constexpr int basePixelSize = 13;
    static constexpr int smallPixelSize = 11;
    static constexpr int iconSize = 16;
};

// What is in force now. Changes reach widgets as QEvent::PaletteChange.
[[nodiscard]] const ThemeColors &themeColors();
[[nodiscard]] ThemeColors lightColors();
[[nodiscard]] ThemeColors darkColors();
[[nodiscard]] ThemeColors highContrastColors();
[[nodiscard]] QPalette paletteFor(const ThemeColors &colors);
// The colour seen where `over`, perhaps translucent, lies on the opaque `under`.
[[nodiscard]] QColor blended(const QColor &over, const QColor &under);

// Holds the choice and follows the desktop where the choice says so. One per program; sets style,
// palette and font of the QApplication.
class ThemeController : public QObject
{
    Q_OBJECT
public:
    explicit ThemeController(QObject *parent = nullptr);
    [[nodiscard]] ThemeChoice choice() const { return m_choice; }
    void setChoice(ThemeChoice choice);
    // 11..20; the interface font's size.
    void setFontPixelSize(int pixels);
    // Asks the desktop portal, which knows also where Qt's platform plugin does not. Never waits.
    void askDesktop();

signals:
    void changed();

private:
    enum class DesktopScheme { Unknown, Light, Dark };
    void apply();
    void portalChanged(uint scheme);
    ThemeChoice m_choice = ThemeChoice::System;
    DesktopScheme m_portal = DesktopScheme::Unknown;
    int m_fontPixelSize = Metrics::basePixelSize;

private slots:
    void settingChanged(const QString &group, const QString &key, const QDBusVariant &value);
};

} // namespace Sandpiper
