// A real sandpiper-gateway process with a state folder of its own, for tests of every folder.
#pragma once

#include <QJsonObject>
#include <QMap>
#include <QProcess>
#include <QStringList>
#include <QTemporaryDir>
#include <QUrl>

#include <memory>

namespace Sandpiper {

// Calls wait, which is fine in a test and nowhere else.
class TestGateway
{
public:
    enum class Layout {
        StateFolder, // --state: everything in folder()
        UserFolders, // XDG_*: folders below folder(); apply() gives them to this process too
    };
    struct Options
    {
        Layout layout = Layout::StateFolder;
        QStringList arguments = {}; // more of them: "--pty-idle-seconds", "1"
        QMap<QString, QString> environment = {};
    };
    TestGateway();
    explicit TestGateway(const Options &options);
    // Ends it, and with it everything in its sandboxes.
    ~TestGateway();

    // Waits for its start line. Empty: it runs. Else what went wrong. Again after stop() or kill():
    // the same state folder, so the same addresses and keys.
    [[nodiscard]] QString start();
    void stop(); // SIGTERM, and waits for the end
    void kill(); // SIGKILL, likewise
    [[nodiscard]] bool isRunning() const { return m_process && m_process->state() == QProcess::Running; }
    // Waits for it to end by itself.
    [[nodiscard]] bool waitForEnd(int milliseconds);

    [[nodiscard]] QString folder() const { return m_folder.path(); }
    [[nodiscard]] const QJsonObject &startLine() const { return m_startLine; }
    [[nodiscard]] QUrl apiUrl() const;
    [[nodiscard]] QByteArray apiKey() const;
    [[nodiscard]] QString sshHost() const;
    [[nodiscard]] quint16 sshPort() const; // 0: it serves no SSH
    [[nodiscard]] QByteArray hostKey() const; // "ssh-ed25519 AAAA…"
    [[nodiscard]] QString clientKey() const;  // the private key file registered as "This computer"
    [[nodiscard]] qint64 pid() const;
    // Why it cannot make sandboxes here; empty: it can.
    [[nodiscard]] QString unusableBecause() const;
    [[nodiscard]] QByteArray errorOutput() const { return m_errorOutput; }
    // Layout::UserFolders: sets XDG_* and SANDPIPER_GATEWAY of this process to this gateway's, so
    // that findGateway() and ensureGateway() mean it.
    void apply() const;

    // $SANDPIPER_BIN/name
    [[nodiscard]] static QString program(const QString &name);

private:
    void waitForProcess();

    Options m_options;
    QTemporaryDir m_folder;
    std::unique_ptr<QProcess> m_process;
    QJsonObject m_startLine;
    QByteArray m_errorOutput;
};

// True under CI=true or SANDPIPER_REQUIRE_SSHD=1: what is missing is a failure there, not a skip.
[[nodiscard]] bool nothingMayBeSkipped();

} // namespace Sandpiper

// In a test function or initTestCase(): skips, or fails where nothing may be skipped, unless the
// running gateway can make sandboxes here.
#define SANDPIPER_NEED_SANDBOXES(gateway) \
    do { \
        const QString because = (gateway).unusableBecause(); \
        if (!because.isEmpty() && Sandpiper::nothingMayBeSkipped()) \
            QFAIL(qPrintable(because)); \
        if (!because.isEmpty()) \
            QSKIP(qPrintable(because)); \
    } while (false)
