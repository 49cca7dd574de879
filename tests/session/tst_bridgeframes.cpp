// What a bridge and its relay say to each other, and what a relay may not say.
#include "session/bridgeframes.h"
#include "session/bridgerelay.h"

#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using State = BridgeGreeting::State;

class TestBridgeFrames : public QObject
{
    Q_OBJECT
private slots:
    void framesAreTakenApartWhereverTheyAreCut()
    {
        const QByteArray bytes = bridgeFrame('R', 0) + bridgeFrame('D', 7, "hello") + bridgeFrame('W', kFirstOfRelay + 1, bridgeCount(65536)) + bridgeFrame('E', 7);
        for (qsizetype cut = 0; cut <= bytes.size(); ++cut) {
            BridgeParser parser;
            QByteArray seen;
            for (const QByteArray &piece : {bytes.first(cut), bytes.sliced(cut)}) {
                parser.take(piece);
                for (;;) {
                    const auto frame = parser.next();
                    QVERIFY(frame);
                    if (!*frame)
                        break;
                    seen += (*frame)->letter + QByteArray::number((*frame)->number) + '(' + (*frame)->payload.toHex() + ')';
                }
            }
            QCOMPARE(seen, "R0()D7(68656c6c6f)W2147483649(00010000)E7()"_ba);
        }
    }

    void whatARelayMayNotSendIsABreach_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::newRow("an unknown letter") << bridgeFrame('Z', 1);
        QTest::newRow("a request of ours") << bridgeFrame('O', 1, "t");
        QTest::newRow("NUL") << QByteArray(9, '\0');
        QTest::newRow("64 KiB and one") << "D" + QByteArray::fromHex("0000000100010001");
        QTest::newRow("4 GiB") << "D" + QByteArray::fromHex("00000001ffffffff");
        QTest::newRow("text") << "bash: python3: Permission denied\n"_ba;
    }
    void whatARelayMayNotSendIsABreach()
    {
        QFETCH(const QByteArray, bytes);
        BridgeParser parser;
        parser.take(bytes);
        const auto frame = parser.next();
        QVERIFY(!frame);
        QCOMPARE(frame.error().kind, ErrorKind::Protocol);
    }

    void theGreetingIsFoundBehindNoise_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<State>("state");
        QTest::addColumn<QByteArray>("tools");
        QTest::newRow("plain") << "sandpiper-bridge python3 bash\nrest"_ba << State::There << "python3 bash"_ba;
        QTest::newRow("nothing there") << "sandpiper-bridge\n"_ba << State::There << ""_ba;
        QTest::newRow("behind a start file") << "Welcome!\r\n\r\nsandpiper-bridge perl\n"_ba << State::There << "perl"_ba;
        QTest::newRow("with a carriage return") << "sandpiper-bridge perl\r\n"_ba << State::There << "perl"_ba;
        QTest::newRow("not whole yet") << "sandpiper-bridge pyth"_ba << State::Reading << ""_ba;
        QTest::newRow("another word") << "sandpiper-bridges perl\n"_ba << State::Reading << ""_ba;
        QTest::newRow("endless lines") << QByteArray("x\n").repeated(40'000) << State::Refused << ""_ba;
        QTest::newRow("an endless line") << QByteArray(100'000, 'x') << State::Refused << ""_ba;
    }
    void theGreetingIsFoundBehindNoise()
    {
        QFETCH(const QByteArray, bytes);
        BridgeGreeting whole;
        QTEST(whole.take(bytes), "state");
        QTEST(whole.tools().join(' '), "tools");
        BridgeGreeting pieces;
        State state = State::Reading;
        for (qsizetype i = 0; i < bytes.size() && state == State::Reading; i += 7)
            state = pieces.take(bytes.sliced(i, std::min<qsizetype>(7, bytes.size() - i)));
        QTEST(state, "state");
        QTEST(pieces.tools().join(' '), "tools");
    }

    void failuresHaveAKind_data()
    {
        QTest::addColumn<QByteArray>("payload");
        QTest::addColumn<ErrorKind>("kind");
        QTest::newRow("refused") << "rConnection refused"_ba << ErrorKind::ConnectionRefused;
        QTest::newRow("in use") << "iAddress in use"_ba << ErrorKind::Conflict;
        QTest::newRow("not allowed") << "pPermission denied"_ba << ErrorKind::PermissionDenied;
        QTest::newRow("no words") << "n"_ba << ErrorKind::HostNotFound;
        QTest::newRow("empty") << ""_ba << ErrorKind::Io;
        QTest::newRow("unknown, with control characters") << "?a\x1b[31m\n"_ba << ErrorKind::Io;
    }
    void failuresHaveAKind()
    {
        QFETCH(const QByteArray, payload);
        const Error error = bridgeFailure(payload, u"db:80"_s);
        QTEST(error.kind, "kind");
        QVERIFY(error.detail.contains(u"db:80"));
        QVERIFY(!error.detail.contains(u'\x1b') && !error.detail.contains(u'\n'));
    }

    void placesAreSaidForTheRelay()
    {
        QCOMPARE(bridgePlace({u"db"_s, 5432, {}}), "t\x15\x38" "db"_ba);
        QCOMPARE(bridgePlace({std::nullopt, 80, {}}), QByteArray("t\0\x50localhost", 12));
        QCOMPARE(bridgePlace({u"*"_s, 80, {}}), QByteArray("t\0\x50", 3));
        QCOMPARE(bridgePlace({std::nullopt, 0, u"/run/x.sock"_s}), "u/run/x.sock"_ba);
    }

    void theBestThatIsThereIsTaken()
    {
        QCOMPARE(bridgeToolOf({"bash", "nc", "perl", "python3"}), BridgeTool::Python3);
        QCOMPARE(bridgeToolOf({"bash", "perl"}), BridgeTool::Perl);
        QCOMPARE(bridgeToolOf({"bash", "nc", "socat"}), BridgeTool::Socat);
        QCOMPARE(bridgeToolOf({"zsh"}), BridgeTool::None);
        QCOMPARE(bridgeToolOf({}), BridgeTool::None);
    }

    void noPlaceBecomesACommand_data()
    {
        QTest::addColumn<BridgeTool>("tool");
        for (const auto &[name, tool] : {std::pair{"socat", BridgeTool::Socat}, std::pair{"nc", BridgeTool::Netcat}, std::pair{"bash", BridgeTool::Bash}})
            QTest::newRow(name) << tool;
    }
    void noPlaceBecomesACommand()
    {
        QFETCH(const BridgeTool, tool);
        QVERIFY(connectionCommand(tool, {u"db"_s, 80, {}}).contains("db"));
        const QByteArray bad = connectionCommand(tool, {u"x; touch /tmp/y"_s, 80, {}});
        QVERIFY2(bad.contains("'x; touch /tmp/y'") || bad.contains(":x; touch /tmp/y:80'"), bad.constData());
        const QByteArray path = connectionCommand(tool, {std::nullopt, 0, u"/tmp/a b'c"_s});
        QVERIFY2(path.isEmpty() || path.contains("'/tmp/a b'\\''c'"), path.constData());
        QVERIFY(connectionCommand(BridgeTool::Socat, {std::nullopt, 0, u"/tmp/a,exec:b"_s}).isEmpty());
    }
};

QTEST_GUILESS_MAIN(TestBridgeFrames)
#include "tst_bridgeframes.moc"
