// Files on their way between panes, terminals, the sidebar and the desktop.
#include "tests/support/filestage.h"
#include "ui/carriedfiles.h"
#include "ui/sandboxtree.h"
#include "ui/staging.h"
#include "ui/tabbar.h"

#include <QCborMap>
#include <QDragEnterEvent>
#include <QSignalSpy>
#include <QUrl>

using namespace Sandpiper;

namespace {

const SandboxId box{u"fake"_s, u"work"_s, u"box"_s};
const SandboxId other{u"fake"_s, u"work"_s, u"other"_s};

FilePath at(const QByteArray &bytes)
{
    return FilePath::fromBytes(bytes).value();
}

} // namespace

class TestCarriedFiles : public QObject
{
    Q_OBJECT
private slots:
    void whatIsCarriedArrivesByteForByte()
    {
        CarriedFiles files;
        files.place = box;
        files.placeName = u"box-1"_s;
        files.paths = {at("/a b\xff\n%"), at("/c")};
        files.hasSftp = true;
        files.isCut = true;
        const auto data = mimeFor(files);
        const auto found = filesIn(data.get());
        QVERIFY(found);
        QCOMPARE(found->place, box);
        QCOMPARE(found->paths, files.paths);
        QVERIFY(found->hasSftp && found->isCut && found->isOurs);
        QVERIFY(!data->hasUrls()); // there is no such file on this computer
    }

    void filesOfThisComputerAreUrlsToo()
    {
        CarriedFiles files;
        files.paths = {at("/a b\xff%")};
        const auto data = mimeFor(files);
        QCOMPARE(data->data(u"text/uri-list"_s).trimmed(), QByteArray("file:///a%20b%FF%25"));
        QMimeData desktop;
        desktop.setUrls(data->urls()); // as it gives them back
        const auto found = filesIn(&desktop);
        QVERIFY(found);
        QCOMPARE(found->paths, files.paths);
        QVERIFY(!found->isOurs);
    }

    void anotherProgramIsNotBelieved()
    {
        CarriedFiles files;
        files.place = box;
        files.paths = {at("/etc/shadow")};
        const auto data = mimeFor(files);
        QCborMap map = QCborValue::fromCbor(data->data(u"application/x-sandpiper-files"_s)).toMap();
        map[u"word"_s] = QByteArray("guessed");
        data->setData(u"application/x-sandpiper-files"_s, QCborValue(map).toCbor());
        QVERIFY(!filesIn(data.get()));
        map.remove(u"word"_s);
        data->setData(u"application/x-sandpiper-files"_s, QCborValue(map).toCbor());
        QVERIFY(!filesIn(data.get()));
    }

    void whatIsNoFileIsNone_data()
    {
        QTest::addColumn<QByteArray>("type");
        QTest::addColumn<QByteArray>("content");
        QTest::newRow("the web") << QByteArray("text/uri-list") << QByteArray("https://example.org/x\r\n");
        QTest::newRow("another host") << QByteArray("text/uri-list") << QByteArray("file://elsewhere/etc/passwd\r\n");
        QTest::newRow("a NUL") << QByteArray("text/uri-list") << QByteArray("file:///a%00b\r\n");
        QTest::newRow("nothing") << QByteArray("text/uri-list") << QByteArray();
        QTest::newRow("no CBOR") << QByteArray("application/x-sandpiper-files") << QByteArray("\xff\xff\xff");
        QTest::newRow("text") << QByteArray("text/plain") << QByteArray("/etc/passwd");
    }
    void whatIsNoFileIsNone()
    {
        QFETCH(QByteArray, type);
        QFETCH(QByteArray, content);
        QMimeData data;
        data.setData(QString::fromLatin1(type), content);
        QVERIFY(!filesIn(&data));
    }

    void aCutOfTheDesktopIsOne()
    {
        QMimeData data;
        data.setUrls({QUrl(u"file:///a"_s)});
        data.setData(u"x-special/gnome-copied-files"_s, "cut\nfile:///a");
        QVERIFY(filesIn(&data)->isCut);
        data.setData(u"x-special/gnome-copied-files"_s, "copy\nfile:///a");
        QVERIFY(!filesIn(&data)->isCut);
    }

    void theKeysSayWhatADragDoes_data()
    {
        QTest::addColumn<bool>("isOurs");
        QTest::addColumn<bool>("isSame");
        QTest::addColumn<int>("modifiers");
        QTest::addColumn<int>("wanted");
        QTest::newRow("within one place") << true << true << int(Qt::NoModifier) << int(Qt::MoveAction);
        QTest::newRow("within one place, Ctrl") << true << true << int(Qt::ControlModifier) << int(Qt::CopyAction);
        QTest::newRow("elsewhere") << true << false << int(Qt::NoModifier) << int(Qt::CopyAction);
        QTest::newRow("elsewhere, Shift") << true << false << int(Qt::ShiftModifier) << int(Qt::MoveAction);
        QTest::newRow("from the desktop, Shift") << false << true << int(Qt::ShiftModifier) << int(Qt::CopyAction);
    }
    void theKeysSayWhatADragDoes()
    {
        QFETCH(bool, isOurs);
        QFETCH(bool, isSame);
        QFETCH(int, modifiers);
        QFETCH(int, wanted);
        CarriedFiles files;
        files.isOurs = isOurs;
        files.place = box;
        QCOMPARE(int(actionFor(files, isSame ? box : other, Qt::KeyboardModifiers(modifiers))), wanted);
    }

    void theWayIsTheFastest_data()
    {
        QTest::addColumn<SandboxId>("from");
        QTest::addColumn<bool>("fromSftp");
        QTest::addColumn<SandboxId>("to");
        QTest::addColumn<bool>("toSftp");
        QTest::addColumn<int>("wanted");
        QTest::newRow("up") << SandboxId() << false << box << true << int(TransferWay::Send);
        QTest::newRow("down") << box << true << SandboxId() << false << int(TransferWay::Fetch);
        QTest::newRow("up without SFTP") << SandboxId() << false << box << false << int(TransferWay::Relay);
        QTest::newRow("down without SFTP") << box << false << SandboxId() << false << int(TransferWay::Relay);
        QTest::newRow("across") << box << true << other << true << int(TransferWay::Relay);
        QTest::newRow("within this computer") << SandboxId() << false << SandboxId() << false << int(TransferWay::Relay);
    }
    void theWayIsTheFastest()
    {
        QFETCH(SandboxId, from);
        QFETCH(bool, fromSftp);
        QFETCH(SandboxId, to);
        QFETCH(bool, toSftp);
        QFETCH(int, wanted);
        CarriedFiles files;
        files.place = from;
        files.hasSftp = fromSftp;
        files.paths = {at("/file")};
        const TransferWish wish = wishFor(files, {to, u"to"_s, at("/there"), toSftp}, false);
        QCOMPARE(int(wish.way), wanted);
        QCOMPARE(wish.sandbox, wish.way == TransferWay::Fetch ? from : to);
        QCOMPARE(wish.sourceSandbox, wish.way == TransferWay::Relay ? from : SandboxId());
    }

    void stagedFilesAreNobodyElsesAndGo()
    {
        QTemporaryDir dir;
        QFile file(dir.filePath(u"file"_s));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("content");
        file.close();
        TransferQueue queue(TransferQueue::Services{});
        CarriedFiles files;
        files.paths = {at(QFile::encodeName(file.fileName()))};
        auto staging = std::make_unique<Staging>(&queue, files, dir.filePath(u"staged"_s));
        QSignalSpy ready(staging.get(), &Staging::ready);
        staging->start();
        QTRY_COMPARE_WITH_TIMEOUT(ready.size(), 1, kPatience);
        const CarriedFiles here = staging->files();
        QCOMPARE(here.paths.size(), 1);
        QFile copy(QFile::decodeName(here.paths.constFirst().bytes()));
        QVERIFY(copy.open(QIODevice::ReadOnly));
        QCOMPARE(copy.readAll(), QByteArray("content"));
        const QString folder = QFileInfo(copy.fileName()).path();
        QCOMPARE(QFile::permissions(folder) & (QFile::ReadGroup | QFile::WriteGroup | QFile::ExeGroup | QFile::ReadOther | QFile::WriteOther | QFile::ExeOther), QFile::Permissions());
        staging.reset(); // nobody took them
        QTRY_VERIFY_WITH_TIMEOUT(!QFile::exists(folder), kPatience);
        QVERIFY(queue.transfers().isEmpty());
    }

    void whatWasHandedOverStays()
    {
        QTemporaryDir dir;
        QFile file(dir.filePath(u"file"_s));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.close();
        TransferQueue queue(TransferQueue::Services{});
        CarriedFiles files;
        files.paths = {at(QFile::encodeName(file.fileName()))};
        auto staging = std::make_unique<Staging>(&queue, files, dir.filePath(u"staged"_s));
        staging->start();
        QTRY_VERIFY_WITH_TIMEOUT(staging->isReady(), kPatience);
        const QByteArray path = staging->files().paths.constFirst().bytes();
        staging->handOver();
        staging.reset();
        QThreadPool::globalInstance()->waitForDone();
        QVERIFY(QFile::exists(QFile::decodeName(path)));
    }

    void whatCannotBeStagedLeavesNothing_data()
    {
        QTest::addColumn<bool>("isThere");
        QTest::newRow("it fails") << false;
        QTest::newRow("it is given up before it begins") << true;
    }
    void whatCannotBeStagedLeavesNothing()
    {
        QFETCH(const bool, isThere);
        QTemporaryDir dir;
        TransferQueue::Services services;
        services.makeLink = [](const SandboxId &, QObject *, auto) {}; // of a sandbox there is none
        TransferQueue queue(services);
        CarriedFiles files;
        files.paths = {at(QFile::encodeName(dir.filePath(u"nothing"_s)))};
        if (isThere) {
            files.place = box;
            files.hasSftp = true;
        }
        auto staging = std::make_unique<Staging>(&queue, files, dir.filePath(u"staged"_s));
        QSignalSpy failed(staging.get(), &Staging::failed);
        staging->start();
        if (!isThere)
            QTRY_COMPARE_WITH_TIMEOUT(failed.size(), 1, kPatience);
        QCOMPARE(queue.transfers().size(), 1);
        QCOMPARE(QDir(dir.filePath(u"staged"_s)).entryList(QDir::Dirs | QDir::NoDotAndDotDot).size(), 1);
        staging.reset();
        QTRY_VERIFY_WITH_TIMEOUT(queue.transfers().isEmpty(), kPatience);
        QTRY_VERIFY_WITH_TIMEOUT(QDir(dir.filePath(u"staged"_s)).entryList(QDir::Dirs | QDir::NoDotAndDotDot).isEmpty(), kPatience);
    }

    void aTabComesToTheFrontUnderADrag()
    {
        TabBar bar;
        TabFace face;
        face.name = u"one"_s;
        bar.addTab(face);
        bar.addTab(face);
        bar.resize(600, 40);
        bar.show();
        bar.setCurrentIndex(0);
        bar.spring()->setDelay(std::chrono::milliseconds(0));
        QMimeData what;
        what.setUrls({QUrl(u"file:///a"_s)});
        QDragEnterEvent enter(bar.tabRect(1).center(), Qt::CopyAction, &what, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&bar, &enter);
        QVERIFY(enter.isAccepted());
        QDragMoveEvent move(bar.tabRect(1).center(), Qt::CopyAction, &what, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&bar, &move);
        QVERIFY(!move.isAccepted()); // onto a tab nothing is dropped
        QTRY_COMPARE(bar.currentIndex(), 1);
    }
};

QTEST_MAIN(TestCarriedFiles)
#include "tst_carriedfiles.moc"
