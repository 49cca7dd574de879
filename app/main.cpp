#include "app/application.h"
#include "app/logsetup.h"
#include "app/singleinstance.h"
#include "session/errortext.h"
#include "session/paths.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QMessageBox>

#include <csignal>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

// A start by double click has no terminal to complain to.
int refuse(const QString &sentence)
{
    qCritical("%s", qPrintable(sentence));
    QMessageBox box(QMessageBox::Critical, u"Sandpiper"_s, sentence, QMessageBox::Close);
    box.exec();
    return 1;
}

} // namespace

int main(int argc, char **argv)
{
    QApplication::setApplicationName(u"sandpiper"_s);
    QApplication::setApplicationDisplayName(u"Sandpiper"_s);
    QApplication::setApplicationVersion(QStringLiteral(SANDPIPER_VERSION));
    QApplication::setDesktopFileName(u"org.sandpiper.Sandpiper"_s);
    QApplication qt(argc, argv);
    QApplication::setQuitOnLastWindowClosed(false); // the window says itself when it may go
    std::signal(SIGPIPE, SIG_IGN);

    QCommandLineParser parser;
    parser.setApplicationDescription(QApplication::translate("main", "Terminal and file manager for cloud sandboxes."));
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addPositionalArgument(u"target"_s, QApplication::translate("main", "A sandbox to show: its name or id."), u"[target]"_s);
    parser.process(qt);

    if (const QString problem = Application::startProblem(); !problem.isEmpty())
        return refuse(problem);
    LogSetup log(stateFolder() + u"/sandpiper.log"_s);

    const StartRequest request{parser.positionalArguments(), qEnvironmentVariable("XDG_ACTIVATION_TOKEN")};
    auto instance = SingleInstance::claim(runtimeFolder(), request);
    if (!instance)
        return refuse(errorText(instance.error()).sentence);
    if ((*instance)->role() == SingleInstance::Role::Later)
        return 0;

    Application application(&log);
    QObject::connect(instance->get(), &SingleInstance::requested, &application,
                     [&application](const StartRequest &later) { application.serve(later.arguments, later.activationToken); });
    application.start();
    if (!request.arguments.isEmpty())
        application.serve(request.arguments, {});
    return QApplication::exec();
}
