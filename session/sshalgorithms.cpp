#include "session/sshalgorithms.h"

#include "session/sshconfiglines.h"

#include <QStringList>

namespace Sandpiper {

QByteArray assembledAlgorithms(const QString &text, const QByteArray &defaults, const QByteArray &possible)
{
    const QStringList usual = QString::fromLatin1(defaults).split(QLatin1Char(','), Qt::SkipEmptyParts);
    const QStringList all = QString::fromLatin1(possible).split(QLatin1Char(','), Qt::SkipEmptyParts);
    const QChar sign = text.isEmpty() ? QChar(u'+') : text.front();
    const bool isChange = sign == u'+' || sign == u'-' || sign == u'^';
    const QString list = text.isEmpty() ? QString() : isChange ? text.sliced(1) : text;
    const QStringList given = list.split(QLatin1Char(','), Qt::SkipEmptyParts);
    QStringList wanted = given;
    if (sign == u'+') {
        wanted = usual + given;
    } else if (sign == u'^') {
        wanted = given + usual;
    } else if (sign == u'-') {
        wanted = usual;
        wanted.removeIf([&](const QString &name) { return matchesSshPatterns(name, list, PatternCase::AsWritten); });
    }
    QStringList result;
    for (const QString &pattern : std::as_const(wanted)) {
        for (const QString &name : all) {
            if (!result.contains(name) && matchesSshPattern(name, pattern))
                result.append(name);
        }
    }
    return result.join(QLatin1Char(',')).toLatin1();
}

} // namespace Sandpiper
