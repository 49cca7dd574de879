// A list of 5,000 sandboxes, refreshed by the real provider and registry from a server of its own:
// how long a refresh takes, and how long the GUI thread is held up at worst meanwhile. The second
// figure counts the thread's own work only: on a busy machine the first counts its neighbours' too.
#include "session/providers/factory.h"
#include "session/sandboxregistry.h"
#include "tests/support/hostilehttpserver.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QThread>
#include <QTimer>
#include <QUrlQuery>

#include <algorithm>
#include <cstdio>
#include <ctime>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int total = 5000;
constexpr int rounds = 15;

double threadMilliseconds()
{
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return double(now.tv_sec) * 1e3 + double(now.tv_nsec) / 1e6;
}

QByteArray page(int first, int count)
{
    QJsonArray items;
    for (int i = first; i < first + count; ++i) {
        items.append(QJsonObject{{u"id"_s, u"q7h2k9abcdefghij%1"_s.arg(i, 5, 10, QChar(u'0'))},
                                 {u"namespace"_s, u"default"_s},
                                 {u"name"_s, u"environment-%1"_s.arg(i)},
                                 {u"status"_s, i % 3 ? u"running"_s : u"suspended"_s},
                                 {u"resources"_s, QJsonObject{{u"cpus"_s, 2}, {u"memory_mb"_s, 2048}, {u"disk_mb"_s, 10240}}},
                                 {u"image"_s, u"tensorlake/ubuntu-minimal"_s},
                                 {u"created_at"_s, 1760000000000.0 + i},
                                 {u"timeout_secs"_s, 600},
                                 {u"sandbox_url"_s, u"http://127.0.0.1:%1"_s.arg(1024 + i)}});
    }
    QJsonObject root{{u"sandboxes"_s, items}};
    if (first + count < total)
        root.insert(u"next_cursor"_s, QString::number(first + count));
    return QJsonDocument(root).toJson(QJsonDocument::Compact);
}

} // namespace

int main(int argc, char *argv[])
{
    QCoreApplication app(argc, argv);
    std::printf("%-22s %12s %18s %18s\n", "5,000 sandboxes in", "refresh ms", "worst GUI gap ms", "of that work ms");
    for (const int perPage : {100, 5000}) {
        QList<QByteArray> pages;
        for (int first = 0; first < total; first += perPage)
            pages.append(HostileHttpServer::json(page(first, perPage)).bytes);
        QThread thread;
        auto *server = new HostileHttpServer;
        server->answer = [pages, perPage](const SeenRequest &request) {
            const int at = QUrlQuery(QUrl::fromEncoded(request.target)).queryItemValue(u"cursor"_s).toInt();
            return Scripted{pages.value(at / perPage)};
        };
        Account account;
        account.id = u"a"_s;
        account.vendor = vendors().first().id;
        account.name = u"bench"_s;
        account.apiUrl = QUrl(server->url());
        server->moveToThread(&thread);
        thread.start();

        SandboxRegistry registry;
        QElapsedTimer beat;
        double worst = 0;
        double lastWork = 0;
        double worstWork = 0;
        QTimer heart;
        QObject::connect(&heart, &QTimer::timeout, &app, [&] {
            worst = std::max(worst, double(beat.nsecsElapsed()) / 1e6);
            beat.start();
            const double work = threadMilliseconds();
            worstWork = std::max(worstWork, work - std::exchange(lastWork, work));
        });
        QList<double> times;
        QList<double> gaps;
        QList<double> works;
        QElapsedTimer round;
        registry.addProvider(account, makeProvider(account, std::make_shared<Secret>("k")));
        QObject::connect(&registry, &SandboxRegistry::sandboxesChanged, &app, [&] {
            times.append(double(round.nsecsElapsed()) / 1e6);
            gaps.append(worst);
            works.append(worstWork);
            if (times.size() > rounds)
                return app.quit();
            // One value differs each time, so that each refresh is told.
            Sandbox changed = registry.view(u"a"_s)->sandboxes.first();
            changed.note = u"changed"_s;
            QTimer::singleShot(50, &app, [&, changed] {
                registry.blockSignals(true);
                registry.put(changed);
                registry.blockSignals(false);
                worst = worstWork = 0;
                lastWork = threadMilliseconds();
                beat.start();
                round.start();
                registry.refresh(u"a"_s);
            });
        });
        round.start();
        beat.start();
        heart.start(0);
        app.exec();
        times.removeFirst();
        gaps.removeFirst();
        works.removeFirst();
        std::sort(times.begin(), times.end());
        std::printf("%4d pages of %-9d %12.1f %18.2f %18.2f\n", total / perPage, perPage, times.at(times.size() / 2),
                    *std::max_element(gaps.cbegin(), gaps.cend()), *std::max_element(works.cbegin(), works.cend()));
        registry.removeProvider(u"a"_s);
        server->deleteLater();
        thread.quit();
        thread.wait();
    }
    return 0;
}
