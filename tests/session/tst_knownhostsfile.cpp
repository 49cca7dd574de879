// Known_hosts files on the disk, listed, added to and taken from, also while others do the same.
#include "session/knownhostsfile.h"

#include "session/knownhosts.h"
#include "session/sandboxhostkeys.h"
#include "tests/support/testsshd.h"

#include <QFile>
#include <QFileInfo>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <thread>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using Verdict = HostKeyDecision::Verdict;

namespace {

HostKey keyOf(const QByteArray &type, int fill)
{
    const QByteArray size(1, char(type.size()));
    return {type, QByteArray(3, '\0') + size + type + QByteArray("\0\0\0\x20", 4) + QByteArray(31, char(fill)) + char(fill >> 8)};
}

QByteArray lineOf(const HostKey &key)
{
    return key.type + ' ' + key.blob.toBase64();
}

const HostKey ours = keyOf("ssh-ed25519", 'a');
const HostKey other = keyOf("ssh-ed25519", 'b');

const QByteArray nonsense("\0\xff", 2);

QByteArray contentOf(const QString &path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

} // namespace

class TestKnownHostsFile : public QObject
{
    Q_OBJECT
private:
    std::unique_ptr<QTemporaryDir> m_dir;

    QString path() const { return m_dir->filePath(u"known_hosts"_s); }
    void write(const QByteArray &content)
    {
        QFile file(path());
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write(content) == content.size());
    }

private slots:
    void init() { m_dir = std::make_unique<QTemporaryDir>(); }

    void everyEntryIsListedAndGarbageIsCounted()
    {
        write("# a comment\n\na,b " + lineOf(ours) + " me\r\ngarbage\n@revoked * " + lineOf(other) + "\n@cert-authority *.x "
              + lineOf(ours) + '\n' + nonsense + "\n|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= " + lineOf(other));
        const Result<KnownHostList> list = listKnownHosts(path());
        QVERIFY(list);
        QCOMPARE(list->garbage, 2);
        QCOMPARE(list->entries.size(), 4);
        QCOMPARE(list->entries.at(0).where(), path() + u":3"_s);
        QCOMPARE(list->entries.at(0).hosts, "a,b"_ba);
        QCOMPARE(list->entries.at(0).content, "a,b " + lineOf(ours) + " me");
        QCOMPARE(list->entries.at(1).marker, KnownHostMarker::Revoked);
        QCOMPARE(list->entries.at(2).marker, KnownHostMarker::CertificateAuthority);
        QVERIFY(isHashedName(list->entries.at(3).hosts));
        QVERIFY(matchesKnownHosts("192.168.1.61", list->entries.at(3).hosts));
        QVERIFY(!matchesKnownHosts("192.168.1.62", list->entries.at(3).hosts));
        QCOMPARE(listKnownHosts(m_dir->filePath(u"none"_s)).error().kind, ErrorKind::NotFound);
        QVERIFY(!listKnownHosts(m_dir->path()));
    }

    void onlyTheLineThatIsMeantGoes_data()
    {
        QTest::addColumn<QByteArray>("before");
        QTest::addColumn<int>("entry");
        QTest::addColumn<QByteArray>("after");
        const QByteArray a = "a " + lineOf(ours);
        const QByteArray b = "b " + lineOf(other);
        QTest::newRow("first") << a + '\n' + b + '\n' << 0 << b + '\n';
        QTest::newRow("last, without an end") << a + '\n' + b << 1 << a + '\n';
        QTest::newRow("the second of two that are equal") << a + "\n" + a + "\n" + b << 1 << a + '\n' + b;
        QTest::newRow("the only one") << a << 0 << QByteArray();
        QTest::newRow("garbage, comments and odd ends stay") << "#c\r\n" + nonsense + " x\n" + a + "\r\n\n\n  junk" << 0 << "#c\r\n" + nonsense + " x\n\n\n  junk";
    }
    void onlyTheLineThatIsMeantGoes()
    {
        QFETCH(QByteArray, before);
        QFETCH(int, entry);
        QFETCH(QByteArray, after);
        write(before);
        QVERIFY(QFile::setPermissions(path(), QFile::ReadOwner | QFile::WriteOwner | QFile::ReadGroup | QFile::ReadOther));
        const KnownHostList list = listKnownHosts(path()).value();
        const Done done = forgetKnownHosts(path(), {list.entries.at(entry)}, KnownHostBackup::Keep);
        QVERIFY2(done, qPrintable(done ? QString() : describe(done.error())));
        QCOMPARE(contentOf(path()), after);
        QCOMPARE(contentOf(path() + u".old"_s), before);
        QVERIFY(QFileInfo(path()).permission(QFile::ReadOther) && !QFileInfo(path()).permission(QFile::WriteOther));
    }

    void aLineThatHasChangedMeanwhileIsLeft()
    {
        write("a " + lineOf(ours) + '\n');
        const KnownHostList list = listKnownHosts(path()).value();
        write("b " + lineOf(other) + '\n');
        QCOMPARE(forgetKnownHosts(path(), list.entries, KnownHostBackup::Keep).error().kind, ErrorKind::NotFound);
        QCOMPARE(contentOf(path()), "b " + lineOf(other) + '\n');
        QVERIFY(!QFile::exists(path() + u".old"_s));
    }

    void aLinkToTheFileStaysALink()
    {
        write("a " + lineOf(ours) + '\n');
        const QString link = m_dir->filePath(u"link"_s);
        QVERIFY(QFile::link(path(), link));
        const KnownHostList list = listKnownHosts(link).value();
        QVERIFY(forgetKnownHosts(link, list.entries, KnownHostBackup::None));
        QVERIFY(QFileInfo(link).isSymLink());
        QCOMPARE(contentOf(path()), QByteArray());
    }

    void onlyWholeEntriesAreAdded_data()
    {
        QTest::addColumn<QByteArray>("line");
        QTest::addColumn<std::optional<ErrorKind>>("error");
        const QByteArray key = lineOf(ours);
        const auto row = [](const char *name, const QByteArray &line, std::optional<ErrorKind> error = {}) {
            QTest::newRow(name) << line << error;
        };
        row("plain", "a " + key);
        row("with blanks around", "  a " + key + " comment \n");
        row("revoked", "@revoked * " + key);
        row("authority", "@cert-authority *.x " + key);
        row("there already", "old " + lineOf(other), ErrorKind::Conflict);
        row("empty", "", ErrorKind::InvalidInput);
        row("comment", "# a " + key, ErrorKind::InvalidInput);
        row("no host", key, ErrorKind::InvalidInput);
        row("no key", "a ssh-ed25519", ErrorKind::InvalidInput);
        row("two lines", "a " + key + "\nb " + key, ErrorKind::InvalidInput);
        row("a private key", "-----BEGIN OPENSSH PRIVATE KEY-----", ErrorKind::InvalidInput);
        row("a zero byte", "a " + key + QByteArray(" \0 x", 4), ErrorKind::InvalidInput);
    }
    void onlyWholeEntriesAreAdded()
    {
        QFETCH(QByteArray, line);
        QFETCH(std::optional<ErrorKind>, error);
        const QByteArray before = "old " + lineOf(other);
        write(before);
        const Done done = addKnownHostLine(path(), line);
        QCOMPARE(done ? std::nullopt : std::optional(done.error().kind), error);
        QCOMPARE(contentOf(path()), error ? before : before + '\n' + line.trimmed() + '\n');
    }

    void writersOnSeveralThreadsLoseNothing()
    {
        constexpr int writers = 4;
        constexpr int each = 25;
        QList<KnownHostEntry> doomed;
        for (int i = 0; i < each; ++i)
            QVERIFY(rememberHostKey(path(), u"doomed%1"_s.arg(i), 22, ours));
        std::vector<std::thread> threads;
        std::atomic<int> failures = 0;
        // On a busy machine one of them may be told that the others hold the file: nothing is lost by that.
        const auto insist = [&failures](auto change) {
            Done done = change();
            while (!done && done.error().kind == ErrorKind::Timeout)
                done = change();
            failures += done ? 0 : 1;
        };
        for (int t = 0; t < writers; ++t) {
            threads.emplace_back([&, t] {
                for (int i = 0; i < each; ++i)
                    insist([&]() -> Done { return rememberHostKey(path(), u"h%1-%2"_s.arg(t).arg(i), 22, ours); });
            });
        }
        threads.emplace_back([&] {
            for (int i = 0; i < each; ++i) {
                const Result<KnownHostList> list = listKnownHosts(path());
                failures += list ? 0 : 1;
                if (list)
                    insist([&]() -> Done { return forgetKnownHosts(path(), {list->entries.front()}, KnownHostBackup::Keep); });
            }
        });
        for (std::thread &thread : threads)
            thread.join();
        QCOMPARE(failures, 0);
        const KnownHostList list = listKnownHosts(path()).value();
        QCOMPARE(list.garbage, 0);
        QCOMPARE(list.entries.size(), writers * each);
    }

    void aSandboxIsKnownByWhatItIsAndNotByItsAddress()
    {
        const SandboxId first{u"vendor"_s, u"acc"_s, u"sb-1"_s};
        const SandboxId second{u"vendor"_s, u"acc"_s, u"sb-2"_s};
        const SandboxId upper{u"vendor"_s, u"acc"_s, u"SB-1"_s};
        QVERIFY(rememberSandboxKey(path(), first, u"my\nbox"_s, ours));
        const QList<KnownHostsFile> files = readSandboxHosts(path()).value();
        QCOMPARE(decideSandboxKey(files, first, ours).verdict, Verdict::Match);
        QCOMPARE(decideSandboxKey(files, first, other).verdict, Verdict::Changed);
        QCOMPARE(decideSandboxKey(files, first, other).known, ours);
        QCOMPARE(decideSandboxKey(files, second, ours).verdict, Verdict::Unknown);
        QCOMPARE(decideSandboxKey(files, upper, ours).verdict, Verdict::Unknown);
        QCOMPARE(knownSandboxKeyTypes(files, first), (QList<QByteArray>{"ssh-ed25519"}));
        QVERIFY(knownSandboxKeyTypes(files, second).isEmpty());
        QCOMPARE(contentOf(path()).count('\n'), 1);
        const auto others = QFile::ReadGroup | QFile::WriteGroup | QFile::ReadOther | QFile::WriteOther;
        QVERIFY(!(QFileInfo(path()).permissions() & others));
    }

    void anIdThatIsAPatternMatchesOnlyItself()
    {
        const SandboxId odd{u"vendor"_s, u"*"_s, u"a b,*\n!"_s};
        QVERIFY(rememberSandboxKey(path(), odd, u"odd"_s, ours));
        const QList<KnownHostsFile> files = readSandboxHosts(path()).value();
        QCOMPARE(decideSandboxKey(files, odd, ours).verdict, Verdict::Match);
        QCOMPARE(decideSandboxKey(files, {u"vendor"_s, u"x"_s, u"y"_s}, ours).verdict, Verdict::Unknown);
        // Whoever writes a pattern in by hand gains nothing by it.
        write("* " + lineOf(ours) + "\nvendor/*/* " + lineOf(ours));
        QCOMPARE(decideSandboxKey(readSandboxHosts(path()).value(), odd, ours).verdict, Verdict::Unknown);
    }

    void aRevokedSandboxKeyIsRevokedWhereverItStands()
    {
        const SandboxId id{u"vendor"_s, u"acc"_s, u"sb"_s};
        const QByteArray name = id.toString().toLatin1() + ' ';
        write(name + lineOf(ours) + "\n@revoked " + name + lineOf(ours) + '\n' + name + lineOf(ours));
        QCOMPARE(decideSandboxKey(readSandboxHosts(path()).value(), id, ours).verdict, Verdict::Revoked);
    }

    void ofTooManySandboxesTheOldestGo()
    {
        QByteArray content;
        for (int i = 0; i < 4096; ++i)
            content += "vendor/acc/" + QByteArray::number(i) + ' ' + lineOf(ours) + '\n';
        write(content);
        const SandboxId last{u"vendor"_s, u"acc"_s, u"new"_s};
        QVERIFY(rememberSandboxKey(path(), last, u"new"_s, ours));
        const KnownHostList list = listKnownHosts(path()).value();
        QCOMPARE(list.entries.size(), 2048);
        QCOMPARE(list.entries.last().hosts, "vendor/acc/new"_ba);
        QCOMPARE(list.entries.at(2046).hosts, "vendor/acc/4095"_ba);
    }
};

QTEST_GUILESS_MAIN(TestKnownHostsFile)
#include "tst_knownhostsfile.moc"
