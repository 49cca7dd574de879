// Reads the fields of a JSON object that a stranger sent: every wrong type is named. Pure.
#pragma once

#include "gateway/httprequest.h"

#include <QJsonArray>
#include <QJsonValue>
#include <QMap>
#include <QStringList>

#include <optional>

namespace Sandpiper {

// Remembers the first complaint; after one, the values read are not to be used.
class JsonFields
{
public:
    // An empty body counts as an empty object.
    static JsonFields parse(const QByteArray &body);
    explicit JsonFields(const QJsonObject &object) : m_object(object) {}

    // A sentence that names the field and what it must be; empty: all is well so far.
    [[nodiscard]] QString complaint() const { return m_complaint; }
    void complain(const QString &sentence);

    // Missing and null are both "not there".
    [[nodiscard]] bool has(const QString &name) const;
    // Text without NUL, of at most 64 KiB.
    QString text(const QString &name, const QString &otherwise = {});
    qint64 integer(const QString &name, qint64 least, qint64 most, qint64 otherwise);
    double number(const QString &name, double least, double most, double otherwise);
    bool boolean(const QString &name, bool otherwise);
    QStringList texts(const QString &name);
    QList<int> ports(const QString &name);
    QMap<QString, QString> textMap(const QString &name);
    QJsonObject object(const QString &name);
    // Complains where the field is there with anything but null, false, 0 or emptiness in it.
    void mustBeAbsent(const QString &name, const QString &sentence);

private:
    QJsonObject m_object;
    QString m_complaint;
};

} // namespace Sandpiper
