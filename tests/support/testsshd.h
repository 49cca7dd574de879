// Real SSH servers for tests: OpenSSH's sshd or dropbear on a loopback port, with throwaway keys, as
// whoever runs the test. Blocks while it starts: for tests only.
#pragma once

#include "session/sandbox.h"
#include "session/sshlink.h"

#include <QByteArray>
#include <QProcess>
#include <QString>
#include <QStringList>
#include <QTemporaryDir>

#include <memory>

namespace Sandpiper {

class TestSshd
{
public:
    enum class Kind { OpenSsh, Dropbear };

    // extraConfig: lines of sshd_config (OpenSsh), arguments (Dropbear).
    explicit TestSshd(Kind kind = Kind::OpenSsh, const QStringList &extraConfig = {});
    ~TestSshd();

    // Empty when it runs; else why it does not. The programs may be missing where nobody needs them:
    // a test skips then, unless CI or SANDPIPER_REQUIRE_SSHD is set.
    [[nodiscard]] QString problem() const { return m_problem; }
    [[nodiscard]] static bool mustRun();

    [[nodiscard]] quint16 port() const { return m_port; }
    [[nodiscard]] QString user() const { return m_user; }
    [[nodiscard]] QString folder() const { return m_dir.path(); }
    // A private key that is let in, without a passphrase.
    [[nodiscard]] QString identity() const { return m_dir.filePath(QStringLiteral("id_test")); }
    // One public key line.
    [[nodiscard]] QByteArray hostKey() const;
    // Lets another public key file in.
    void authorize(const QString &publicKeyFile);
    // Pinned host key, the identity, no agent, no default keys, a known_hosts file of its own.
    [[nodiscard]] LinkOptions options() const;
    [[nodiscard]] QString knownHosts() const { return m_dir.filePath(QStringLiteral("known_hosts")); }
    // A program that serves one connection on its standard input and output, as the same server.
    [[nodiscard]] QStringList stdioCommand() const;
    // Of the process that all of its others descend from.
    [[nodiscard]] qint64 processId() const { return m_process.processId(); }
    // What the server wrote about its life.
    [[nodiscard]] QByteArray log() const;
    // The server and all its connections stop at once.
    void kill();

private:
    void prepare();
    [[nodiscard]] bool launch(const QStringList &extraConfig);
    // With an empty folder in place of the account's home.
    [[nodiscard]] QStringList contained(const QStringList &command) const;

    Kind m_kind;
    QTemporaryDir m_dir;
    QString m_problem;
    QString m_user;
    quint16 m_port = 0;
    QStringList m_stdioCommand;
    QProcess m_process;
};

// Runs a program to its end; false (and a warning with its output) where it fails.
[[nodiscard]] bool runForTest(const QString &program, const QStringList &arguments, const QByteArray &input = {});
// ssh-keygen; type "ed25519", "rsa", "ecdsa". FILE.pub lies beside it.
[[nodiscard]] bool makeKey(const QString &file, const QString &type = QStringLiteral("ed25519"), const QString &passphrase = {});

// A real ssh-agent of its own.
class TestAgent
{
public:
    TestAgent();
    ~TestAgent();
    [[nodiscard]] QString socket() const { return m_dir.filePath(QStringLiteral("agent")); }
    [[nodiscard]] bool isRunning() const { return m_process.state() == QProcess::Running; }
    [[nodiscard]] bool add(const QString &keyFile);

private:
    QTemporaryDir m_dir;
    QProcess m_process;
};

} // namespace Sandpiper

// In a test function or initTestCase(): skips where the server's program is missing, or fails where it may not be.
#define SANDPIPER_NEED_SSHD(server) \
    do { \
        const QString because = (server).problem(); \
        if (!because.isEmpty() && Sandpiper::TestSshd::mustRun()) \
            QFAIL(qPrintable(because)); \
        if (!because.isEmpty()) \
            QSKIP(qPrintable(because)); \
    } while (false)
