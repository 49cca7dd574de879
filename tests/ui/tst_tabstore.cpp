#include "session/shellquote.h"
#include "ui/launchform.h"
#include "ui/tabstore.h"

#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

KeptTab tab(const QString &name, ShellRoute route = ShellRoute::Pty)
{
    KeptTab t;
    t.shell.sandbox = {u"fake"_s, u"account"_s, u"id-"_s + name};
    t.shell.sandboxName = name;
    t.shell.route = route;
    t.shell.spec.command = u"/bin/zsh"_s;
    t.shell.spec.arguments = {u"-c"_s, u"echo 'ä' \"b\""_s, QString()};
    t.shell.spec.environment = {{u"LANG"_s, u"C.UTF-8"_s}};
    t.shell.ptySession = route == ShellRoute::Pty ? u"pty-"_s + name : QString();
    return t;
}

KeptTabs some()
{
    KeptTabs tabs;
    tabs.open = {tab(u"one"_s), tab(u"two"_s, ShellRoute::Ssh)};
    tabs.open[1].title = u"Täb & more"_s;
    tabs.current = 1;
    tabs.closed = {tab(u"three"_s)};
    tabs.closed[0].closedAt = QDateTime(QDate(2026, 11, 20), QTime(18, 0, 0, 123), QTimeZone::UTC);
    return tabs;
}

void put(const QString &file, const QByteArray &content)
{
    QFile f(file);
    QVERIFY(f.open(QIODevice::WriteOnly));
    f.write(content);
}

QByteArray got(const QString &file)
{
    QFile f(file);
    return f.open(QIODevice::ReadOnly) ? f.readAll() : QByteArray();
}

} // namespace

class TestTabStore : public QObject
{
    Q_OBJECT
private slots:
    void init();
    void whatIsSavedComesBack();
    void aTabWithFilesComesBack();
    void aMissingFileIsNoTabs();
    void aStoreWithoutAFileKeepsNothing();
    void theFileIsReadableByItsOwnerOnly();
    void aDamagedFileIsKeptAsideAndTold_data();
    void aDamagedFileIsKeptAsideAndTold();
    void severalDamagedFilesAreAllKept();
    void tabsThatMakeNoSenseAreLeftOut();
    void aFileWithTooManyTabsIsCut();
    void theSameTabsAreNotWrittenTwice();
    void launchesAreRememberedForEachSandbox();
    void onlyTheLatestLaunchesStay();
    void wordsSurviveQuoting_data();
    void wordsSurviveQuoting();
    void openQuotesAreRefused();
    void formsSayWhatIsWrong_data();
    void formsSayWhatIsWrong();
    void aFormComesBackFromItsLaunch();

private:
    [[nodiscard]] QString file() const { return m_dir->filePath(u"tabs.json"_s); }
    std::unique_ptr<QTemporaryDir> m_dir;
};

void TestTabStore::init()
{
    m_dir = std::make_unique<QTemporaryDir>();
    QVERIFY(m_dir->isValid());
}

void TestTabStore::whatIsSavedComesBack()
{
    QVERIFY(TabStore(file()).save(some()));
    // Another store, as after a kill: nothing but the file is left.
    const auto tabs = TabStore(file()).load();
    QVERIFY(tabs);
    QCOMPARE(*tabs, some());
}

void TestTabStore::aTabWithFilesComesBack()
{
    KeptTabs tabs = some();
    KeptTab files;
    files.shell.sandbox = {u"fake"_s, u"account"_s, u"id"_s};
    files.shell.sandboxName = u"box"_s;
    files.title = u"My files"_s;
    files.files = KeptFiles{};
    files.files->sides[0].folder = "/odd\xff\n%41/folder";
    files.files->sides[1] = {files.shell.sandbox, u"box"_s, "/workspace"};
    tabs.open.append(files);
    QVERIFY(TabStore(file()).save(tabs));
    const Result<KeptTabs> loaded = TabStore(file()).load();
    QVERIFY(loaded);
    QVERIFY(*loaded == tabs);
}

void TestTabStore::aMissingFileIsNoTabs()
{
    const auto tabs = TabStore(file()).load();
    QVERIFY(tabs);
    QCOMPARE(*tabs, KeptTabs{});
}

void TestTabStore::aStoreWithoutAFileKeepsNothing()
{
    TabStore store{QString()};
    QVERIFY(store.save(some()));
    QCOMPARE(*store.load(), KeptTabs{});
}

void TestTabStore::theFileIsReadableByItsOwnerOnly()
{
    QVERIFY(TabStore(file()).save(some()));
    const auto others = QFileDevice::ReadGroup | QFileDevice::WriteGroup | QFileDevice::ReadOther | QFileDevice::WriteOther;
    QCOMPARE(QFileInfo(file()).permissions() & others, QFileDevice::Permissions());
}

void TestTabStore::aDamagedFileIsKeptAsideAndTold_data()
{
    QTest::addColumn<QByteArray>("content");
    QVERIFY(TabStore(file()).save(some()));
    const QByteArray good = got(file());
    QTest::newRow("cut off") << good.first(good.size() / 2);
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("zeros") << QByteArray(4096, '\0');
    QTest::newRow("noise") << QByteArray("\xff\xfe\x00{[", 5);
    QTest::newRow("an array") << QByteArray("[1,2]");
    QTest::newRow("from the future") << QByteArray("{\"version\":99}");
    QTest::newRow("deeply nested") << QByteArray(200'000, '[');
    QTest::newRow("huge") << QByteArray(5 << 20, ' ');
}

void TestTabStore::aDamagedFileIsKeptAsideAndTold()
{
    QFETCH(QByteArray, content);
    put(file(), content);
    const auto tabs = TabStore(file()).load();
    QVERIFY(!tabs);
    QCOMPARE(tabs.error().layer, Layer::LocalDisk);
    QVERIFY(tabs.error().subject.startsWith(file() + u".damaged-"_s));
    QCOMPARE(got(tabs.error().subject), content);
    QVERIFY(!QFile::exists(file()));
    // And the next start is an ordinary one.
    QVERIFY(TabStore(file()).save(some()));
    QCOMPARE(*TabStore(file()).load(), some());
}

void TestTabStore::severalDamagedFilesAreAllKept()
{
    for (const QByteArray &content : {QByteArray("first"), QByteArray("second")}) {
        put(file(), content);
        const auto tabs = TabStore(file()).load();
        QVERIFY(!tabs);
        QCOMPARE(got(tabs.error().subject), content);
    }
    QCOMPARE(got(file() + u".damaged-1"_s), QByteArray("first"));
}

void TestTabStore::tabsThatMakeNoSenseAreLeftOut()
{
    QVERIFY(TabStore(file()).save(some()));
    QJsonObject json = QJsonDocument::fromJson(got(file())).object();
    QJsonArray open = json.value(u"open"_s).toArray();
    open.prepend(7);
    open.prepend(QJsonObject{{u"shell"_s, u"text"_s}});
    open.append(QJsonObject{{u"shell"_s, QJsonObject{}}});
    json.insert(u"open"_s, open);
    json.insert(u"current"_s, 1000);
    put(file(), QJsonDocument(json).toJson());
    const auto tabs = TabStore(file()).load();
    QVERIFY(tabs);
    QCOMPARE(tabs->open, some().open);
    QCOMPARE(tabs->current, 1); // brought into range
}

void TestTabStore::aFileWithTooManyTabsIsCut()
{
    KeptTabs many;
    many.open.fill(tab(u"one"_s), KeptTabs::maxOpen + 10);
    many.current = 0;
    QVERIFY(TabStore(file()).save(many));
    const auto tabs = TabStore(file()).load();
    QVERIFY(tabs);
    QCOMPARE(tabs->open.size(), KeptTabs::maxOpen);
}

void TestTabStore::theSameTabsAreNotWrittenTwice()
{
    TabStore store(file());
    QVERIFY(store.save(some()));
    put(file(), "touched by another hand");
    QVERIFY(store.save(some()));
    QCOMPARE(got(file()), QByteArray("touched by another hand"));
    KeptTabs other = some();
    other.current = 0;
    QVERIFY(store.save(other));
    QCOMPARE(*TabStore(file()).load(), other);
}

void TestTabStore::launchesAreRememberedForEachSandbox()
{
    const SandboxId one{u"fake"_s, u"a"_s, u"one"_s};
    const SandboxId two{u"fake"_s, u"a"_s, u"two"_s};
    Launch launch = defaultLaunch(ShellRoute::Ssh);
    launch.spec.environment = {{u"A"_s, u"b=c"_s}};
    launch.spec.workingDirectory = u"/srv"_s;
    {
        LaunchMemory memory(file());
        QVERIFY(!memory.last(one));
        QVERIFY(memory.remember(one, launch));
        QVERIFY(memory.remember(two, defaultLaunch(ShellRoute::Pty)));
    }
    const LaunchMemory again(file());
    QCOMPARE(*again.last(one), launch);
    QCOMPARE(*again.last(two), defaultLaunch(ShellRoute::Pty));
    put(file(), "noise");
    QVERIFY(!LaunchMemory(file()).last(one));
}

void TestTabStore::onlyTheLatestLaunchesStay()
{
    LaunchMemory memory{QString()};
    for (int i = 0; i < 210; ++i)
        QVERIFY(memory.remember({u"fake"_s, u"a"_s, QString::number(i)}, defaultLaunch(ShellRoute::Pty)));
    QVERIFY(memory.last({u"fake"_s, u"a"_s, u"209"_s}));
    int known = 0;
    for (int i = 0; i < 210; ++i)
        known += memory.last({u"fake"_s, u"a"_s, QString::number(i)}) ? 1 : 0;
    QCOMPARE(known, 200);
}

void TestTabStore::wordsSurviveQuoting_data()
{
    QTest::addColumn<QStringList>("words");
    QTest::newRow("none") << QStringList();
    QTest::newRow("plain") << QStringList{u"-l"_s, u"--login"_s};
    QTest::newRow("spaces") << QStringList{u"a b"_s, u" "_s};
    QTest::newRow("empty word") << QStringList{QString(), u"x"_s, QString()};
    QTest::newRow("quotes") << QStringList{u"it's"_s, u"\"q\""_s, u"'"_s, u"''"_s};
    QTest::newRow("backslashes") << QStringList{u"\\"_s, u"a\\b"_s, u"\\'"_s};
    QTest::newRow("nothing is expanded") << QStringList{u"$HOME"_s, u"*"_s, u"`id`"_s, u"~"_s};
    QTest::newRow("beyond Latin") << QStringList{u"漢字 é"_s, u"😀"_s};
}

void TestTabStore::wordsSurviveQuoting()
{
    QFETCH(QStringList, words);
    const auto back = splitWords(joinWords(words));
    QVERIFY(back);
    QCOMPARE(*back, words);
}

void TestTabStore::openQuotesAreRefused()
{
    for (const QString &text : {u"'"_s, u"a \"b"_s, u"\\"_s, u"\"\\\""_s})
        QVERIFY2(!splitWords(text), qPrintable(text));
    QCOMPARE(*splitWords(u"a\\ b \"c d\" e'f'\"g\" \"\\x\\\"\""_s), (QStringList{u"a b"_s, u"c d"_s, u"efg"_s, u"\\x\""_s}));
}

void TestTabStore::formsSayWhatIsWrong_data()
{
    QTest::addColumn<LaunchForm>("form");
    QTest::addColumn<LaunchField>("field");
    const LaunchForm good = formFor(defaultLaunch(ShellRoute::Pty));
    const auto row = [&good](const char *name, QString LaunchForm::*member, const QString &text, LaunchField field) {
        LaunchForm form = good;
        form.*member = text;
        QTest::newRow(name) << form << field;
    };
    row("as it comes", &LaunchForm::command, good.command, LaunchField::None);
    row("control character", &LaunchForm::command, u"/bin/ba\nsh"_s, LaunchField::Command);
    row("arguments without command", &LaunchForm::command, {}, LaunchField::Command);
    row("open quote", &LaunchForm::arguments, u"'a"_s, LaunchField::Arguments);
    row("no equals", &LaunchForm::environment, u"A=b\nnonsense"_s, LaunchField::Environment);
    row("bad name", &LaunchForm::environment, u"1A=b"_s, LaunchField::Environment);
    row("no name", &LaunchForm::environment, u"=b"_s, LaunchField::Environment);
    row("empty lines", &LaunchForm::environment, u"\nA=b=c\n \n"_s, LaunchField::None);
    row("relative folder", &LaunchForm::directory, u"src"_s, LaunchField::Directory);
    row("no terminal type", &LaunchForm::term, u" "_s, LaunchField::Term);
    row("huge", &LaunchForm::environment, u"A="_s + QString(100'000, u'x'), LaunchField::Environment);
}

void TestTabStore::formsSayWhatIsWrong()
{
    QFETCH(LaunchForm, form);
    QFETCH(LaunchField, field);
    const auto launch = launchFrom(form);
    QCOMPARE(launch.has_value(), field == LaunchField::None);
    if (launch)
        return;
    QCOMPARE(launch.error().field, field);
    QVERIFY(!launch.error().sentence.isEmpty());
}

void TestTabStore::aFormComesBackFromItsLaunch()
{
    Launch launch = defaultLaunch(ShellRoute::Ssh);
    launch.spec.arguments = {u"-c"_s, u"make \"all the things\""_s};
    launch.spec.environment = {{u"A"_s, u"1"_s}, {u"B"_s, u"=x"_s}};
    launch.spec.workingDirectory = u"/srv/my folder"_s;
    QCOMPARE(*launchFrom(formFor(launch)), launch);
}

QTEST_GUILESS_MAIN(TestTabStore)
#include "tst_tabstore.moc"
