// JSON from the other side, with bounds. Pure; any thread.
#pragma once

#include "session/error.h"

#include <QDateTime>
#include <QJsonObject>

namespace Sandpiper {

struct JsonLimits
{
    qsizetype depth = 32;
    qsizetype values = 1'000'000; // a value of two bytes costs a hundred in memory
};

// Protocol: no JSON, or no object. TooLarge: beyond the limits. Layer::Provider.
[[nodiscard]] Result<QJsonObject> parseJsonObject(const QByteArray &text, const JsonLimits &limits = {});

// The text under the first of these keys that holds one, tamed; else empty.
[[nodiscard]] QString jsonText(const QJsonObject &object, std::initializer_list<QLatin1StringView> keys,
                               qsizetype maxChars = 500);
// A whole number within 0…2^53, else 0. Takes 3.0 for 3.
[[nodiscard]] qint64 jsonCount(const QJsonValue &value);
// Seconds, milliseconds or microseconds since 1970 by their size, or RFC 3339 text. Invalid where it is
// neither, or not within the years 1970…9999. UTC.
[[nodiscard]] QDateTime jsonTime(const QJsonValue &value);

} // namespace Sandpiper
