#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "app/cli/transferparts.h"

#include <QJsonArray>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

ForwardsCommand::ForwardsCommand(Directory *directory)
    : Command(directory)
{
}

void ForwardsCommand::start(const QStringList &arguments)
{
    QCommandLineParser parser;
    parser.addOptions({{u"all"_s, u"stop: all of them."_s}, {u"json"_s, u"ls: one JSON document."_s}});
    parser.addPositionalArgument(u"ls|stop"_s, u"ls lists those that run (and is what no word means); stop ends those of one NAME."_s, u"[ls|stop]"_s);
    parser.addPositionalArgument(u"NAME"_s, u"stop: the name or the process, as ls shows them."_s, u"[NAME]"_s);
    if (!parse(parser, u"forwards"_s, arguments))
        return;
    const QStringList words = parser.positionalArguments();
    const QString what = words.value(0, u"ls"_s);
    m_json = parser.isSet(u"json"_s);
    m_all = parser.isSet(u"all"_s);
    const bool stops = what == "stop"_L1;
    if (!stops && what != "ls"_L1)
        return usage(u"forwards takes ls or stop, not \"%1\""_s.arg(what));
    if (stops ? words.size() != (m_all ? 1 : 2) : words.size() > 1 || m_all)
        return usage(stops ? u"forwards stop takes one NAME, or --all"_s : u"forwards ls takes no arguments"_s);
    findRunningForwards(runningForwardsFolder()).then(this, [this, stops, name = words.value(1)](const QList<RunningForwards> &all) {
        stops ? stop(all, name) : list(all);
    });
}

void ForwardsCommand::list(const QList<RunningForwards> &all)
{
    if (m_json) {
        QJsonArray array;
        for (const RunningForwards &forwards : all)
            array.append(toJson(forwards));
        printJson(QJsonDocument(array));
    } else if (all.isEmpty()) {
        say(u"no forwards run; 'sandpiper-cli forward TARGET -L SPEC' makes one"_s);
    } else {
        QList<QStringList> rows;
        for (const RunningForwards &forwards : all) {
            for (const RunningForward &one : forwards.forwards)
                rows << QStringList{forwards.name, QString::number(forwards.process), one.forward, one.at.isEmpty() ? u"–"_s : one.at, QString::number(one.connections),
                                    fileSizeText(quint64(one.sent)), fileSizeText(quint64(one.received)), one.error.isEmpty() ? one.state : one.state + u": "_s + one.error};
        }
        printTable({u"NAME"_s, u"PROCESS"_s, u"FORWARD"_s, u"LISTENS AT"_s, u"CONNECTIONS"_s, u"SENT"_s, u"RECEIVED"_s, u"STATE"_s}, rows);
    }
    finishLater(ExitOk);
}

void ForwardsCommand::stop(const QList<RunningForwards> &all, const QString &name)
{
    QList<RunningForwards> meant;
    std::ranges::copy_if(all, std::back_inserter(meant), [&](const RunningForwards &one) { return m_all || one.name == name || QString::number(one.process) == name; });
    if (meant.size() > 1 && !m_all) {
        QStringList processes;
        for (const RunningForwards &one : std::as_const(meant))
            processes << QString::number(one.process);
        return usage(u"several forwards are called %1; say which process: %2"_s.arg(name, processes.join(u", "_s)));
    }
    if (meant.isEmpty()) {
        if (m_all)
            return finishLater(ExitOk);
        QStringList names;
        for (const RunningForwards &one : all)
            names << one.name;
        say(names.isEmpty() ? u"no forwards run"_s : u"no forwards are called %1; there are: %2"_s.arg(name, names.join(u", "_s)));
        return finishLater(ExitFailed);
    }
    const auto left = std::make_shared<qsizetype>(meant.size());
    for (const RunningForwards &one : std::as_const(meant)) {
        stopRunningForwards(one).then(this, [this, left](const Done &) { // one that has ended meanwhile is what was wanted
            if (--*left == 0)
                finishLater(ExitOk);
        });
    }
}

} // namespace Sandpiper
