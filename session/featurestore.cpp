#include "session/featurestore.h"

#include "session/paths.h"

#include <QLoggingCategory>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

static Q_LOGGING_CATEGORY(lcFeatures, "sandpiper.session.features", QtInfoMsg)

FeatureStore::FeatureStore(const QString &file, std::chrono::milliseconds after)
    : m_file(file, u"servers"_s)
    , m_after(after)
{
}

std::optional<ServerFeatures> FeatureStore::of(const SandboxId &sandbox)
{
    const QString id = sandbox.toString();
    // An entry that is not understood costs a question to the server, and no more.
    const QJsonArray entries = m_file.load([](const QJsonArray &) { return true; });
    for (const QJsonValue &value : entries) {
        const QJsonObject entry = value.toObject();
        if (entry["sandbox"_L1].toString() == id)
            return ServerFeatures::fromJson(entry);
    }
    return std::nullopt;
}

Done FeatureStore::keep(const SandboxId &sandbox, const ServerFeatures &features)
{
    return m_file.change([&](const std::optional<QJsonArray> &now) -> Result<QJsonArray> {
        const QString id = sandbox.toString();
        QJsonArray entries;
        for (const QJsonValue &value : now.value_or(QJsonArray())) {
            const QJsonObject entry = value.toObject();
            if (entry["sandbox"_L1].toString() != id && ServerFeatures::fromJson(entry))
                entries.append(entry);
        }
        QJsonObject entry = features.toJson();
        entry.insert(u"sandbox"_s, id);
        entries.append(entry); // the latest is the last
        while (entries.size() > mostSandboxes)
            entries.removeFirst();
        return entries;
    });
}

std::optional<std::chrono::milliseconds> FeatureStore::wantsAfter(const SandboxId &sandbox, const QString &serverVersion)
{
    if (sandbox.isEmpty() || serverVersion.isEmpty() || m_underway.contains(sandbox))
        return std::nullopt;
    const std::optional<ServerFeatures> known = of(sandbox);
    if (known && known->serverVersion == serverVersion)
        return std::nullopt;
    m_underway.insert(sandbox);
    return m_after;
}

void FeatureStore::told(const SandboxId &sandbox, const Result<ServerFeatures> &features)
{
    m_underway.remove(sandbox);
    if (!features)
        return;
    if (const Done kept = keep(sandbox, *features); !kept)
        qCWarning(lcFeatures).noquote() << describe(kept.error());
}

QString featuresFile()
{
    const QString folder = stateFolder();
    return folder.isEmpty() ? QString() : folder + u"/server_features.json"_s;
}

} // namespace Sandpiper
