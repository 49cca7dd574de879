#include "session/sshkeyfile.h"

#include "tests/support/testsshd.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

Deadline soon()
{
    return std::chrono::steady_clock::now() + std::chrono::seconds(60);
}

QByteArray outputOf(const QString &program, const QStringList &arguments)
{
    QProcess process;
    process.start(program, arguments);
    process.closeWriteChannel();
    if (!process.waitForFinished(60000) || process.exitCode() != 0)
        qWarning().noquote() << program << arguments << process.readAllStandardError();
    return process.readAllStandardOutput().trimmed();
}

void put(const QString &file, const QByteArray &content)
{
    QFile out(file);
    QVERIFY(out.open(QIODevice::WriteOnly) && out.write(content) == content.size());
}

QByteArray contentOf(const QString &file)
{
    QFile in(file);
    return in.open(QIODevice::ReadOnly) ? in.readAll() : QByteArray();
}

int modeOf(const QString &file)
{
    return int(QFileInfo(file).permissions() & (QFile::ReadOwner | QFile::WriteOwner | QFile::ReadGroup | QFile::ReadOther));
}

constexpr int kOwnerOnly = int(QFile::ReadOwner | QFile::WriteOwner);

} // namespace

class TestSshKeyFile : public QObject
{
    Q_OBJECT
private:
    QTemporaryDir m_dir;
    int m_count = 0;
    QString fresh() { return m_dir.filePath(u"key%1"_s.arg(++m_count)); }

private slots:
    void everyFormIsRead_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<KeyFile::Form>("form");
        using Form = KeyFile::Form;
        QTest::newRow("OpenSSH ed25519") << QStringList{u"-t"_s, u"ed25519"_s} << Form::OpenSsh;
        QTest::newRow("OpenSSH rsa") << QStringList{u"-t"_s, u"rsa"_s, u"-b"_s, u"2048"_s} << Form::OpenSsh;
        QTest::newRow("PKCS#1") << QStringList{u"-t"_s, u"rsa"_s, u"-b"_s, u"2048"_s, u"-m"_s, u"PEM"_s} << Form::Pem;
        QTest::newRow("PKCS#8") << QStringList{u"-t"_s, u"rsa"_s, u"-b"_s, u"2048"_s, u"-m"_s, u"PKCS8"_s} << Form::Pem;
        QTest::newRow("EC") << QStringList{u"-t"_s, u"ecdsa"_s, u"-m"_s, u"PEM"_s} << Form::Pem;
    }
    void everyFormIsRead()
    {
        QFETCH(QStringList, arguments);
        QFETCH(KeyFile::Form, form);
        for (const QString &passphrase : {u""_s, u"open it"_s}) {
            const QString file = fresh();
            QVERIFY(runForTest(u"ssh-keygen"_s, arguments + QStringList{u"-q"_s, u"-N"_s, passphrase, u"-C"_s, u"a comment"_s, u"-a"_s, u"2"_s, u"-f"_s, file}));
            const Result<KeyFile> key = readKeyFile(file);
            QVERIFY2(key, key ? "" : qPrintable(describe(key.error())));
            QCOMPARE(key->form, form);
            QCOMPARE(key->isEncrypted, !passphrase.isEmpty());
            QCOMPARE(key->key.comment, u"a comment"_s);
            QVERIFY(outputOf(u"ssh-keygen"_s, {u"-lf"_s, file}).contains(key->key.fingerprint.toLatin1()));
            // Without the public half only a locked PEM key keeps its own to itself.
            QVERIFY(QFile::remove(file + u".pub"_s));
            const Result<KeyFile> alone = readKeyFile(file);
            QVERIFY(alone);
            QCOMPARE(alone->key.fingerprint.isEmpty(), form == KeyFile::Form::Pem && !passphrase.isEmpty());
        }
    }

    void whatIsNoKeyIsRefused_data()
    {
        QTest::addColumn<QByteArray>("content");
        QTest::newRow("empty") << QByteArray();
        QTest::newRow("garbage") << QByteArray(5000, '\xfe');
        QTest::newRow("head alone") << "-----BEGIN OPENSSH PRIVATE KEY-----"_ba;
        QTest::newRow("nothing inside") << "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"_ba;
        QTest::newRow("a length that lies") << "-----BEGIN OPENSSH PRIVATE KEY-----\n"_ba + ("openssh-key-v1\0\xff\xff\xff\xff"_ba).toBase64() + "\n-----END OPENSSH PRIVATE KEY-----\n";
        QTest::newRow("broken PEM") << "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"_ba;
        QTest::newRow("too large") << QByteArray(70000, 'a');
    }
    void whatIsNoKeyIsRefused()
    {
        QFETCH(QByteArray, content);
        const QString file = fresh();
        put(file, content);
        QVERIFY(!readKeyFile(file));
        QVERIFY(!readKeyFile(file + u"-missing"_s));
    }

    void aNewKeyIsOneForSshKeygen_data()
    {
        QTest::addColumn<NewKeyType>("type");
        QTest::addColumn<QByteArray>("passphrase");
        QTest::addColumn<QByteArray>("word");
        QTest::newRow("ed25519") << NewKeyType::Ed25519 << QByteArray() << "256 SHA256:"_ba;
        QTest::newRow("ed25519, locked") << NewKeyType::Ed25519 << "open sésame"_ba << "256 SHA256:"_ba;
        QTest::newRow("rsa") << NewKeyType::Rsa4096 << QByteArray() << "4096 SHA256:"_ba;
    }
    void aNewKeyIsOneForSshKeygen()
    {
        QFETCH(NewKeyType, type);
        QFETCH(QByteArray, passphrase);
        QFETCH(QByteArray, word);
        const QString file = fresh();
        const Result<PublicKeyLine> made = generateKey(type, file, u"me@here\nnow"_s, Secret(passphrase));
        QVERIFY2(made, made ? "" : qPrintable(describe(made.error())));
        QCOMPARE(modeOf(file), kOwnerOnly);
        const QByteArray line = outputOf(u"ssh-keygen"_s, {u"-y"_s, u"-P"_s, QString::fromUtf8(passphrase), u"-f"_s, file});
        QCOMPARE(line.split(' ').value(1), made->line.split(' ').value(1));
        QVERIFY(outputOf(u"ssh-keygen"_s, {u"-lf"_s, file + u".pub"_s}).startsWith(word));
        QCOMPARE(contentOf(file + u".pub"_s), made->line + '\n');
        QCOMPARE(made->comment, u"me@here now"_s);
        QCOMPARE(readKeyFile(file)->isEncrypted, !passphrase.isEmpty());
    }

    void nothingIsEverWrittenOver()
    {
        const QString file = fresh();
        put(file + u".pub"_s, "mine");
        const Result<PublicKeyLine> made = generateKey(NewKeyType::Ed25519, file, {}, Secret());
        QVERIFY(!made);
        QCOMPARE(made.error().kind, ErrorKind::Conflict);
        QVERIFY(!QFileInfo::exists(file));
        QCOMPARE(contentOf(file + u".pub"_s), "mine"_ba);
    }

    void aPemKeyIsConverted_data()
    {
        QTest::addColumn<QString>("form");
        QTest::addColumn<QString>("passphrase");
        QTest::newRow("PKCS#1") << u"PEM"_s << QString();
        QTest::newRow("PKCS#1, locked") << u"PEM"_s << u"open it"_s;
        QTest::newRow("PKCS#8, locked") << u"PKCS8"_s << u"open it"_s;
    }
    void aPemKeyIsConverted()
    {
        QFETCH(QString, form);
        QFETCH(QString, passphrase);
        const QString file = fresh();
        QVERIFY(runForTest(u"ssh-keygen"_s, {u"-q"_s, u"-t"_s, u"rsa"_s, u"-b"_s, u"2048"_s, u"-m"_s, form, u"-N"_s, passphrase, u"-f"_s, file}));
        const QByteArray before = contentOf(file);
        const Secret secret(passphrase.toUtf8());
        if (!passphrase.isEmpty()) {
            QVERIFY(!convertKey(file, Secret("wrong")));
            QCOMPARE(contentOf(file), before);
        }
        const Result<QString> backup = convertKey(file, secret);
        QVERIFY2(backup, backup ? "" : qPrintable(describe(backup.error())));
        QCOMPARE(contentOf(*backup), before);
        QCOMPARE(modeOf(*backup), kOwnerOnly);
        QCOMPARE(modeOf(file), kOwnerOnly);
        QCOMPARE(readKeyFile(file)->form, KeyFile::Form::OpenSsh);
        QCOMPARE(readKeyFile(file)->isEncrypted, !passphrase.isEmpty());
        QCOMPARE(outputOf(u"ssh-keygen"_s, {u"-y"_s, u"-P"_s, passphrase, u"-f"_s, file}).split(' ').value(1),
                 contentOf(file + u".pub"_s).split(' ').value(1));
        QVERIFY(!convertKey(file, secret)); // once is enough
    }

    void aPassphraseIsChanged()
    {
        const QString file = fresh();
        QVERIFY(makeKey(file, u"ed25519"_s, u"old"_s));
        QVERIFY(!changePassphrase(file, Secret("wrong"), Secret("new")));
        QVERIFY(changePassphrase(file, Secret("old"), Secret("new")));
        QVERIFY(!outputOf(u"ssh-keygen"_s, {u"-y"_s, u"-P"_s, u"new"_s, u"-f"_s, file}).isEmpty());
        QVERIFY(changePassphrase(file, Secret("new"), Secret()));
        QVERIFY(!readKeyFile(file)->isEncrypted);
        QCOMPARE(modeOf(file), kOwnerOnly);
    }

    void aLinkToAKeyStaysALink()
    {
        const QString file = fresh();
        const QString link = fresh();
        QVERIFY(makeKey(file) && QFile::link(file, link));
        QVERIFY(changePassphrase(link, Secret(), Secret("new")));
        QVERIFY(QFileInfo(link).isSymLink() && readKeyFile(file)->isEncrypted);
    }

    void theAgentTakesAndGivesBack_data()
    {
        QTest::addColumn<QString>("type");
        QTest::newRow("ed25519") << u"ed25519"_s;
        QTest::newRow("rsa") << u"rsa"_s;
        QTest::newRow("ecdsa") << u"ecdsa"_s;
    }
    void theAgentTakesAndGivesBack()
    {
        QFETCH(QString, type);
        TestAgent agent;
        const QByteArray socket = QFile::encodeName(agent.socket());
        const QString file = fresh();
        QVERIFY(makeKey(file, type, u"open it"_s));
        const AgentConstraints hour{std::chrono::hours(1), false};
        QVERIFY(!addKeyFileToAgent(socket, file, Secret("wrong"), hour, soon()));
        const Done added = addKeyFileToAgent(socket, file, Secret("open it"), hour, soon());
        QVERIFY2(added, added ? "" : qPrintable(describe(added.error())));
        const Result<QList<AgentKey>> held = listAgentKeys(socket, soon(), -1, [] { return false; });
        QVERIFY(held);
        QCOMPARE(held->size(), 1);
        QCOMPARE(held->front().comment, "test"_ba);
        // The agent itself checks that the numbers belong together when it signs.
        QVERIFY(runForTest(u"env"_s, {u"SSH_AUTH_SOCK="_s + agent.socket(), u"ssh-add"_s, u"-T"_s, file + u".pub"_s}));
        QVERIFY(removeFromAgent(socket, held->front().blob, soon()));
        QCOMPARE(listAgentKeys(socket, soon(), -1, [] { return false; })->size(), 0);
        const Done again = removeFromAgent(socket, held->front().blob, soon());
        QVERIFY(!again);
        QCOMPARE(again.error().kind, ErrorKind::PermissionDenied);
        QCOMPARE(addKeyFileToAgent("/nowhere", file, Secret("open it"), {}, soon()).error().kind, ErrorKind::NotFound);
    }

    void certificatesAreTold()
    {
        const QString authority = fresh();
        const QString file = fresh();
        QVERIFY(makeKey(authority) && makeKey(file));
        QVERIFY(runForTest(u"ssh-keygen"_s, {u"-q"_s, u"-s"_s, authority, u"-I"_s, u"the id"_s, u"-n"_s, u"root,me"_s, u"-V"_s, u"20200101:20200201"_s, file + u".pub"_s}));
        const Result<KeyFile> key = readKeyFile(file);
        QVERIFY(key && key->certificate);
        QVERIFY(key->certificate->isForUser);
        QCOMPARE(key->certificate->keyId, u"the id"_s);
        QCOMPARE(key->certificate->principals, (QStringList{u"root"_s, u"me"_s}));
        QVERIFY(!key->certificate->isValidAt(QDateTime::currentDateTimeUtc()));
        QByteArray blob = blobFromLine(contentOf(file + u"-cert.pub"_s));
        QVERIFY(certificateFromBlob(blob));
        for (qsizetype size = 0; size < 120; ++size)
            QVERIFY(!certificateFromBlob(blob.first(size)));
    }

    void aFolderIsListed()
    {
        QTemporaryDir folder;
        const auto at = [&](const QString &name) { return folder.filePath(name); };
        QVERIFY(makeKey(at(u"id_a"_s)) && makeKey(at(u"lone"_s)) && makeKey(at(u"open"_s)));
        QVERIFY(QFile::remove(at(u"lone"_s)));
        QVERIFY(QFile::setPermissions(at(u"open"_s), QFile::ReadOwner | QFile::ReadOther));
        put(at(u"known_hosts"_s), "github.com ssh-ed25519 AAAA\n");
        put(at(u"broken"_s), "-----BEGIN OPENSSH PRIVATE KEY-----\n");
        const QList<KeyFile> found = keyFilesIn(folder.path());
        QCOMPARE(found.size(), 3);
        QCOMPARE(found[0].form, KeyFile::Form::OpenSsh);
        QCOMPARE(found[1].form, KeyFile::Form::PublicOnly);
        QVERIFY(found[2].isOpenToOthers);
        QVERIFY(whyKeyFileIsRefused(found[2].file)->contains(u"chmod 600"_s));
        QVERIFY(!whyKeyFileIsRefused(found[0].file));
        QVERIFY(whyKeyFileIsRefused(folder.path())->contains(u"cannot be read"_s));
    }
};

QTEST_GUILESS_MAIN(TestSshKeyFile)
#include "tst_sshkeyfile.moc"
