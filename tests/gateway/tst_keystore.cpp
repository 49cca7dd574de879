#include "gateway/keystore.h"

#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <sys/stat.h>

using namespace Sandpiper;
using namespace Qt::StringLiterals;

namespace {

constexpr char ed25519[] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHbIrxOyw22RFNsQEtaLxpDwtcNX2yhFuFWA7S7dzf0X";

} // namespace

class KeyStoreTest : public QObject
{
    Q_OBJECT

private slots:
    void fingerprintIsWhatOpenSshSays_data();
    void fingerprintIsWhatOpenSshSays();
    void whatIsNoPublicKeyIsRefused_data();
    void whatIsNoPublicKeyIsRefused();
    void sameKeyTwiceIsAConflict();
    void keysOutliveTheStore();
    void matchNotesTheUse();
    void damagedFileIsSurvived_data();
    void damagedFileIsSurvived();

private:
    QTemporaryDir m_folder;
};

void KeyStoreTest::fingerprintIsWhatOpenSshSays_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QString>("type");
    QTest::newRow("ed25519") << QStringList{u"-t"_s, u"ed25519"_s} << u"ssh-ed25519"_s;
    QTest::newRow("rsa") << QStringList{u"-t"_s, u"rsa"_s, u"-b"_s, u"2048"_s} << u"ssh-rsa"_s;
    QTest::newRow("p256") << QStringList{u"-t"_s, u"ecdsa"_s, u"-b"_s, u"256"_s} << u"ecdsa-sha2-nistp256"_s;
    QTest::newRow("p521") << QStringList{u"-t"_s, u"ecdsa"_s, u"-b"_s, u"521"_s} << u"ecdsa-sha2-nistp521"_s;
}

void KeyStoreTest::fingerprintIsWhatOpenSshSays()
{
    QFETCH(QStringList, arguments);
    const QString file = m_folder.filePath(QString::fromLatin1(QTest::currentDataTag()));
    QCOMPARE(QProcess::execute(u"ssh-keygen"_s, arguments + QStringList{u"-q"_s, u"-N"_s, QString(), u"-C"_s, u"some one@here"_s, u"-f"_s, file}), 0);
    QProcess keygen;
    keygen.start(u"ssh-keygen"_s, {u"-l"_s, u"-f"_s, file + u".pub"_s});
    QVERIFY(keygen.waitForFinished());
    QFile pub(file + u".pub"_s);
    QVERIFY(pub.open(QIODevice::ReadOnly));
    const QByteArray line = pub.readAll();
    KeyStore store(m_folder.filePath(u"a"_s));
    const auto key = store.add(u" laptop\n"_s, line);
    QVERIFY2(key, qPrintable(key ? QString() : describe(key.error())));
    QTEST(key->type, "type");
    QCOMPARE(key->name, u"laptop"_s);
    QCOMPARE(key->fingerprint, QString::fromLatin1(keygen.readAll().split(' ').value(1)));
    QCOMPARE(key->publicLine, line.split(' ').first(2).join(' '));
    QVERIFY(key->id.startsWith(u"ssh_key_"_s));
    QCOMPARE(key->id.size(), 8 + 21);
}

void KeyStoreTest::whatIsNoPublicKeyIsRefused_data()
{
    QTest::addColumn<QByteArray>("line");
    const QByteArray good = ed25519;
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("words") << QByteArray("not a key at all");
    QTest::newRow("private key") << QByteArray("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n");
    QTest::newRow("type alone") << QByteArray("ssh-ed25519");
    QTest::newRow("no base64") << QByteArray("ssh-ed25519 AAAA!!!!");
    QTest::newRow("half") << good.first(60);
    QTest::newRow("another type before") << QByteArray(good).replace("ssh-ed25519", "ssh-rsa");
    QTest::newRow("unknown type") << QByteArray("ssh-dss AAAAB3NzaC1kc3M=");
    QTest::newRow("options before") << "command=\"x\" " + good;
    QTest::newRow("two lines") << good + '\n' + good;
    QTest::newRow("length of 4 GiB") << QByteArray("ssh-ed25519 ") + QByteArray("\xff\xff\xff\xffx").toBase64();
    QTest::newRow("more after it") << QByteArray("ssh-ed25519 ") + (QByteArray::fromBase64(good.sliced(12)) + "x").toBase64();
    QTest::newRow("1 MiB") << "ssh-ed25519 " + QByteArray(1 << 20, 'A');
}

void KeyStoreTest::whatIsNoPublicKeyIsRefused()
{
    QFETCH(QByteArray, line);
    KeyStore store(m_folder.filePath(u"b"_s));
    QCOMPARE(store.add(u"name"_s, line).error().kind, ErrorKind::InvalidInput);
    QVERIFY(store.all().isEmpty());
    QCOMPARE(store.add(u"  "_s, ed25519).error().kind, ErrorKind::InvalidInput);
}

void KeyStoreTest::sameKeyTwiceIsAConflict()
{
    KeyStore store(m_folder.filePath(u"c"_s));
    const auto key = store.add(u"one"_s, ed25519);
    QVERIFY(key);
    QCOMPARE(store.add(u"two"_s, QByteArray(ed25519) + "  another comment\n").error().kind, ErrorKind::Conflict);
    QVERIFY(store.remove(key->id));
    QCOMPARE(store.remove(key->id).error().kind, ErrorKind::NotFound);
    QVERIFY(store.add(u"two"_s, ed25519));
}

void KeyStoreTest::keysOutliveTheStore()
{
    const QString file = m_folder.filePath(u"d"_s);
    RegisteredKey key;
    {
        KeyStore store(file);
        key = *store.add(u"one"_s, ed25519);
    }
    struct stat about = {};
    QCOMPARE(::stat(qPrintable(file), &about), 0);
    QCOMPARE(about.st_mode & 0777, 0600U);
    const KeyStore store(file);
    QCOMPARE(store.all().size(), 1);
    const RegisteredKey again = store.all().first();
    QCOMPARE(again.id, key.id);
    QCOMPARE(again.fingerprint, key.fingerprint);
    QCOMPARE(again.publicLine, key.publicLine);
    QCOMPARE(again.createdAt, key.createdAt);
}

void KeyStoreTest::matchNotesTheUse()
{
    const QString file = m_folder.filePath(u"e"_s);
    KeyStore store(file);
    QVERIFY(store.add(u"one"_s, ed25519));
    QVERIFY(!store.all().first().lastUsedAt.isValid());
    QVERIFY(!store.match("AAAA"));
    QVERIFY(!store.match(""));
    QCOMPARE(store.match(QByteArray(ed25519).sliced(12))->name, u"one"_s);
    QVERIFY(store.all().first().lastUsedAt.isValid());
    QVERIFY(KeyStore(file).all().first().lastUsedAt.isValid());
}

void KeyStoreTest::damagedFileIsSurvived_data()
{
    QTest::addColumn<QByteArray>("content");
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("no JSON") << QByteArray("{");
    QTest::newRow("list") << QByteArray("[]");
    QTest::newRow("wrong types") << QByteArray("{\"keys\": [1, {\"id\": 4}, {\"id\": \"x\", \"publicKey\": \"y\"}]}");
}

void KeyStoreTest::damagedFileIsSurvived()
{
    QFETCH(QByteArray, content);
    QFile file(m_folder.filePath(u"f"_s));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(content);
    file.close();
    KeyStore store(file.fileName());
    QVERIFY(store.all().isEmpty());
    QVERIFY(store.add(u"one"_s, ed25519));
    QCOMPARE(KeyStore(file.fileName()).all().size(), 1);
}

QTEST_GUILESS_MAIN(KeyStoreTest)
#include "tst_keystore.moc"
