// The terminal alone: the filter's and the whole view's speed, and the time from a key to its echo
// painted with nothing between. Prints a table. QT_QPA_PLATFORM=offscreen works too.
#include "bench/keypaint.h"
#include "terminal/streamfilter.h"
#include "terminal/terminalview.h"

#include <QApplication>
#include <QElapsedTimer>

#include <cstdio>

using namespace Sandpiper;

namespace {

class Nowhere final : public StreamFilter::Sink
{
public:
    void text(QByteArrayView bytes) override { total += bytes.size(); }
    void reply(const QByteArray &) override {}
    void title(const QString &) override {}
    void workingDirectory(const QString &) override {}
    void bell() override {}
    qint64 total = 0;
};

struct Sample
{
    const char *name;
    QByteArray bytes; // about 64 KiB
};

QList<Sample> samples()
{
    QByteArray colors;
    QByteArray cursor;
    for (int i = 0; colors.size() < 64 << 10; ++i)
        colors += "\x1b[38;5;" + QByteArray::number(i % 256) + "mword\x1b[0m ";
    for (int i = 0; cursor.size() < 64 << 10; ++i)
        cursor += "\x1b[" + QByteArray::number(1 + i % 24) + ";" + QByteArray::number(1 + i % 70) + "H\x1b[Ksome text";
    return {{"plain lines", (QByteArray(79, 'x') + "\r\n").repeated(800)}, {"dense colours", colors}, {"cursor moves", cursor}};
}

double filterSpeed(const QByteArray &bytes)
{
    StreamFilter filter;
    Nowhere sink;
    QElapsedTimer clock;
    clock.start();
    qint64 done = 0;
    while (clock.elapsed() < 500) {
        for (qsizetype at = 0; at < bytes.size(); at += 16 << 10)
            filter.process(QByteArrayView(bytes).sliced(at, qMin<qsizetype>(16 << 10, bytes.size() - at)),
                           StreamFilter::Clock::now(), sink);
        done += bytes.size();
    }
    return double(done) / 1e6 / (double(clock.nsecsElapsed()) / 1e9);
}

double viewSpeed(TerminalView &view, const QByteArray &bytes)
{
    QElapsedTimer clock;
    clock.start();
    qint64 done = 0;
    while (clock.elapsed() < 2000) {
        while (view.pending() < 64 << 10) {
            view.feed(bytes);
            done += bytes.size();
        }
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
    }
    return double(done) / 1e6 / (double(clock.nsecsElapsed()) / 1e9);
}

} // namespace

int main(int argc, char **argv)
{
    QApplication app(argc, argv);
    TerminalView view{TerminalOptions()};
    view.resize(900, 560);
    QObject::connect(&view, &TerminalView::gridResized, &view, [&] {
        std::printf("%-28s %12s %12s\n", "MB/s", "filter", "view");
        for (const Sample &s : samples())
            std::printf("%-28s %12.0f %12.1f\n", s.name, filterSpeed(s.bytes), viewSpeed(view, s.bytes));
        view.reset();
        QObject::connect(&view, &TerminalView::input, &view, &TerminalView::feed);
        auto *keys = new KeyPaint(view, &view);
        keys->run(200, [](const std::vector<double> &ms) {
            std::printf("%-28s %9.2f ms (90 %%: %.2f ms, of %zu)\n", "key to local echo painted", percentile(ms, 0.5),
                        percentile(ms, 0.9), ms.size());
            QCoreApplication::quit();
        });
    }, Qt::SingleShotConnection);
    view.show();
    view.setFocus();
    return QApplication::exec();
}
