// A stand-in for the gateway, to be killed: makes a sandbox in the given folders, starts processes in
// it, says "ready <id>", and waits.
//   sandboxowner FOLDER RUNFOLDER INIT MARK
#include "gateway/sandboxstore.h"

#include <QCoreApplication>
#include <QTextStream>

using namespace Sandpiper;
using namespace Qt::StringLiterals;

int main(int argc, char **argv)
{
    QCoreApplication application(argc, argv);
    const QStringList words = application.arguments();
    if (words.size() != 5)
        return 2;
    SandboxStore::Options options;
    options.folder = words[1];
    options.runFolder = words[2];
    options.initProgram = words[3];
    SandboxStore store(options);
    std::vector<SandboxProcess> processes;
    QObject::connect(&store, &SandboxStore::sandboxChanged, &application, [&](const QString &id) {
        const auto sandbox = store.lookup(id);
        if (!sandbox || sandbox->state != LocalState::Running)
            return;
        for (const auto io : {SpawnSpec::Io::Terminal, SpawnSpec::Io::Pipes}) {
            SpawnSpec spec;
            spec.io = io;
            spec.argv = {u"bash"_s, u"-c"_s,
                         u"trap '' HUP TERM; echo kept >~/kept; (setsid bash -c 'exec -a %1 sleep 1000' &);"
                         " exec -a %1 sleep 1000"_s.arg(words[4])};
            auto process = sandbox->agent.spawn(spec);
            if (!process)
                QCoreApplication::exit(3);
            else
                processes.push_back(std::move(*process));
        }
        QTextStream(stdout) << "ready " << id << Qt::endl;
    });
    LocalCreate wish;
    wish.name = u"owned"_s;
    if (!store.create(wish))
        return 4;
    return application.exec();
}
