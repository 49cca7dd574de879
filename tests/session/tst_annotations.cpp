#include "session/annotations.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

const SandboxId box{u"tensorlake"_s, u"acc/ount"_s, u"sbx 1"_s};
const SandboxId host{u"ssh"_s, u"ssh"_s, u"config:web%20"_s};

Annotation sample()
{
    return {true, u"Web"_s, {u"prod"_s, u"eu west"_s}, u"first line\n  second, indented"_s};
}

void write(const QString &path, const QByteArray &content)
{
    QDir().mkpath(QFileInfo(path).absolutePath());
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(content);
}

QByteArray fileOf(const QByteArray &item)
{
    return R"({"version":1,"annotations":[{"sandbox":"a/b/good","favourite":true},)" + item + "]}";
}

} // namespace

class TestAnnotations : public QObject
{
    Q_OBJECT
private slots:
    void init()
    {
        m_dir = std::make_unique<QTemporaryDir>();
        m_file = m_dir->filePath(u"sub/annotations.json"_s);
    }

    void whatWasSavedIsThereAgainAndPrivate()
    {
        Annotations store(m_file);
        QSignalSpy changed(&store, &Annotations::changed);
        QVERIFY(store.set({{box, sample()}, {host, {false, {}, {}, u"mine"_s}}}));
        QCOMPARE(changed.size(), 1);
        QCOMPARE(changed.at(0).at(0).value<QList<SandboxId>>().size(), 2);
        const Annotations again(m_file);
        QVERIFY(!again.loadError());
        QCOMPARE(again.of(box), sample());
        QCOMPARE(again.of(host).note, u"mine"_s);
        QVERIFY(!(QFileInfo(m_file).permissions() & (QFile::ReadOther | QFile::ReadGroup)));
    }

    void anEmptyOneIsTakenOut()
    {
        Annotations store(m_file);
        QVERIFY(store.set({{box, sample()}, {host, sample()}}));
        QVERIFY(store.set({{box, {false, u"  "_s, {u"#"_s, u" "_s}, u"\n \n"_s}}}));
        QVERIFY(store.of(box).isEmpty());
        QFile file(m_file);
        QVERIFY(file.open(QIODevice::ReadOnly));
        QCOMPARE(QJsonDocument::fromJson(file.readAll()).object().value(u"annotations"_s).toArray().size(), 1);
    }

    void nothingIsSaidWhereNothingChanged()
    {
        Annotations store(m_file);
        QVERIFY(store.set({{box, sample()}}));
        QSignalSpy changed(&store, &Annotations::changed);
        QVERIFY(store.set({{box, sample()}}));
        QCOMPARE(changed.size(), 0);
    }

    void whatAnotherProgramSavedIsKeptAndTold()
    {
        Annotations one(m_file);
        Annotations other(m_file);
        QVERIFY(one.set({{box, sample()}}));
        QSignalSpy changed(&other, &Annotations::changed);
        QVERIFY(other.set({{host, sample()}}));
        QCOMPARE(other.of(box), sample());
        QCOMPARE(changed.at(0).at(0).value<QList<SandboxId>>().size(), 2);
    }

    void labelsAreReadAsPeopleWriteThem_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QStringList>("labels");
        QTest::newRow("nothing") << QString() << QStringList{};
        QTest::newRow("commas and blanks") << u" prod ,, eu west,"_s << QStringList{u"prod"_s, u"eu west"_s};
        QTest::newRow("with number signs") << u"#prod, ## eu"_s << QStringList{u"prod"_s, u"eu"_s};
        QTest::newRow("twice in another case") << u"Prod, prod, PROD"_s << QStringList{u"Prod"_s};
        QTest::newRow("number sign within") << u"c#"_s << QStringList{u"c#"_s};
    }
    void labelsAreReadAsPeopleWriteThem()
    {
        QFETCH(QString, text);
        QTEST(labelsFromText(text), "labels");
    }

    void whatCannotBeKeptIsRefusedWithASentence_data()
    {
        QTest::addColumn<Annotation>("annotation");
        QStringList many;
        for (int i = 0; i < 21; ++i)
            many.append(QString::number(i));
        QTest::newRow("group of two lines") << Annotation{false, u"a\nb"_s, {}, {}};
        QTest::newRow("endless group") << Annotation{false, QString(61, u'x'), {}, {}};
        QTest::newRow("escape in a group") << Annotation{false, u"a\x1b[31m"_s, {}, {}};
        QTest::newRow("escape in a label") << Annotation{false, {}, {u"a\x1b"_s}, {}};
        QTest::newRow("override in a label") << Annotation{false, {}, {u"a\x202e""b"_s}, {}};
        QTest::newRow("comma in a label") << Annotation{false, {}, {u"a,b"_s}, {}};
        QTest::newRow("endless label") << Annotation{false, {}, {QString(41, u'x')}, {}};
        QTest::newRow("too many labels") << Annotation{false, {}, many, {}};
        QTest::newRow("endless note") << Annotation{false, {}, {}, QString(2001, u'x')};
        QTest::newRow("escape in a note") << Annotation{false, {}, {}, u"a\x1b]0;x"_s};
        QTest::newRow("NUL in a note") << Annotation{false, {}, {}, u"a"_s + QChar(0) + u'b'};
        QTest::newRow("carriage return in a note") << Annotation{false, {}, {}, u"a\rb"_s};
        QTest::newRow("override in a note") << Annotation{false, {}, {}, u"a\x202e""b"_s};
    }
    void whatCannotBeKeptIsRefusedWithASentence()
    {
        QFETCH(Annotation, annotation);
        Annotations store(m_file);
        const Done set = store.set({{host, sample()}, {box, annotation}});
        QVERIFY(!set);
        QCOMPARE(set.error().kind, ErrorKind::InvalidInput);
        QVERIFY(set.error().detail.endsWith(u'.'));
        // All or none.
        QVERIFY(store.of(host).isEmpty());
        QVERIFY(!QFileInfo::exists(m_file));
    }

    void theLongestThatIsAllowedIsKept()
    {
        QStringList labels;
        for (int i = 0; i < 20; ++i)
            labels.append(QString::number(i).rightJustified(40, u'x'));
        const Annotation longest{true, QString(60, u'ü'), labels, QString(2000, u'n')};
        Annotations store(m_file);
        QVERIFY(store.set({{box, longest}}));
        QCOMPARE(Annotations(m_file).of(box), longest);
    }

    void linesOfAnotherSystemAreTaken()
    {
        Annotations store(m_file);
        QVERIFY(store.set({{box, {false, {}, {}, u"\r\na\r\nb\r\n"_s}}}));
        QCOMPARE(store.of(box).note, u"a\nb"_s);
    }

    void aDamagedFileIsPutAsideAndWhatCanBeReadIsThere_data()
    {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<bool>("someIsLeft");
        QTest::newRow("garbage") << QByteArray(100, '\xfe') << false;
        QTest::newRow("empty") << QByteArray() << false;
        QTest::newRow("no list") << R"({"version":1})"_ba << false;
        QTest::newRow("no sandbox") << fileOf(R"({"sandbox":"x","note":"n"})") << true;
        QTest::newRow("not an object") << fileOf("7") << true;
        QTest::newRow("a label of two lines") << fileOf(R"({"sandbox":"a/b/c","labels":["x\ny"]})") << true;
        QTest::newRow("the same one twice") << fileOf(R"({"sandbox":"a/b/good","note":"n","favourite":true})") << true;
    }
    void aDamagedFileIsPutAsideAndWhatCanBeReadIsThere()
    {
        QFETCH(QByteArray, content);
        write(m_file, content);
        Annotations store(m_file);
        QTEST(store.of({u"a"_s, u"b"_s, u"good"_s}).isFavourite, "someIsLeft");
        QVERIFY(store.loadError());
        const QFileInfo info(m_file);
        const QStringList aside = info.dir().entryList({info.fileName() + u".damaged-*"_s});
        QCOMPARE(aside.size(), 1);
        QFile copy(info.dir().filePath(aside.first()));
        QVERIFY(copy.open(QIODevice::ReadOnly));
        QCOMPARE(copy.readAll(), content);
        QVERIFY(store.set({{box, sample()}}));
    }

    void aFileOfANewerProgramIsLeftAlone()
    {
        const QByteArray content = R"({"version":2,"annotations":[]})";
        write(m_file, content);
        Annotations store(m_file);
        QCOMPARE(store.loadError()->kind, ErrorKind::Unsupported);
        QVERIFY(!store.set({{box, sample()}}));
        QFile file(m_file);
        QVERIFY(file.open(QIODevice::ReadOnly));
        QCOMPARE(file.readAll(), content);
    }

    void whatIsSaidOfASandboxThatIsGoneIsForgottenInTime()
    {
        QDate today(2026, 3, 1);
        Annotations store(m_file, [&today] { return today; });
        const SandboxId elsewhere{box.vendor, u"another"_s, box.id};
        QVERIFY(store.set({{box, sample()}, {host, sample()}, {elsewhere, sample()}}));
        QSignalSpy changed(&store, &Annotations::changed);
        const auto nobody = [](const SandboxId &) { return false; };
        const auto everybody = [](const SandboxId &) { return true; };
        store.listed(box.vendor, box.account, nobody);
        store.listed(host.vendor, host.account, nobody);
        today = today.addDays(29);
        store.listed(box.vendor, box.account, nobody);
        QCOMPARE(store.of(box), sample());
        // It has come back: its time begins again.
        store.listed(box.vendor, box.account, everybody);
        today = today.addDays(10);
        store.listed(box.vendor, box.account, nobody);
        today = today.addDays(29);
        QCOMPARE(changed.size(), 0);
        {
            // A program that was not running meanwhile knows since when, too.
            Annotations later(m_file, [&today] { return today; });
            later.listed(box.vendor, box.account, nobody);
            QCOMPARE(later.of(box), sample());
            today = today.addDays(1);
            later.listed(box.vendor, box.account, nobody);
            QVERIFY(later.of(box).isEmpty());
        }
        store.listed(box.vendor, box.account, nobody);
        store.listed(host.vendor, host.account, nobody);
        QVERIFY(store.of(box).isEmpty());
        QCOMPARE(store.of(host), sample());
        QCOMPARE(store.of(elsewhere), sample());
        QCOMPARE(Annotations(m_file).of(elsewhere), sample());
    }

    void listsWithoutNewsLeaveTheFileAlone()
    {
        Annotations store(m_file);
        QVERIFY(store.set({{box, sample()}}));
        QVERIFY(QFile::remove(m_file));
        store.listed(box.vendor, box.account, [](const SandboxId &) { return true; });
        QVERIFY(!QFileInfo::exists(m_file));
    }

    void whatIsInUseIsOfferedOnce()
    {
        Annotations store(m_file);
        QVERIFY(store.set({{box, {false, u"Web"_s, {u"prod"_s, u"a"_s}, {}}},
                           {host, {false, u"Db"_s, {u"Prod"_s, u"b"_s}, {}}},
                           {{u"x"_s, u"y"_s, u"z"_s}, {false, u"Web"_s, {}, {}}}}));
        QCOMPARE(store.groups(), (QStringList{u"Db"_s, u"Web"_s}));
        QCOMPARE(store.labels(), (QStringList{u"a"_s, u"b"_s, u"Prod"_s}));
    }

private:
    std::unique_ptr<QTemporaryDir> m_dir;
    QString m_file;
};

QTEST_GUILESS_MAIN(TestAnnotations)
#include "tst_annotations.moc"
