// Ports of sandboxes that their user does not want to hear of: one versioned file in the state folder. GUI thread; the
// file is small.
#pragma once

#include "session/keptfile.h"
#include "session/sandbox.h"

namespace Sandpiper {

class IgnoredPorts
{
public:
    static constexpr qsizetype mostPorts = 500; // the oldest go

    // file: ignored_ports.json; see KeptFile.
    explicit IgnoredPorts(const QString &file);

    [[nodiscard]] bool contains(const SandboxId &sandbox, quint16 port) const { return m_ports.contains({sandbox.toString(), port}); }
    // LocalDisk: it holds until the program ends.
    [[nodiscard]] Done setIgnored(const SandboxId &sandbox, quint16 port, bool isIgnored);

private:
    using Entry = std::pair<QString, quint16>;
    [[nodiscard]] static QList<Entry> taken(const QJsonArray &array);
    KeptFile m_file;
    QList<Entry> m_ports; // the latest is the last
};

} // namespace Sandpiper
