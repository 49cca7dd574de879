// The question what listens in a machine, in words of sh, and what is made of its answer.
#include "session/portlook.h"

#include "session/shellquote.h"

#include <QProcess>
#include <QStandardPaths>
#include <QTcpServer>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 60'000;

QByteArray listener(const QByteArray &address, int socket, int user = 1000, const QByteArray &state = "0A")
{
    return "   0: " + address + " 00000000:0000 " + state + " 00000000:00000000 00:00000000 00000000  " + QByteArray::number(user) + "        0 "
            + QByteArray::number(socket) + " 1 0000000000000000 100 0 0 10 0\n";
}

QByteArray answer(const QByteArray &lines)
{
    return "sandpiper ports\nuser 1000\nrange 32768 60999\n" + lines + "end\n";
}

QByteArray told(const QByteArray &output)
{
    const std::optional<PortLook> look = readPortLook(output);
    if (!look)
        return "nothing";
    QByteArray text;
    for (const ListeningPort &port : look->ports)
        text += QByteArray::number(port.port) + ' ' + port.host.toUtf8() + ' ' + port.process.toUtf8() + ';';
    return text;
}

} // namespace

class TestPortLook : public QObject
{
    Q_OBJECT
private slots:
    void answersAreUnderstood_data()
    {
        QTest::addColumn<QByteArray>("output");
        QTest::addColumn<QByteArray>("expected");
        QTest::newRow("nothing listens") << answer({}) << QByteArray();
        QTest::newRow("loopback") << answer(listener("0100007F:0BB8", 5) + "owner 5 node/node\n") << QByteArray("3000 localhost node;");
        QTest::newRow("every address") << answer(listener("00000000:1F90", 5)) << QByteArray("8080 localhost ;");
        QTest::newRow("IPv6, every address") << answer(listener("00000000000000000000000000000000:1F90", 5)) << QByteArray("8080 localhost ;");
        QTest::newRow("IPv6 loopback") << answer(listener("00000000000000000000000001000000:1F90", 5)) << QByteArray("8080 localhost ;");
        QTest::newRow("IPv4 in IPv6") << answer(listener("0000000000000000FFFF00000100007F:1F90", 5)) << QByteArray("8080 localhost ;");
        QTest::newRow("one address") << answer(listener("020011AC:1F90", 5)) << QByteArray("8080 172.17.0.2 ;");
        QTest::newRow("one IPv6 address") << answer(listener("B80D0120000000000000000001000000:1F90", 5)) << QByteArray("8080 2001:db8::1 ;");
        QTest::newRow("twice, by name first") << answer(listener("020011AC:1F90", 5) + listener("0100007F:1F90", 6) + listener("030011AC:1F90", 7))
                                              << QByteArray("8080 localhost ;");
        QTest::newRow("by number") << answer(listener("0100007F:1F90", 5) + listener("0100007F:0BB8", 6)) << QByteArray("3000 localhost ;8080 localhost ;");
        QTest::newRow("the thread has another name") << answer(listener("0100007F:0BB8", 5) + "owner 5 MainThread/node\n") << QByteArray("3000 localhost node;");
        QTest::newRow("a script has its own") << answer(listener("0100007F:22B8", 5) + "owner 5 jupyter-lab/python3.11\n") << QByteArray("8888 localhost jupyter-lab;");
        QTest::newRow("the first of many processes") << answer(listener("0100007F:22B8", 5) + "owner 5 one/x\nowner 5 two/y\n") << QByteArray("8888 localhost one;");
        QTest::newRow("no program to see") << answer(listener("0100007F:22B8", 5) + "owner 5 redis-server/\n") << QByteArray("8888 localhost redis-server;");
        QTest::newRow("a greeting before it") << "Welcome!\n" + answer(listener("0100007F:0BB8", 5)) + "bye\n" << QByteArray("3000 localhost ;");
        QTest::newRow("a connection") << answer(listener("0100007F:0BB8", 5, 1000, "01")) << QByteArray();

        QTest::newRow("no answer") << QByteArray() << QByteArray("nothing");
        QTest::newRow("another answer") << QByteArray("This account is restricted.\nend\n") << QByteArray("nothing");
        QTest::newRow("cut off") << answer(listener("0100007F:0BB8", 5)).chopped(5) << QByteArray("nothing");
        QTest::newRow("the end before the start") << QByteArray("end\nsandpiper ports\n") << QByteArray("nothing");
        QTest::newRow("too long") << answer(QByteArray(kMostOfAPortLook, 'x') + '\n') << QByteArray("nothing");
        QTest::newRow("lines that make no sense")
                << answer("\n:\n0: : : 0A\n" + listener("zz:zz", 1) + listener("0100007F:0", 2) + listener("0100007F:10000", 3) + listener("0100007:0BB8", 4)
                          + listener("0100007F", 5) + "owner\nowner 5\nowner x y/z\nuser\nuser x\nrange 1\nrange 9 1\n" + listener("0100007F:0BB8", 9))
                << QByteArray("3000 localhost ;");
        QTest::newRow("a hostile name") << answer(listener("0100007F:0BB8", 5) + "owner 5 \x1b[31m" + QByteArray(200, 'n') + "/x\n")
                                        << "3000 localhost  [31m" + QByteArray(35, 'n') + ';';
    }
    void answersAreUnderstood()
    {
        QFETCH(QByteArray, output);
        QFETCH(QByteArray, expected);
        const QByteArray found = told(output);
        QVERIFY2(found == expected || (expected.contains("[31m") && !found.contains('\x1b') && found.size() <= 60), found.constData());
    }

    void itSaysWhoLooksAndWhatTheKernelGivesOut()
    {
        const std::optional<PortLook> look = readPortLook("sandpiper ports\nuser 501\nrange 40000 50000\n" + listener("0100007F:0BB8", 7, 33) + "end\n");
        QVERIFY(look);
        QCOMPARE(look->user, 501);
        QVERIFY(look->isFleeting(40000) && look->isFleeting(50000));
        QVERIFY(!look->isFleeting(39999) && !look->isFleeting(50001));
        QCOMPARE(look->ports.constFirst().user, 33);
        QCOMPARE(look->ports.constFirst().socket, quint64(7));
        // Where it is not said, it is as Linux has it by itself.
        const std::optional<PortLook> silent = readPortLook("sandpiper ports\nuser \nrange \nend\n");
        QVERIFY(silent && silent->user < 0 && silent->isFleeting(32768) && !silent->isFleeting(32767));
    }

    void shellsUnderstandTheQuestion_data()
    {
        QTest::addColumn<QStringList>("shell");
        QTest::newRow("dash") << QStringList{u"dash"_s, u"-c"_s};
        QTest::newRow("bash") << QStringList{u"bash"_s, u"-c"_s};
        QTest::newRow("busybox") << QStringList{u"busybox"_s, u"sh"_s, u"-c"_s};
    }
    void shellsUnderstandTheQuestion()
    {
        QFETCH(QStringList, shell);
        if (QStandardPaths::findExecutable(shell.constFirst()).isEmpty())
            QSKIP("this shell is not here");
        QTcpServer server;
        QVERIFY(server.listen(QHostAddress::LocalHost));
        const std::optional<PortLook> first = ask(shell, {});
        QVERIFY(first);
        const auto found = std::ranges::find(first->ports, server.serverPort(), &ListeningPort::port);
        QVERIFY(found != first->ports.end());
        QCOMPARE(found->host, u"localhost"_s);
        QVERIFY2(!found->process.isEmpty() && QCoreApplication::applicationName().startsWith(found->process), qPrintable(found->process));
        QVERIFY(first->user >= 0 && first->user == found->user);
        // What is known is not looked up again.
        const std::optional<PortLook> again = ask(shell, {found->socket});
        QVERIFY(again);
        const auto same = std::ranges::find(again->ports, server.serverPort(), &ListeningPort::port);
        QVERIFY(same != again->ports.end());
        QCOMPARE(same->socket, found->socket);
        QCOMPARE(same->process, QString());
    }

private:
    // As a server runs it: through the login shell.
    static std::optional<PortLook> ask(QStringList shell, const QSet<quint64> &known)
    {
        const Result<QByteArray> line = commandLineForShell({portLookCommand(known), {}, {}});
        if (!line)
            return std::nullopt;
        QProcess process;
        process.start(shell.takeFirst(), shell << QString::fromUtf8(*line));
        if (!process.waitForFinished(kPatience))
            return std::nullopt;
        return readPortLook(process.readAllStandardOutput());
    }
};

QTEST_GUILESS_MAIN(TestPortLook)
#include "tst_portlook.moc"
