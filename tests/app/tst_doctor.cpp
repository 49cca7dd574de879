// sandpiper-cli doctor against real servers, and its parts.
#include "app/cli/doctorline.h"
#include "app/cli/doctornetwork.h"

#include "tests/support/hostilehttpserver.h"
#include "tests/support/testsshd.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QTcpServer>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using Kind = FeatureAnswer::Kind;

namespace {

constexpr int kPatience = 60'000;

ServerFeatures allOf(Kind kind)
{
    ServerFeatures features;
    for (FeatureAnswer &answer : features.answers)
        answer = {kind, kind == Kind::Yes ? QString() : u"for a reason"_s};
    features.sftpVersion = 3;
    return features;
}

DoctorLine lineOf(const QList<DoctorLine> &lines, const QString &layer)
{
    for (const DoctorLine &line : lines) {
        if (line.layer == layer)
            return line;
    }
    return {};
}

quint16 closedPort()
{
    QTcpServer server;
    return server.listen(QHostAddress::LocalHost) ? server.serverPort() : 0;
}

struct Report
{
    int status = -1;
    QByteArray text; // of --json, and of standard error
    QJsonArray layers;

    [[nodiscard]] QJsonObject layer(const QString &name) const
    {
        for (const QJsonValue &value : layers) {
            if (value[u"layer"].toString() == name)
                return value.toObject();
        }
        return {};
    }
    [[nodiscard]] QString result(const QString &name) const { return layer(name)[u"result"].toString(); }
};

} // namespace

class TestDoctor : public QObject
{
    Q_OBJECT
private:
    QTemporaryDir m_home;
    QProcessEnvironment m_environment;

    // What ssh_config says of the servers; the first use of a key is agreed to.
    void writeConfig(const QByteArray &hosts)
    {
        QFile config(m_home.filePath(u".ssh/config"_s));
        QVERIFY(config.open(QIODevice::WriteOnly));
        config.write(hosts + "Host *\n StrictHostKeyChecking accept-new\n IdentitiesOnly yes\n");
    }
    static QByteArray host(const QByteArray &name, const TestSshd &server)
    {
        return "Host " + name + "\n HostName 127.0.0.1\n Port " + QByteArray::number(server.port()) + "\n User " + server.user().toLocal8Bit()
                + "\n IdentityFile " + server.identity().toLocal8Bit() + "\n UserKnownHostsFile " + server.knownHosts().toLocal8Bit() + "\n";
    }
    Report doctor(const QString &target, const QProcessEnvironment &environment)
    {
        QProcess process;
        process.setProcessEnvironment(environment);
        process.start(qEnvironmentVariable("SANDPIPER_BIN") + u"/sandpiper-cli"_s, {u"doctor"_s, u"--json"_s, target});
        process.closeWriteChannel();
        if (!QTest::qWaitFor([&] { return process.state() == QProcess::NotRunning; }, kPatience))
            process.kill();
        Report report;
        report.status = process.exitCode();
        report.text = process.readAllStandardOutput();
        report.layers = QJsonDocument::fromJson(report.text).object()[u"layers"].toArray();
        report.text += process.readAllStandardError();
        return report;
    }

private slots:
    void init()
    {
        QVERIFY(QDir(m_home.path()).mkpath(u".ssh"_s));
        m_environment = QProcessEnvironment::systemEnvironment();
        for (const QString &variable : m_environment.keys()) {
            if (variable.startsWith("TENSORLAKE_"_L1) || variable.endsWith("_proxy"_L1, Qt::CaseInsensitive) || variable == "SSH_AUTH_SOCK"_L1)
                m_environment.remove(variable);
        }
        m_environment.insert(u"HOME"_s, m_home.path());
        for (const char *variable : {"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"}) {
            const QString folder = m_home.filePath(QString::fromLatin1(variable));
            QDir().mkdir(folder, QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
            m_environment.insert(QString::fromLatin1(variable), folder);
        }
    }

    void whatIsPromisedAndNotThereIsAFinding_data()
    {
        QTest::addColumn<bool>("isPromised");
        QTest::addColumn<QString>("against");
        QTest::addColumn<FeatureAnswer::Kind>("answer");
        QTest::addColumn<DoctorLine::Result>("result");
        using Result = DoctorLine::Result;
        QTest::newRow("promised, there") << true << QString() << Kind::Yes << Result::Ok;
        QTest::newRow("promised, not there") << true << QString() << Kind::No << Result::Bad;
        QTest::newRow("promised, not known") << true << QString() << Kind::Unknown << Result::Skipped;
        QTest::newRow("denied, there") << false << u"The vendor has none."_s << Kind::Yes << Result::Differs;
        QTest::newRow("denied, not there") << false << u"The vendor has none."_s << Kind::No << Result::Skipped;
        QTest::newRow("nothing said, there") << false << QString() << Kind::Yes << Result::Ok;
        QTest::newRow("nothing said, not there") << false << QString() << Kind::No << Result::Skipped;
    }
    void whatIsPromisedAndNotThereIsAFinding()
    {
        QFETCH(bool, isPromised);
        QFETCH(QString, against);
        QFETCH(FeatureAnswer::Kind, answer);
        QFETCH(DoctorLine::Result, result);
        Capabilities promised;
        for (const Capability one : {Capability::Sftp, Capability::LocalForward, Capability::RemoteForward, Capability::AgentForward, Capability::SshShell}) {
            if (isPromised)
                promised.allow(one);
            else if (!against.isEmpty())
                promised.refuse(one, against);
        }
        const QList<DoctorLine> lines = featureLines(promised, allOf(answer));
        for (const QString &layer : {u"SFTP"_s, u"local forward"_s, u"remote forward"_s, u"agent"_s, u"terminal"_s}) {
            const DoctorLine line = lineOf(lines, layer);
            QCOMPARE(line.result, result);
            QVERIFY(!line.seen.isEmpty() && !line.expected.isEmpty());
            QCOMPARE(line.todo.isEmpty(), result != DoctorLine::Result::Bad && result != DoctorLine::Result::Differs);
        }
    }

    void aCommandThatIsNotAnsweredIsAFinding()
    {
        Capabilities promised;
        promised.allow(Capability::Exec);
        QCOMPARE(lineOf(featureLines(promised, allOf(Kind::Unknown)), u"channel"_s).result, DoctorLine::Result::Bad);
    }

    void aFindingIsPrintedWithWhatToDo()
    {
        Capabilities promised;
        promised.allow(Capability::Sftp);
        const QStringList text = lineOf(featureLines(promised, allOf(Kind::No)), u"SFTP"_s).toText();
        QCOMPARE(text.size(), 3);
        QCOMPARE(text[0], u"BAD SFTP: the server does not (for a reason)"_s);
        QVERIFY(text[1].contains(u"expected: "_s));
        QVERIFY(text[2].contains(u"→ "_s));
    }

    void aHealthyServerHasNoFindings()
    {
        TestSshd server;
        SANDPIPER_NEED_SSHD(server);
        writeConfig(host("mine", server));
        const Report report = doctor(u"mine"_s, m_environment);
        QVERIFY2(report.status == 0, report.text.constData());
        for (const QString &layer : {u"TCP"_s, u"SSH key exchange"_s, u"host key"_s, u"authentication"_s, u"channel"_s, u"terminal"_s, u"SFTP"_s,
                                     u"local forward"_s, u"remote forward"_s, u"agent"_s, u"socket forward"_s})
            QVERIFY2(report.result(layer) == u"ok", (layer.toLatin1() + " in " + report.text).constData());
        QVERIFY2(report.layer(u"SFTP"_s)[u"seen"].toString().contains(u"posix-rename@openssh.com"_s), report.text.constData());
    }

    void aServerThatKeepsLessThanIsPromisedIsToldOf()
    {
        TestSshd server(TestSshd::Kind::OpenSsh, {u"AllowTcpForwarding no"_s, u"Subsystem sftp /bin/false"_s});
        SANDPIPER_NEED_SSHD(server);
        writeConfig(host("mine", server));
        const Report report = doctor(u"mine"_s, m_environment);
        QVERIFY2(report.status == 1, report.text.constData());
        QCOMPARE(report.result(u"SFTP"_s), u"bad"_s);
        QVERIFY(report.layer(u"SFTP"_s)[u"todo"].toString().contains(u"sftp-server"_s));
        QCOMPARE(report.result(u"local forward"_s), u"skipped"_s); // of a plain host nothing is promised
        QCOMPARE(report.result(u"channel"_s), u"ok"_s);            // and the walk went on
    }

    void whatWasFoundIsKeptForTheWindow()
    {
        TestSshd server;
        SANDPIPER_NEED_SSHD(server);
        writeConfig(host("kept", server));
        QVERIFY(doctor(u"kept"_s, m_environment).status == 0);
        QFile file(m_home.filePath(u"XDG_STATE_HOME/sandpiper/server_features.json"_s));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray content = file.readAll();
        QVERIFY2(content.contains("kept\"") && content.contains("posix-rename@openssh.com"), content.constData());
    }

    void aJumpIsNamedInPlaceOfAPort()
    {
        TestSshd jump;
        SANDPIPER_NEED_SSHD(jump);
        TestSshd server;
        SANDPIPER_NEED_SSHD(server);
        writeConfig(host("gate", jump) + host("inner", server) + " ProxyJump gate\n");
        const Report report = doctor(u"inner"_s, m_environment);
        QVERIFY2(report.status == 0, report.text.constData());
        QVERIFY2(report.layer(u"route"_s)[u"seen"].toString().contains(u"gate"_s), report.text.constData());
        QCOMPARE(report.result(u"TCP"_s), u"skipped"_s);
        QCOMPARE(report.result(u"authentication"_s), u"ok"_s);
    }

    void aProxyIsWhatIsConnectedTo()
    {
        QProcessEnvironment environment = m_environment;
        const quint16 port = closedPort();
        environment.insert(u"all_proxy"_s, u"socks5://127.0.0.1:%1"_s.arg(port));
        const Report report = doctor(u"ssh://x@host.invalid"_s, environment);
        QVERIFY2(report.layer(u"route"_s)[u"seen"].toString().contains(u"SOCKS5 proxy 127.0.0.1:%1"_s.arg(port)), report.text.constData());
        QVERIFY2(report.result(u"TCP"_s) == u"bad", report.text.constData());
        QCOMPARE(report.layer(u"TCP"_s)[u"expected"].toString(), u"the proxy listens at port %1"_s.arg(port));
    }

    void aCertificateIsShownWithItsIssuerAndItsDays()
    {
        const TestCertificates own = TestCertificates::make(m_home.path(), u"own"_s);
        QVERIFY2(own.isValid, "openssl(1) is needed");
        HostileHttpServer server(&own.server);
        const QUrl url(u"https://127.0.0.1:%1/"_s.arg(QUrl(server.url()).port()));
        const auto trusted = certificateOf(url, own.authority, this);
        QTRY_VERIFY_WITH_TIMEOUT(trusted.isFinished(), kPatience);
        QVERIFY2(trusted.result(), trusted.result() ? "" : qPrintable(describe(trusted.result().error())));
        QVERIFY(!trusted.result()->issuer.isEmpty());
        QVERIFY(trusted.result()->until > QDateTime::currentDateTimeUtc());
        const auto untrusted = certificateOf(url, {}, this);
        QTRY_VERIFY_WITH_TIMEOUT(untrusted.isFinished(), kPatience);
        QVERIFY(!untrusted.result());
        QCOMPARE(untrusted.result().error().kind, ErrorKind::CertificateInvalid);
        QCOMPARE(untrusted.result().error().layer, Layer::Tls);
    }

    void aPortThatIsClosedHasNoCertificate()
    {
        const auto answer = certificateOf(QUrl(u"https://127.0.0.1:%1/"_s.arg(closedPort())), {}, this);
        QTRY_VERIFY_WITH_TIMEOUT(answer.isFinished(), kPatience);
        QVERIFY(!answer.result());
        QCOMPARE(answer.result().error().kind, ErrorKind::ConnectionRefused);
        QCOMPARE(answer.result().error().layer, Layer::Tcp);
    }
};

QTEST_GUILESS_MAIN(TestDoctor)
#include "tst_doctor.moc"
