// Paths of servers: their parts, and how they are shown and read back.
#include "sftp/filepath.h"

#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

FilePath path(const QByteArray &bytes)
{
    return FilePath::fromBytes(bytes).value();
}

} // namespace

class TestFilePath : public QObject
{
    Q_OBJECT
private slots:
    void aPathHasANameAndAParent_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("name");
        QTest::addColumn<QByteArray>("parent");
        QTest::newRow("absolute") << "/a/b"_ba << "b"_ba << "/a"_ba;
        QTest::newRow("below the root") << "/a"_ba << "a"_ba << "/"_ba;
        QTest::newRow("the root") << "/"_ba << ""_ba << "/"_ba;
        QTest::newRow("the root twice") << "//"_ba << ""_ba << "/"_ba;
        QTest::newRow("relative") << "a/b"_ba << "b"_ba << "a"_ba;
        QTest::newRow("one name") << "a"_ba << "a"_ba << ""_ba;
        QTest::newRow("none") << ""_ba << ""_ba << ".."_ba;
        QTest::newRow("slash behind") << "/a/b/"_ba << "b"_ba << "/a"_ba;
        QTest::newRow("slashes between") << "/a//b"_ba << "b"_ba << "/a"_ba;
        QTest::newRow("the same name twice") << "/b/b"_ba << "b"_ba << "/b"_ba;
        QTest::newRow("name within its parent") << "/ab/b"_ba << "b"_ba << "/ab"_ba;
        QTest::newRow("dot") << "."_ba << "."_ba << "./.."_ba;
        QTest::newRow("dots") << "../.."_ba << ".."_ba << "../../.."_ba;
        QTest::newRow("dots and a slash") << "/a/../"_ba << ".."_ba << "/a/../.."_ba;
        QTest::newRow("not UTF-8") << "/\xff/\xfe"_ba << "\xfe"_ba << "/\xff"_ba;
    }
    void aPathHasANameAndAParent()
    {
        QFETCH(QByteArray, bytes);
        QTEST(path(bytes).name(), "name");
        QTEST(path(bytes).parent().bytes(), "parent");
    }

    void pathsAreJoined_data()
    {
        QTest::addColumn<QByteArray>("folder");
        QTest::addColumn<QByteArray>("other");
        QTest::addColumn<QByteArray>("both");
        QTest::newRow("name") << "/a"_ba << "b"_ba << "/a/b"_ba;
        QTest::newRow("root") << "/"_ba << "b"_ba << "/b"_ba;
        QTest::newRow("login") << ""_ba << "b"_ba << "b"_ba;
        QTest::newRow("absolute") << "/a"_ba << "/b"_ba << "/b"_ba;
        QTest::newRow("nothing") << "/a"_ba << ""_ba << "/a"_ba;
    }
    void pathsAreJoined()
    {
        QFETCH(QByteArray, folder);
        QFETCH(QByteArray, other);
        QTEST(path(folder).joined(path(other)).bytes(), "both");
    }

    void aServersNameLeadsNowhereElse_data()
    {
        QTest::addColumn<QByteArray>("name");
        QTest::addColumn<bool>("isPlain");
        QTest::newRow("plain") << "a"_ba << true;
        QTest::newRow("three dots") << "..."_ba << true;
        QTest::newRow("newline") << "a\nb"_ba << true;
        QTest::newRow("backslash") << "..\\a"_ba << true;
        QTest::newRow("every other byte") << "\x01\x7f\x80\xff"_ba << true;
        QTest::newRow("empty") << ""_ba << false;
        QTest::newRow("here") << "."_ba << false;
        QTest::newRow("above") << ".."_ba << false;
        QTest::newRow("slash") << "a/b"_ba << false;
        QTest::newRow("only a slash") << "/"_ba << false;
        QTest::newRow("NUL") << QByteArray("a\0b", 3) << false;
        QTest::newRow("64 KiB") << QByteArray(64 << 10, 'a') << false;
    }
    void aServersNameLeadsNowhereElse()
    {
        QFETCH(QByteArray, name);
        QFETCH(bool, isPlain);
        const Result<FilePath> child = path("/folder").child(name);
        QCOMPARE(child.has_value(), isPlain);
        if (isPlain)
            QCOMPARE(child->bytes(), "/folder/" + name);
        else
            QCOMPARE(child.error().kind, ErrorKind::InvalidInput);
    }

    void aPathIsShownAndReadBack_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("shown");
        QTest::newRow("plain") << "/home/a b"_ba << u"/home/a b"_s;
        QTest::newRow("UTF-8") << "\xc3\xa9\xe6\x97\xa5\xf0\x9f\x98\x80"_ba << u"é日😀"_s;
        QTest::newRow("Latin-1") << "caf\xe9"_ba << u"caf\\xe9"_s;
        QTest::newRow("cut off") << "\xe6\x97"_ba << u"\\xe6\\x97"_s;
        QTest::newRow("overlong slash") << "\xc0\xaf"_ba << u"\\xc0\\xaf"_s;
        QTest::newRow("overlong in three") << "\xe0\x80\xaf"_ba << u"\\xe0\\x80\\xaf"_s;
        QTest::newRow("surrogate") << "\xed\xa0\x80"_ba << u"\\xed\\xa0\\x80"_s;
        QTest::newRow("above Unicode") << "\xf4\x90\x80\x80"_ba << u"\\xf4\\x90\\x80\\x80"_s;
        QTest::newRow("backslash") << "a\\xe9"_ba << u"a\\\\xe9"_s;
        QTest::newRow("newline and tab") << "a\nb\tc"_ba << u"a\\nb\\tc"_s;
        QTest::newRow("escape") << "\x1b[31m"_ba << u"\\x1b[31m"_s;
        QTest::newRow("delete") << "\x7f"_ba << u"\\x7f"_s;
        QTest::newRow("right to left") << "a\xe2\x80\xae" "gpj.exe"_ba << u"a\\xe2\\x80\\xaegpj.exe"_s;
        QTest::newRow("line separator") << "\xe2\x80\xa8"_ba << u"\\xe2\\x80\\xa8"_s;
        QTest::newRow("byte order mark") << "\xef\xbb\xbf" "a"_ba << u"\\xef\\xbb\\xbfa"_s;
        QByteArray all;
        for (int byte = 1; byte < 256; ++byte)
            all += char(byte);
        QTest::newRow("every byte") << all << QString();
    }
    void aPathIsShownAndReadBack()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, shown);
        const QString text = path(bytes).shown();
        if (!shown.isEmpty())
            QCOMPARE(text, shown);
        const Result<FilePath> back = FilePath::fromShown(text);
        QVERIFY2(back.has_value(), qPrintable(back ? QString() : describe(back.error())));
        QCOMPARE(back->bytes(), bytes);
    }

    void whatIsNoPathIsRefused_data()
    {
        QTest::addColumn<QString>("shown");
        QTest::newRow("NUL") << u"a\\x00b"_s;
        QTest::newRow("backslash at the end") << u"a\\"_s;
        QTest::newRow("unknown escape") << u"a\\q"_s;
        QTest::newRow("one digit") << u"a\\x1"_s;
        QTest::newRow("no digits") << u"\\xzz"_s;
        QTest::newRow("a sign") << u"\\x+1"_s;
        QTest::newRow("endless") << QString(FilePath::mostBytes + 1, u'a');
    }
    void whatIsNoPathIsRefused()
    {
        QFETCH(QString, shown);
        const Result<FilePath> refused = FilePath::fromShown(shown);
        QVERIFY(!refused);
        QCOMPARE(refused.error().kind, ErrorKind::InvalidInput);
    }

    void aNulIsRefused()
    {
        QVERIFY(!FilePath::fromBytes(QByteArray("a\0b", 3)));
    }

    void theLoginFolderIsADotOnTheWire()
    {
        QCOMPARE(FilePath().onTheWire(), "."_ba);
        QCOMPARE(path("/a").onTheWire(), "/a"_ba);
    }
};

QTEST_GUILESS_MAIN(TestFilePath)
#include "tst_filepath.moc"
