#include "terminal/terminalscheme.h"

#include "session/paths.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QLoggingCategory>
#include <QSettings>

#include <algorithm>
#include <cmath>

// Outside any namespace, as the macro wants it.
static void initTerminalResources()
{
    Q_INIT_RESOURCE(terminal);
}

namespace Sandpiper {

using namespace Qt::StringLiterals;

static Q_LOGGING_CATEGORY(lcScheme, "sandpiper.terminal.scheme", QtInfoMsg)

namespace {

// As the settings show them.
constexpr QLatin1StringView kOrder[] = {
    "sandpiper-dark"_L1,          "sandpiper-light"_L1,         "sandpiper-dusk"_L1,
    "sandpiper-solarized-dark"_L1, "sandpiper-solarized-light"_L1, "sandpiper-gruvbox-dark"_L1,
    "sandpiper-gruvbox-light"_L1, "sandpiper-nord"_L1,          "sandpiper-high-contrast"_L1,
    "sandpiper-high-contrast-light"_L1,
};

QColor readColor(const QSettings &file, const QString &section)
{
    const QStringList parts = file.value(section + u"/Color"_s).toStringList();
    if (parts.size() != 3)
        return {};
    return QColor(parts[0].toInt(), parts[1].toInt(), parts[2].toInt());
}

TerminalScheme readScheme(const QString &path)
{
    const QSettings file(path, QSettings::IniFormat);
    TerminalScheme scheme;
    scheme.file = path;
    scheme.name = file.value(u"Description"_s).toString(); // the General section has no name
    scheme.background = readColor(file, u"Background"_s);
    scheme.foreground = readColor(file, u"Foreground"_s);
    for (std::size_t i = 0; i < 8; ++i) {
        const QString section = u"Color"_s + QString::number(i);
        scheme.palette[i] = readColor(file, section);
        scheme.palette[i + 8] = readColor(file, section + u"Intense"_s);
    }
    return scheme;
}

QList<TerminalScheme> readSchemes()
{
    initTerminalResources();
    QList<TerminalScheme> all;
    for (const auto name : kOrder)
        all.append(readScheme(u":/terminal/"_s + name + u".colorscheme"_s));
    return all;
}

QString writeKeyTable()
{
    initTerminalResources();
    QFile source(u":/terminal/sandpiper.keytab"_s);
    if (!source.open(QIODevice::ReadOnly))
        return {};
    const QByteArray table = source.readAll();
    // Two versions of the program side by side each find their own.
    const QByteArray mark = QCryptographicHash::hash(table, QCryptographicHash::Sha256).toHex().first(12);
    const QString name = u"/keys-"_s + QString::fromLatin1(mark) + u".keytab"_s;
    for (const QString &folder : {cacheFolder(), runtimeFolder(), stateFolder()}) {
        if (folder.isEmpty())
            continue;
        const QString path = folder + name;
        const Result<QByteArray> there = readFile(path, 1 << 20);
        if (there && *there == table)
            return path;
        if (const Done written = writePrivateFile(path, table); written)
            return path;
        else
            qCWarning(lcScheme) << "The key table cannot be written:" << written.error().detail;
    }
    return {};
}

double luminance(const QColor &color)
{
    const auto linear = [](double c) { return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4); };
    return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF());
}

} // namespace

const QList<TerminalScheme> &terminalSchemes()
{
    static const QList<TerminalScheme> all = readSchemes();
    return all;
}

const TerminalScheme &terminalScheme(const QString &name)
{
    const QList<TerminalScheme> &all = terminalSchemes();
    const auto at = std::ranges::find(all, name, &TerminalScheme::name);
    return at == all.end() ? all.first() : *at;
}

double contrastRatio(const QColor &a, const QColor &b)
{
    const double la = luminance(a);
    const double lb = luminance(b);
    return (qMax(la, lb) + 0.05) / (qMin(la, lb) + 0.05);
}

QString keyTableFile()
{
    // Looked up again where the file has gone: a cache folder may be emptied while we run.
    static QString path;
    if (path.isEmpty() || !QFile::exists(path))
        path = writeKeyTable();
    return path;
}

} // namespace Sandpiper
