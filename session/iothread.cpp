#include "session/iothread.h"

#include "session/quietthread.h"

#include <QCoreApplication>
#include <QDeadlineTimer>
#include <QEventLoop>
#include <QSocketNotifier>
#include <QThreadPool>

#include <mutex>
#include <system_error>

namespace Sandpiper {
namespace {

constexpr std::chrono::milliseconds kPatienceWithGoodbyes{500};

thread_local QObject *t_lingering = nullptr;

void serve(Mailbox<std::function<void()>> &jobs)
{
    QObject lingering;
    t_lingering = &lingering;
    QEventLoop loop;
    QSocketNotifier bell(jobs.descriptor(), QSocketNotifier::Read);
    QObject::connect(&bell, &QSocketNotifier::activated, &loop, [&] {
        for (const std::function<void()> &job : jobs.takeAll()) {
            if (job)
                job();
            else
                loop.quit();
        }
    });
    loop.exec();
    QDeadlineTimer patience(kPatienceWithGoodbyes);
    while (!lingering.children().isEmpty() && !patience.hasExpired())
        loop.processEvents(QEventLoop::AllEvents, patience);
}

} // namespace

IoThread::IoThread(std::shared_ptr<Jobs> all)
    : m_jobs(std::move(all))
    , m_thread(quietThread([jobs = m_jobs] { serve(*jobs); }))
{
}

IoThread::~IoThread()
{
    m_jobs->put({});
    m_thread.join();
}

void IoThread::letLinger(QObject *object)
{
    object->setParent(t_lingering);
}

std::shared_ptr<IoThread> IoThread::shared()
{
    static std::mutex mutex;
    static std::weak_ptr<IoThread> current;
    // No loop is given events once the application has begun to go: it could not end, and who lets go of it last in
    // the pool would be waited for in vain.
    static std::once_flag isKnown;
    std::call_once(isKnown, [] { qAddPostRoutine([] { QThreadPool::globalInstance()->waitForDone(); }); });
    const std::lock_guard guard(mutex);
    std::shared_ptr<IoThread> thread = current.lock();
    if (thread)
        return thread;
    auto jobs = std::make_shared<Jobs>();
    if (!jobs->isUsable())
        return nullptr;
    try {
        thread.reset(new IoThread(std::move(jobs)));
    } catch (const std::system_error &) {
        return nullptr;
    }
    current = thread;
    return thread;
}

} // namespace Sandpiper
