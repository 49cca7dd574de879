// The way out of a sandbox's own network namespace, by pasta where it works. Main thread.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QProcess>
#include <QTimer>

namespace Sandpiper {

// What is known about pasta on this computer since the gateway started.
class SandboxNetwork
{
public:
    SandboxNetwork();
    // Empty: worth a try. Else the sentence that says why sandboxes have no way out.
    [[nodiscard]] QString unusableBecause() const { return m_unusableBecause; }
    // The first sandbox finds out; when pasta neither works nor ends, nobody waits for it again.
    void setUnusable(const QString &because) { m_unusableBecause = because; }
    // How it is called, without what names the sandbox.
    [[nodiscard]] static QStringList command();

private:
    QString m_unusableBecause;
};

// pasta for one sandbox.
class NetworkAttachment : public QObject
{
    Q_OBJECT
public:
    // Starts it for the sandbox whose first process has that pid here; done() follows.
    NetworkAttachment(const QString &initProgram, qint64 pid, QObject *parent);
    ~NetworkAttachment() override;

signals:
    void done(const QString &note, bool worthAnotherTry); // empty note: there is a way out

private:
    void look();
    void finish(const QString &note, bool worthAnotherTry);

    qint64 m_pid;
    QProcess m_process;
    QByteArray m_said;
    QTimer m_timer;
    QElapsedTimer m_since;
    bool m_done = false;
};

} // namespace Sandpiper
