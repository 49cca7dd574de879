#include "gateway/jsonfields.h"

#include <QJsonDocument>

#include <cmath>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype textLimit = 64 * 1024;
constexpr qsizetype listLimit = 4096;

bool isFineText(const QJsonValue &value)
{
    return value.isString() && value.toString().size() <= textLimit && !value.toString().contains(QChar(u'\0'));
}

} // namespace

JsonFields JsonFields::parse(const QByteArray &body)
{
    if (body.trimmed().isEmpty())
        return JsonFields(QJsonObject());
    QJsonParseError error;
    const QJsonDocument document = QJsonDocument::fromJson(body, &error);
    JsonFields fields(document.object());
    if (error.error != QJsonParseError::NoError)
        fields.complain(u"The body is not JSON: %1, at byte %2."_s.arg(error.errorString()).arg(error.offset));
    else if (!document.isObject())
        fields.complain(u"The body must be a JSON object."_s);
    return fields;
}

void JsonFields::complain(const QString &sentence)
{
    if (m_complaint.isEmpty())
        m_complaint = sentence;
}

bool JsonFields::has(const QString &name) const
{
    const QJsonValue value = m_object.value(name);
    return !value.isUndefined() && !value.isNull();
}

QString JsonFields::text(const QString &name, const QString &otherwise)
{
    if (!has(name))
        return otherwise;
    if (!isFineText(m_object.value(name)))
        complain(u"\"%1\" must be a string without NUL."_s.arg(name));
    return m_object.value(name).toString();
}

qint64 JsonFields::integer(const QString &name, qint64 least, qint64 most, qint64 otherwise)
{
    if (!has(name))
        return otherwise;
    const QJsonValue value = m_object.value(name);
    const double real = value.toDouble();
    if (!value.isDouble() || real != std::floor(real) || real < double(least) || real > double(most)) {
        complain(u"\"%1\" must be a whole number from %2 to %3."_s.arg(name).arg(least).arg(most));
        return otherwise;
    }
    return qint64(real);
}

double JsonFields::number(const QString &name, double least, double most, double otherwise)
{
    if (!has(name))
        return otherwise;
    const QJsonValue value = m_object.value(name);
    if (!value.isDouble() || !(value.toDouble() >= least) || !(value.toDouble() <= most)) {
        complain(u"\"%1\" must be a number from %2 to %3."_s.arg(name).arg(least).arg(most));
        return otherwise;
    }
    return value.toDouble();
}

bool JsonFields::boolean(const QString &name, bool otherwise)
{
    if (!has(name))
        return otherwise;
    if (!m_object.value(name).isBool())
        complain(u"\"%1\" must be true or false."_s.arg(name));
    return m_object.value(name).toBool();
}

QStringList JsonFields::texts(const QString &name)
{
    if (!has(name))
        return {};
    const QJsonArray array = m_object.value(name).toArray();
    bool fine = m_object.value(name).isArray() && array.size() <= listLimit;
    QStringList list;
    for (const QJsonValue &value : array) {
        fine = fine && isFineText(value);
        list.append(value.toString());
    }
    if (!fine)
        complain(u"\"%1\" must be a list of strings without NUL."_s.arg(name));
    return list;
}

QList<int> JsonFields::ports(const QString &name)
{
    if (!has(name))
        return {};
    const QJsonArray array = m_object.value(name).toArray();
    bool fine = m_object.value(name).isArray() && array.size() <= listLimit;
    QList<int> list;
    for (const QJsonValue &value : array) {
        const double port = value.toDouble();
        // 9501 is where the vendor's own daemon listens.
        fine = fine && port >= 1 && port <= 65535 && port == std::floor(port) && port != 9501;
        if (fine && !list.contains(int(port)))
            list.append(int(port));
    }
    if (!fine)
        complain(u"\"%1\" must be a list of ports, 1 to 65535 and not 9501."_s.arg(name));
    return list;
}

QMap<QString, QString> JsonFields::textMap(const QString &name)
{
    if (!has(name))
        return {};
    const QJsonObject object = m_object.value(name).toObject();
    bool fine = m_object.value(name).isObject() && object.size() <= listLimit;
    QMap<QString, QString> map;
    for (auto it = object.begin(); it != object.end(); ++it) {
        fine = fine && isFineText(it.value()) && !it.key().isEmpty() && !it.key().contains(u'=')
                && !it.key().contains(QChar(u'\0'));
        map.insert(it.key(), it.value().toString());
    }
    if (!fine)
        complain(u"\"%1\" must be an object of strings without NUL, its names without \"=\"."_s.arg(name));
    return map;
}

QJsonObject JsonFields::object(const QString &name)
{
    if (has(name) && !m_object.value(name).isObject())
        complain(u"\"%1\" must be an object."_s.arg(name));
    return m_object.value(name).toObject();
}

void JsonFields::mustBeAbsent(const QString &name, const QString &sentence)
{
    const QJsonValue value = m_object.value(name);
    const bool nothing = value.isUndefined() || value.isNull() || (value.isBool() && !value.toBool())
            || (value.isDouble() && value.toDouble() == 0) || (value.isString() && value.toString().isEmpty())
            || (value.isArray() && value.toArray().isEmpty()) || (value.isObject() && value.toObject().isEmpty());
    if (!nothing)
        complain(sentence);
}

} // namespace Sandpiper
