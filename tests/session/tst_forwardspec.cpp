// What -L, -R and -D take, and what they refuse.
#include "session/forwardspec.h"

#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using Kind = ForwardSpec::Kind;
using End = ForwardSpec::End;

Q_DECLARE_METATYPE(Sandpiper::ForwardSpec)

namespace {

End at(quint16 port)
{
    return {{}, port, {}};
}
End at(const QString &address, quint16 port)
{
    return {address, port, {}};
}
End path(const QString &path)
{
    return {{}, 0, path};
}

} // namespace

class TestForwardSpec : public QObject
{
    Q_OBJECT
private slots:
    void aSpecIsRead_data()
    {
        QTest::addColumn<Kind>("option");
        QTest::addColumn<QString>("text");
        QTest::addColumn<ForwardSpec>("spec");
        const auto row = [](Kind option, const char *text, const ForwardSpec &spec) {
            QTest::addRow("%s %s", qPrintable(forwardOption(option)), text) << option << QString::fromUtf8(text) << spec;
        };
        const End web = at(u"web"_s, 80);
        row(Kind::Local, "8080:web:80", {Kind::Local, at(8080), web});
        row(Kind::Local, "127.0.0.1:8080:web:80", {Kind::Local, at(u"127.0.0.1"_s, 8080), web});
        row(Kind::Local, "localhost:8080:web:80", {Kind::Local, at(u"localhost"_s, 8080), web});
        row(Kind::Local, "*:8080:web:80", {Kind::Local, at(u"*"_s, 8080), web});
        row(Kind::Local, ":8080:web:80", {Kind::Local, at(u""_s, 8080), web});
        row(Kind::Local, "[::1]:8080:[2001:db8::1]:80", {Kind::Local, at(u"::1"_s, 8080), at(u"2001:db8::1"_s, 80)});
        row(Kind::Local, "8080:[::1]:80", {Kind::Local, at(8080), at(u"::1"_s, 80)});
        row(Kind::Local, "0:web:80", {Kind::Local, at(0), web});
        row(Kind::Local, "65535:web:http", {Kind::Local, at(65535), web});
        row(Kind::Local, "8080:/run/web.sock", {Kind::Local, at(8080), path(u"/run/web.sock"_s)});
        row(Kind::Local, "127.0.0.1:8080:/run/web.sock", {Kind::Local, at(u"127.0.0.1"_s, 8080), path(u"/run/web.sock"_s)});
        row(Kind::Local, "/tmp/x.sock:web:80", {Kind::Local, path(u"/tmp/x.sock"_s), web});
        row(Kind::Local, "./x.sock:/run/web.sock", {Kind::Local, path(u"./x.sock"_s), path(u"/run/web.sock"_s)});
        row(Kind::Local, "/tmp/a\\:b:web:80", {Kind::Local, path(u"/tmp/a:b"_s), web});
        row(Kind::Local, "[/tmp/a:b]:[/run/c:d]", {Kind::Local, path(u"/tmp/a:b"_s), path(u"/run/c:d"_s)});
        row(Kind::Local, " 8080:web:80 ", {Kind::Local, at(8080), web});
        row(Kind::Remote, "9090:localhost:90", {Kind::Remote, at(9090), at(u"localhost"_s, 90)});
        row(Kind::Remote, "0:localhost:90", {Kind::Remote, at(0), at(u"localhost"_s, 90)});
        row(Kind::Remote, "/there.sock:/here.sock", {Kind::Remote, path(u"/there.sock"_s), path(u"/here.sock"_s)});
        row(Kind::Remote, "1080", {Kind::RemoteDynamic, at(1080), {}});
        row(Kind::Remote, "*:1080", {Kind::RemoteDynamic, at(u"*"_s, 1080), {}});
        row(Kind::Remote, "/there.sock", {Kind::RemoteDynamic, path(u"/there.sock"_s), {}});
        row(Kind::Dynamic, "1080", {Kind::Dynamic, at(1080), {}});
        row(Kind::Dynamic, "0", {Kind::Dynamic, at(0), {}});
        row(Kind::Dynamic, "[::1]:1080", {Kind::Dynamic, at(u"::1"_s, 1080), {}});
        row(Kind::Dynamic, "/tmp/socks.sock", {Kind::Dynamic, path(u"/tmp/socks.sock"_s), {}});
    }
    void aSpecIsRead()
    {
        QFETCH(Kind, option);
        QFETCH(QString, text);
        QFETCH(ForwardSpec, spec);
        const Result<ForwardSpec> read = parseForward(option, text);
        QVERIFY2(read, read ? "" : qPrintable(read.error().detail));
        QVERIFY2(*read == spec, qPrintable(forwardText(*read)));
        // And what is printed is read as the same.
        const Result<ForwardSpec> again = parseForward(option, forwardText(*read));
        QVERIFY2(again && *again == spec, qPrintable(forwardText(*read)));
    }

    void whatIsNoSpecIsRefusedInWords_data()
    {
        QTest::addColumn<Kind>("option");
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("words");
        const auto row = [](Kind option, const QString &text, const QString &words, const char *name = nullptr) {
            QTest::addRow("%s %s", qPrintable(forwardOption(option)), name ? name : qPrintable(text)) << option << text << words;
        };
        const QString shape = u"-L must be [address:]port:host:hostport"_s;
        row(Kind::Local, {}, shape);
        row(Kind::Local, u":"_s, u"-L needs a port"_s);
        row(Kind::Local, u":::"_s, u"-L needs a port"_s);
        row(Kind::Local, u"8080"_s, shape);
        row(Kind::Local, u"8080:80"_s, shape);
        row(Kind::Local, u"/tmp/x.sock"_s, shape);
        row(Kind::Local, u"/tmp/x.sock:80"_s, shape);
        row(Kind::Local, u"8080:web:80:x:y"_s, shape);
        row(Kind::Local, u"8080:web"_s, u"-L needs a port"_s);
        row(Kind::Local, u"8080:web:0"_s, u"needs a port from 1 to 65535, not '0'"_s);
        row(Kind::Local, u"8080::80"_s, shape);
        row(Kind::Local, u"65536:web:80"_s, u"needs a port from 0 to 65535, not '65536'"_s);
        row(Kind::Local, u"-1:web:80"_s, u"not '-1'"_s);
        row(Kind::Local, u"0x50:web:80"_s, u"not '0x50'"_s);
        row(Kind::Local, u"8080:web:99999999999999999999"_s, u"needs a port from 1 to 65535"_s);
        row(Kind::Local, u"8080:-oProxyCommand=x:80"_s, u"needs a host name or an address"_s);
        row(Kind::Local, u"8080:a b:80"_s, u"needs a host name or an address"_s);
        row(Kind::Local, u"-x:8080:web:80"_s, u"needs a host name or an address"_s);
        row(Kind::Local, u"[::1:8080:web:80"_s, shape);
        row(Kind::Local, u"[::1]8080:web:80"_s, shape);
        row(Kind::Local, u"8080:web:80\\"_s, shape);
        row(Kind::Local, u"8080:we\nb:80"_s, shape, "newline");
        row(Kind::Local, u"8080:we"_s + QChar(0) + u"b:80"_s, shape, "NUL");
        row(Kind::Local, u"8080:"_s + QString(64 << 10, u'x') + u":80"_s, shape, "64 KiB");
        row(Kind::Local, QString(64 << 10, u':'), shape, "64 KiB of colons");
        row(Kind::Local, u"8080:"_s + QString(300, u'x') + u":80"_s, u"needs a host name"_s, "a long name");
        row(Kind::Local, u"8080:/"_s + QString(107, u'x'), u"needs a shorter path"_s, "a long path");
        row(Kind::Local, u"/"_s + QString(60, u'ä') + u":web:80"_s, u"needs a shorter path"_s, "a path that is long in bytes");
        row(Kind::Remote, {}, u"-R must be"_s);
        row(Kind::Remote, u"x"_s, u"-R needs a port from 0 to 65535, not 'x'"_s);
        row(Kind::Remote, u"8080:web:0"_s, u"-R needs a port from 1 to 65535, not '0'"_s);
        row(Kind::Dynamic, {}, u"-D must be [address:]port"_s);
        row(Kind::Dynamic, u"1080:web:80"_s, u"-D must be [address:]port"_s);
        row(Kind::Dynamic, u"/x:/y"_s, u"-D must be [address:]port"_s);
        row(Kind::Dynamic, u"70000"_s, u"-D needs a port"_s);
    }
    void whatIsNoSpecIsRefusedInWords()
    {
        QFETCH(Kind, option);
        QFETCH(QString, text);
        QFETCH(QString, words);
        const Result<ForwardSpec> read = parseForward(option, text);
        QVERIFY2(!read, qPrintable(read ? forwardText(*read) : QString()));
        QCOMPARE(read.error().kind, ErrorKind::InvalidInput);
        QVERIFY2(read.error().detail.startsWith(forwardOption(option)) && read.error().detail.contains(words), qPrintable(read.error().detail));
        QVERIFY2(read.error().detail.size() < 300 && !read.error().detail.contains(u'\n'), qPrintable(read.error().detail));
    }

    void theMistakeIsShownWhereItIs_data()
    {
        QTest::addColumn<Kind>("option");
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("caret");
        const auto row = [](Kind option, const QString &text, const QString &caret) { QTest::newRow(qPrintable(text)) << option << text << caret; };
        row(Kind::Local, u"70000:web:80"_s, u"^"_s);
        row(Kind::Local, u"8080:web:0"_s, u"         ^"_s);
        row(Kind::Local, u"127.0.0.1:x:web:80"_s, u"          ^"_s);
        row(Kind::Local, u" 8080:web:x"_s, u"          ^"_s);
        row(Kind::Local, u"8080"_s, u"    ^"_s);
        row(Kind::Local, u"8080::80"_s, u"     ^"_s);
        row(Kind::Local, u"8080:a b:80"_s, u"     ^"_s);
        row(Kind::Local, u"8080:web:80:x:y"_s, u"              ^"_s);
        row(Kind::Local, u"8080:[::1:80"_s, u"     ^"_s);
        row(Kind::Local, u"8080:web:80\\"_s, u"           ^"_s);
        row(Kind::Local, u"/a:/b:80"_s, u"      ^"_s);
        row(Kind::Dynamic, u"1080:web:80"_s, u"     ^"_s);
        row(Kind::Remote, u"x"_s, u"^"_s);
    }
    void theMistakeIsShownWhereItIs()
    {
        QFETCH(Kind, option);
        QFETCH(QString, text);
        QFETCH(QString, caret);
        qsizetype at = -1;
        QVERIFY(!parseForward(option, text, &at));
        QCOMPARE(forwardCaret(text, at), u"  %1\n  %2"_s.arg(text, caret));
        QCOMPARE(forwardCaret(text + u'ä', at), QString());
    }

    void theWordsOfAnSshConfigMeanTheSame_data()
    {
        QTest::addColumn<Kind>("keyword");
        QTest::addColumn<QStringList>("words");
        QTest::addColumn<QString>("text"); // what it is; or, behind "!", why not
        const auto row = [](const char *name, Kind keyword, const QStringList &words, const QString &text) { QTest::newRow(name) << keyword << words << text; };
        row("local", Kind::Local, {u"8080"_s, u"web:80"_s}, u"8080:web:80"_s);
        row("address", Kind::Local, {u"[::1]:8080"_s, u"[::2]:80"_s}, u"[::1]:8080:[::2]:80"_s);
        row("sockets", Kind::Local, {u"/a"_s, u"/b"_s}, u"/a:/b"_s);
        row("remote", Kind::Remote, {u"0"_s, u"web:80"_s}, u"0:web:80"_s);
        row("remote dynamic", Kind::Remote, {u"1080"_s}, u"1080"_s);
        row("dynamic", Kind::Dynamic, {u"1080"_s}, u"1080"_s);
        row("no port", Kind::Local, {}, u"!LocalForward needs a port"_s);
        row("no target", Kind::Local, {u"8080"_s}, u"!the place to forward to behind '8080'"_s);
        row("half a target", Kind::Remote, {u"8080"_s, u"80"_s}, u"!RemoteForward needs a"_s);
        row("any port", Kind::Local, {u"0"_s, u"web:80"_s}, u"!not '0'"_s);
        row("any port, dynamic", Kind::Dynamic, {u"0"_s}, u"!not '0'"_s);
        row("three words", Kind::Local, {u"1"_s, u"a:2"_s, u"b:3"_s}, u"!nothing more behind 'a:2'"_s);
        row("dynamic with a target", Kind::Dynamic, {u"1"_s, u"a:2"_s}, u"!nothing more behind '1'"_s);
    }
    void theWordsOfAnSshConfigMeanTheSame()
    {
        QFETCH(Kind, keyword);
        QFETCH(QStringList, words);
        QFETCH(QString, text);
        const Result<ForwardSpec> read = parseForwardWords(keyword, words);
        const QString found = read ? forwardText(*read) : u'!' + read.error().detail;
        QVERIFY2(text.startsWith(u'!') ? !read && found.contains(text.sliced(1)) : found == text, qPrintable(found));
    }

    void aFailureIsOneSentence()
    {
        const ForwardSpec spec = *parseForward(Kind::Local, u"8080:web:80"_s);
        QCOMPARE(forwardFailure(spec, {ErrorKind::Conflict, Layer::Tcp, u"port 8080 is in use on this computer"_s, {}}),
                 u"The forward -L 8080:web:80 failed: port 8080 is in use on this computer."_s);
    }
};

QTEST_GUILESS_MAIN(TestForwardSpec)
#include "tst_forwardspec.moc"
