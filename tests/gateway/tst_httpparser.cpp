#include "gateway/httpparser.h"
#include "gateway/router.h"

#include <QTest>

using namespace Qt::Literals::StringLiterals;
using namespace Sandpiper;

class TestHttpParser : public QObject
{
    Q_OBJECT

private slots:
    void aRequestComesOutWhole_howeverItIsCut_data();
    void aRequestComesOutWhole_howeverItIsCut();
    void malformedIsRefused_data();
    void malformedIsRefused();
    void pipelinedRequestsStayApart();
    void bodiesHaveALimit();
    void severalHostsAreKept();
    void routesAreFoundByMethodAndPath();
};

namespace {

HttpParser::State feedAll(HttpParser &parser, QByteArray bytes, qsizetype step, qint64 limit = 1 << 20)
{
    QByteArray input;
    while (true) {
        const HttpParser::State state = parser.feed(input);
        if (state == HttpParser::State::HeadDone && parser.takeBody(limit) != HttpParser::State::Body)
            return parser.state();
        if (state == HttpParser::State::HeadDone)
            continue;
        if (state == HttpParser::State::Whole || state == HttpParser::State::Refused || bytes.isEmpty())
            return state;
        input.append(bytes.first(std::min(step, bytes.size())));
        bytes.remove(0, step);
    }
}

} // namespace

void TestHttpParser::aRequestComesOutWhole_howeverItIsCut_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QByteArray>("body");
    QTest::newRow("no body") << QByteArray("POST /a%20b?x=1 HTTP/1.1\r\nHost: h\r\nX-One:  two \r\n\r\n") << QByteArray();
    QTest::newRow("length") << QByteArray("POST /a%20b?x=1 HTTP/1.1\r\nHost: h\r\nX-One: two\r\nContent-Length: 5\r\n\r\nhello") << QByteArray("hello");
    QTest::newRow("length 0") << QByteArray("POST /a%20b?x=1 HTTP/1.1\r\nHost: h\r\nX-One: two\r\nContent-Length: 0\r\n\r\n") << QByteArray();
    QTest::newRow("chunked") << QByteArray("POST /a%20b?x=1 HTTP/1.1\r\nHost: h\r\nX-One: two\r\nTransfer-Encoding: chunked\r\n\r\n"
                                           "3\r\nhel\r\n2;ext=1\r\nlo\r\n0\r\nTrailer: x\r\n\r\n") << QByteArray("hello");
    QTest::newRow("leading empty line") << QByteArray("\r\nPOST /a%20b?x=1 HTTP/1.1\r\nHost: h\r\nX-One: two\r\n\r\n") << QByteArray();
}

void TestHttpParser::aRequestComesOutWhole_howeverItIsCut()
{
    QFETCH(const QByteArray, bytes);
    QFETCH(const QByteArray, body);
    for (qsizetype step = 1; step <= bytes.size(); ++step) {
        HttpParser parser;
        QCOMPARE(feedAll(parser, bytes, step), HttpParser::State::Whole);
        QCOMPARE(parser.request().method, "POST");
        QCOMPARE(parser.request().path, "/a%20b");
        QCOMPARE(parser.request().queryValue(u"x"_s), u"1"_s);
        QCOMPARE(parser.request().header("x-one"), "two");
        QCOMPARE(parser.request().body, body);
    }
}

void TestHttpParser::malformedIsRefused_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("status");
    const QByteArray get = "GET / HTTP/1.1\r\nHost: h\r\n";
    QTest::newRow("no version") << QByteArray("GET /\r\nHost: h\r\n\r\n") << 400;
    QTest::newRow("HTTP/2") << QByteArray("GET / HTTP/2.0\r\nHost: h\r\n\r\n") << 505;
    QTest::newRow("HTTP/9") << QByteArray("GET / HTTP/9.9\r\nHost: h\r\n\r\n") << 505;
    QTest::newRow("absolute target") << QByteArray("GET http://x/ HTTP/1.1\r\nHost: h\r\n\r\n") << 400;
    QTest::newRow("space in target") << QByteArray("GET /a b HTTP/1.1\r\nHost: h\r\n\r\n") << 400;
    QTest::newRow("NUL in target") << QByteArray("GET /a") + '\0' + QByteArray("b HTTP/1.1\r\nHost: h\r\n\r\n") << 400;
    QTest::newRow("no host") << QByteArray("GET / HTTP/1.1\r\nX: y\r\n\r\n") << 400;
    QTest::newRow("blank before colon") << QByteArray(get + "X : y\r\n\r\n") << 400;
    QTest::newRow("folded header") << QByteArray(get + "X: y\r\n z\r\n\r\n") << 400;
    QTest::newRow("header without colon") << QByteArray(get + "nonsense\r\n\r\n") << 400;
    QTest::newRow("control in value") << QByteArray(get + "X: a\x01z\r\n\r\n") << 400;
    QTest::newRow("bare LF in value") << QByteArray(get + "X: a\nY: z\r\n\r\n") << 400;
    QTest::newRow("bare CR in value") << QByteArray(get + "X: a\rY: z\r\n\r\n") << 400;
    QTest::newRow("two lengths") << QByteArray(get + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n") << 400;
    QTest::newRow("length and chunked") << QByteArray(get + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n") << 400;
    QTest::newRow("negative length") << QByteArray(get + "Content-Length: -1\r\n\r\n") << 400;
    QTest::newRow("plus length") << QByteArray(get + "Content-Length: +1\r\n\r\n") << 400;
    QTest::newRow("endless length") << QByteArray(get + "Content-Length: 99999999999999999999\r\n\r\n") << 400;
    QTest::newRow("unknown coding") << QByteArray(get + "Transfer-Encoding: gzip\r\n\r\n") << 501;
    QTest::newRow("coding twice") << QByteArray(get + "Transfer-Encoding: chunked, chunked\r\n\r\n") << 501;
    QTest::newRow("bad chunk size") << QByteArray(get + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n") << 400;
    QTest::newRow("chunk too long for its size") << QByteArray(get + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n") << 400;
    QTest::newRow("gigantic chunk") << QByteArray(get + "Transfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n") << 413;
    QTest::newRow("chunk line without end") << QByteArray(get + "Transfer-Encoding: chunked\r\n\r\n" + QByteArray(1000, '0')) << 400;
    QTest::newRow("huge header") << QByteArray(get + "X: " + QByteArray(200 * 1024, 'a')) << 431;
    QTest::newRow("500 headers") << QByteArray(get + QByteArray("X: y\r\n").repeated(500) + "\r\n") << 431;
    QTest::newRow("binary") << QByteArray::fromHex("160301020001fc0303") + "\r\n\r\n" << 400;
}

void TestHttpParser::malformedIsRefused()
{
    QFETCH(const QByteArray, bytes);
    QFETCH(const int, status);
    for (const qsizetype step : {qsizetype(7), bytes.size()}) {
        HttpParser parser;
        QCOMPARE(feedAll(parser, bytes, step), HttpParser::State::Refused);
        QCOMPARE(parser.refusalStatus(), status);
        QVERIFY(parser.refusalReason().endsWith(u'.'));
    }
}

void TestHttpParser::pipelinedRequestsStayApart()
{
    QByteArray input = "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nxGET /2 HTTP/1.1\r\nHost: h\r\n\r\n";
    HttpParser parser;
    QCOMPARE(parser.feed(input), HttpParser::State::HeadDone);
    QCOMPARE(parser.takeBody(10), HttpParser::State::Body);
    QCOMPARE(parser.feed(input), HttpParser::State::Whole);
    QCOMPARE(parser.request().body, "x");
    parser.reset();
    QCOMPARE(parser.feed(input), HttpParser::State::HeadDone);
    QCOMPARE(parser.request().path, "/2");
    QVERIFY(!parser.expectsBody());
    QVERIFY(input.isEmpty());
}

void TestHttpParser::bodiesHaveALimit()
{
    HttpParser parser;
    QCOMPARE(feedAll(parser, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n", 100, 10), HttpParser::State::Refused);
    QCOMPARE(parser.refusalStatus(), 413);
    HttpParser chunked;
    QCOMPARE(feedAll(chunked, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n6\r\n", 100, 10), HttpParser::State::Refused);
    QCOMPARE(chunked.refusalStatus(), 413);
}

void TestHttpParser::severalHostsAreKept()
{
    HttpParser parser;
    QCOMPARE(feedAll(parser, "GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\nHost: abc.local\r\n\r\n", 100), HttpParser::State::Whole);
    QCOMPARE(parser.request().headerValues("host"), (QList<QByteArray>{"127.0.0.1:1", "abc.local"}));
}

void TestHttpParser::routesAreFoundByMethodAndPath()
{
    Router router;
    router.add("GET", "/sandboxes/{}", [](HttpExchange *, const QStringList &) {});
    router.add("POST", "/sandboxes/{}/suspend", [](HttpExchange *, const QStringList &) {});
    QCOMPARE(router.find("GET", "/sandboxes/a%2Db").arguments, QStringList{u"a-b"_s});
    QVERIFY(router.find("GET", "/sandboxes/a/").function);
    QVERIFY(!router.find("PUT", "/sandboxes/a").function);
    QVERIFY(router.find("PUT", "/sandboxes/a").pathKnown);
    for (const QByteArray path : {"/sandboxes/", "/sandboxes/a%2Fb", "/sandboxes/a%00", "/sandboxes/a/b", "//sandboxes/a", "/"})
        QVERIFY2(!router.find("GET", path).function && !router.find("GET", path).pathKnown, path.constData());
}

QTEST_GUILESS_MAIN(TestHttpParser)
#include "tst_httpparser.moc"
