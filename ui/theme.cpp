#include "ui/theme.h"

#include "ui/style.h"

#include <QApplication>
#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QDBusVariant>
#include <QFontDatabase>
#include <QPalette>
#include <QStyleHints>
#include <QToolTip>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

ThemeColors &current()
{
    static ThemeColors colors = darkColors();
    return colors;
}

constexpr auto portalService = "org.freedesktop.portal.Desktop"_L1;
constexpr auto portalPath = "/org/freedesktop/portal/desktop"_L1;
constexpr auto portalInterface = "org.freedesktop.portal.Settings"_L1;
constexpr auto appearanceGroup = "org.freedesktop.appearance"_L1;
constexpr auto schemeKey = "color-scheme"_L1;

} // namespace

const ThemeColors &themeColors()
{
    return current();
}

ThemeColors lightColors()
{
    ThemeColors c;
    c.name = u"light"_s;
    c.window = QColor(0xff, 0xff, 0xff);
    c.panel = QColor(0xf5, 0xf6, 0xf8);
    c.raised = QColor(0xff, 0xff, 0xff);
    c.border = QColor(0xe1, 0xe4, 0xe8);
    c.controlBorder = QColor(0xc6, 0xcb, 0xd2);
    c.text = QColor(0x1c, 0x20, 0x26);
    c.muted = QColor(0x5b, 0x64, 0x70);
    c.disabled = QColor(0x99, 0xa1, 0xab);
    c.accent = QColor(0x16, 0x5f, 0xb8);
    c.accentFill = QColor(0x1d, 0x66, 0xc2);
    c.onAccent = QColor(0xff, 0xff, 0xff);
    c.selection = QColor(0xdb, 0xe8, 0xf8);
    c.selectionIdle = QColor(0xe6, 0xe9, 0xed);
    c.hover = QColor(0xec, 0xee, 0xf1);
    c.running = QColor(0x16, 0x76, 0x3a);
    c.waiting = QColor(0x8a, 0x5c, 0x00);
    c.resting = QColor(0x5f, 0x6b, 0x7a);
    c.danger = QColor(0xb4, 0x23, 0x2c);
    c.dangerFill = QColor(0xbf, 0x2a, 0x33);
    c.onDanger = QColor(0xff, 0xff, 0xff);
    return c;
}

ThemeColors darkColors()
{
    ThemeColors c;
    c.name = u"dark"_s;
    c.dark = true;
    c.window = QColor(0x1c, 0x1e, 0x22);
    c.panel = QColor(0x17, 0x19, 0x1c);
    c.raised = QColor(0x25, 0x28, 0x2d);
    c.border = QColor(0x2c, 0x30, 0x36);
    c.controlBorder = QColor(0x41, 0x47, 0x50);
    c.text = QColor(0xe2, 0xe5, 0xe9);
    c.muted = QColor(0x9b, 0xa3, 0xae);
    c.disabled = QColor(0x6a, 0x72, 0x7d);
    c.accent = QColor(0x6c, 0xb0, 0xf5);
    c.accentFill = QColor(0x2a, 0x6f, 0xc4);
    c.onAccent = QColor(0xff, 0xff, 0xff);
    c.selection = QColor(0x24, 0x3a, 0x55);
    c.selectionIdle = QColor(0x2b, 0x2f, 0x36);
    c.hover = QColor(0x23, 0x26, 0x2b);
    c.running = QColor(0x4c, 0xc3, 0x70);
    c.waiting = QColor(0xdb, 0xa5, 0x38);
    c.resting = QColor(0x94, 0xa0, 0xb0);
    c.danger = QColor(0xff, 0x86, 0x80);
    c.dangerFill = QColor(0xc2, 0x36, 0x3c);
    c.onDanger = QColor(0xff, 0xff, 0xff);
    return c;
}

ThemeColors highContrastColors()
{
    ThemeColors c;
    c.name = u"contrast"_s;
    c.dark = true;
    c.window = QColor(0x00, 0x00, 0x00);
    c.panel = QColor(0x00, 0x00, 0x00);
    c.raised = QColor(0x0d, 0x0d, 0x0d);
    c.border = QColor(0xb8, 0xb8, 0xb8);
    c.controlBorder = QColor(0xff, 0xff, 0xff);
    c.text = QColor(0xff, 0xff, 0xff);
    c.muted = QColor(0xe0, 0xe0, 0xe0);
    c.disabled = QColor(0xa0, 0xa0, 0xa0);
    c.accent = QColor(0xff, 0xd8, 0x3d);
    c.accentFill = QColor(0xff, 0xd8, 0x3d);
    c.onAccent = QColor(0x00, 0x00, 0x00);
    c.selection = QColor(0x00, 0x3e, 0x8c);
    c.selectionIdle = QColor(0x33, 0x33, 0x33);
    c.hover = QColor(0x26, 0x26, 0x26);
    c.running = QColor(0x5c, 0xf2, 0x84);
    c.waiting = QColor(0xff, 0xc8, 0x4a);
    c.resting = QColor(0xd8, 0xd8, 0xd8);
    c.danger = QColor(0xff, 0x9a, 0x94);
    c.dangerFill = QColor(0xff, 0x9a, 0x94);
    c.onDanger = QColor(0x00, 0x00, 0x00);
    return c;
}

QPalette paletteFor(const ThemeColors &c)
{
    QPalette p;
    p.setColor(QPalette::Window, c.window);
    p.setColor(QPalette::WindowText, c.text);
    p.setColor(QPalette::Base, c.raised);
    p.setColor(QPalette::AlternateBase, c.panel);
    p.setColor(QPalette::Text, c.text);
    p.setColor(QPalette::PlaceholderText, c.muted);
    p.setColor(QPalette::Button, c.raised);
    p.setColor(QPalette::ButtonText, c.text);
    p.setColor(QPalette::BrightText, c.danger);
    p.setColor(QPalette::ToolTipBase, c.raised);
    p.setColor(QPalette::ToolTipText, c.text);
    p.setColor(QPalette::Highlight, c.selection);
    p.setColor(QPalette::HighlightedText, c.text);
    p.setColor(QPalette::Inactive, QPalette::Highlight, c.selectionIdle);
    p.setColor(QPalette::Accent, c.accentFill);
    p.setColor(QPalette::Link, c.accent);
    p.setColor(QPalette::LinkVisited, c.accent);
    p.setColor(QPalette::Light, c.raised);
    p.setColor(QPalette::Midlight, c.hover);
    p.setColor(QPalette::Mid, c.border);
    p.setColor(QPalette::Dark, c.controlBorder);
    p.setColor(QPalette::Shadow, c.border);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        p.setColor(QPalette::Disabled, role, c.disabled);
    return p;
}

QColor blended(const QColor &over, const QColor &under)
{
    const float a = over.alphaF();
    const auto mix = [a](float top, float bottom) { return top * a + bottom * (1 - a); };
    return QColor::fromRgbF(mix(over.redF(), under.redF()), mix(over.greenF(), under.greenF()),
                            mix(over.blueF(), under.blueF()));
}

ThemeController::ThemeController(QObject *parent)
    : QObject(parent)
{
    connect(QGuiApplication::styleHints(), &QStyleHints::colorSchemeChanged, this,
            [this] { apply(); });
    apply();
}

void ThemeController::setChoice(ThemeChoice choice)
{
    if (m_choice == choice)
        return;
    m_choice = choice;
    apply();
}

void ThemeController::setFontPixelSize(int pixels)
{
    if (m_fontPixelSize == pixels)
        return;
    m_fontPixelSize = qBound(11, pixels, 20);
    apply();
}

void ThemeController::askDesktop()
{
    QDBusConnection bus = QDBusConnection::sessionBus();
    if (!bus.isConnected())
        return;
    bus.connect(portalService, portalPath, portalInterface, u"SettingChanged"_s, this,
                SLOT(settingChanged(QString, QString, QDBusVariant)));
    QDBusMessage question =
            QDBusMessage::createMethodCall(portalService, portalPath, portalInterface, u"Read"_s);
    question << QString(appearanceGroup) << QString(schemeKey);
    auto *watcher = new QDBusPendingCallWatcher(bus.asyncCall(question, 3000), this);
    connect(watcher, &QDBusPendingCallWatcher::finished, this, [this, watcher] {
        const QDBusPendingReply<QDBusVariant> reply = *watcher;
        watcher->deleteLater();
        if (reply.isError())
            return;
        // The portal wraps its answer twice.
        const QVariant inner = reply.value().variant();
        portalChanged(inner.canConvert<QDBusVariant>()
                              ? inner.value<QDBusVariant>().variant().toUInt()
                              : inner.toUInt());
    });
}

void ThemeController::settingChanged(const QString &group, const QString &key,
                                     const QDBusVariant &value)
{
    if (group == appearanceGroup && key == schemeKey)
        portalChanged(value.variant().toUInt());
}

void ThemeController::portalChanged(uint scheme)
{
    m_portal = scheme == 1 ? DesktopScheme::Dark
            : scheme == 2  ? DesktopScheme::Light
                           : DesktopScheme::Unknown;
    if (m_choice == ThemeChoice::System)
        apply();
}

void ThemeController::apply()
{
    ThemeColors next;
    switch (m_choice) {
    case ThemeChoice::Light:
        next = lightColors();
        break;
    case ThemeChoice::Dark:
        next = darkColors();
        break;
    case ThemeChoice::HighContrast:
        next = highContrastColors();
        break;
    case ThemeChoice::System: {
        const Qt::ColorScheme scheme = QGuiApplication::styleHints()->colorScheme();
        // Where nobody says anything the terminal decides, and that is dark.
        const bool light = m_portal == DesktopScheme::Light
                || (m_portal == DesktopScheme::Unknown && scheme == Qt::ColorScheme::Light);
        next = light ? lightColors() : darkColors();
        break;
    }
    }
    current() = next;

    QFont font = QApplication::font();
    // The desktop's own font where it has one to offer; a list costs no search of all fonts.
    const QString family = QFontDatabase::systemFont(QFontDatabase::GeneralFont).family();
    const bool generic = family.isEmpty() || family.startsWith("Sans"_L1, Qt::CaseInsensitive)
            || family == "Helvetica"_L1;
    font.setFamilies(generic ? QStringList{u"Inter"_s, u"Noto Sans"_s, family} : QStringList{family});
    font.setPixelSize(m_fontPixelSize);
    QApplication::setFont(font);
    if (!qobject_cast<Style *>(QApplication::style()))
        QApplication::setStyle(new Style); // QApplication owns it
    const QPalette palette = paletteFor(next);
    QApplication::setPalette(palette);
    QToolTip::setPalette(palette);
    emit changed();
}

} // namespace Sandpiper
