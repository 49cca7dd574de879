#include "session/hostimport.h"

#include <QDir>
#include <QFile>
#include <QStringEncoder>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

ImportedHosts imported(const QString &program, const QByteArray &content)
{
    return program == u"putty"_s ? importPuttySession("My%20box", content)
            : program == u"reg"_s ? importPuttyRegistry(content)
            : program == u"winscp"_s ? importWinScp(content)
                                     : importFileZilla(content);
}

QByteArray server(const QByteArray &inside)
{
    return "<?xml version=\"1.0\"?><FileZilla3><Servers><Folder>Work<Server>" + inside + "</Server></Folder></Servers></FileZilla3>";
}

const QByteArray putty = "Protocol=ssh\nHostName=ana@build.example\nPortNumber=2222\nPublicKeyFile=/home/ana/key\n";
const QByteArray registry = "Windows Registry Editor Version 5.00\r\n\r\n"
                            "[HKEY_CURRENT_USER\\Software\\SimonTatham\\PuTTY\\Sessions\\My%20box]\r\n"
                            "\"Protocol\"=\"ssh\"\r\n\"HostName\"=\"build.example\"\r\n\"UserName\"=\"ana\"\r\n"
                            "\"PortNumber\"=dword:000008ae\r\n\"PublicKeyFile\"=\"C:\\\\keys\\\\a.ppk\"\r\n";
const QByteArray winscp = "[Sessions\\My%20box]\nHostName=build.example\nPortNumber=2222\nUserName=ana\nPassword=A35C\n"
                          "[Sessions\\ftp]\nHostName=f.example\nFSProtocol=5\n[Configuration]\nHostName=no\n";
const QByteArray fileZilla = server("<Host>build.example</Host><Port>2222</Port><Protocol>1</Protocol><User>ana</User>"
                                    "<Pass encoding=\"base64\">c2VjcmV0</Pass><Name>My box</Name><Comments>two\nlines</Comments>");

} // namespace

class TestHostImport : public QObject
{
    Q_OBJECT
private slots:
    void everyProgramsHostIsUnderstood_data()
    {
        QTest::addColumn<QString>("program");
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<int>("passwords");
        QTest::newRow("PuTTY") << u"putty"_s << putty << 0;
        QTest::newRow("registry, one byte a character") << u"reg"_s << registry << 0;
        QStringEncoder utf16(QStringEncoder::Utf16LE, QStringEncoder::Flag::WriteBom);
        QTest::newRow("registry, UTF-16") << u"reg"_s << QByteArray(utf16(QString::fromLatin1(registry))) << 0;
        QTest::newRow("WinSCP") << u"winscp"_s << winscp << 1;
        QTest::newRow("FileZilla") << u"filezilla"_s << fileZilla << 1;
    }
    void everyProgramsHostIsUnderstood()
    {
        QFETCH(QString, program);
        QFETCH(QByteArray, content);
        QFETCH(int, passwords);
        const ImportedHosts found = imported(program, content);
        QCOMPARE(found.hosts.size(), 1);
        const OwnHost &host = found.hosts.first();
        QCOMPARE(host.name, u"My box"_s);
        QCOMPARE(host.host, u"build.example"_s);
        QCOMPARE(host.port, 2222);
        QCOMPARE(host.user, u"ana"_s);
        QCOMPARE(host.keyFile, program == u"putty"_s ? u"/home/ana/key"_s : QString());
        QCOMPARE(found.passwords, passwords);
        QCOMPARE(found.otherKinds, program == u"winscp"_s ? 1 : 0);
    }

    void aPasswordGoesNowhere()
    {
        for (const auto &[program, content] : {std::pair(u"winscp"_s, winscp), std::pair(u"filezilla"_s, fileZilla)}) {
            for (const OwnHost &host : imported(program, content).hosts) {
                const QString all = host.name + host.host + host.user + host.keyFile + host.note;
                QVERIFY(!all.contains(u"A35C"_s) && !all.contains(u"c2VjcmV0"_s) && !all.contains(u"secret"_s));
            }
        }
    }

    void whatIsNoHostIsCountedOrIgnored_data()
    {
        QTest::addColumn<QString>("program");
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<int>("otherKinds");
        QTest::addColumn<int>("unusable");
        QTest::newRow("PuTTY: serial line") << u"putty"_s << "Protocol=serial\nHostName=\n"_ba << 1 << 0;
        QTest::newRow("PuTTY: nothing") << u"putty"_s << ""_ba << 0 << 0;
        QTest::newRow("PuTTY: no host") << u"putty"_s << "Protocol=ssh\nHostName=\n"_ba << 0 << 1;
        QTest::newRow("PuTTY: option for a host") << u"putty"_s << "Protocol=ssh\nHostName=-oProxyCommand=x\n"_ba << 0 << 1;
        QTest::newRow("PuTTY: command in the host") << u"putty"_s << "Protocol=ssh\nHostName=a;reboot\n"_ba << 0 << 1;
        QTest::newRow("PuTTY: port out of range") << u"putty"_s << "Protocol=ssh\nHostName=a\nPortNumber=70000\n"_ba << 0 << 1;
        QTest::newRow("PuTTY: negative port") << u"putty"_s << "Protocol=ssh\nHostName=a\nPortNumber=-1\n"_ba << 0 << 1;
        QTest::newRow("PuTTY: bytes of no encoding") << u"putty"_s << "\xff\xc3\x28=\x80\n\0\n"_ba << 0 << 0;
        QTest::newRow("PuTTY: too large") << u"putty"_s << "Protocol=ssh\nHostName=a\n" + QByteArray(maxImportBytes, 'x') << 0 << 0;
        QTest::newRow("WinSCP: line break in the host") << u"winscp"_s << "[Sessions\\a]\nHostName=a%0Ab\n"_ba << 0 << 1;
        QTest::newRow("WinSCP: torn off in an escape") << u"winscp"_s << "[Sessions\\a]\nHostName=%2"_ba << 0 << 1;
        QTest::newRow("registry: another program") << u"reg"_s << "[HKEY_CURRENT_USER\\Software\\X]\n\"HostName\"=\"a\"\n"_ba << 0 << 0;
        QTest::newRow("registry: value without its end") << u"reg"_s << "[X\\PuTTY\\Sessions\\a]\n\"Protocol\"=\"ssh\"\n\"HostName\"=\"a\n"_ba << 0 << 1;
        QTest::newRow("FileZilla: FTP") << u"filezilla"_s << server("<Host>a</Host><Protocol>0</Protocol>") << 1 << 0;
        QTest::newRow("FileZilla: torn off") << u"filezilla"_s << "<FileZilla3><Servers><Server><Host>a</Host><Protocol>1"_ba << 0 << 0;
        QTest::newRow("FileZilla: no XML") << u"filezilla"_s << "hosts?"_ba << 0 << 0;
        QTest::newRow("FileZilla: entities without end") << u"filezilla"_s
                << "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\">]><x><Server><Host>&d;</Host><Protocol>1</Protocol></Server></x>"_ba
                << 0 << 0;
    }
    void whatIsNoHostIsCountedOrIgnored()
    {
        QFETCH(QString, program);
        QFETCH(QByteArray, content);
        QFETCH(int, otherKinds);
        QFETCH(int, unusable);
        const ImportedHosts found = imported(program, content);
        QVERIFY(found.hosts.isEmpty());
        QCOMPARE(found.otherKinds, otherKinds);
        QCOMPARE(found.unusable, unusable);
    }

    void thereIsABoundOnHowMany()
    {
        QByteArray content;
        for (int i = 0; i < 5010; ++i)
            content += "[Sessions\\h" + QByteArray::number(i) + "]\nHostName=a\n";
        const ImportedHosts found = importWinScp(content);
        QCOMPARE(found.hosts.size(), 5000);
        QCOMPARE(found.unusable, 10);
    }

    void aFolderOfSessionsIsReadWhole()
    {
        QTemporaryDir dir;
        for (const QString &name : {u"a%20b"_s, u"c"_s}) {
            QFile file(dir.filePath(name));
            QVERIFY(file.open(QIODevice::WriteOnly));
            file.write(putty);
        }
        const ImportedHosts found = importPuttyFolder(dir.path());
        QCOMPARE(found.hosts.size(), 2);
        QCOMPARE(found.hosts.first().name, u"a b"_s);
        QVERIFY(importPuttyFolder(dir.filePath(u"none"_s)).hosts.isEmpty());
    }
};

QTEST_GUILESS_MAIN(TestHostImport)
#include "tst_hostimport.moc"
