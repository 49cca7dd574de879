#include "session/hostkeylist.h"
#include "session/providers/sshhosts.h"
#include "session/sandboxregistry.h"
#include "session/sshdestination.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <unistd.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int patience = 20'000; // ms

QStringList namesOf(const SandboxRegistry &registry)
{
    QStringList names;
    if (const auto *view = registry.view(sshHostsAccount().id)) {
        for (const Sandbox &sandbox : view->sandboxes)
            names.append(sandbox.name);
    }
    return names;
}

} // namespace

class TestSshHosts : public QObject
{
    Q_OBJECT
private slots:
    void init()
    {
        m_dir = std::make_unique<QTemporaryDir>();
        m_own = std::make_unique<OwnHosts>(m_dir->filePath(u"hosts.json"_s));
    }

    void theKeysOfAConfiguredHostAreFoundByItsAlias_data()
    {
        QTest::addColumn<QByteArray>("config");
        QTest::addColumn<QString>("filter");
        QTest::newRow("a key's name of its own") << "Host work\n HostName w.example\n Port 2200\n HostKeyAlias The-Box\n"_ba << u"the-box"_s;
        QTest::newRow("for all hosts") << "Host work\n HostName w.example\nHost *\n HostKeyAlias farm\n"_ba << u"farm"_s;
        QTest::newRow("none") << "Host work\n HostName w.example\n Port 2200\n"_ba << u"w.example:2200"_s;
        QTest::newRow("not what ssh takes") << "Host work\n Port many\n"_ba << u"work"_s;
    }
    void theKeysOfAConfiguredHostAreFoundByItsAlias()
    {
        QFETCH(QByteArray, config);
        write(u".ssh/config"_s, config);
        SshConfig::Sources sources;
        sources.userFile = m_dir->filePath(u".ssh/config"_s);
        sources.home = m_dir->path();
        sources.ownership = SshConfig::Sources::Ownership::AsGiven;
        sources.localUser = u"me"_s;
        Sandbox sandbox;
        sandbox.id = {u"ssh"_s, u"ssh"_s, u"config:work"_s};
        sandbox.ssh = SshEndpoint{.host = {}, .port = 22, .user = {}, .hostKey = {}, .identityFiles = {}, .alias = u"work"_s};
        QTEST(hostKeyFilterFor(sandbox, sources), "filter");
    }

    void everyAliasAndEveryOwnHostIsListed()
    {
        write(u".ssh/config"_s, "Host build\n  HostName Build.example\n  User ana\n  Port 2222\nHost *.wild !no\nHost plain\n");
        OwnHost mine;
        mine.name = u"Mine"_s;
        mine.host = u"::1"_s;
        mine.port = 2022;
        mine.keyFile = u"/k"_s;
        QVERIFY(m_own->add({mine}));
        SandboxRegistry registry;
        addTo(registry);
        QTRY_COMPARE_WITH_TIMEOUT(namesOf(registry), (QStringList{u"Mine"_s, u"build"_s, u"plain"_s}), patience);
        const QList<Sandbox> all = registry.view(sshHostsAccount().id)->sandboxes;
        QCOMPARE(all[0].note, u"[::1]:2022"_s);
        QCOMPARE(all[0].ssh->host, u"::1"_s);
        QCOMPARE(all[0].ssh->port, 2022);
        QCOMPARE(all[0].ssh->identityFiles, QStringList{u"/k"_s});
        QVERIFY(all[0].ssh->alias.isEmpty());
        QCOMPARE(all[1].ssh->alias, u"build"_s);
        QCOMPARE(all[1].note, u"ana@build.example:2222"_s);
        QCOMPARE(QString::fromUtf8(all[1].routeHint), m_dir->filePath(u".ssh/config:1"_s));
        QCOMPARE(all[2].note, u"me@plain"_s);
        QVERIFY(all[1].capabilities.has(Capability::SshShell));
        QVERIFY(!all[1].capabilities.has(Capability::Suspend));
        QVERIFY(!all[1].capabilities.reasonAgainst(Capability::Suspend).isEmpty());
        QVERIFY(!all[1].capabilities.has(Capability::PtyShell));
    }

    void theListFollowsTheFiles_data()
    {
        QTest::addColumn<QString>("change");
        QTest::newRow("written in place") << u"write"_s;
        QTest::newRow("replaced by rename, twice") << u"rename"_s;
        QTest::newRow("made, with its folder") << u"made"_s;
        QTest::newRow("an included file is new") << u"include"_s;
        QTest::newRow("gone and back") << u"gone"_s;
    }
    void theListFollowsTheFiles()
    {
        QFETCH(QString, change);
        const QByteArray before = "Include conf.d/*\nHost one\n";
        if (change != u"made"_s)
            write(u".ssh/config"_s, before);
        if (change == u"include"_s)
            QVERIFY(QDir(m_dir->path()).mkpath(u".ssh/conf.d"_s));
        SandboxRegistry registry(never());
        addTo(registry);
        const QStringList first = change == u"made"_s ? QStringList() : QStringList{u"one"_s};
        QTRY_COMPARE_WITH_TIMEOUT(registry.view(sshHostsAccount().id)->state, SandboxRegistry::AccountState::Ready, patience);
        QCOMPARE(namesOf(registry), first);
        if (change == u"write"_s || change == u"made"_s) {
            write(u".ssh/config"_s, "Host one two\n");
        } else if (change == u"include"_s) {
            write(u".ssh/conf.d/more"_s, "Host two\n");
            QTRY_COMPARE_WITH_TIMEOUT(namesOf(registry), (QStringList{u"two"_s, u"one"_s}), patience);
            return;
        } else if (change == u"gone"_s) {
            QVERIFY(QFile::remove(m_dir->filePath(u".ssh/config"_s)));
            QTRY_COMPARE_WITH_TIMEOUT(namesOf(registry), QStringList(), patience);
            write(u".ssh/config"_s, "Host one two\n");
        } else {
            for (const char *content : {"Host one half\n", "Host one two\n"}) {
                write(u".ssh/config.new"_s, content);
                QVERIFY(::rename(qPrintable(m_dir->filePath(u".ssh/config.new"_s)), qPrintable(m_dir->filePath(u".ssh/config"_s))) == 0);
                QTRY_COMPARE_WITH_TIMEOUT(namesOf(registry).size(), 2, patience);
                QTRY_COMPARE_WITH_TIMEOUT(namesOf(registry).last(), QString::fromUtf8(content).trimmed().section(u' ', -1), patience);
            }
        }
        QTRY_COMPARE_WITH_TIMEOUT(namesOf(registry), (QStringList{u"one"_s, u"two"_s}), patience);
    }

    void ownHostsAreThereAtOnce()
    {
        SandboxRegistry registry(never());
        addTo(registry);
        OwnHost mine;
        mine.name = u"Mine"_s;
        mine.host = u"a.example"_s;
        QVERIFY(m_own->add({mine}));
        QTRY_COMPARE_WITH_TIMEOUT(namesOf(registry), QStringList{u"Mine"_s}, patience);
        QVERIFY(m_own->remove(m_own->hosts().first().id));
        QTRY_COMPARE_WITH_TIMEOUT(namesOf(registry), QStringList(), patience);
    }

    void whatSshRefusesIsSaidAndTheRestIsListed()
    {
        write(u".ssh/config"_s, "Host good\n  User ana\nHost bad\n  Port seventy\n");
        SandboxRegistry registry(never());
        addTo(registry);
        QTRY_COMPARE_WITH_TIMEOUT(namesOf(registry), (QStringList{u"good"_s, u"bad"_s}), patience);
        const QString remark = registry.view(sshHostsAccount().id)->remark;
        QVERIFY2(remark.contains(m_dir->filePath(u".ssh/config:4"_s)), qPrintable(remark));
        write(u".ssh/config"_s, "Host good\n");
        QTRY_VERIFY_WITH_TIMEOUT(registry.view(sshHostsAccount().id)->remark.isEmpty(), patience);
    }

    void aQuickHostIsFoundByItsIdAlone_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("shown");
        QTest::newRow("user, host, port") << u"ana@a.example:2222"_s << u"ana@a.example:2222"_s;
        QTest::newRow("URL") << u"ssh://ana@a.example:22"_s << u"ana@a.example"_s;
        QTest::newRow("IPv6") << u"[::1]:2222"_s << u"[::1]:2222"_s;
        QTest::newRow("host") << u"a.example"_s << u"a.example"_s;
    }
    void aQuickHostIsFoundByItsIdAlone()
    {
        QFETCH(QString, text);
        QFETCH(QString, shown);
        const std::optional<SshJumpHop> hop = sshDestination(text);
        QVERIFY(hop);
        const Sandbox quick = quickHost(*hop);
        QCOMPARE(quick.displayName(), shown);
        SshHostsProvider provider(sources(), m_own.get());
        QFuture<Result<Sandbox>> found = provider.find(quick.id.id);
        QTRY_VERIFY_WITH_TIMEOUT(found.isFinished(), patience);
        QCOMPARE(found.result().value(), quick);
        QCOMPARE(quickDestination(quick.id)->host, hop->host);
        QVERIFY(ownHostId(quick.id).isEmpty());
    }

    void unchangedFilesAreNotReadAgain()
    {
        write(u".ssh/config"_s, "Host one\n");
        HostListing first = listSshHosts(sources());
        first.hosts.first().destination = u"remembered"_s;
        QCOMPARE(listSshHosts(sources(), first).hosts, first.hosts);
        write(u".ssh/config"_s, "Host one \n");
        QCOMPARE(listSshHosts(sources(), first).hosts.first().destination, u"me@one"_s);
    }

private:
    void write(const QString &name, const QByteArray &content)
    {
        const QString path = m_dir->filePath(name);
        QVERIFY(QDir().mkpath(QFileInfo(path).absolutePath()));
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(content);
        file.close();
        QVERIFY(file.setPermissions(QFile::ReadOwner | QFile::WriteOwner));
    }
    [[nodiscard]] SshConfig::Sources sources() const
    {
        SshConfig::Sources sources;
        sources.home = m_dir->path();
        sources.userFile = m_dir->filePath(u".ssh/config"_s);
        sources.localUser = u"me"_s;
        sources.uid = ::geteuid();
        sources.ownership = SshConfig::Sources::Ownership::AsGiven;
        return sources;
    }
    void addTo(SandboxRegistry &registry)
    {
        registry.addProvider(sshHostsAccount(), std::make_unique<SshHostsProvider>(sources(), m_own.get(), std::chrono::milliseconds(20)));
    }
    // A registry that never asks by itself: what is new, the provider has told.
    static SandboxRegistry::Timing never()
    {
        SandboxRegistry::Timing timing;
        timing.after = [](std::chrono::milliseconds, QObject *, const std::function<void()> &) { return [] {}; };
        return timing;
    }
    std::unique_ptr<QTemporaryDir> m_dir;
    std::unique_ptr<OwnHosts> m_own;
};

QTEST_GUILESS_MAIN(TestSshHosts)
#include "tst_sshhosts.moc"
