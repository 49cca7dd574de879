#include "session/json.h"

#include <QJsonDocument>
#include <QTimeZone>

#include <cmath>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// Counts brackets and commas outside of strings, so that nothing is built before it is known to fit.
bool fits(const QByteArray &text, const JsonLimits &limits)
{
    qsizetype depth = 0;
    qsizetype values = 0;
    bool inString = false;
    for (qsizetype i = 0; i < text.size(); ++i) {
        const char c = text.at(i);
        if (inString) {
            if (c == '\\')
                ++i;
            else if (c == '"')
                inString = false;
            continue;
        }
        switch (c) {
        case '"': inString = true; break;
        case '[':
        case '{':
            if (++depth > limits.depth)
                return false;
            ++values;
            break;
        case ']':
        case '}': --depth; break;
        case ',': ++values; break;
        default: break;
        }
        if (values > limits.values)
            return false;
    }
    return true;
}

constexpr double maxExact = 9007199254740992.0; // 2^53

} // namespace

Result<QJsonObject> parseJsonObject(const QByteArray &text, const JsonLimits &limits)
{
    if (!fits(text, limits))
        return failure(ErrorKind::TooLarge, Layer::Provider, u"the JSON is too deep or has too many values"_s);
    QJsonParseError problem;
    const QJsonDocument document = QJsonDocument::fromJson(text, &problem);
    if (problem.error != QJsonParseError::NoError)
        return failure(ErrorKind::Protocol, Layer::Provider, u"no valid JSON: "_s + problem.errorString());
    if (!document.isObject())
        return failure(ErrorKind::Protocol, Layer::Provider, u"the JSON is no object"_s);
    return document.object();
}

QString jsonText(const QJsonObject &object, std::initializer_list<QLatin1StringView> keys, qsizetype maxChars)
{
    for (const QLatin1StringView key : keys) {
        if (const QString text = object.value(key).toString(); !text.isEmpty())
            return tamed(text, maxChars);
    }
    return {};
}

qint64 jsonCount(const QJsonValue &value)
{
    const double number = value.toDouble();
    return number >= 0 && number <= maxExact && std::floor(number) == number ? qint64(number) : 0;
}

QDateTime jsonTime(const QJsonValue &value)
{
    constexpr qint64 endOfYear9999 = 253402300799999;
    if (value.isString()) {
        const QDateTime time = QDateTime::fromString(value.toString().left(64), Qt::ISODateWithMs).toUTC();
        return time.isValid() && time.toMSecsSinceEpoch() >= 0 && time.toMSecsSinceEpoch() <= endOfYear9999 ? time : QDateTime();
    }
    const double number = value.toDouble();
    if (!(number > 0))
        return {};
    // The limits by which the vendors' own clients tell the units apart.
    const double ms = number > 1e15 ? number / 1e3 : number > 1e12 ? number : number * 1e3;
    if (!(ms <= double(endOfYear9999)))
        return {};
    return QDateTime::fromMSecsSinceEpoch(qint64(ms), QTimeZone::UTC);
}

} // namespace Sandpiper
