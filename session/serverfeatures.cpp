#include "session/serverfeatures.h"

#include "session/json.h"

#include <QJsonArray>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
QString keyOf(FeatureAnswer::Kind kind)
{
    switch (kind) {
    case FeatureAnswer::Kind::Unknown: return u"unknown"_s;
    case FeatureAnswer::Kind::Yes: return u"yes"_s;
    case FeatureAnswer::Kind::No: return u"no"_s;
    }
    Q_UNREACHABLE_RETURN({});
}

QString keyOf(ServerFeature feature)
{
    switch (feature) {
    case ServerFeature::Terminal: return u"terminal"_s;
    case ServerFeature::Exec: return u"exec"_s;
    case ServerFeature::Sftp: return u"sftp"_s;
    case ServerFeature::LocalForward: return u"local_forward"_s;
    case ServerFeature::UnixForward: return u"unix_forward"_s;
    case ServerFeature::RemoteForward: return u"remote_forward"_s;
    case ServerFeature::AgentForward: return u"agent_forward"_s;
    }
    Q_UNREACHABLE_RETURN({});
}

QJsonObject ServerFeatures::toJson() const
{
    QJsonObject found;
    for (int i = 0; i < kServerFeatures; ++i)
        found.insert(keyOf(ServerFeature(i)), QJsonObject{{u"answer"_s, keyOf(answers[size_t(i)].kind)}, {u"words"_s, answers[size_t(i)].words}});
    return {{u"server"_s, serverVersion}, {u"askedAt"_s, askedAt.toString(Qt::ISODate)}, {u"features"_s, found},
            {u"sftpVersion"_s, qint64(sftpVersion)}, {u"sftpExtensions"_s, QJsonArray::fromStringList(sftpExtensions)}};
}

std::optional<ServerFeatures> ServerFeatures::fromJson(const QJsonObject &json)
{
    ServerFeatures features;
    features.serverVersion = jsonText(json, {"server"_L1});
    features.askedAt = jsonTime(json["askedAt"_L1]);
    if (features.serverVersion.isEmpty() || !features.askedAt.isValid())
        return std::nullopt;
    const QJsonObject found = json["features"_L1].toObject();
    for (int i = 0; i < kServerFeatures; ++i) {
        const QJsonObject one = found[keyOf(ServerFeature(i))].toObject();
        FeatureAnswer &answer = features.answers[size_t(i)];
        const QString kind = one["answer"_L1].toString();
        if (kind == keyOf(FeatureAnswer::Kind::Yes))
            answer.kind = FeatureAnswer::Kind::Yes;
        else if (kind == keyOf(FeatureAnswer::Kind::No))
            answer.kind = FeatureAnswer::Kind::No;
        else if (kind != keyOf(FeatureAnswer::Kind::Unknown))
            return std::nullopt;
        answer.words = jsonText(one, {"words"_L1}, mostWords);
    }
    features.sftpVersion = quint32(jsonCount(json["sftpVersion"_L1]));
    for (const QJsonValue &name : json["sftpExtensions"_L1].toArray()) {
        if (features.sftpExtensions.size() < mostExtensions)
            features.sftpExtensions.append(tamed(name.toString(), mostName));
    }
    return features;
}

} // namespace Sandpiper
