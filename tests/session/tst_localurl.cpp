// Addresses of the machine itself in what its programs print.
#include "session/localurl.h"

#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

QStringList textOf(const QList<QUrl> &urls)
{
    QStringList text;
    for (const QUrl &url : urls)
        text.append(url.toString(QUrl::FullyEncoded));
    return text;
}

} // namespace

class TestLocalUrl : public QObject
{
    Q_OBJECT
private slots:
    void printedAddressesAreFound_data()
    {
        QTest::addColumn<QByteArray>("output");
        QTest::addColumn<QStringList>("found");
        const auto row = [](const char *name, const QByteArray &output, const QStringList &found = {}) { QTest::newRow(name) << output << found; };
        row("alone in a line", "http://localhost:3000\n", {u"http://localhost:3000"_s});
        row("within a sentence", "Running on http://127.0.0.1:5000. Press ^C to quit\n", {u"http://127.0.0.1:5000"_s});
        row("in brackets", "Serving HTTP on 0.0.0.0 port 8000 (http://0.0.0.0:8000/) ...\n", {u"http://0.0.0.0:8000/"_s});
        row("IPv6", "on http://[::1]:9000/ and http://[::]:9001/\r\n", {u"http://[::1]:9000/"_s, u"http://[::]:9001/"_s});
        row("TLS, in capitals", "HTTPS://LocalHost:8443/ \n", {u"https://localhost:8443/"_s});
        row("path and query", "http://127.0.0.1:8888/lab?token=abc%20d#top\n", {u"http://127.0.0.1:8888/lab?token=abc%20d#top"_s});
        row("colours between", "  Local:   \x1b[36mhttp://localhost:\x1b[1m5173\x1b[22m/\x1b[39m\r\n", {u"http://localhost:5173/"_s});
        row("a colour in the host", "http://\x1b[1mlocal\x1b[0mhost:4200\n", {u"http://localhost:4200"_s});
        row("the line is cleared behind it", "http://localhost:3000\x1b[K", {u"http://localhost:3000"_s});
        row("a link of a program", "\x1b]8;;http://localhost:3001/a\x1b\\page\x1b]8;;\x1b\\", {u"http://localhost:3001/a"_s});
        row("two in a line", "http://localhost:3000 http://localhost:3001 ", {u"http://localhost:3000"_s, u"http://localhost:3001"_s});
        row("quoted", "\"http://localhost:3000/\"", {u"http://localhost:3000/"_s});
        row("a frame around it", "\xe2\x94\x82 http://localhost:3000\xe2\x94\x82", {u"http://localhost:3000"_s});
        row("the highest port", "http://localhost:65535\n", {u"http://localhost:65535"_s});

        row("another machine", "http://example.com:3000 http://192.168.0.2:3000/\n");
        row("another machine that begins alike", "http://localhost.example.com:3000/ http://127.0.0.1.example:80/\n");
        row("a name before another machine", "http://localhost:3000@example.com/\n");
        row("no port", "http://localhost/ http://localhost\n");
        row("no such port", "http://localhost:0 http://localhost:65536 http://localhost:123456 http://localhost:x\n");
        row("another scheme", "ftp://localhost:3000 ws://localhost:3000 ://localhost:3000\n");
        row("the digits run on", "http://localhost:3000abc\n");
        row("a control character within", "http://local\x08host:3000\n");
        row("the cursor moves within", "http://local\x1b[2Chost:3000\n");
        row("never ends", "http://localhost:3000/" + QByteArray(9000, 'a') + "\n");
        row("a colour never ends", "http://localhost:\x1b[" + QByteArray(9000, '1') + "m3000\n");
        QByteArray all;
        for (int c = 0; c < 256; ++c)
            all += char(c);
        row("every byte", all + "://" + all + all);
        row("every byte, then one", all + " http://localhost:3000\n", {u"http://localhost:3000"_s});
    }
    void printedAddressesAreFound()
    {
        QFETCH(QByteArray, output);
        QFETCH(QStringList, found);
        LocalUrlScanner whole;
        QCOMPARE(textOf(whole.feed(output)), found);
        // Wherever the stream is split.
        for (qsizetype cut = 0; cut <= qMin<qsizetype>(output.size(), 200); ++cut) {
            LocalUrlScanner scanner;
            QStringList split = textOf(scanner.feed(QByteArrayView(output).first(cut)));
            split += textOf(scanner.feed(QByteArrayView(output).sliced(cut)));
            QVERIFY2(split == found, qPrintable(u"cut at %1: %2"_s.arg(cut).arg(split.join(u' '))));
        }
        LocalUrlScanner drip;
        QStringList dripped;
        for (const char &c : output)
            dripped += textOf(drip.feed({&c, 1}));
        QCOMPARE(dripped, found);
    }

    void whatHasNotEndedIsNotGuessed()
    {
        LocalUrlScanner scanner;
        QVERIFY(scanner.feed("http://localhost:30").isEmpty());
        QCOMPARE(textOf(scanner.feed("00\n")), QStringList{u"http://localhost:3000"_s});
        QVERIFY(scanner.feed("http://localhost:30").isEmpty());
        scanner.reset();
        QVERIFY(scanner.feed("00\n").isEmpty());
    }

    void whereAPageIsReachedHere_data()
    {
        QTest::addColumn<QString>("there");
        QTest::addColumn<QString>("here");
        QTest::newRow("path, query, fragment") << u"http://localhost:3000/a%20b?c=d%2F#e"_s << u"http://localhost:4000/a%20b?c=d%2F#e"_s;
        QTest::newRow("the name that it is called by") << u"https://127.0.0.1:3000/"_s << u"https://127.0.0.1:4000/"_s;
        QTest::newRow("all addresses") << u"http://0.0.0.0:3000"_s << u"http://localhost:4000"_s;
        QTest::newRow("IPv6") << u"http://[::1]:3000/x"_s << u"http://localhost:4000/x"_s;
        QTest::newRow("no port") << u"http://localhost/x"_s << u"http://localhost:4000/x"_s;
    }
    void whereAPageIsReachedHere()
    {
        QFETCH(QString, there);
        QFETCH(QString, here);
        QVERIFY(isLocalUrl(QUrl(there)));
        QCOMPARE(localUrlAt(QUrl(there), 4000), QUrl(here));
    }

    void whatAUrlMeans()
    {
        QCOMPARE(portOfLocalUrl(QUrl(u"http://localhost/"_s)), quint16(80));
        QCOMPARE(portOfLocalUrl(QUrl(u"https://localhost/"_s)), quint16(443));
        QCOMPARE(portOfLocalUrl(QUrl(u"http://localhost:3000/"_s)), quint16(3000));
        QVERIFY(isLocalUrl(QUrl(u"HTTP://LOCALHOST:3000"_s)));
        for (const QString &other : {u"http://example.com/"_s, u"mailto:a@localhost"_s, u"file:///etc/passwd"_s, u"http://localhost.evil:3000/"_s,
                                     u"http://localhost@evil:3000/"_s, u""_s, u"http://localhost:0/"_s})
            QVERIFY2(!isLocalUrl(QUrl(other)), qPrintable(other));
    }
};

QTEST_GUILESS_MAIN(TestLocalUrl)
#include "tst_localurl.moc"
