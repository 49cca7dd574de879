#include "gateway/sandboxnetwork.h"

#include "gateway/systemfolder.h"
#include "session/error.h"

#include <QFile>
#include <QLoggingCategory>
#include <QStandardPaths>

#include <chrono>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace Sandpiper {

namespace {

Q_LOGGING_CATEGORY(lcNetwork, "sandpiper.gateway.network", QtInfoMsg)

constexpr auto lookEvery = std::chrono::milliseconds(15);
constexpr qint64 patienceMilliseconds = 5000;

// A way out in the tables of that process's network namespace.
bool hasDefaultRoute(qint64 pid)
{
    QFile four(u"/proc/%1/net/route"_s.arg(pid));
    if (four.open(QIODevice::ReadOnly)) {
        const QByteArrayList lines = four.readAll().split('\n');
        for (const QByteArray &line : lines) {
            const QByteArrayList words = line.simplified().split(' ');
            if (words.size() > 7 && words[1] == "00000000" && words[7] == "00000000")
                return true;
        }
    }
    QFile six(u"/proc/%1/net/ipv6_route"_s.arg(pid));
    if (!six.open(QIODevice::ReadOnly))
        return false;
    const QByteArrayList lines = six.readAll().split('\n');
    for (const QByteArray &line : lines) {
        const QByteArrayList words = line.simplified().split(' ');
        // Entries of "lo" in this form mean "no way there".
        if (words.size() > 9 && words[1] == "00" && words[0].count('0') == 32 && words[9] != "lo")
            return true;
    }
    return false;
}

} // namespace

SandboxNetwork::SandboxNetwork()
{
    if (QStandardPaths::findExecutable(u"pasta"_s).isEmpty())
        m_unusableBecause = u"This sandbox has no network but its own loopback, because pasta "
                            "(package passt) is not installed on this computer."_s;
}

QStringList SandboxNetwork::command()
{
    QStringList command = {
        u"pasta"_s, u"--config-net"_s, u"--foreground"_s, u"--quiet"_s,
        // Neither side's ports appear on the other: by default pasta mirrors them both ways.
        u"-t"_s, u"none"_s, u"-u"_s, u"none"_s, u"-T"_s, u"none"_s, u"-U"_s, u"none"_s,
        // The gateway's address must not lead to what listens on this computer's loopback.
        u"--no-map-gw"_s,
        u"--dns-forward"_s, QString(insideNameServer)};
    // As root it would become "nobody", who may not enter the sandbox.
    if (geteuid() == 0)
        command << u"--runas"_s << u"0"_s;
    return command;
}

NetworkAttachment::NetworkAttachment(const QString &initProgram, qint64 pid, QObject *parent)
    : QObject(parent), m_pid(pid)
{
    m_process.setStandardInputFile(QProcess::nullDevice());
    m_process.setStandardOutputFile(QProcess::nullDevice());
    m_process.setUnixProcessParameters(QProcess::UnixProcessFlag::ResetSignalHandlers);
    connect(&m_process, &QProcess::readyReadStandardError, this,
            [this] { m_said = (m_said + m_process.readAllStandardError()).right(2000); });
    connect(&m_process, &QProcess::finished, this, [this] {
        const QString said = tamed(QString::fromUtf8(m_said.trimmed().split('\n').last()), 300);
        finish(u"This sandbox has no network but its own loopback, because pasta does not work on "
               "this computer (it said: %1)."_s.arg(said), true);
    });
    connect(&m_timer, &QTimer::timeout, this, &NetworkAttachment::look);
    m_since.start();
    m_timer.start(lookEvery);
    m_process.start(initProgram, QStringList{u"--attach-network"_s, QString::number(pid)}
                                         + SandboxNetwork::command());
}

NetworkAttachment::~NetworkAttachment()
{
    m_process.disconnect(this);
    m_process.kill();
    // It was killed, and has nothing to wait for.
    m_process.waitForFinished(2000);
}

void NetworkAttachment::look()
{
    if (hasDefaultRoute(m_pid))
        finish({}, true);
    else if (m_process.state() == QProcess::NotRunning)
        finish(u"This sandbox has no network but its own loopback, because pasta cannot be started "
               "on this computer."_s, true);
    else if (m_since.elapsed() > patienceMilliseconds)
        finish(u"This sandbox has no network but its own loopback, because pasta did not set it up "
               "in time."_s, false);
}

void NetworkAttachment::finish(const QString &note, bool worthAnotherTry)
{
    m_timer.stop();
    if (m_done) {
        if (!note.isEmpty())
            qCWarning(lcNetwork) << "pasta has ended:" << note;
        return;
    }
    m_done = true;
    emit done(note, worthAnotherTry);
}

} // namespace Sandpiper
