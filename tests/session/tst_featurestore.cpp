#include "session/featurestore.h"
#include "session/sftpversion.h"
#include "session/sshwire.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

SandboxId sandbox(int number)
{
    return {u"vendor"_s, u"account"_s, u"box/%1"_s.arg(number)};
}

ServerFeatures someFeatures(const QString &version)
{
    ServerFeatures features;
    features.serverVersion = version;
    features.askedAt = QDateTime(QDate(2026, 1, 2), QTime(3, 4, 5), QTimeZone::UTC);
    features.of(ServerFeature::Exec) = {FeatureAnswer::Kind::Yes, {}};
    features.of(ServerFeature::LocalForward) = {FeatureAnswer::Kind::No, u"administratively prohibited"_s};
    features.sftpVersion = 3;
    features.sftpExtensions = {u"posix-rename@openssh.com"_s, u"limits@openssh.com"_s};
    return features;
}

// A VERSION packet with that behind its length and type.
QByteArray packet(const QByteArray &rest)
{
    return SshWire::string('\x02' + rest);
}

} // namespace

class TestFeatureStore : public QObject
{
    Q_OBJECT
private:
    QTemporaryDir m_dir;
    [[nodiscard]] QString file() const { return m_dir.filePath(QString::fromLatin1(QTest::currentTestFunction()) + u".json"_s); }

private slots:
    void whatWasFoundIsKept()
    {
        FeatureStore store(file());
        QVERIFY(!store.of(sandbox(1)));
        QVERIFY(store.keep(sandbox(1), someFeatures(u"SSH-2.0-A"_s)));
        QCOMPARE(FeatureStore(file()).of(sandbox(1)), someFeatures(u"SSH-2.0-A"_s));
        QVERIFY(!store.of(sandbox(2)));
        QCOMPARE(QFile::permissions(file()) & (QFile::ReadGroup | QFile::ReadOther), QFile::Permissions());
    }

    void aServerIsAskedOnceForEachVersionAndNeverTwiceAtATime()
    {
        FeatureStore store(file());
        QVERIFY(store.wantsAfter(sandbox(1), u"SSH-2.0-A"_s));
        QVERIFY(!store.wantsAfter(sandbox(1), u"SSH-2.0-A"_s));
        QVERIFY(store.wantsAfter(sandbox(2), u"SSH-2.0-A"_s));
        store.told(sandbox(1), someFeatures(u"SSH-2.0-A"_s));
        QVERIFY(!store.wantsAfter(sandbox(1), u"SSH-2.0-A"_s));
        QVERIFY(store.wantsAfter(sandbox(1), u"SSH-2.0-B"_s));
    }

    void aLinkThatEndedTooSoonLeavesTheQuestionOpen()
    {
        FeatureStore store(file());
        QVERIFY(store.wantsAfter(sandbox(1), u"SSH-2.0-A"_s));
        store.told(sandbox(1), failure(ErrorKind::ConnectionLost, Layer::Tcp));
        QVERIFY(!store.of(sandbox(1)));
        QVERIFY(store.wantsAfter(sandbox(1), u"SSH-2.0-A"_s));
    }

    void nobodysServerIsNotAsked()
    {
        FeatureStore store(file());
        QVERIFY(!store.wantsAfter({}, u"SSH-2.0-A"_s));
        QVERIFY(!store.wantsAfter(sandbox(1), QString()));
    }

    void theOldestGoWhereThereAreTooMany()
    {
        FeatureStore store(file());
        for (int i = 0; i < FeatureStore::mostSandboxes; ++i)
            QVERIFY(store.keep(sandbox(i), someFeatures(u"SSH-2.0-A"_s)));
        QVERIFY(store.keep(sandbox(0), someFeatures(u"SSH-2.0-B"_s))); // now the youngest
        QVERIFY(store.keep(sandbox(-1), someFeatures(u"SSH-2.0-A"_s)));
        QVERIFY(store.of(sandbox(0)));
        QVERIFY(!store.of(sandbox(1)));
        QVERIFY(store.of(sandbox(2)));
    }

    void aDamagedFileIsNothingKnown_data()
    {
        QTest::addColumn<QByteArray>("content");
        QTest::newRow("no json") << "%"_ba;
        QTest::newRow("no list") << R"({"version":1,"servers":3})"_ba;
        QTest::newRow("no objects") << R"({"version":1,"servers":[1,null,"x",[]]})"_ba;
        QTest::newRow("no answers") << R"({"version":1,"servers":[{"sandbox":"vendor/account/box%2F1","server":"a","askedAt":"2026-01-01T00:00:00Z"}]})"_ba;
    }
    void aDamagedFileIsNothingKnown()
    {
        QFETCH(QByteArray, content);
        const QString path = m_dir.filePath(u"damaged-%1.json"_s.arg(QLatin1StringView(QTest::currentDataTag())));
        QFile damaged(path);
        QVERIFY(damaged.open(QIODevice::WriteOnly) && damaged.write(content) == content.size());
        damaged.close();
        FeatureStore store(path);
        QVERIFY(!store.of(sandbox(1)));
        QVERIFY(store.keep(sandbox(1), someFeatures(u"SSH-2.0-A"_s)));
        QCOMPARE(store.of(sandbox(1)), someFeatures(u"SSH-2.0-A"_s));
    }

    void textFromAServerIsTamedAndBounded()
    {
        ServerFeatures features = someFeatures(u"SSH-2.0-A"_s);
        features.of(ServerFeature::Exec).words = QString(10'000, u'x') + u"\x1b[2J"_s;
        for (int i = 0; i < 1000; ++i)
            features.sftpExtensions.append(QString(10'000, u'y'));
        const std::optional<ServerFeatures> back = ServerFeatures::fromJson(features.toJson());
        QVERIFY(back);
        QVERIFY(back->of(ServerFeature::Exec).words.size() <= ServerFeatures::mostWords);
        QCOMPARE(back->sftpExtensions.size(), ServerFeatures::mostExtensions);
        QVERIFY(back->sftpExtensions.constLast().size() <= ServerFeatures::mostName);
    }

    void theAnswerOfSftpIsRead_data()
    {
        using Reading = SftpVersion::Reading;
        const QByteArray version = SshWire::number(3);
        const QByteArray extension = SshWire::string("a@b") + SshWire::string("1");
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<SftpVersion::Reading>("reading");
        QTest::addColumn<QStringList>("extensions");
        QTest::newRow("nothing") << ""_ba << Reading::More << QStringList();
        QTest::newRow("half a length") << "\0\0"_ba << Reading::More << QStringList();
        QTest::newRow("half a packet") << packet(version + extension).chopped(1) << Reading::More << QStringList();
        QTest::newRow("bare") << packet(version) << Reading::Whole << QStringList();
        QTest::newRow("extensions") << packet(version + extension + extension) << Reading::Whole << QStringList{u"a@b"_s, u"a@b"_s};
        QTest::newRow("more behind") << packet(version + extension) + "garbage" << Reading::Whole << QStringList{u"a@b"_s};
        QTest::newRow("control characters") << packet(version + SshWire::string("a\x1b[2J") + SshWire::string("")) << Reading::Whole << QStringList{u"a [2J"_s};
        QTest::newRow("another type") << SshWire::string('\x03' + version) << Reading::NotSftp << QStringList();
        QTest::newRow("too short") << SshWire::string("\x02\0\0\0"_ba) << Reading::NotSftp << QStringList();
        QTest::newRow("a name beyond the end") << packet(version + SshWire::number(0xffffffff) + "x") << Reading::NotSftp << QStringList();
        QTest::newRow("a name without data") << packet(version + SshWire::string("x")) << Reading::NotSftp << QStringList();
        QTest::newRow("4 GiB") << "\xff\xff\xff\xff\x02"_ba << Reading::NotSftp << QStringList();
        QTest::newRow("a greeting") << "Welcome to this host"_ba << Reading::NotSftp << QStringList();
    }
    void theAnswerOfSftpIsRead()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(SftpVersion::Reading, reading);
        QFETCH(QStringList, extensions);
        const SftpVersion answer = readSftpVersion(bytes);
        QCOMPARE(answer.reading, reading);
        if (reading == SftpVersion::Reading::Whole) {
            QCOMPARE(answer.version, 3u);
            QCOMPARE(answer.extensions, extensions);
        }
    }

    void manyExtensionsAreBounded()
    {
        QByteArray many = SshWire::number(3);
        for (int i = 0; i < 1000; ++i)
            many += SshWire::string("x") + SshWire::string("");
        const SftpVersion answer = readSftpVersion(packet(many));
        QCOMPARE(answer.reading, SftpVersion::Reading::Whole);
        QCOMPARE(answer.extensions.size(), ServerFeatures::mostExtensions);
    }
};

QTEST_GUILESS_MAIN(TestFeatureStore)
#include "tst_featurestore.moc"
