#include "session/localtokens.h"
#include "session/paths.h"
#include "tests/support/waited.h"

#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

class TestLocalTokens : public QObject
{
    Q_OBJECT

    const QString m_ours = u"pty/local/this/box/session"_s;
    const QString m_theirs = u"pty/elsewhere/account/box/session"_s;

private slots:
    void aTokenOfThisComputerOutlivesTheProgram()
    {
        QTemporaryDir dir;
        const QString file = dir.filePath(u"gateway/tokens.json"_s);
        {
            const auto keychain = withLocalTokens(makeMemoryKeychain(), file);
            QCOMPARE(keychain->persistenceOf(m_ours), Keychain::Persistence::Lasting);
            QVERIFY(waited(keychain->write(m_ours, Secret("0123abcd"))));
        }
        const auto later = withLocalTokens(makeMemoryKeychain(), file);
        QVERIFY(waited(later->read(m_ours)).value()->equals("0123abcd"));
        QVERIFY(!(QFileInfo(file).permissions() & (QFile::ReadGroup | QFile::ReadOther)));
        QVERIFY(waited(later->remove(m_ours)));
        QCOMPARE(waited(later->read(m_ours)).error().kind, ErrorKind::NotFound);
    }

    void everythingElseStaysInTheKeychain()
    {
        QTemporaryDir dir;
        const QString file = dir.filePath(u"tokens.json"_s);
        const auto keychain = withLocalTokens(makeMemoryKeychain(), file);
        QCOMPARE(keychain->persistenceOf(m_theirs), Keychain::Persistence::ThisRunOnly);
        for (const QString &key : {m_theirs, u"account/x"_s}) {
            QVERIFY(waited(keychain->write(key, Secret("secret"))));
            QVERIFY(waited(keychain->read(key)).value()->equals("secret"));
        }
        QVERIFY(!QFile::exists(file));
    }

    void aDamagedFileCountsAsEmpty()
    {
        QTemporaryDir dir;
        QFile file(dir.filePath(u"tokens.json"_s));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("{\"pty/local/this/box/session\": 7, ");
        file.close();
        const auto keychain = withLocalTokens(makeMemoryKeychain(), file.fileName());
        QCOMPARE(waited(keychain->read(m_ours)).error().kind, ErrorKind::NotFound);
        QVERIFY(waited(keychain->write(m_ours, Secret("again"))));
        QVERIFY(waited(keychain->read(m_ours)).value()->equals("again"));
    }

    void theFileDoesNotGrowForEver()
    {
        QTemporaryDir dir;
        const QString file = dir.filePath(u"tokens.json"_s);
        const auto keychain = withLocalTokens(makeMemoryKeychain(), file);
        QJsonObject many;
        for (int i = 0; i < 520; ++i)
            many.insert(m_ours + QString::number(i), u"0123456789"_s);
        QVERIFY(writePrivateFile(file, QJsonDocument(many).toJson()));
        QVERIFY(waited(keychain->write(m_ours, Secret("0123456789"))));
        const Result<QByteArray> kept = readFile(file);
        QCOMPARE(QJsonDocument::fromJson(*kept).object().size(), 500);
    }
};

QTEST_GUILESS_MAIN(TestLocalTokens)
#include "tst_localtokens.moc"
