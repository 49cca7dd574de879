// One command of sandpiper-cli. It starts, works in the event loop, and finishes with a status.
#pragma once

#include "app/cli/directory.h"

#include <QCommandLineParser>
#include <QObject>

#include <memory>
#include <vector>

namespace Sandpiper {

enum ExitStatus : int {
    ExitOk = 0,
    ExitFailed = 1,
    ExitUsage = 2,
    ExitInterrupted = 130,
    ExitOurs = 255, // exec, shell: ours, not the remote program's
};

// 128 and the signal's number, as shells have it; ExitOurs for one that is unknown here.
[[nodiscard]] int statusOfSignal(const QString &name);

// An exit code that is told to us, as the status of a process: ExitOurs where no process can have it, so that
// 256 is no success.
[[nodiscard]] int statusOfExit(int code);

class Command : public QObject
{
    Q_OBJECT
public:
    explicit Command(Directory *directory);

    // arguments: without the program's and the command's name. finished() follows, at the earliest
    // from the event loop.
    virtual void start(const QStringList &arguments) = 0;
    // Ctrl-C: ends soon, with finished(ExitInterrupted).
    virtual void interrupt();

signals:
    void finished(int status);

protected:
    Directory *directory() const { return m_directory; }
    // Parses; false: the mistake or the help has been said and finished() is on its way.
    [[nodiscard]] bool parse(QCommandLineParser &parser, const QString &name, const QStringList &arguments);
    // One line, and status 2.
    void usage(const QString &line);
    void fail(const Error &error, int status = ExitFailed);
    void fail(const CliError &error, int status = ExitFailed);
    void finishLater(int status);

private:
    Directory *m_directory;
    bool m_finishing = false;
};

struct CommandRow
{
    const char *name;
    const char *usage;
    const char *summary;
    std::unique_ptr<Command> (*make)(Directory *);
};
// In the order of the help.
[[nodiscard]] const std::vector<CommandRow> &commandTable();

} // namespace Sandpiper
