#include "session/ownhosts.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

OwnHost sample(const QString &name = u"Build server"_s)
{
    OwnHost host;
    host.name = name;
    host.host = u"build.example"_s;
    host.port = 2222;
    host.user = u"ana"_s;
    host.keyFile = u"/home/ana/.ssh/id_ed25519"_s;
    host.note = u"two\nlines"_s;
    return host;
}

void write(const QString &path, const QByteArray &content)
{
    QDir().mkpath(QFileInfo(path).absolutePath());
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(content);
}

} // namespace

class TestOwnHosts : public QObject
{
    Q_OBJECT
private slots:
    void init()
    {
        m_dir = std::make_unique<QTemporaryDir>();
        m_file = m_dir->filePath(u"sub/hosts.json"_s);
    }

    void whatWasSavedIsThereAgainAndPrivate()
    {
        OwnHosts store(m_file);
        QSignalSpy changed(&store, &OwnHosts::changed);
        QVERIFY(store.add({sample(), sample(u"Other"_s)}));
        QCOMPARE(changed.size(), 1);
        const OwnHosts again(m_file);
        QVERIFY(!again.loadError());
        QCOMPARE(again.hosts(), store.hosts());
        OwnHost kept = again.hosts().first();
        QVERIFY(!kept.id.isEmpty());
        kept.id.clear();
        QCOMPARE(kept, sample());
        QVERIFY(!(QFileInfo(m_file).permissions() & (QFile::ReadOther | QFile::ReadGroup)));
    }

    void aHostIsChangedAndRemovedByItsId()
    {
        OwnHosts store(m_file);
        QVERIFY(store.add({sample()}));
        OwnHost host = store.hosts().first();
        host.name = u"New name"_s;
        QVERIFY(store.update(host));
        QCOMPARE(store.host(host.id)->name, u"New name"_s);
        QVERIFY(store.remove(host.id));
        QVERIFY(store.hosts().isEmpty());
        QCOMPARE(store.update(host).error().kind, ErrorKind::NotFound);
        QCOMPARE(store.remove(host.id).error().kind, ErrorKind::NotFound);
    }

    void whatAnotherProgramSavedIsKept()
    {
        OwnHosts one(m_file);
        OwnHosts other(m_file);
        QVERIFY(one.add({sample(u"one"_s)}));
        QVERIFY(other.add({sample(u"other"_s)}));
        QCOMPARE(other.hosts().size(), 2);
    }

    void oneBadHostKeepsAllOut()
    {
        OwnHosts store(m_file);
        OwnHost bad = sample();
        bad.host.clear();
        QCOMPARE(store.add({sample(), bad}).error().kind, ErrorKind::InvalidInput);
        QVERIFY(store.hosts().isEmpty());
        QVERIFY(!QFileInfo::exists(m_file));
    }

    void whatCannotBeAHostIsRefused_data()
    {
        QTest::addColumn<QString>("field");
        QTest::addColumn<QString>("value");
        QTest::newRow("no name") << u"name"_s << u" "_s;
        QTest::newRow("name of two lines") << u"name"_s << u"a\nb"_s;
        QTest::newRow("endless name") << u"name"_s << QString(101, u'x');
        QTest::newRow("option for a host") << u"host"_s << u"-oProxyCommand=x"_s;
        QTest::newRow("command in the host") << u"host"_s << u"a;reboot"_s;
        QTest::newRow("substitution in the host") << u"host"_s << u"$(reboot)"_s;
        QTest::newRow("space in the host") << u"host"_s << u"a b"_s;
        QTest::newRow("line break in the host") << u"host"_s << u"a\nb"_s;
        QTest::newRow("endless host") << u"host"_s << QString(256, u'x');
        QTest::newRow("option for a user") << u"user"_s << u"-l"_s;
        QTest::newRow("NUL in the user") << u"user"_s << QString(u'\0');
        QTest::newRow("relative key file") << u"key"_s << u"id_rsa"_s;
        QTest::newRow("endless note") << u"note"_s << QString(2001, u'x');
    }
    void whatCannotBeAHostIsRefused()
    {
        QFETCH(QString, field);
        QFETCH(QString, value);
        OwnHost host = sample();
        (field == u"name"_s ? host.name : field == u"host"_s ? host.host : field == u"user"_s ? host.user
                 : field == u"key"_s                        ? host.keyFile
                                                            : host.note) = value;
        const Done checked = checkOwnHost(host);
        QVERIFY(!checked);
        QCOMPARE(checked.error().kind, ErrorKind::InvalidInput);
        QVERIFY(checked.error().detail.endsWith(u'.'));
    }

    void aFileThatIsNotUnderstoodIsKeptAside_data()
    {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<int>("left");
        QTest::newRow("no JSON") << "hosts?"_ba << 0;
        QTest::newRow("no list") << R"({"version":1})"_ba << 0;
        QTest::newRow("one host is no host") << R"({"version":1,"hosts":[{"id":"1","name":"a","host":"b"},7]})"_ba << 1;
        QTest::newRow("port out of range") << R"({"version":1,"hosts":[{"id":"1","name":"a","host":"b","port":70000}]})"_ba << 0;
        QTest::newRow("option for a host") << R"({"version":1,"hosts":[{"id":"1","name":"a","host":"-oX"}]})"_ba << 0;
    }
    void aFileThatIsNotUnderstoodIsKeptAside()
    {
        QFETCH(QByteArray, content);
        QFETCH(int, left);
        write(m_file, content);
        OwnHosts store(m_file);
        QVERIFY(store.loadError());
        QCOMPARE(store.hosts().size(), left);
        const QStringList aside = QFileInfo(m_file).dir().entryList({u"hosts.json.damaged-*"_s});
        QCOMPARE(aside.size(), 1);
        QFile copy(QFileInfo(m_file).dir().filePath(aside.first()));
        QVERIFY(copy.open(QIODevice::ReadOnly));
        QCOMPARE(copy.readAll(), content);
        QVERIFY(store.add({sample()}));
        QCOMPARE(OwnHosts(m_file).hosts().size(), left + 1);
    }

    void aFileOfANewerSandpiperIsNotTouched()
    {
        const QByteArray content = R"({"version":2,"hosts":{}})"_ba;
        write(m_file, content);
        OwnHosts store(m_file);
        QCOMPARE(store.loadError()->kind, ErrorKind::Unsupported);
        QVERIFY(!store.add({sample()}));
        QFile file(m_file);
        QVERIFY(file.open(QIODevice::ReadOnly));
        QCOMPARE(file.readAll(), content);
    }

    void aDestinationIsWrittenAsSshTakesIt()
    {
        QCOMPARE(destinationText(u"ana"_s, u"a.example"_s, 22), u"ana@a.example"_s);
        QCOMPARE(destinationText({}, u"a.example"_s, 2222), u"a.example:2222"_s);
        QCOMPARE(destinationText(u"ana"_s, u"::1"_s, 2222), u"ana@[::1]:2222"_s);
        QCOMPARE(destinationText({}, u"::1"_s, 22), u"::1"_s);
    }

private:
    std::unique_ptr<QTemporaryDir> m_dir;
    QString m_file;
};

QTEST_GUILESS_MAIN(TestOwnHosts)
#include "tst_ownhosts.moc"
