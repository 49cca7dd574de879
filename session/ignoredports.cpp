#include "session/ignoredports.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

IgnoredPorts::IgnoredPorts(const QString &file)
    : m_file(file, u"ports"_s)
    , m_ports(taken(m_file.load([](const QJsonArray &array) { return taken(array).size() == array.size(); })))
{
}

QList<IgnoredPorts::Entry> IgnoredPorts::taken(const QJsonArray &array)
{
    QList<Entry> entries;
    for (const QJsonValue &value : array) {
        const QString sandbox = value["sandbox"_L1].toString();
        const int port = value["port"_L1].toInt();
        if (SandboxId::parse(sandbox) && port > 0 && port <= 0xffff)
            entries.append({sandbox, quint16(port)});
    }
    return entries;
}

Done IgnoredPorts::setIgnored(const SandboxId &sandbox, quint16 port, bool isIgnored)
{
    const Entry entry{sandbox.toString(), port};
    const auto change = [&](QList<Entry> &entries) {
        entries.removeAll(entry);
        if (isIgnored)
            entries.append(entry);
        while (entries.size() > mostPorts)
            entries.removeFirst();
    };
    change(m_ports);
    return m_file.change([&](const std::optional<QJsonArray> &now) -> Result<QJsonArray> {
        QList<Entry> entries = now ? taken(*now) : m_ports;
        change(entries);
        QJsonArray array;
        for (const Entry &one : std::as_const(entries))
            array.append(QJsonObject{{u"sandbox"_s, one.first}, {u"port"_s, one.second}});
        return array;
    });
}

} // namespace Sandpiper
