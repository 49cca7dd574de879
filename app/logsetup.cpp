#include "app/logsetup.h"

#include <QDateTime>
#include <QFile>
#include <QLoggingCategory>
#include <QRegularExpression>

#include <cstdio>
#include <mutex>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

constexpr qint64 largestFile = 4 * 1024 * 1024;

struct Sink
{
    std::mutex mutex;
    QFile file;
    LogSetup *owner = nullptr;
    QtMessageHandler before = nullptr;
};

Sink &sink()
{
    static Sink one;
    return one;
}

QChar letterOf(QtMsgType type)
{
    switch (type) {
    case QtDebugMsg:
        return u'D';
    case QtInfoMsg:
        return u'I';
    case QtWarningMsg:
        return u'W';
    case QtCriticalMsg:
        return u'E';
    case QtFatalMsg:
        return u'F';
    }
    return u'?';
}

// A message handler may run while one runs: Qt itself may warn while a file is written.
thread_local bool inside = false;

void handle(QtMsgType type, const QMessageLogContext &context, const QString &message)
{
    if (std::exchange(inside, true))
        return;
    QString topic = QString::fromUtf8(context.category ? context.category : "default");
    if (topic.startsWith("sandpiper."_L1))
        topic.remove(0, 10);
    const QString line = redacted(QDateTime::currentDateTime().toString(u"HH:mm:ss.zzz"_s) + u' ' + letterOf(type) + u' '
                                  + topic + u": "_s + message);
    const QByteArray bytes = line.toUtf8() + '\n';
    {
        Sink &s = sink();
        const std::lock_guard lock(s.mutex);
        std::fwrite(bytes.constData(), 1, size_t(bytes.size()), stderr);
        if (s.file.isOpen()) {
            s.file.write(bytes);
            s.file.flush();
            if (s.file.size() > largestFile) {
                const QString name = s.file.fileName();
                s.file.close();
                QFile::remove(name + u".1"_s);
                QFile::rename(name, name + u".1"_s);
                s.file.open(QIODevice::WriteOnly | QIODevice::Append, QFile::ReadOwner | QFile::WriteOwner);
            }
        }
        if (s.owner && type != QtDebugMsg) {
            QMetaObject::invokeMethod(s.owner, [owner = s.owner, line] { emit owner->lineLogged(line); }, Qt::QueuedConnection);
        }
    }
    inside = false;
}

} // namespace

QString redacted(const QString &line)
{
    // Bearer and basic credentials, query parameters and JSON members that carry tokens, known shapes
    // of vendors' keys, and private keys.
    static const QRegularExpression rules[] = {
        QRegularExpression(u"(?i)\\b((?:bearer|basic)\\s+)[A-Za-z0-9._~+/=-]{6,}"_s),
        QRegularExpression(u"(?i)((?:token|api[_-]?key|secret|password|passphrase|authorization)\"?\\s*[=:]\\s*\"?)(?!\\s)[^\\s\"&,;}]{4,}"_s),
        QRegularExpression(u"\\b((?:tl_|tlk_|sk_|e2b_|s0_)(?:[A-Za-z]+_)?)[A-Za-z0-9]{12,}"_s),
        QRegularExpression(u"(://)[^/\\s:@]+:[^/\\s@]+(?=@)"_s),
        QRegularExpression(u"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*"_s, QRegularExpression::DotMatchesEverythingOption),
    };
    QString safe = line;
    for (const QRegularExpression &rule : rules)
        safe.replace(rule, u"\\1***"_s);
    return safe;
}

LogSetup::LogSetup(const QString &file, QObject *parent)
    : QObject(parent)
{
    Sink &s = sink();
    const std::lock_guard lock(s.mutex);
    if (!file.isEmpty()) {
        s.file.setFileName(file);
        if (s.file.open(QIODevice::WriteOnly | QIODevice::Append, QFile::ReadOwner | QFile::WriteOwner))
            s.file.setPermissions(QFile::ReadOwner | QFile::WriteOwner); // an older file may have been open to others
    }
    s.owner = this;
    s.before = qInstallMessageHandler(handle);
}

LogSetup::~LogSetup()
{
    Sink &s = sink();
    const std::lock_guard lock(s.mutex);
    qInstallMessageHandler(s.before);
    s.owner = nullptr;
    s.file.close();
}

} // namespace Sandpiper
