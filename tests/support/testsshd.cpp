#include "tests/support/testsshd.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QFileInfo>
#include <QLocalSocket>
#include <QStandardPaths>
#include <QTcpServer>
#include <QTcpSocket>

#include <pwd.h>
#include <signal.h>
#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// Two slow cores and a sanitizer.
constexpr int kPatience = 30000;

QString programPath(const QString &name)
{
    const QString found = QStandardPaths::findExecutable(name);
    return found.isEmpty() ? QStandardPaths::findExecutable(name, {u"/usr/sbin"_s, u"/sbin"_s}) : found;
}

// Of the account, whatever HOME says: it is where its shells look for their start files.
QString accountHome()
{
    const passwd *entry = ::getpwuid(::geteuid());
    return QString::fromLocal8Bit(entry ? entry->pw_dir : "/root");
}

quint16 freePort()
{
    QTcpServer server;
    return server.listen(QHostAddress::LocalHost) ? server.serverPort() : 0;
}

QList<pid_t> descendantsOf(pid_t ancestor)
{
    QList<std::pair<pid_t, pid_t>> all; // process, parent
    for (const QString &name : QDir(u"/proc"_s).entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
        QFile stat(u"/proc/%1/stat"_s.arg(name));
        if (name.toInt() <= 0 || !stat.open(QIODevice::ReadOnly))
            continue;
        const QByteArray line = stat.readAll();
        const QByteArrayList fields = line.sliced(line.lastIndexOf(')') + 1).simplified().split(' ');
        if (fields.size() > 1)
            all.append({name.toInt(), fields[1].toInt()});
    }
    QList<pid_t> family{ancestor};
    for (qsizetype i = 0; i < family.size(); ++i) {
        for (const auto &[pid, parent] : std::as_const(all)) {
            if (parent == family[i])
                family.append(pid);
        }
    }
    return family.sliced(1);
}

bool writeFile(const QString &path, const QByteArray &content)
{
    QFile file(path);
    return file.open(QIODevice::WriteOnly) && file.write(content) == content.size();
}

} // namespace

bool runForTest(const QString &program, const QStringList &arguments, const QByteArray &input)
{
    QProcess process;
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(program, arguments);
    process.write(input);
    process.closeWriteChannel();
    const bool ended = process.waitForFinished(kPatience);
    if (ended && process.exitStatus() == QProcess::NormalExit && process.exitCode() == 0)
        return true;
    qWarning().noquote() << program << arguments << process.errorString() << process.readAll();
    return false;
}

bool makeKey(const QString &file, const QString &type, const QString &passphrase)
{
    QStringList arguments{u"-q"_s, u"-t"_s, type, u"-N"_s, passphrase, u"-C"_s, u"test"_s, u"-f"_s, file};
    if (type == u"rsa")
        arguments += {u"-b"_s, u"2048"_s};
    return runForTest(u"ssh-keygen"_s, arguments);
}

TestSshd::TestSshd(Kind kind, const QStringList &extraConfig)
    : m_kind(kind)
    // dropbear takes no keys from below a folder that others may write to, such as /tmp.
    , m_dir(kind == Kind::Dropbear ? accountHome() + u"/.sandpiper-test-XXXXXX"_s : QDir::tempPath() + u"/sandpiper-test-XXXXXX"_s)
{
    const passwd *entry = ::getpwuid(::geteuid());
    m_user = QString::fromLocal8Bit(entry ? entry->pw_name : "root");
    if (programPath(m_kind == Kind::OpenSsh ? u"sshd"_s : u"dropbear"_s).isEmpty()) {
        m_problem = u"the SSH server is not installed"_s;
        return;
    }
    prepare();
    // Somebody else may take the port between finding it and listening on it.
    for (int attempt = 0; m_problem.isEmpty() && attempt < 5; ++attempt) {
        m_port = freePort();
        if (launch(extraConfig))
            return;
    }
    if (m_problem.isEmpty())
        m_problem = u"the SSH server does not listen: "_s + QString::fromLocal8Bit(log());
}

TestSshd::~TestSshd()
{
    kill();
}

bool TestSshd::mustRun()
{
    return qEnvironmentVariable("CI") == u"true" || qEnvironmentVariableIsSet("SANDPIPER_REQUIRE_SSHD");
}

void TestSshd::prepare()
{
    const QString sshFolder = m_dir.filePath(u"keys"_s);
    bool made = m_dir.isValid() && QDir().mkpath(sshFolder) && QDir().mkpath(m_dir.filePath(u"home"_s)) && makeKey(identity());
    QFile::setPermissions(m_dir.filePath(u"home"_s), QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    if (m_kind == Kind::OpenSsh) {
        made = made && makeKey(m_dir.filePath(u"host_ed25519"_s)) && makeKey(m_dir.filePath(u"host_rsa"_s), u"rsa"_s);
        if (::geteuid() == 0)
            made = made && QDir().mkpath(u"/run/sshd"_s);
    } else {
        const QString key = m_dir.filePath(u"host_ed25519"_s);
        made = made && runForTest(u"dropbearkey"_s, {u"-t"_s, u"ed25519"_s, u"-f"_s, key});
    }
    // dropbear takes a folder that holds a file of this name.
    made = made && QFile::copy(identity() + u".pub"_s, m_dir.filePath(u"keys/authorized_keys"_s));
    if (!made)
        m_problem = u"the keys could not be made"_s;
    QFile groups(u"/etc/group"_s);
    QByteArray others;
    if (groups.open(QIODevice::ReadOnly)) {
        for (const QByteArray &line : groups.readAll().split('\n'))
            others += line.startsWith("tty:") || line.isEmpty() ? QByteArray() : line + '\n';
    }
    if (!writeFile(m_dir.filePath(u"group"_s), others))
        m_problem = u"the list of groups could not be written"_s;
}

bool TestSshd::launch(const QStringList &extraConfig)
{
    QString program;
    QStringList arguments;
    const QString keys = m_dir.filePath(u"keys/authorized_keys"_s);
    if (m_kind == Kind::OpenSsh) {
        QStringList config = extraConfig; // the first value counts
        config += {
            u"Port %1"_s.arg(m_port), u"ListenAddress 127.0.0.1"_s, u"HostKey "_s + m_dir.filePath(u"host_ed25519"_s),
            u"HostKey "_s + m_dir.filePath(u"host_rsa"_s), u"PidFile none"_s, u"StrictModes no"_s, u"UsePAM no"_s,
            u"AuthorizedKeysFile "_s + keys, u"PermitRootLogin yes"_s, u"PasswordAuthentication no"_s,
            u"KbdInteractiveAuthentication no"_s, u"PerSourcePenalties no"_s, u"MaxStartups 100"_s, u"PrintMotd no"_s,
            u"PrintLastLog no"_s, u"Subsystem sftp internal-sftp"_s,
        };
        const QString file = m_dir.filePath(u"sshd_config"_s);
        if (!writeFile(file, (config.join(u'\n') + u'\n').toLocal8Bit()))
            return false;
        program = programPath(u"sshd"_s);
        arguments = {u"-D"_s, u"-e"_s, u"-f"_s, file};
        m_stdioCommand = contained({program, u"-i"_s, u"-f"_s, file});
    } else {
        program = programPath(u"dropbear"_s);
        arguments = QStringList{u"-F"_s, u"-E"_s, u"-r"_s, m_dir.filePath(u"host_ed25519"_s), u"-p"_s,
                                u"127.0.0.1:%1"_s.arg(m_port), u"-D"_s, m_dir.filePath(u"keys"_s)}
                + extraConfig;
        m_stdioCommand = contained({program, u"-i"_s, u"-r"_s, m_dir.filePath(u"host_ed25519"_s), u"-D"_s, m_dir.filePath(u"keys"_s)});
    }
    m_process.setStandardErrorFile(m_dir.filePath(u"log"_s));
    m_process.setStandardOutputFile(QProcess::nullDevice());
    const QStringList command = contained(QStringList(program) + arguments);
    m_process.start(command.constFirst(), command.sliced(1));
    if (!m_process.waitForStarted(kPatience)) {
        m_problem = m_process.errorString();
        return false;
    }
    QElapsedTimer clock;
    clock.start();
    while (clock.elapsed() < kPatience && !m_process.waitForFinished(10)) {
        QTcpSocket probe;
        probe.connectToHost(QHostAddress::LocalHost, m_port);
        if (probe.waitForConnected(1000))
            return true;
    }
    kill();
    return false;
}

// Shells read the start files of the account's home: an empty one is put in its place, or a test would
// be as slow and as loud as whatever its user has there.
QStringList TestSshd::contained(const QStringList &command) const
{
    QStringList all{u"bwrap"_s, u"--dev-bind"_s, u"/"_s, u"/"_s, u"--bind"_s, m_dir.filePath(u"home"_s), accountHome(),
                    u"--bind"_s, m_dir.path(), m_dir.path()};
    // In a namespace of an ordinary user's the group of terminals cannot be had, and a server that knows of
    // it ends the connection where it cannot give the terminal to it.
    if (::geteuid() != 0)
        all += {u"--ro-bind"_s, m_dir.filePath(u"group"_s), u"/etc/group"_s};
    return all + QStringList{u"--die-with-parent"_s, u"--"_s} + command;
}

QStringList TestSshd::stdioCommand() const
{
    return m_stdioCommand;
}

QByteArray TestSshd::hostKey() const
{
    if (m_kind == Kind::OpenSsh) {
        QFile file(m_dir.filePath(u"host_ed25519.pub"_s));
        return file.open(QIODevice::ReadOnly) ? file.readAll().trimmed() : QByteArray();
    }
    QProcess show;
    show.start(u"dropbearkey"_s, {u"-y"_s, u"-f"_s, m_dir.filePath(u"host_ed25519"_s)});
    show.waitForFinished(kPatience);
    for (const QByteArray &line : show.readAllStandardOutput().split('\n')) {
        if (line.startsWith("ssh-"))
            return line;
    }
    return {};
}

void TestSshd::authorize(const QString &publicKeyFile)
{
    QFile from(publicKeyFile);
    QFile to(m_dir.filePath(u"keys/authorized_keys"_s));
    if (!from.open(QIODevice::ReadOnly) || !to.open(QIODevice::Append) || to.write(from.readAll()) <= 0)
        qFatal("the key cannot be authorized");
}

LinkOptions TestSshd::options() const
{
    LinkOptions options;
    options.endpoint.host = u"127.0.0.1"_s;
    options.endpoint.port = m_port;
    options.endpoint.user = m_user;
    options.endpoint.hostKey = hostKey();
    options.endpoint.identityFiles = {identity()};
    options.knownHostsFiles = {knownHosts()};
    options.useAgent = false;
    options.useDefaultKeys = false;
    options.connectTimeout = std::chrono::seconds(30);
    return options;
}

QByteArray TestSshd::log() const
{
    QFile file(m_dir.filePath(u"log"_s));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

void TestSshd::kill()
{
    if (m_process.state() == QProcess::NotRunning || m_process.processId() <= 0)
        return;
    // Each connection is a session of its own, so no process group holds them all.
    const QList<pid_t> family = descendantsOf(pid_t(m_process.processId()));
    m_process.kill();
    for (const pid_t pid : family)
        ::kill(pid, SIGKILL);
    m_process.waitForFinished(kPatience);
}

TestAgent::TestAgent()
{
    m_process.start(u"ssh-agent"_s, {u"-D"_s, u"-a"_s, socket()});
    QElapsedTimer clock;
    clock.start();
    // The socket's name is there a moment before anybody listens.
    while (clock.elapsed() < kPatience && !m_process.waitForFinished(10)) {
        QLocalSocket probe;
        probe.connectToServer(socket());
        if (probe.waitForConnected(1000))
            break;
    }
}

TestAgent::~TestAgent()
{
    m_process.terminate();
    m_process.waitForFinished(kPatience);
}

bool TestAgent::add(const QString &keyFile)
{
    return runForTest(u"env"_s, {u"SSH_AUTH_SOCK="_s + socket(), u"ssh-add"_s, u"-q"_s, keyFile});
}

} // namespace Sandpiper
