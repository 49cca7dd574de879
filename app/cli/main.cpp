#include "app/cli/command.h"
#include "app/cli/output.h"
#include "app/cli/rawarguments.h"
#include "app/cli/terminal.h"

#include <QCoreApplication>
#include <QLoggingCategory>

#include <algorithm>
#include <csignal>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

QString helpText()
{
    QList<QStringList> rows;
    for (const CommandRow &row : commandTable())
        rows << QStringList{QString::fromLatin1(row.name), QString::fromUtf8(row.usage), QString::fromLatin1(row.summary)};
    return u"sandpiper-cli %1: sandboxes from the command line\n\n"_s.arg(QStringLiteral(SANDPIPER_VERSION))
            + tableText({u"COMMAND"_s, u"ARGUMENTS"_s, u"WHAT IT DOES"_s}, rows)
            + u"\nTARGET is a sandbox's name or id, ACCOUNT/name, or ssh://user@host:port.\n"_s
              u"sandpiper-cli COMMAND --help says more.\n"_s;
}

} // namespace

int main(int argc, char **argv)
{
    keepRawArguments(argc, argv);
    QCoreApplication app(argc, argv);
    QCoreApplication::setApplicationName(u"sandpiper-cli"_s);
    QCoreApplication::setApplicationVersion(QStringLiteral(SANDPIPER_VERSION));
    // Data and messages only; QT_LOGGING_RULES brings the story of a connection back.
    // Why a link ended is said by the command, once.
    QLoggingCategory::setFilterRules(u"sandpiper.*.info=false\nsandpiper.session.sshthread.warning=false"_s);
    QStringList arguments = QCoreApplication::arguments().sliced(1);
    const QString name = arguments.isEmpty() ? u"--help"_s : arguments.takeFirst();
    int status = ExitOk;
    if (name == "--help"_L1 || name == "-h"_L1 || name == "help"_L1) {
        standardOutput().write(helpText().toUtf8());
    } else if (name == "--version"_L1) {
        printLine(u"sandpiper-cli "_s + QStringLiteral(SANDPIPER_VERSION));
    } else {
        const auto &table = commandTable();
        const auto row = std::find_if(table.cbegin(), table.cend(), [&](const CommandRow &r) { return QLatin1StringView(r.name) == name; });
        if (row == table.cend()) {
            say(u"there is no command '%1'; see sandpiper-cli --help"_s.arg(tamed(name, 40)));
            status = ExitUsage;
        } else {
            Directory directory;
            const std::unique_ptr<Command> command = row->make(&directory);
            QObject::connect(&signalWatch(), &SignalWatch::raised, command.get(), [command = command.get()](int number) {
                if (number != SIGWINCH)
                    command->interrupt();
            });
            QObject::connect(command.get(), &Command::finished, &app, [](int code) { QCoreApplication::exit(code); });
            command->start(arguments);
            status = QCoreApplication::exec();
        }
    }
    // What is queued reaches its reader before the program ends.
    delete &standardOutput();
    delete &standardError();
    return status;
}
