// A vendor's file interface whose answers are not to be believed.
#include "session/providers/tensorlakefiles.h"
#include "sftp/vendorfilesystem.h"

#include "tests/sftp/filesystemrun.h"
#include "tests/support/hostilehttpserver.h"

#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr int patience = 30'000;

struct Box
{
    explicit Box(const TensorlakeFiles::Limits &limits = {})
    {
        Account account;
        account.apiUrl = QUrl(server.url());
        Sandbox sandbox;
        sandbox.id = {u"tensorlake"_s, u"a"_s, u"box1"_s};
        sandbox.name = u"my-env"_s;
        sandbox.controlUrl = account.apiUrl;
        auto context = std::make_shared<TensorlakeContext>(TensorlakeContext{u"tensorlake"_s, u"a"_s, TensorlakeRoutes(account), {}, false});
        files = std::make_unique<VendorFileSystem>(
                std::make_unique<TensorlakeFiles>(context, HttpClient::Options{std::make_shared<Secret>("k"), {}, {}}, sandbox, limits), u"my-env"_s);
    }
    void says(const Scripted &scripted)
    {
        server.answer = [scripted](const SeenRequest &) { return scripted; };
    }

    HostileHttpServer server;
    std::unique_ptr<FileSystem> files;
};

QByteArray listOf(const QByteArray &entries)
{
    return "{\"path\":\"/x\",\"entries\":[" + entries + "]}";
}

} // namespace

class TestVendorHostile : public QObject
{
    Q_OBJECT

private slots:
    void aListingThatIsNone_data();
    void aListingThatIsNone();
    void namesThatNoFileHasAreLeftOut();
    void oddEntriesCostNoOthers();
    void aListingWithoutEndIsCutOff();
    void anAnswerThatBreaksOffIsNoWholeFile_data();
    void anAnswerThatBreaksOffIsNoWholeFile();
    void whereTheFolderSaysNothingTheAnswerIsBelieved();
    void anEndlessFileWaitsForItsReader();
    void silenceEnds_data();
    void silenceEnds();
    void aRedirectIsNotFollowed();
    void anUploadIsSentOnce();
    void aRefusalInTheMiddleIsToldAtOnce();
    void dotsNeverLeaveThisProgram();
    void thePathIsEncodedByteByByte();
};

void TestVendorHostile::aListingThatIsNone_data()
{
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<int>("status");
    QTest::addColumn<ErrorKind>("kind");
    QTest::newRow("empty") << QByteArray() << 200 << ErrorKind::Protocol;
    QTest::newRow("not JSON") << "<html>"_ba << 200 << ErrorKind::Protocol;
    QTest::newRow("an array") << "[]"_ba << 200 << ErrorKind::Protocol;
    QTest::newRow("no entries") << "{\"path\":\"/\"}"_ba << 200 << ErrorKind::Protocol;
    QTest::newRow("entries are an object") << "{\"entries\":{}}"_ba << 200 << ErrorKind::Protocol;
    QTest::newRow("entries are null") << "{\"entries\":null}"_ba << 200 << ErrorKind::Protocol;
    QTest::newRow("cut off") << listOf("{\"name\":\"a\"").chopped(3) << 200 << ErrorKind::Protocol;
    QTest::newRow("deep") << "{\"entries\":" + QByteArray(100'000, '[') << 200 << ErrorKind::TooLarge;
    QTest::newRow("refused without words") << QByteArray() << 404 << ErrorKind::NotFound;
    QTest::newRow("refused with a page") << "<html>Not here</html>"_ba << 403 << ErrorKind::PermissionDenied;
    QTest::newRow("refused with a number") << "{\"error\":7,\"code\":[]}"_ba << 400 << ErrorKind::InvalidInput;
    QTest::newRow("failed") << "oh"_ba << 500 << ErrorKind::ServerError;
    QTest::newRow("full") << "{\"error\":\"full\",\"code\":\"NO_SPACE\"}"_ba << 507 << ErrorKind::QuotaExceeded;
}

void TestVendorHostile::aListingThatIsNone()
{
    QFETCH(const QByteArray, body);
    QFETCH(const int, status);
    QFETCH(const ErrorKind, kind);
    Box box;
    box.says(HostileHttpServer::json(body, status));
    const FolderListed listed(*box.files, filePath("/x"));
    QCOMPARE(listed.ends.size(), 1);
    QCOMPARE(errorOf(listed.ends.first()).kind, kind);
    QVERIFY(!errorOf(listed.ends.first()).subject.isEmpty());
    QVERIFY(listed.rows.isEmpty());
}

void TestVendorHostile::namesThatNoFileHasAreLeftOut()
{
    Box box;
    QByteArrayList entries;
    for (const QByteArray &name : {"../up"_ba, ".."_ba, "."_ba, ""_ba, "a/b"_ba, "/etc/passwd"_ba, "nul\\u0000l"_ba, QByteArray(2000, 'n'), "good"_ba})
        entries.append("{\"name\":\"" + name + "\",\"is_dir\":false,\"size\":1}");
    for (const QByteArray &hex : {"2e2e"_ba, "612f62"_ba, "6100"_ba})
        entries.append("{\"name\":\"x\",\"name_hex\":\"" + hex + "\"}");
    box.says(HostileHttpServer::json(listOf(entries.join(','))));
    const FolderListed listed(*box.files, filePath("/x"));
    QCOMPARE(listed.names(), QByteArrayList{"good"});
    QVERIFY(listed.ends.first());
    QVERIFY(listed.ends.first()->refused >= 6);
}

void TestVendorHostile::oddEntriesCostNoOthers()
{
    Box box;
    box.says(HostileHttpServer::json(listOf("7,null,[],{},{\"name\":7},{\"name\":\"neg\",\"size\":-1,\"modified_at\":-5},"
                                            "{\"name\":\"huge\",\"size\":1e300,\"modified_at\":1e300},{\"name\":\"text\",\"is_dir\":\"yes\",\"size\":\"9\"},"
                                            "{\"name\":\"n\\u202ef\\u001b\\n\",\"is_dir\":true}")));
    const FolderListed listed(*box.files, filePath("/x"));
    QCOMPARE(listed.names(), (QByteArrayList{"neg", "huge", "text", u"n\u202ef\u001b\n"_s.toUtf8()}));
    QVERIFY(!listed.rows.at(0).attributes.size);
    QVERIFY(!listed.rows.at(0).attributes.times);
    QVERIFY(!listed.rows.at(2).attributes.size);
    QCOMPARE(listed.rows.at(2).attributes.type(), FileType::File);
    QCOMPARE(listed.rows.at(3).attributes.type(), FileType::Folder);
}

void TestVendorHostile::aListingWithoutEndIsCutOff()
{
    TensorlakeFiles::Limits limits;
    limits.listBytes = 1 << 20;
    Box box(limits);
    box.says({"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"entries\":[" + QByteArray(4 << 20, ' '), Scripted::Then::KeepOpen});
    const FolderListed listed(*box.files, filePath("/x"));
    QCOMPARE(errorOf(listed.ends.value(0, {})).kind, ErrorKind::TooLarge);
}

void TestVendorHostile::anAnswerThatBreaksOffIsNoWholeFile_data()
{
    QTest::addColumn<QByteArray>("answer");
    QTest::newRow("shorter than was said") << "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"_ba;
    QTest::newRow("a chunk is missing") << "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"_ba;
    QTest::newRow("within a chunk") << "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\nhalf"_ba;
    QTest::newRow("until it closes") << "HTTP/1.1 200 OK\r\n\r\nhalf"_ba;
    QTest::newRow("no answer") << QByteArray();
    QTest::newRow("not HTTP") << "SSH-2.0-what\r\n"_ba;
}

void TestVendorHostile::anAnswerThatBreaksOffIsNoWholeFile()
{
    QFETCH(const QByteArray, answer);
    Box box;
    box.server.answer = [answer](const SeenRequest &request) {
        return request.target.contains("/files/list") ? HostileHttpServer::json(listOf("{\"name\":\"x\",\"size\":64}")) : Scripted{answer, Scripted::Then::Close};
    };
    const FileRead read(*box.files, {.path = filePath("/x")});
    QCOMPARE(read.ends.size(), 1);
    QVERIFY(!read.ends.first());
    // Whoever knows the size and compares by itself is told that there are fewer.
    const FileRead compared(*box.files, {.path = filePath("/x"), .listedSize = 64});
    QCOMPARE(compared.ends.size(), 1);
    QVERIFY(!compared.ends.first() || compared.ends.first()->isShort);
}

void TestVendorHostile::whereTheFolderSaysNothingTheAnswerIsBelieved()
{
    Box box;
    box.server.answer = [](const SeenRequest &request) {
        return request.target.contains("/files/list") ? HostileHttpServer::json("{}", 403) : Scripted{HostileHttpServer::reply(200, "all")};
    };
    const FileRead read(*box.files, {.path = filePath("/x")});
    QCOMPARE(read.ends.size(), 1);
    QCOMPARE(read.ends.first(), (ReadEnd{3, false}));
}

void TestVendorHostile::anEndlessFileWaitsForItsReader()
{
    Box box;
    box.says({"HTTP/1.1 200 OK\r\n\r\n" + QByteArray(32 << 20, 'x'), Scripted::Then::KeepOpen});
    const auto reader = box.files->read({.path = filePath("/x")});
    qint64 got = 0;
    connect(reader.get(), &FileReader::received, this, [&](const QByteArray &piece) { got += piece.size(); });
    QVERIFY(waitUntil([&] { return got == 1 << 20; }, patience));
    // The rest stays where it is: at the server, which cannot get rid of it.
    QVERIFY(box.server.unsentBytes() > 16 << 20);
    QCOMPARE(got, 1 << 20);
}

void TestVendorHostile::silenceEnds_data()
{
    QTest::addColumn<int>("what");
    QTest::newRow("list") << 0;
    QTest::newRow("read") << 1;
    QTest::newRow("write, size not known") << 2;
    QTest::newRow("write, size known") << 3;
    QTest::newRow("remove") << 4;
}

void TestVendorHostile::silenceEnds()
{
    QFETCH(const int, what);
    Box box({200ms, 200ms});
    box.says({{}, Scripted::Then::Silence});
    const FilePath path = filePath("/x");
    Error error;
    if (what == 0)
        error = errorOf(FolderListed(*box.files, path).ends.value(0, {}));
    else if (what == 1)
        error = errorOf(FileRead(*box.files, {.path = path}).ends.value(0, {}));
    else if (what == 4)
        error = errorOf(waited(box.files->removeFile(path)));
    else
        error = errorOf(FileWritten(*box.files, {.path = path, .existing = FileWriteWish::Existing::Empty,
                                                 .size = what == 3 ? std::optional<quint64>(4) : std::nullopt}, {"1234"}).end());
    QCOMPARE(error.kind, ErrorKind::Timeout);
    QVERIFY(!error.subject.isEmpty());
}

void TestVendorHostile::aRedirectIsNotFollowed()
{
    Box box;
    box.says({"HTTP/1.1 302 Found\r\nLocation: " + box.server.url().toLatin1() + "/elsewhere\r\nContent-Length: 0\r\n\r\n", Scripted::Then::KeepOpen});
    QCOMPARE(errorOf(FileRead(*box.files, {.path = filePath("/x"), .listedSize = 0}).ends.value(0, {})).kind, ErrorKind::Protocol);
    QCOMPARE(box.server.seen.size(), 1);
}

void TestVendorHostile::anUploadIsSentOnce()
{
    Box box;
    box.says({{}, Scripted::Then::Close});
    for (const auto size : {std::optional<quint64>(4), std::optional<quint64>()}) {
        box.server.seen.clear();
        const FileWritten written(*box.files, {.path = filePath("/x"), .existing = FileWriteWish::Existing::Empty, .size = size}, {"1234"});
        QCOMPARE(errorOf(written.end()).kind, ErrorKind::ConnectionLost);
        QCOMPARE(box.server.seen.size(), 1);
        QCOMPARE(box.server.seen.first().body, "1234"_ba);
    }
}

void TestVendorHostile::aRefusalInTheMiddleIsToldAtOnce()
{
    Box box;
    box.says(HostileHttpServer::json("{\"error\":\"no\",\"code\":\"PERMISSION_DENIED\"}", 403));
    const FileWritten written(*box.files, {.path = filePath("/x"), .existing = FileWriteWish::Existing::Empty, .size = 4}, {"1234"});
    QCOMPARE(errorOf(written.end()).kind, ErrorKind::PermissionDenied);
    QCOMPARE(errorOf(written.end()).subject, u"/x"_s);
}

void TestVendorHostile::dotsNeverLeaveThisProgram()
{
    Box box;
    box.says(HostileHttpServer::json(listOf({})));
    const FilePath path = filePath("/a/../b");
    QCOMPARE(errorOf(FolderListed(*box.files, path).ends.value(0, {})).kind, ErrorKind::InvalidInput);
    QCOMPARE(errorOf(FileRead(*box.files, {.path = path}).ends.value(0, {})).kind, ErrorKind::InvalidInput);
    QCOMPARE(errorOf(FileWritten(*box.files, {.path = path, .existing = FileWriteWish::Existing::Empty}, {"x"}).end()).kind, ErrorKind::InvalidInput);
    QCOMPARE(errorOf(waited(box.files->removeFile(path))).kind, ErrorKind::InvalidInput);
    QVERIFY(box.server.seen.isEmpty());
}

void TestVendorHostile::thePathIsEncodedByteByByte()
{
    Box box;
    box.says(HostileHttpServer::json(listOf({})));
    QByteArray all = "/";
    for (int byte = 1; byte < 256; ++byte)
        all.append(char(byte));
    QVERIFY(FolderListed(*box.files, filePath(all)).ends.value(0, {}));
    const QByteArray target = box.server.seen.first().target;
    const QByteArray prefix = "/api/v1/files/list?path=";
    QVERIFY(target.startsWith(prefix));
    QVERIFY(!target.sliced(prefix.size()).contains('+') && !target.sliced(prefix.size()).contains('&'));
    QCOMPARE(QByteArray::fromPercentEncoding(target.sliced(prefix.size())), all);
}

QTEST_GUILESS_MAIN(TestVendorHostile)
#include "tst_vendorhostile.moc"
