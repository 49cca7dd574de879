#include "session/knownhosts.h"

#include "tests/support/testsshd.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using Verdict = HostKeyDecision::Verdict;

namespace {

// A key of the right shape; nobody has its private half.
HostKey keyOf(const QByteArray &type, char fill)
{
    const QByteArray size(1, char(type.size()));
    return {type, QByteArray(3, '\0') + size + type + QByteArray("\0\0\0\x20", 4) + QByteArray(32, fill)};
}

QByteArray lineOf(const HostKey &key)
{
    return key.type + ' ' + key.blob.toBase64();
}

const HostKey ours = keyOf("ssh-ed25519", 'a');
const HostKey other = keyOf("ssh-ed25519", 'b');
const HostKey otherType = keyOf("ssh-rsa", 'c');

QList<KnownHostsFile> file(const QByteArray &content)
{
    return {{u"/k"_s, content}};
}

} // namespace

class TestKnownHosts : public QObject
{
    Q_OBJECT
private slots:
    void theDecisionFollowsTheFile_data()
    {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<QString>("host");
        QTest::addColumn<int>("port");
        QTest::addColumn<Verdict>("verdict");
        QTest::addColumn<QString>("where");
        const QByteArray key = lineOf(ours);
        const QByteArray wrong = lineOf(other);
        const QByteArray rsa = lineOf(otherType);
        const auto row = [](const char *name, const QByteArray &content, const QString &host, int port, Verdict verdict, const QString &where = {}) {
            QTest::newRow(name) << content << host << port << verdict << where;
        };
        row("empty file", "", u"a"_s, 22, Verdict::Unknown);
        row("plain", "a " + key, u"a"_s, 22, Verdict::Match, u"/k:1"_s);
        row("case does not count", "Example.ORG " + key, u"eXample.org"_s, 22, Verdict::Match, u"/k:1"_s);
        row("other host", "a " + key, u"b"_s, 22, Verdict::Unknown);
        row("part of a name is not the name", "example.org " + key, u"ample.org"_s, 22, Verdict::Unknown);
        row("one of several names", "x,a,10.0.0.1 " + key, u"a"_s, 22, Verdict::Match, u"/k:1"_s);
        row("comment and blank lines count", "# hi\n\na " + key + " me@here\n", u"a"_s, 22, Verdict::Match, u"/k:3"_s);
        row("tabs and leading blanks", "  a\t" + key, u"a"_s, 22, Verdict::Match, u"/k:1"_s);
        row("carriage return", "a " + key + "\r\n", u"a"_s, 22, Verdict::Match, u"/k:1"_s);
        row("changed", "a " + wrong, u"a"_s, 22, Verdict::Changed, u"/k:1"_s);
        row("changed, of another type", "a " + rsa, u"a"_s, 22, Verdict::Changed, u"/k:1"_s);
        row("the known key of the same type is shown", "a " + rsa + "\na " + wrong, u"a"_s, 22, Verdict::Changed, u"/k:2"_s);
        row("a match after others", "a " + wrong + "\na " + rsa + "\na " + key, u"a"_s, 22, Verdict::Match, u"/k:3"_s);
        row("a match before others", "a " + key + "\na " + wrong, u"a"_s, 22, Verdict::Match, u"/k:1"_s);
        row("port", "[a]:2222 " + key, u"a"_s, 2222, Verdict::Match, u"/k:1"_s);
        row("another port", "[a]:2222 " + key, u"a"_s, 2223, Verdict::Unknown);
        row("with port 22 no brackets", "[a]:22 " + key, u"a"_s, 22, Verdict::Unknown);
        row("the bare name vouches for a port", "a " + key, u"a"_s, 2222, Verdict::Match, u"/k:1"_s);
        row("the bare name accuses no port", "a " + wrong, u"a"_s, 2222, Verdict::Unknown);
        row("a changed port is changed whatever the bare name says", "[a]:2222 " + wrong + "\na " + key, u"a"_s, 2222, Verdict::Changed, u"/k:1"_s);
        row("IPv6", "fe80::1 " + key, u"fe80::1"_s, 22, Verdict::Match, u"/k:1"_s);
        row("IPv6 and port", "[fe80::1]:2222 " + key, u"fe80::1"_s, 2222, Verdict::Match, u"/k:1"_s);
        row("star", "*.example.org " + key, u"a.b.example.org"_s, 22, Verdict::Match, u"/k:1"_s);
        row("star needs the dot", "*.example.org " + key, u"example.org"_s, 22, Verdict::Unknown);
        row("question mark", "host? " + key, u"host7"_s, 22, Verdict::Match, u"/k:1"_s);
        row("question mark is one", "host? " + key, u"host77"_s, 22, Verdict::Unknown);
        row("star and port", "[*.org]:2222 " + key, u"x.org"_s, 2222, Verdict::Match, u"/k:1"_s);
        row("negation wins", "*.org,!bad.org " + key, u"bad.org"_s, 22, Verdict::Unknown);
        row("negation wins also in front", "!bad.org,*.org " + key, u"bad.org"_s, 22, Verdict::Unknown);
        row("negation of another", "*.org,!bad.org " + key, u"good.org"_s, 22, Verdict::Match, u"/k:1"_s);
        row("negation alone matches nothing", "!bad.org " + key, u"good.org"_s, 22, Verdict::Unknown);
        row("revoked", "@revoked * " + key, u"a"_s, 22, Verdict::Revoked, u"/k:1"_s);
        row("revoked outweighs an earlier match", "a " + key + "\n@revoked a " + key, u"a"_s, 22, Verdict::Revoked, u"/k:2"_s);
        row("revoked outweighs a later match", "@revoked a " + key + "\na " + key, u"a"_s, 22, Verdict::Revoked, u"/k:1"_s);
        row("revoked for the bare name", "[a]:2222 " + key + "\n@revoked a " + key, u"a"_s, 2222, Verdict::Revoked, u"/k:2"_s);
        row("another key is revoked", "@revoked a " + wrong + "\na " + key, u"a"_s, 22, Verdict::Match, u"/k:2"_s);
        row("a revoked key is not a known one", "@revoked a " + wrong, u"a"_s, 22, Verdict::Unknown);
        row("an authority accepts no plain key", "@cert-authority a " + key, u"a"_s, 22, Verdict::Unknown);
        row("unknown marker", "@future a " + key, u"a"_s, 22, Verdict::Unknown);
        row("broken base64", "a ssh-ed25519 AAAA!!!!", u"a"_s, 22, Verdict::Unknown);
        row("type and key differ", "a ssh-rsa " + ours.blob.toBase64(), u"a"_s, 22, Verdict::Unknown);
        row("key is missing", "a ssh-ed25519", u"a"_s, 22, Verdict::Unknown);
        row("broken lines do not hide good ones", "a\na ssh-rsa\n" + QByteArray("\0\xff", 2) + "\na " + key, u"a"_s, 22, Verdict::Match, u"/k:4"_s);
        row("broken hash", "|1|xx|yy " + key, u"a"_s, 22, Verdict::Unknown);
        row("hash without an end", "|1| " + key, u"a"_s, 22, Verdict::Unknown);
        row("a line without end", QByteArray(1 << 20, 'x') + "\na " + key, u"a"_s, 22, Verdict::Match, u"/k:2"_s);
        row("old protocol", "a 1024 35 1234567890", u"a"_s, 22, Verdict::Unknown);
    }
    void theDecisionFollowsTheFile()
    {
        QFETCH(QByteArray, content);
        QFETCH(QString, host);
        QFETCH(int, port);
        const HostKeyDecision decision = decideHostKey(file(content), host, quint16(port), ours);
        QTEST(decision.verdict, "verdict");
        QTEST(decision.where, "where");
        QCOMPARE(decision.hasCertificateAuthority, content.contains("@cert-authority"));
        if (decision.verdict == Verdict::Changed)
            QVERIFY(decision.known != ours && !decision.known.blob.isEmpty());
    }

    void everyFileCounts()
    {
        const QList<KnownHostsFile> files{{u"/one"_s, "b " + lineOf(ours)}, {u"/two"_s, "a " + lineOf(ours)}};
        QCOMPARE(decideHostKey(files, u"a"_s, 22, ours).where, u"/two:1"_s);
        QCOMPARE(decideHostKey(files, u"a"_s, 22, other).verdict, Verdict::Changed);
    }

    void aHostilePatternCostsLittle()
    {
        const QByteArray stars = QByteArray("*a").repeated(15000) + 'b';
        QCOMPARE(decideHostKey(file(stars + ' ' + lineOf(ours)), QString(200, u'a'), 22, ours).verdict, Verdict::Unknown);
    }

    void theTypesThatAreKnownComeInOrder()
    {
        const QByteArray content = "a " + lineOf(otherType) + "\n[a]:2222 " + lineOf(ours) + "\n@revoked a " + lineOf(keyOf("ssh-dss", 'd'));
        QCOMPARE(knownKeyTypes(file(content), u"a"_s, 22), (QList<QByteArray>{"ssh-rsa"}));
        QCOMPARE(knownKeyTypes(file(content), u"a"_s, 2222), (QList<QByteArray>{"ssh-ed25519", "ssh-rsa"}));
        QVERIFY(knownKeyTypes(file(content), u"b"_s, 22).isEmpty());
    }

    void itAgreesWithSshKeygen_data()
    {
        QTest::addColumn<QByteArray>("hosts");
        QTest::addColumn<QString>("host");
        QTest::addColumn<int>("port");
        QTest::newRow("plain") << "a.example.org"_ba << u"a.example.org"_s << 22;
        QTest::newRow("list") << "x,a.example.org,y"_ba << u"a.example.org"_s << 22;
        QTest::newRow("port") << "[a.example.org]:2022"_ba << u"a.example.org"_s << 2022;
        QTest::newRow("wildcard") << "*.example.org"_ba << u"a.example.org"_s << 22;
        QTest::newRow("negated") << "*.example.org,!a.example.org"_ba << u"a.example.org"_s << 22;
        QTest::newRow("negated other") << "*.example.org,!b.example.org"_ba << u"a.example.org"_s << 22;
        QTest::newRow("question mark") << "?.example.org"_ba << u"a.example.org"_s << 22;
        QTest::newRow("none") << "b.example.org"_ba << u"a.example.org"_s << 22;
        QTest::newRow("upper case") << "A.Example.org"_ba << u"a.example.org"_s << 22;
        QTest::newRow("wildcard port") << "[*]:2022"_ba << u"a"_s << 2022;
    }
    void itAgreesWithSshKeygen()
    {
        QFETCH(QByteArray, hosts);
        QFETCH(QString, host);
        QFETCH(int, port);
        QTemporaryDir dir;
        QVERIFY(makeKey(dir.filePath(u"key"_s)));
        QFile publicKey(dir.filePath(u"key.pub"_s));
        QVERIFY(publicKey.open(QIODevice::ReadOnly));
        const QByteArray line = publicKey.readAll();
        const std::optional<HostKey> key = hostKeyFromLine(line);
        QVERIFY(key);
        const QString path = dir.filePath(u"known"_s);
        QFile known(path);
        QVERIFY(known.open(QIODevice::WriteOnly) && known.write("z " + lineOf(other) + '\n' + hosts + ' ' + line) > 0);
        known.close();

        const auto compare = [&] {
            QProcess find;
            find.start(u"ssh-keygen"_s, {u"-F"_s, port == 22 ? host : u"[%1]:%2"_s.arg(host).arg(port), u"-f"_s, path});
            QVERIFY(find.waitForFinished(30000));
            const bool theirs = find.exitCode() == 0;
            const Result<QList<KnownHostsFile>> files = readKnownHosts({path});
            QVERIFY(files);
            QCOMPARE(decideHostKey(*files, host, quint16(port), *key).verdict, theirs ? Verdict::Match : Verdict::Unknown);
        };
        compare();
        if (QTest::currentTestFailed() || hosts.contains('*') || hosts.contains('?') || hosts.contains('!'))
            return; // ssh-keygen hashes plain names only
        QVERIFY(runForTest(u"ssh-keygen"_s, {u"-H"_s, u"-f"_s, path}));
        QVERIFY(readKnownHosts({path}).value().front().content.contains("|1|"));
        compare();
    }

    void theFingerprintIsThatOfSshKeygen_data()
    {
        QTest::addColumn<QString>("type");
        QTest::newRow("ed25519") << u"ed25519"_s;
        QTest::newRow("rsa") << u"rsa"_s;
        QTest::newRow("ecdsa") << u"ecdsa"_s;
    }
    void theFingerprintIsThatOfSshKeygen()
    {
        QFETCH(QString, type);
        QTemporaryDir dir;
        QVERIFY(makeKey(dir.filePath(u"key"_s), type));
        QFile publicKey(dir.filePath(u"key.pub"_s));
        QVERIFY(publicKey.open(QIODevice::ReadOnly));
        const std::optional<HostKey> key = hostKeyFromLine(publicKey.readAll());
        QVERIFY(key);
        QProcess show;
        show.start(u"ssh-keygen"_s, {u"-l"_s, u"-f"_s, dir.filePath(u"key.pub"_s)});
        QVERIFY(show.waitForFinished(30000));
        QCOMPARE(fingerprintOf(*key), QString::fromLatin1(show.readAllStandardOutput().split(' ').value(1)));
    }

    void blobsThatAreNoKeysAreRefused_data()
    {
        QTest::addColumn<QByteArray>("blob");
        QTest::newRow("empty") << QByteArray();
        QTest::newRow("short") << QByteArray("\0\0\0", 3);
        QTest::newRow("only a name") << QByteArray("\0\0\0\x03" "abc", 7);
        QTest::newRow("length beyond the end") << QByteArray("\0\0\0\x7f" "abcdef", 10);
        QTest::newRow("length of four gigabytes") << QByteArray("\xff\xff\xff\xff" "abcdef", 10);
        QTest::newRow("a name that would break the line") << QByteArray("\0\0\0\x03" "a\nbXX", 9);
    }
    void blobsThatAreNoKeysAreRefused()
    {
        QFETCH(QByteArray, blob);
        QVERIFY(!hostKeyFromBlob(blob));
    }

    void whatIsRememberedIsFoundByUsAndBySshKeygen_data()
    {
        QTest::addColumn<QByteArray>("before");
        QTest::addColumn<bool>("isHashed");
        QTest::newRow("no file") << QByteArray() << false;
        QTest::newRow("other lines") << "z " + lineOf(other) + '\n' << false;
        QTest::newRow("last line without an end") << "z " + lineOf(other) << false;
        QTest::newRow("hashed lines") << "|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= " + lineOf(other) + '\n' << true;
    }
    void whatIsRememberedIsFoundByUsAndBySshKeygen()
    {
        QFETCH(QByteArray, before);
        QFETCH(bool, isHashed);
        QTemporaryDir dir;
        const QString path = dir.filePath(u"deep/.ssh/known_hosts"_s);
        if (!before.isEmpty()) {
            QVERIFY(QDir().mkpath(QFileInfo(path).path()));
            QFile known(path);
            QVERIFY(known.open(QIODevice::WriteOnly) && known.write(before) == before.size());
        }
        QVERIFY(rememberHostKey(path, u"host.example.org"_s, 2022, ours));
        const QList<KnownHostsFile> files = readKnownHosts({path}).value();
        QVERIFY(files.front().content.startsWith(before));
        QCOMPARE(decideHostKey(files, u"host.example.org"_s, 2022, ours).verdict, Verdict::Match);
        QCOMPARE(files.front().content.contains("host.example.org"), !isHashed);
        QVERIFY(runForTest(u"ssh-keygen"_s, {u"-F"_s, u"[host.example.org]:2022"_s, u"-f"_s, path}));
        if (before.isEmpty()) {
            const auto others = QFile::ReadGroup | QFile::WriteGroup | QFile::ReadOther | QFile::WriteOther;
            QVERIFY(!(QFileInfo(path).permissions() & others));
            QVERIFY(!(QFileInfo(QFileInfo(path).path()).permissions() & others));
        } else {
            QCOMPARE(decideHostKey(files, u"z"_s, 22, other).verdict, isHashed ? Verdict::Unknown : Verdict::Match);
        }
    }

    void aNameThatWouldBePatternIsNotWritten_data()
    {
        QTest::addColumn<QString>("host");
        for (const char *host : {"*", "a,b", "a b", "!a", "a\nb", "|1|x", "@revoked", "#"})
            QTest::newRow(host) << QString::fromLatin1(host);
    }
    void aNameThatWouldBePatternIsNotWritten()
    {
        QFETCH(QString, host);
        QTemporaryDir dir;
        const Done done = rememberHostKey(dir.filePath(u"known"_s), host, 22, ours);
        QVERIFY(!done);
        QCOMPARE(done.error().kind, ErrorKind::InvalidInput);
        QVERIFY(!QFile::exists(dir.filePath(u"known"_s)));
    }

    void missingFilesAreNoErrorButFoldersAre()
    {
        QTemporaryDir dir;
        QVERIFY(readKnownHosts({dir.filePath(u"none"_s)}).value().isEmpty());
        QVERIFY(!readKnownHosts({dir.path()}));
        QVERIFY(!rememberHostKey(dir.path(), u"a"_s, 22, ours));
    }
};

QTEST_GUILESS_MAIN(TestKnownHosts)
#include "tst_knownhosts.moc"
