#include "terminal/terminalfont.h"

#include <QFontDatabase>
#include <QFontInfo>
#include <QGuiApplication>

namespace Sandpiper {

using namespace Qt::StringLiterals;

namespace {

constexpr double kDefaultPointSize = 10.5;

QString chooseFamily()
{
    const QStringList installed = QFontDatabase::families();
    for (const QString &family : {u"JetBrains Mono"_s, u"Cascadia Mono"_s, u"Cascadia Code"_s, u"Fira Code"_s,
                                  u"Fira Mono"_s, u"Source Code Pro"_s, u"IBM Plex Mono"_s, u"Iosevka"_s, u"Hack"_s,
                                  u"Ubuntu Mono"_s, u"Noto Sans Mono"_s, u"DejaVu Sans Mono"_s, u"Liberation Mono"_s}) {
        if (installed.contains(family))
            return family;
    }
    return QFontDatabase::systemFont(QFontDatabase::FixedFont).family();
}

} // namespace

QString bestTerminalFamily()
{
    static const QString family = chooseFamily();
    return family;
}

QFont terminalFont(const QFont &wanted)
{
    // The application's own font is what a QFont is that nobody has chosen.
    const bool chosen = wanted.resolveMask() & QFont::FamiliesResolved;
    QFont font = wanted;
    if (!chosen || wanted.family().isEmpty() || !QFontDatabase::isFixedPitch(QFontInfo(wanted).family()))
        font.setFamilies({bestTerminalFamily()});
    double size = wanted.pointSizeF();
    if (!(wanted.resolveMask() & QFont::SizeResolved))
        size = kDefaultPointSize;
    else if (size <= 0)
        size = QFontInfo(wanted).pointSizeF();
    font.setPointSizeF(qBound(minTerminalPointSize, size, maxTerminalPointSize));
    font.setStyleHint(QFont::TypeWriter);
    font.setFixedPitch(true);
    font.setKerning(false);
    // A grid has one character a cell: "!=" is two, for the cursor and for the mouse.
    font.setFeature(QFont::Tag("liga"), 0);
    font.setFeature(QFont::Tag("calt"), 0);
    return font;
}

} // namespace Sandpiper
