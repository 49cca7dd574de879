#include "session/lentsocket.h"

#include <QTest>

#include <fcntl.h>
#include <sys/socket.h>

using namespace Sandpiper;

namespace {

bool isOpen(int fd)
{
    return ::fcntl(fd, F_GETFD) != -1;
}

struct Pair
{
    Pair()
    {
        int fds[2] = {-1, -1};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0) {
            near = FileDescriptor(fds[0]);
            far = FileDescriptor(fds[1]);
        }
    }
    FileDescriptor near;
    FileDescriptor far;
};

} // namespace

class TestLentSocket : public QObject
{
    Q_OBJECT
private slots:
    void whatTheLibraryLeavesOpenIsClosed()
    {
        Pair pair;
        LentSocket lent(std::move(pair.near));
        QVERIFY(lent.isValid());
        const int ours = lent.get();
        const int theirs = lent.lent();
        QVERIFY(ours != theirs);
        lent.reset();
        QVERIFY(!isOpen(ours));
        QVERIFY(!isOpen(theirs));
        QVERIFY(!lent.isValid());
    }

    void whatTheLibraryHasClosedIsNotClosedAgain()
    {
        Pair pair;
        LentSocket lent(std::move(pair.near));
        const int number = lent.lent();
        QCOMPARE(::close(number), 0); // as the library does
        const FileDescriptor stranger(::fcntl(pair.far.get(), F_DUPFD_CLOEXEC, number));
        QCOMPARE(stranger.get(), number);
        lent.reset();
        QVERIFY(isOpen(stranger.get()));
    }

    void itLivesOnWhereItIsMovedTo()
    {
        Pair pair;
        LentSocket first(std::move(pair.near));
        const int ours = first.get();
        LentSocket second(std::move(first));
        first.reset();
        QVERIFY(second.isValid() && isOpen(ours));
        LentSocket third;
        third = std::move(second);
        QVERIFY(third.isValid() && isOpen(ours));
        third = LentSocket();
        QVERIFY(!isOpen(ours));
    }

    void nothingToLendIsNotValid() { QVERIFY(!LentSocket(FileDescriptor()).isValid()); }
};

QTEST_GUILESS_MAIN(TestLentSocket)
#include "tst_lentsocket.moc"
