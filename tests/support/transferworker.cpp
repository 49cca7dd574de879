// Sandpiper's queue of transfers in a process of its own, for tests that kill it: does what its journal says, or
// a new wish where that is empty.
//   transfer_worker fetch|send|relay|here SOURCE TARGET JOURNAL PORT USER KEY HOSTKEY
// relay: from the server to this computer as between any two file systems; here: within this computer.
#include "tests/support/transferrunner.h"

#include <QCoreApplication>

#include <cstdio>

using namespace Sandpiper;

int main(int argc, char **argv)
{
    const QCoreApplication app(argc, argv);
    if (argc != 9)
        return 2;
    LinkOptions options;
    options.endpoint.host = QStringLiteral("127.0.0.1");
    options.endpoint.port = quint16(atoi(argv[5]));
    options.endpoint.user = QString::fromLocal8Bit(argv[6]);
    options.endpoint.identityFiles = {QString::fromLocal8Bit(argv[7])};
    options.endpoint.hostKey = argv[8];
    options.knownHostsFiles = {QStringLiteral("/nonexistent/known_hosts")};
    options.useAgent = false;
    options.useDefaultKeys = false;
    TransferRunner runner(options, QString::fromLocal8Bit(argv[4]));
    int status = 1;
    QObject::connect(runner.queue.get(), &TransferQueue::loaded, &app, [&] {
        if (!runner.queue->transfers().isEmpty())
            return;
        const QByteArray way = argv[1];
        if (way == "relay" || way == "here")
            (void)runner.queue->add(TransferRunner::relay(way == "here" ? QString() : QStringLiteral("server"), {argv[2]}, {}, argv[3]));
        else
            (void)runner.queue->add(TransferRunner::wish(way == "fetch" ? TransferWay::Fetch : TransferWay::Send, {argv[2]}, argv[3]));
    });
    QObject::connect(runner.queue.get(), &TransferQueue::finished, &app, [&](qint64 id) {
        const TransferProgress progress = runner.queue->progress(id);
        status = progress.state == TransferState::Finished && progress.failures.isEmpty() ? 0 : 1;
        for (const TransferFailure &failure : progress.failures)
            std::fprintf(stderr, "%s: %s\n", qPrintable(failure.path.shown()), qPrintable(describe(failure.error)));
        QCoreApplication::quit();
    });
    // One that was finished before it was killed says nothing any more.
    QObject::connect(runner.queue.get(), &TransferQueue::loaded, &app, [&] {
        const QList<qint64> ids = runner.queue->transfers();
        if (!ids.isEmpty() && isOver(runner.queue->progress(ids.constFirst()).state)) {
            status = 0;
            QCoreApplication::quit();
        }
    });
    (void)QCoreApplication::exec();
    return status;
}
