// How a host's key is shown: the same words and the same drawing as those of ssh-keygen.
#include "session/hostkey.h"

#include "tests/support/testsshd.h"

#include <QFile>
#include <QProcess>
#include <QRandomGenerator>
#include <QTemporaryDir>
#include <QTest>
#include <QtEndian>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

QByteArray number(const QByteArray &bytes)
{
    QByteArray size(4, Qt::Uninitialized);
    qToBigEndian(quint32(bytes.size()), size.data());
    return size + bytes;
}

QByteArray randomBytes(QRandomGenerator &random, qsizetype size)
{
    QByteArray bytes(size, Qt::Uninitialized);
    for (char &byte : bytes)
        byte = char(random.bounded(256));
    return bytes;
}

HostKey ed25519(QRandomGenerator &random)
{
    return {"ssh-ed25519", number("ssh-ed25519") + number(randomBytes(random, 32))};
}

// An odd number of exactly this many bits; nobody has factors of it.
HostKey rsa(QRandomGenerator &random, int bits)
{
    QByteArray modulus = randomBytes(random, (bits + 7) / 8);
    const int top = (bits - 1) % 8;
    modulus[0] = char((uchar(modulus[0]) & ((1 << top) - 1)) | (1 << top));
    modulus[modulus.size() - 1] = char(modulus.back() | 1);
    if (top == 7)
        modulus.prepend('\0');
    return {"ssh-rsa", number("ssh-rsa") + number(QByteArray("\1\0\1", 3)) + number(modulus)};
}

QByteArray lineOf(const HostKey &key)
{
    return key.type + ' ' + key.blob.toBase64() + '\n';
}

} // namespace

class TestHostKey : public QObject
{
    Q_OBJECT
private:
    QTemporaryDir m_dir;

    // What ssh-keygen prints for each of the keys.
    QStringList shownBySshKeygen(const QByteArray &lines)
    {
        QFile file(m_dir.filePath(u"keys"_s));
        if (!file.open(QIODevice::WriteOnly) || file.write(lines) != lines.size())
            return {};
        file.close();
        QProcess show;
        show.start(u"ssh-keygen"_s, {u"-lv"_s, u"-f"_s, file.fileName()});
        if (!show.waitForFinished(60000))
            return {};
        return QString::fromLatin1(show.readAllStandardOutput()).trimmed().split(u'\n');
    }

    static QStringList shownByUs(const HostKey &key)
    {
        return QStringList{u"%1 %2"_s.arg(bitsOf(key)).arg(fingerprintOf(key))} + randomartOf(key).split(u'\n');
    }

    void compare(const QList<HostKey> &keys)
    {
        QByteArray lines;
        for (const HostKey &key : keys)
            lines += lineOf(key);
        const QStringList theirs = shownBySshKeygen(lines);
        QCOMPARE(theirs.size(), keys.size() * 12);
        for (qsizetype i = 0; i < keys.size(); ++i) {
            const QStringList ours = shownByUs(keys.at(i));
            const QStringList words = theirs.at(i * 12).split(u' ');
            QCOMPARE(ours.front(), words.value(0) + u' ' + words.value(1));
            QCOMPARE(u'(' + shortTypeOf(keys.at(i)) + u')', words.last());
            QCOMPARE(ours.sliced(1), theirs.sliced(i * 12 + 1, 11));
        }
    }

private slots:
    void manyKeysAreDrawnAsSshKeygenDrawsThem()
    {
        QRandomGenerator random(20261128);
        QList<HostKey> keys;
        for (int i = 0; i < 500; ++i)
            keys.append(ed25519(random));
        for (const int bits : {1024, 1025, 1031, 2047, 2048, 3072, 4095, 4096, 8192}) {
            for (int i = 0; i < 10; ++i)
                keys.append(rsa(random, bits));
        }
        compare(keys);
    }

    void everyKindOfKeyIsDrawnAsSshKeygenDrawsIt_data()
    {
        QTest::addColumn<QStringList>("kind");
        QTest::newRow("ed25519") << QStringList{u"ed25519"_s};
        QTest::newRow("rsa") << QStringList{u"rsa"_s, u"-b"_s, u"2048"_s};
        for (const char *bits : {"256", "384", "521"})
            QTest::newRow(bits) << QStringList{u"ecdsa"_s, u"-b"_s, QString::fromLatin1(bits)};
    }
    void everyKindOfKeyIsDrawnAsSshKeygenDrawsIt()
    {
        QFETCH(QStringList, kind);
        QTemporaryDir dir;
        QVERIFY(runForTest(u"ssh-keygen"_s, QStringList{u"-q"_s, u"-N"_s, QString(), u"-f"_s, dir.filePath(u"key"_s), u"-t"_s} + kind));
        QFile file(dir.filePath(u"key.pub"_s));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const std::optional<HostKey> key = hostKeyFromLine(file.readAll());
        QVERIFY(key);
        compare({*key});
    }

    void aKeyThatIsCutOffHasNoSizeAndIsDrawnAllTheSame_data()
    {
        QTest::addColumn<QByteArray>("blob");
        QTest::newRow("nothing after the type") << number("ssh-rsa");
        QTest::newRow("a number longer than the key") << number("ssh-rsa") + number("\1") + QByteArray("\xff\xff\xff\xff\1", 5);
        QTest::newRow("an empty number") << number("ssh-rsa") + number("\1") + number("");
        QTest::newRow("nothing but zeros") << number("ssh-rsa") + number("\1") + number(QByteArray(8, '\0'));
        QTest::newRow("a type nobody knows, and long") << number(QByteArray(120, 'x')) + number("y");
    }
    void aKeyThatIsCutOffHasNoSizeAndIsDrawnAllTheSame()
    {
        QFETCH(QByteArray, blob);
        const HostKey key{blob.sliced(4, qFromBigEndian<quint32>(blob.constData())), blob};
        QCOMPARE(bitsOf(key), 0);
        const QStringList lines = randomartOf(key).split(u'\n');
        QCOMPARE(lines.size(), 11);
        for (const QString &line : lines)
            QCOMPARE(line.size(), 19);
    }
};

QTEST_GUILESS_MAIN(TestHostKey)
#include "tst_hostkey.moc"
