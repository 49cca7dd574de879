#include "session/websocketframes.h"
#include "session/websockethandshake.h"

#include <QRandomGenerator>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using Kind = WebSocketDecoder::Event::Kind;

namespace {

constexpr qint64 plenty = 1 << 20;

// As a server sends it: unmasked, and as wrong as it is asked for.
QByteArray serverFrame(int firstByte, const QByteArray &payload)
{
    QByteArray frame(1, char(firstByte));
    if (payload.size() < 126) {
        frame += char(payload.size());
    } else if (payload.size() < 65536) {
        frame += char(126);
        frame += char(payload.size() >> 8);
        frame += char(payload.size() & 0xff);
    } else {
        frame += char(127);
        for (int shift = 56; shift >= 0; shift -= 8)
            frame += char((payload.size() >> shift) & 0xff);
    }
    return frame + payload;
}

struct Decoded
{
    QByteArrayList messages; // whole ones
    QByteArrayList pings;
    int texts = 0;
    std::optional<WebSocketDecoder::Event> last; // Close or Broken
    qint64 mostAtOnce = 0;
};

Decoded decode(const QByteArray &bytes, qsizetype piece, qint64 room = plenty, qint64 maxMessage = plenty)
{
    WebSocketDecoder decoder(maxMessage);
    Decoded result;
    QByteArray message;
    for (qsizetype at = 0; at < bytes.size(); at += piece) {
        QByteArrayView input = QByteArrayView(bytes).sliced(at, qMin(piece, bytes.size() - at));
        for (;;) {
            const auto event = decoder.next(input, room);
            if (event.kind == Kind::Starved)
                break;
            if (event.kind == Kind::Ping)
                result.pings += event.bytes;
            if (event.kind == Kind::Text)
                ++result.texts;
            if (event.kind == Kind::Data) {
                if (event.isFirst)
                    message.clear();
                message += event.bytes;
                result.mostAtOnce = qMax<qint64>(result.mostAtOnce, event.bytes.size());
                if (event.isLast)
                    result.messages += message;
            }
            if (event.kind == Kind::Close || event.kind == Kind::Broken) {
                result.last = event;
                return result;
            }
        }
    }
    return result;
}

// What a server would answer with to our key.
const QByteArray key = "dGhlIHNhbXBsZSBub25jZQ=="_ba; // and its answer, as RFC 6455 1.3 has them
const QByteArray accepted = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"_ba;

} // namespace

Q_DECLARE_METATYPE(Sandpiper::UpgradeReply::Outcome)

class TestWebSocketFrames : public QObject
{
    Q_OBJECT
private slots:
    void ourFramesAreMaskedAndCarryTheirPayload_data()
    {
        QTest::addColumn<int>("size");
        for (const int size : {0, 1, 125, 126, 127, 65535, 65536, 70000})
            QTest::addRow("%d bytes", size) << size;
    }
    void ourFramesAreMaskedAndCarryTheirPayload()
    {
        QFETCH(int, size);
        QByteArray payload(size, Qt::Uninitialized);
        for (int i = 0; i < size; ++i)
            payload[i] = char(i * 7);
        const QByteArray frame = webSocketFrame(WebSocketOpcode::Binary, payload);
        QCOMPARE(quint8(frame.at(0)), 0x82);
        QVERIFY(quint8(frame.at(1)) & 0x80);
        const int header = size < 126 ? 2 : size < 65536 ? 4 : 10;
        QCOMPARE(frame.size(), header + 4 + size);
        QByteArray back = frame.sliced(header + 4);
        for (int i = 0; i < size; ++i)
            back[i] = char(back.at(i) ^ frame.at(header + (i & 3)));
        QCOMPARE(back, payload);
        if (size > 100)
            QVERIFY(webSocketFrame(WebSocketOpcode::Binary, payload) != frame); // another mask each time
    }

    void messagesArriveHoweverTheyAreCut_data()
    {
        QTest::addColumn<int>("piece");
        for (const int piece : {1, 2, 3, 7, 1000, 1'000'000})
            QTest::addRow("pieces of %d", piece) << piece;
    }
    void messagesArriveHoweverTheyAreCut()
    {
        QFETCH(int, piece);
        QByteArrayList sent;
        QByteArray wire;
        for (const int size : {0, 1, 125, 126, 300, 65535, 65536}) {
            sent += QByteArray(size, char('a' + size % 26));
            wire += serverFrame(0x82, sent.last());
            wire += serverFrame(0x89, "p"_ba + QByteArray::number(size));
        }
        // One in fragments, with a ping and an empty fragment in between.
        wire += serverFrame(0x02, "one ") + serverFrame(0x89, "mid") + serverFrame(0x00, {})
                + serverFrame(0x00, "two ") + serverFrame(0x80, "three");
        sent += "one two three"_ba;
        wire += serverFrame(0x81, "some text") + serverFrame(0x01, "in") + serverFrame(0x80, "pieces");
        wire += serverFrame(0x88, QByteArray("\x03\xe8") + "exit:7");
        const Decoded got = decode(wire, piece);
        QCOMPARE(got.messages, sent);
        QCOMPARE(got.pings.size(), 8);
        QCOMPARE(got.texts, 2);
        QVERIFY(got.last);
        QCOMPARE(got.last->kind, Kind::Close);
        QCOMPARE(got.last->code, 1000);
        QCOMPARE(got.last->reason, u"exit:7"_s);
    }

    void aReaderWithoutRoomGetsNothingAndLosesNothing()
    {
        WebSocketDecoder decoder(plenty);
        const QByteArray wire = serverFrame(0x89, "ping") + serverFrame(0x82, "message");
        QByteArrayView input(wire);
        QCOMPARE(decoder.next(input, 0).kind, Kind::Ping);
        QCOMPARE(decoder.next(input, 0).kind, Kind::Starved);
        QCOMPARE(input.size(), 7);
        auto event = decoder.next(input, 3);
        QCOMPARE(event.bytes, "mes"_ba);
        QVERIFY(event.isFirst && !event.isLast);
        event = decoder.next(input, 100);
        QCOMPARE(event.bytes, "sage"_ba);
        QVERIFY(!event.isFirst && event.isLast);
    }

    void whatAServerMustNotSendBreaksIt_data()
    {
        QTest::addColumn<QByteArray>("wire");
        QTest::addColumn<ErrorKind>("kind");
        const auto row = [](const char *name, const QByteArray &wire, ErrorKind kind = ErrorKind::Protocol) {
            QTest::newRow(name) << wire << kind;
        };
        row("reserved bit 1", serverFrame(0xc2, "x"));
        row("reserved bit 2", serverFrame(0xa2, "x"));
        row("reserved bit 3", serverFrame(0x92, "x"));
        for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15})
            row(qPrintable(u"opcode %1"_s.arg(opcode)), serverFrame(0x80 | opcode, "x"));
        row("masked", QByteArray("\x82\x81") + "mask" + "x");
        row("16-bit length that fits 7", QByteArray::fromHex("827e007d") + QByteArray(125, 'x'));
        row("64-bit length that fits 16", QByteArray::fromHex("827f000000000000ffff"));
        row("length with the top bit", QByteArray::fromHex("827fffffffffffffffff"));
        row("8 EiB less one", QByteArray::fromHex("827f7fffffffffffffff"), ErrorKind::TooLarge);
        row("4 GiB and one", QByteArray::fromHex("827f0000000100000001"), ErrorKind::TooLarge);
        row("one more than allowed", QByteArray::fromHex("827f0000000000100001"), ErrorKind::TooLarge);
        row("fragments that grow too large together",
            serverFrame(0x02, QByteArray(700'000, 'x')) + serverFrame(0x80, QByteArray(700'000, 'x')), ErrorKind::TooLarge);
        row("a text too large", QByteArray::fromHex("817f0000000000100001"), ErrorKind::TooLarge);
        row("a ping too long", serverFrame(0x89, QByteArray(126, 'x')));
        row("a ping in pieces", serverFrame(0x09, "x"));
        row("a close in pieces", serverFrame(0x08, {}));
        row("a continuation of nothing", serverFrame(0x80, "x"));
        row("a message inside another", serverFrame(0x02, "x") + serverFrame(0x82, "y"));
        row("half a close code", serverFrame(0x88, "\x03"));
        for (const int code : {0, 999, 1004, 1005, 1006, 1015, 2000, 5000})
            row(qPrintable(u"close code %1"_s.arg(code)), serverFrame(0x88, QByteArray(1, char(code >> 8)) + char(code & 0xff)));
        row("a close reason that is not UTF-8", serverFrame(0x88, QByteArray("\x03\xe8\xff\xfe", 4)));
    }
    void whatAServerMustNotSendBreaksIt()
    {
        QFETCH(QByteArray, wire);
        QFETCH(ErrorKind, kind);
        for (const qsizetype piece : {1, 4, 100'000}) {
            const Decoded got = decode(wire, piece);
            QVERIFY(got.last);
            QCOMPARE(got.last->kind, Kind::Broken);
            QCOMPARE(got.last->error.kind, kind);
            QCOMPARE(got.last->error.layer, Layer::WebSocket);
            QVERIFY(!got.last->error.detail.isEmpty());
        }
    }

    void noBytesMakeItFall()
    {
        for (quint32 seed = 0; seed < 3000; ++seed) {
            QRandomGenerator random(seed);
            QByteArray wire(1 + random.bounded(200), Qt::Uninitialized);
            for (char &c : wire)
                c = char(random.bounded(256));
            if (seed % 2)
                wire[0] = char(0x82); // gets further in
            const Decoded got = decode(wire, 1 + random.bounded(20), 1 + random.bounded(10));
            QVERIFY(got.mostAtOnce <= 10);
        }
    }

    // --- the upgrade ---

    void anUpgradeIsAcceptedHoweverItIsCut()
    {
        for (const qsizetype piece : {1, 3, 10, 10'000}) {
            UpgradeReply reply(key);
            const QByteArray wire = "HTTP/1.1 100 Continue\r\n\r\n"_ba + accepted + "FRAMES";
            UpgradeReply::Outcome outcome = UpgradeReply::Outcome::Incomplete;
            QByteArray rest;
            for (qsizetype at = 0; at < wire.size() && outcome == UpgradeReply::Outcome::Incomplete; at += piece) {
                QByteArrayView input = QByteArrayView(wire).sliced(at, qMin(piece, wire.size() - at));
                outcome = reply.take(input);
                rest = input.toByteArray() + wire.sliced(qMin(at + piece, wire.size()));
            }
            QCOMPARE(outcome, UpgradeReply::Outcome::Accepted);
            QCOMPARE(rest, "FRAMES"_ba);
        }
    }

    void refusalsKeepTheirKindAndTheirWords_data()
    {
        QTest::addColumn<QByteArray>("wire");
        QTest::addColumn<ErrorKind>("kind");
        QTest::addColumn<Layer>("layer");
        QTest::addColumn<QString>("words");
        const auto json = [](const char *name, const QByteArray &status, const QByteArray &body, ErrorKind kind,
                             Layer layer, const QString &words) {
            QTest::newRow(name) << "HTTP/1.1 " + status + "\r\nContent-Length: " + QByteArray::number(body.size())
                            + "\r\n\r\n" + body << kind << layer << words;
        };
        json("401", "401 Unauthorized", R"({"error":"no key"})", ErrorKind::AuthRejected, Layer::Auth, u"no key"_s);
        json("403", "403 Forbidden", R"({"error":"wrong token","code":"INVALID_TOKEN"})", ErrorKind::PermissionDenied,
             Layer::WebSocket, u"INVALID_TOKEN: wrong token"_s);
        json("404", "404 Not Found", R"({"error":"no such session","code":"SESSION_NOT_FOUND"})", ErrorKind::NotFound,
             Layer::WebSocket, u"SESSION_NOT_FOUND: no such session"_s);
        json("429 sessions", "429 Too Many", R"({"error":"64","code":"TOO_MANY_SESSIONS"})", ErrorKind::QuotaExceeded,
             Layer::WebSocket, u"TOO_MANY_SESSIONS"_s);
        json("429 requests", "429 Too Many", R"({"message":"slow down"})", ErrorKind::RateLimited, Layer::WebSocket, u"slow down"_s);
        json("503 asleep", "503 Service Unavailable", R"({"error":"x","code":"SANDBOX_NOT_RUNNING"})",
             ErrorKind::SandboxNotRunning, Layer::SandboxState, u"SANDBOX_NOT_RUNNING"_s);
        json("502", "502 Bad Gateway", "<html>nginx</html>", ErrorKind::ServerError, Layer::WebSocket, u"HTTP 502"_s);
        json("504", "504 Gateway Timeout", "", ErrorKind::Timeout, Layer::WebSocket, u"HTTP 504"_s);
        json("plain text", "400 Bad Request", "what is this\x1b[31m", ErrorKind::InvalidInput, Layer::WebSocket,
             u"what is this [31m"_s);
        json("200 is no upgrade", "200 OK", "hello", ErrorKind::Protocol, Layer::WebSocket, u"hello"_s);
        json("a redirect", "302 Found", "", ErrorKind::Protocol, Layer::WebSocket, u"not followed"_s);
        QTest::newRow("chunked") << "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n{\"error\":\"chunk\"}\r\n0\r\n\r\n"_ba
                                 << ErrorKind::PermissionDenied << Layer::WebSocket << u"chunk"_s;
        QTest::newRow("not HTTP") << "SSH-2.0-OpenSSH_9.2\r\n\r\n"_ba << ErrorKind::Protocol << Layer::Http << u"not HTTP"_s;
        QTest::newRow("a status of letters") << "HTTP/1.1 abc\r\n\r\n"_ba << ErrorKind::Protocol << Layer::Http << QString();
        QTest::newRow("headers without an end") << "HTTP/1.1 101 x\r\n" + QByteArray(40'000, 'a')
                                                << ErrorKind::TooLarge << Layer::Http << QString();
        QTest::newRow("a header without a name") << "HTTP/1.1 101 x\r\n: y\r\n\r\n"_ba << ErrorKind::Protocol << Layer::Http << QString();
        QTest::newRow("101 for another key") << QByteArray(accepted).replace("s3pP", "xxxx") << ErrorKind::Protocol
                                             << Layer::Http << u"another key"_s;
        QTest::newRow("101 without upgrade") << QByteArray(accepted).replace("Upgrade: websocket\r\n", "")
                                             << ErrorKind::Protocol << Layer::Http << QString();
        QTest::newRow("an extension we did not ask for")
                << QByteArray(accepted).replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
                << ErrorKind::Protocol << Layer::Http << QString();
        QTest::newRow("a body without an end") << "HTTP/1.1 500 No\r\n\r\n" + QByteArray(100'000, 'x')
                                               << ErrorKind::ServerError << Layer::WebSocket << QString();
    }
    void refusalsKeepTheirKindAndTheirWords()
    {
        QFETCH(QByteArray, wire);
        QFETCH(QString, words);
        for (const qsizetype piece : {1, 1000, 1'000'000}) {
            UpgradeReply reply(key);
            UpgradeReply::Outcome outcome = UpgradeReply::Outcome::Incomplete;
            for (qsizetype at = 0; at < wire.size() && outcome == UpgradeReply::Outcome::Incomplete; at += piece) {
                QByteArrayView input = QByteArrayView(wire).sliced(at, qMin(piece, wire.size() - at));
                outcome = reply.take(input);
            }
            QCOMPARE(outcome, UpgradeReply::Outcome::Refused);
            QTEST(reply.error().kind, "kind");
            QTEST(reply.error().layer, "layer");
            QVERIFY2(reply.error().detail.contains(words), qPrintable(reply.error().detail));
            QVERIFY(reply.error().detail.size() <= 600);
        }
    }

    void anAnswerThatBreaksOffIsALoss()
    {
        UpgradeReply reply(key);
        QByteArrayView input("HTTP/1.1 101 Swi");
        QCOMPARE(reply.take(input), UpgradeReply::Outcome::Incomplete);
        QCOMPARE(reply.finish(), UpgradeReply::Outcome::Refused);
        QCOMPARE(reply.error().kind, ErrorKind::ConnectionLost);
    }

    void theRequestSaysWhatItMust()
    {
        WebSocketRequest request;
        request.url = QUrl(u"wss://box.example:8443/api/v1/pty/a%20b/ws?x=1"_s);
        request.headers = {{"X-Extra"_ba, "1"_ba}};
        request.secretHeaders.emplaceBack("X-PTY-Token"_ba, std::make_shared<Secret>("hush"));
        const QByteArray text = composeUpgrade(request, key);
        QVERIFY(text.startsWith("GET /api/v1/pty/a%20b/ws?x=1 HTTP/1.1\r\nHost: box.example:8443\r\n"));
        QVERIFY(text.contains("\r\nX-PTY-Token: hush\r\n"));
        QVERIFY(text.contains("\r\nX-Extra: 1\r\n"));
        QVERIFY(text.contains("\r\nUser-Agent: Sandpiper/"));
        QVERIFY(text.endsWith("\r\n\r\n"));
        request.headers.emplaceBack("Host"_ba, "id.local"_ba);
        const QByteArray routed = composeUpgrade(request, key);
        QCOMPARE(routed.count("Host:"), 1);
        QVERIFY(routed.contains("\r\nHost: id.local\r\n"));
    }

    void whatMustNotBeSentIsNot_data()
    {
        QTest::addColumn<QString>("url");
        QTest::addColumn<QByteArray>("header");
        QTest::addColumn<QByteArray>("secret");
        QTest::addColumn<bool>("allowed");
        const auto row = [](const char *name, const QString &url, bool allowed, const QByteArray &header = "v",
                            const QByteArray &secret = "s") { QTest::newRow(name) << url << header << secret << allowed; };
        row("TLS anywhere", u"wss://example.com/x"_s, true);
        row("https is taken for it", u"https://example.com/x"_s, true);
        row("this computer in the clear", u"ws://127.0.0.1:1/x"_s, true);
        row("by name", u"http://localhost:1/x"_s, true);
        row("by IPv6", u"ws://[::1]:1/x"_s, true);
        row("elsewhere in the clear", u"ws://example.com/x"_s, false);
        row("a neighbour in the clear", u"http://192.168.1.2/x"_s, false);
        row("a name that only begins like it", u"ws://localhost.example.com/x"_s, false);
        row("no address", QString(), false);
        row("another scheme", u"ftp://localhost/x"_s, false);
        row("a header with a line break", u"wss://a.example/"_s, false, "x\r\nEvil: 1");
        row("a token with a line break", u"wss://a.example/"_s, false, "x", "s\r\nEvil: 1");
        row("an empty token", u"wss://a.example/"_s, false, "x", "");
    }
    void whatMustNotBeSentIsNot()
    {
        QFETCH(QString, url);
        QFETCH(QByteArray, header);
        QFETCH(QByteArray, secret);
        WebSocketRequest request;
        request.url = QUrl(url);
        request.headers = {{"X-Header"_ba, header}};
        request.secretHeaders.emplaceBack("X-Token"_ba, std::make_shared<Secret>(secret));
        const Done usable = checkWebSocketRequest(request);
        QTEST(usable.has_value(), "allowed");
        if (!usable)
            QCOMPARE(usable.error().kind, ErrorKind::InvalidInput);
    }
};

QTEST_GUILESS_MAIN(TestWebSocketFrames)
#include "tst_websocketframes.moc"
