// What servers of sandboxes were found to be able to do: one versioned file in the state folder. GUI
// thread; the file is small.
#pragma once

#include "session/keptfile.h"
#include "session/serverfeatures.h"

#include <QSet>

namespace Sandpiper {

class FeatureStore : public FeatureAsker
{
public:
    static constexpr qsizetype mostSandboxes = 200; // the oldest go

    // after: how long a link that is Ready is left alone before its server is asked.
    explicit FeatureStore(const QString &file, std::chrono::milliseconds after = std::chrono::seconds(2));

    [[nodiscard]] std::optional<ServerFeatures> of(const SandboxId &sandbox); // as the file has it now
    [[nodiscard]] Done keep(const SandboxId &sandbox, const ServerFeatures &features); // LocalDisk

    // Once for each version of a server, and never twice at a time.
    [[nodiscard]] std::optional<std::chrono::milliseconds> wantsAfter(const SandboxId &sandbox, const QString &serverVersion) override;
    void told(const SandboxId &sandbox, const Result<ServerFeatures> &features) override;

private:
    KeptFile m_file;
    std::chrono::milliseconds m_after;
    QSet<SandboxId> m_underway;
};

// $XDG_STATE_HOME/sandpiper/server_features.json; empty where there is no folder for it.
[[nodiscard]] QString featuresFile();

} // namespace Sandpiper
