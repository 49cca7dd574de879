// The end of a child is for the threads that wait for one.
#include "session/quietthread.h"

#include <QTest>

using namespace Sandpiper;

namespace {

bool isBlocked(int signal)
{
    sigset_t mask;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    return ::sigismember(&mask, signal) == 1;
}

} // namespace

class TestQuietThread : public QObject
{
    Q_OBJECT
private slots:
    void theEndOfAChildDoesNotReachIt()
    {
        bool isQuiet = false;
        bool isStoppable = false;
        quietThread([&] {
            isQuiet = isBlocked(SIGCHLD);
            isStoppable = !isBlocked(SIGTERM);
        }).join();
        QVERIFY(isQuiet && isStoppable);
    }

    void itsMakerStillHearsOfIt()
    {
        QVERIFY(!isBlocked(SIGCHLD));
        quietThread([] {}).join();
        QVERIFY(!isBlocked(SIGCHLD));
    }
};

QTEST_GUILESS_MAIN(TestQuietThread)
#include "tst_quietthread.moc"
