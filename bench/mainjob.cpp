// The main job in figures, on the real program and the real gateway: how soon the window is usable,
// how soon a key is seen, what idle tabs cost. Run by bench/run.sh, which gives it a screen and a home.

#include "app/logsetup.h"
#include "bench/keypaint.h"
#include "session/paths.h"
#include "tests/tour/stage.h"

#include <QApplication>
#include <QFile>
#include <QTimer>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>

#include <unistd.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr int presses = 200;
constexpr int idleTabs = 10;
constexpr auto idleTime = 10s;
constexpr auto patience = 120s;

void row(const char *name, const QString &value, const char *wanted)
{
    std::printf("%-52s %14s   %s\n", name, qUtf8Printable(value), wanted);
    std::fflush(stdout);
}

// Since this process was made, by the kernel's clock: linking and loading are part of a cold start.
double millisecondsSinceExec()
{
    QFile stat(u"/proc/self/stat"_s);
    if (!stat.open(QIODevice::ReadOnly))
        return 0;
    const QByteArray text = stat.readAll();
    const QList<QByteArray> fields = text.mid(text.lastIndexOf(')') + 2).split(' ');
    timespec now = {};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    const double started = fields.value(19).toDouble() / double(::sysconf(_SC_CLK_TCK));
    return (double(now.tv_sec) + double(now.tv_nsec) / 1e9 - started) * 1000;
}

double residentMegabytes()
{
    QFile statm(u"/proc/self/statm"_s);
    return statm.open(QIODevice::ReadOnly) ? statm.readAll().split(' ').value(1).toDouble() * double(::sysconf(_SC_PAGESIZE)) / 1e6 : 0;
}

double cpuSeconds()
{
    timespec used = {};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return double(used.tv_sec) + double(used.tv_nsec) / 1e9;
}

class MainJob : public QObject
{
public:
    explicit MainJob(Application *application)
        : m_stage(application)
    {
    }

    void start()
    {
        waitFor([this] { return m_stage.sees(u"welcomeCreate"_s); }, [this] {
            row("cold start to a usable window", u"%1 ms"_s.arg(millisecondsSinceExec(), 0, 'f', 0), "<= 400 ms");
            row("memory then", u"%1 MB"_s.arg(residentMegabytes(), 0, 'f', 0), "");
            m_stage.click(u"welcomeCreate"_s);
            waitFor([this] { return ready(); }, [this] { keys("key to remote echo painted, PTY", [this] { openSsh(); }); });
        });
    }

private:
    bool ready() const { return m_stage.isOpen() && m_stage.screen().contains(u'$'); }

    void waitFor(const std::function<bool()> &isThere, const std::function<void()> &then)
    {
        auto *timer = new QTimer(this);
        const auto until = std::chrono::steady_clock::now() + patience;
        connect(timer, &QTimer::timeout, this, [=, this] {
            const bool late = std::chrono::steady_clock::now() > until;
            if (!isThere() && !late)
                return;
            timer->deleteLater();
            timer->stop();
            if (!late)
                return then();
            std::printf("bench: %s\n", qUtf8Printable(m_stage.allThere()));
            QApplication::exit(1);
        });
        timer->start(10ms);
    }

    void keys(const char *name, const std::function<void()> &then)
    {
        // Let the shell's own start settle: its first second is not what is asked for.
        QTimer::singleShot(1500ms, this, [=, this] {
            auto *paint = new KeyPaint(*m_stage.pane()->view(), this);
            paint->run(presses, [=](const std::vector<double> &samples) {
                row(name, u"%1 ms"_s.arg(percentile(samples, 0.5), 0, 'f', 2), "<= 5 ms median");
                row("  its 90th percentile", u"%1 ms"_s.arg(percentile(samples, 0.9), 0, 'f', 2), "");
                QTimer::singleShot(0, QApplication::instance(), then);
            });
        });
    }

    void openSsh()
    {
        m_stage.workspace()->openTerminal(*m_stage.sandbox(), ShellRoute::Ssh);
        waitFor([this] { return m_stage.workspace()->tabCount() == 2 && ready(); },
                [this] { keys("key to remote echo painted, SSH", [this] { openIdle(); }); });
    }

    void openIdle()
    {
        if (m_stage.workspace()->tabCount() < idleTabs) {
            const int next = m_stage.workspace()->tabCount() + 1;
            m_stage.workspace()->openTerminal(*m_stage.sandbox(), ShellRoute::Pty);
            waitFor([this, next] { return m_stage.workspace()->tabCount() == next && ready(); }, [this] { openIdle(); });
            return;
        }
        QTimer::singleShot(3s, this, [this] {
            const double before = cpuSeconds();
            QTimer::singleShot(idleTime, this, [this, before] {
                const double share = (cpuSeconds() - before) / double(idleTime.count()) * 100;
                row("10 idle tabs: memory", u"%1 MB"_s.arg(residentMegabytes(), 0, 'f', 0), "");
                row("10 idle tabs: processor", u"%1 %"_s.arg(share, 0, 'f', 2), "");
                QApplication::exit(0);
            });
        });
    }

    Stage m_stage;
};

} // namespace

int main(int argc, char **argv)
{
    QApplication::setApplicationName(u"sandpiper"_s);
    QApplication qt(argc, argv);
    QApplication::setQuitOnLastWindowClosed(false);
    std::signal(SIGPIPE, SIG_IGN);
    LogSetup log(stateFolder() + u"/sandpiper.log"_s);
    Application application(&log);
    application.start();
    application.window()->setGeometry(0, 0, 1280, 800);
    application.window()->activateWindow();
    MainJob job(&application);
    job.start();
    return QApplication::exec();
}
