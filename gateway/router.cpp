#include "gateway/router.h"

namespace Sandpiper {

void Router::add(const QByteArray &method, const QByteArray &pattern, Function function)
{
    m_routes.append({method, pattern.mid(1).split('/'), std::move(function)});
}

Router::Match Router::find(const QByteArray &method, const QByteArray &path) const
{
    QByteArrayList parts = path.mid(1).split('/');
    if (parts.size() > 1 && parts.last().isEmpty())
        parts.removeLast();
    Match match;
    for (const Route &route : m_routes) {
        if (route.segments.size() != parts.size())
            continue;
        QStringList arguments;
        bool same = true;
        for (qsizetype i = 0; same && i < parts.size(); ++i) {
            if (route.segments.at(i) == "{}") {
                const QString argument = QString::fromUtf8(QByteArray::fromPercentEncoding(parts.at(i)));
                same = !argument.isEmpty() && !argument.contains(QChar(u'\0')) && !argument.contains(u'/');
                arguments.append(argument);
            } else {
                same = route.segments.at(i) == parts.at(i);
            }
        }
        if (!same)
            continue;
        match.pathKnown = true;
        if (route.method == method) {
            match.function = &route.function;
            match.arguments = arguments;
            return match;
        }
    }
    return match;
}

} // namespace Sandpiper
