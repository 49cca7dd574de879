// The forwards that are kept, and what can be pasted.
#include "session/forwardwishes.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using Kind = ForwardSpec::Kind;

namespace {

ForwardWish wish(Kind option, const QString &text, const QString &name = {})
{
    ForwardWish made;
    made.sandbox = {u"fake"_s, u"account/1"_s, u"box"_s};
    made.sandboxName = u"my box"_s;
    made.name = name;
    made.spec = *parseForward(option, text);
    return made;
}

QStringList texts(const Result<QList<ForwardSpec>> &specs)
{
    QStringList all;
    for (const ForwardSpec &spec : specs.value_or(QList<ForwardSpec>()))
        all.append(forwardArgument(spec));
    return all;
}

} // namespace

class TestForwardWishes : public QObject
{
    Q_OBJECT
private slots:
    void init() { m_dir = std::make_unique<QTemporaryDir>(); }

    void whatIsKeptComesBack()
    {
        QStringList ids;
        {
            ForwardWishes wishes(file());
            ForwardWish other = wish(Kind::Local, u"/run/a b.sock:/x"_s);
            other.isOn = other.startsWithProgram = other.startsWithSandbox = true;
            other.bytesPerSecond = 500'000;
            other.way = ForwardWay::Tunnel;
            const Result<QStringList> added = wishes.add({wish(Kind::Local, u"8080:db:80"_s, u"Web"_s), other, wish(Kind::Remote, u"9000"_s), wish(Kind::Dynamic, u"[::1]:1080"_s)});
            QVERIFY(added);
            ids = *added;
            QCOMPARE(wishes.wishes().size(), 4);
        }
        const ForwardWishes again(file());
        QVERIFY(!again.loadError());
        QCOMPARE(again.wishes().size(), 4);
        ForwardWish first = wish(Kind::Local, u"8080:db:80"_s, u"Web"_s);
        first.id = ids.first();
        QCOMPARE(again.wishes().first(), first);
        QVERIFY(again.wish(ids.at(1))->isOn && again.wish(ids.at(1))->startsWithProgram && again.wish(ids.at(1))->startsWithSandbox);
        QCOMPARE(again.wish(ids.at(1))->bytesPerSecond, 500'000);
        QCOMPARE(again.wish(ids.at(1))->way, ForwardWay::Tunnel);
        QCOMPARE(again.wish(ids.at(1))->spec.listen.path, u"/run/a b.sock"_s);
        QCOMPARE(again.wish(ids.at(2))->spec.kind, Kind::RemoteDynamic);
        QVERIFY(QFile::permissions(file()) == (QFileDevice::ReadOwner | QFileDevice::WriteOwner | QFileDevice::ReadUser | QFileDevice::WriteUser));
    }

    void whatMakesNoSenseIsKeptAside()
    {
        QFile content(file());
        QVERIFY(content.open(QIODevice::WriteOnly));
        content.write(R"({"version":1,"forwards":[{"id":"a","sandbox":"fake/b/c","forward":"-L 99999:x:1"},{"id":"w","sandbox":"fake/b/c","forward":"-D 1","way":"pigeon"},{"id":"d","sandbox":"fake/b/c","forward":"-D 1080"}]})");
        content.close();
        const ForwardWishes wishes(file());
        QVERIFY(wishes.loadError());
        QCOMPARE(wishes.wishes().size(), 1);
        QCOMPARE(wishes.wishes().first().id, u"d"_s);
        QCOMPARE(wishes.wishes().first().way, ForwardWay::Automatic); // an older file does not say it
    }

    void aChangeIsAllOrNothing()
    {
        ForwardWishes wishes(file());
        ForwardWish bad = wish(Kind::Dynamic, u"1080"_s, u"a\nb"_s);
        QVERIFY(!wishes.add({wish(Kind::Dynamic, u"1080"_s), bad}));
        QVERIFY(wishes.wishes().isEmpty());
        const Result<QStringList> added = wishes.add({wish(Kind::Dynamic, u"1080"_s)});
        QVERIFY(added);
        ForwardWish unknown = wish(Kind::Dynamic, u"1081"_s);
        unknown.id = u"none"_s;
        ForwardWish known = wishes.wishes().first();
        known.isOn = true;
        QVERIFY(!wishes.update({known, unknown}));
        QVERIFY(!wishes.wishes().first().isOn);
        QVERIFY(wishes.update({known}));
        QVERIFY(ForwardWishes(file()).wishes().first().isOn);
        QVERIFY(wishes.remove(*added));
        QVERIFY(ForwardWishes(file()).wishes().isEmpty());
    }

    void pastedLinesAreUnderstood_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QStringList>("found");
        QTest::newRow("a command") << u"ssh -N -f -L 8080:db:80 -D1080 me@host"_s << QStringList{u"-L 8080:db:80"_s, u"-D 1080"_s};
        QTest::newRow("letters together") << u"ssh -NfL 8080:db:80 host -p 2222"_s << QStringList{u"-L 8080:db:80"_s};
        QTest::newRow("a port that looks like one") << u"ssh -p 22 -i '-L' -R 0:localhost:3000 host"_s << QStringList{u"-R 0:localhost:3000"_s};
        QTest::newRow("our own") << u"sandpiper-cli forward -L 5432:/run/pg.sock box"_s << QStringList{u"-L 5432:/run/pg.sock"_s};
        QTest::newRow("SOCKS there") << u"ssh -R 1080 host"_s << QStringList{u"-R 1080"_s};
        QTest::newRow("an option of ssh_config") << u"ssh -o 'LocalForward 8080 db:80' -oDynamicForward=1080 host"_s << QStringList{u"-L 8080:db:80"_s, u"-D 1080"_s};
        QTest::newRow("lines of ssh_config") << u"Host work\n  # web\n  LocalForward 8080 db:80\n\tremoteforward=9000 localhost:90\n  User me\n"_s
                                             << QStringList{u"-L 8080:db:80"_s, u"-R 9000:localhost:90"_s};
        QTest::newRow("over two lines") << u"ssh -N \\\n  -L 8080:db:80 \\\n  host"_s << QStringList{u"-L 8080:db:80"_s};
        QTest::newRow("one in a line") << u"-L 1:a:2\n-L 3:b:4"_s << QStringList{u"-L 1:a:2"_s, u"-L 3:b:4"_s};
        QTest::newRow("behind --") << u"ssh -L 1:a:2 host -- -L 3:b:4"_s << QStringList{u"-L 1:a:2"_s};
        for (const char *wrong : {"", "ssh host", "8080:db:80", "ssh -L", "ssh -L 99999:db:80 host", "ssh -L 'a host", "LocalForward 8080", "LocalForward 8080 \"db:80"})
            QTest::addRow("wrong: %s", wrong) << QString::fromLatin1(wrong) << QStringList();
        QTest::newRow("wrong: much") << QString(1 << 20, u'x') << QStringList();
    }
    void pastedLinesAreUnderstood()
    {
        QFETCH(const QString, text);
        const Result<QList<ForwardSpec>> specs = forwardsIn(text);
        QTEST(texts(specs), "found");
        QCOMPARE(specs.has_value(), !texts(specs).isEmpty());
        QVERIFY(specs || !specs.error().detail.isEmpty());
    }

    void theCommandForThemIsUnderstoodAgain()
    {
        const QList<ForwardWish> wishes{wish(Kind::Local, u"/run/a b.sock:/x'y"_s), wish(Kind::Remote, u"*:9000:[::1]:90"_s), wish(Kind::Dynamic, u"1080"_s)};
        const QString command = forwardsCommand(wishes, u"me@host"_s);
        QVERIFY(command.startsWith("ssh -N -L "_L1) && command.endsWith(" me@host"_L1));
        const Result<QList<ForwardSpec>> specs = forwardsIn(command);
        QVERIFY(specs);
        QCOMPARE(specs->size(), 3);
        for (qsizetype i = 0; i < 3; ++i)
            QCOMPARE(specs->at(i), wishes.at(i).spec);
    }

    void aFileTakesThemToAnotherComputer()
    {
        ForwardWishes wishes(file());
        ForwardWish on = wish(Kind::Local, u"8080:db:80"_s, u"Web"_s);
        on.isOn = true;
        QVERIFY(wishes.add({on, wish(Kind::Dynamic, u"1080"_s)}));
        const Result<QList<ForwardWish>> taken = ForwardWishes::imported(wishes.exported());
        QVERIFY(taken);
        QCOMPARE(taken->size(), 2);
        QCOMPARE(taken->first().spec, on.spec);
        QCOMPARE(taken->first().name, on.name);
        QVERIFY(!taken->first().isOn); // nothing listens because a file was opened
        QVERIFY(taken->first().id != wishes.wishes().first().id);
        for (const QByteArray &wrong : {""_ba, "[]"_ba, "{}"_ba, R"({"sandpiper_forwards":2,"forwards":[]})"_ba,
                                        R"({"sandpiper_forwards":1,"forwards":[{"id":"a","sandbox":"fake/b/c","forward":"-L x"}]})"_ba})
            QVERIFY2(!ForwardWishes::imported(wrong), wrong.constData());
    }

private:
    [[nodiscard]] QString file() const { return m_dir->filePath(u"forwards.json"_s); }
    std::unique_ptr<QTemporaryDir> m_dir;
};

QTEST_GUILESS_MAIN(TestForwardWishes)
#include "tst_forwardwishes.moc"
