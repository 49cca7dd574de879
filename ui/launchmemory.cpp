#include "ui/launchmemory.h"

#include "session/paths.h"

#include <QJsonArray>
#include <QJsonDocument>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

namespace {

constexpr int fileVersion = 1;
constexpr int maxEntries = 200;

} // namespace

LaunchMemory::LaunchMemory(QString file)
    : m_file(std::move(file))
{
    load();
}

std::optional<Launch> LaunchMemory::last(const SandboxId &sandbox) const
{
    const auto it = m_entries.constFind(sandbox);
    return it == m_entries.cend() ? std::nullopt : std::optional(it->launch);
}

Done LaunchMemory::remember(const SandboxId &sandbox, const Launch &launch)
{
    m_entries.insert(sandbox, {launch, QDateTime::currentMSecsSinceEpoch()});
    while (m_entries.size() > maxEntries) {
        const auto oldest = std::ranges::min_element(
            m_entries, {}, [](const Entry &entry) { return entry.usedAt; });
        m_entries.erase(oldest);
    }
    return save();
}

void LaunchMemory::load()
{
    if (m_file.isEmpty())
        return;
    const Result<QByteArray> content = readFile(m_file);
    if (!content)
        return;
    const QJsonObject json = QJsonDocument::fromJson(*content).object();
    if (json.value("version"_L1).toInt() != fileVersion)
        return;
    for (const QJsonValue &value : json.value("launches"_L1).toArray()) {
        const QJsonObject object = value.toObject();
        const auto record = ShellRecord::fromJson(object.value("shell"_L1).toObject());
        if (!record || record->sandbox.isEmpty() || m_entries.size() >= maxEntries)
            continue;
        m_entries.insert(record->sandbox, {{record->route, record->spec},
                                           qint64(object.value("usedAt"_L1).toDouble())});
    }
}

Done LaunchMemory::save() const
{
    if (m_file.isEmpty())
        return {};
    QJsonArray launches;
    for (auto it = m_entries.cbegin(); it != m_entries.cend(); ++it) {
        ShellRecord record;
        record.sandbox = it.key();
        record.route = it->launch.route;
        record.spec = it->launch.spec;
        launches.append(QJsonObject{{u"shell"_s, record.toJson()}, {u"usedAt"_s, double(it->usedAt)}});
    }
    return writePrivateFile(
        m_file,
        QJsonDocument(QJsonObject{{u"version"_s, fileVersion}, {u"launches"_s, launches}}).toJson());
}

} // namespace Sandpiper
