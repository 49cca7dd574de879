// What this process holds: descriptors, threads and children. For tests that nothing is left behind.
#pragma once

#include <QByteArrayList>
#include <QDir>
#include <QFile>
#include <QString>

namespace Sandpiper {

struct ProcessHoldings
{
    qsizetype descriptors = 0;
    qsizetype threads = 0;
    qsizetype children = 0;

    [[nodiscard]] static ProcessHoldings now()
    {
        const auto filter = QDir::AllEntries | QDir::System | QDir::Hidden | QDir::NoDotAndDotDot;
        ProcessHoldings held;
        held.descriptors = QDir(QStringLiteral("/proc/self/fd")).entryList(filter).size();
        const QStringList threads = QDir(QStringLiteral("/proc/self/task")).entryList(filter);
        held.threads = threads.size();
        for (const QString &thread : threads) {
            QFile children(QStringLiteral("/proc/self/task/%1/children").arg(thread));
            const QByteArray list = children.open(QIODevice::ReadOnly) ? children.readAll().simplified() : QByteArray();
            held.children += list.isEmpty() ? 0 : list.split(' ').size();
        }
        return held;
    }
    // Nothing has been added since.
    [[nodiscard]] bool isWithin(const ProcessHoldings &before) const
    {
        return descriptors <= before.descriptors && threads <= before.threads && children <= before.children;
    }
};

// Memory of this process that is in use now.
inline double residentMiB()
{
    QFile status(QStringLiteral("/proc/self/status"));
    if (!status.open(QIODevice::ReadOnly))
        return 0;
    for (const QByteArray &line : status.readAll().split('\n')) {
        if (line.startsWith("VmRSS:"))
            return line.mid(6).trimmed().split(' ').first().toDouble() / 1024;
    }
    return 0;
}

} // namespace Sandpiper
