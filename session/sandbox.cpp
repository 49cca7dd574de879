#include "session/sandbox.h"

#include <QStringList>

namespace Sandpiper {

QString SandboxId::toString() const
{
    const auto part = [](const QString &text) {
        return QString::fromLatin1(QUrl::toPercentEncoding(text));
    };
    return QStringList{part(vendor), part(account), part(id)}.join(QLatin1Char('/'));
}

std::optional<SandboxId> SandboxId::parse(const QString &text)
{
    const QStringList parts = text.split(QLatin1Char('/'));
    if (parts.size() != 3)
        return std::nullopt;
    SandboxId result{QUrl::fromPercentEncoding(parts.at(0).toLatin1()),
                     QUrl::fromPercentEncoding(parts.at(1).toLatin1()),
                     QUrl::fromPercentEncoding(parts.at(2).toLatin1())};
    if (result.vendor.isEmpty() || result.account.isEmpty() || result.id.isEmpty())
        return std::nullopt;
    return result;
}

} // namespace Sandpiper
