#include "ui/toolstart.h"

#include <QCoreApplication>
#include <QDesktopServices>
#include <QDir>
#include <QProcess>
#include <QStandardPaths>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

class Words
{
    Q_DECLARE_TR_FUNCTIONS(Sandpiper::Editor)
};

} // namespace

bool startApart(const ToolLaunch &launch)
{
    return launch.program.isEmpty() ? QDesktopServices::openUrl(launch.url)
                                    : QProcess::startDetached(launch.program, launch.arguments, QDir::homePath());
}

Result<ToolLaunch> editorLaunch(const QString &command, const QString &file, const std::function<QString(const QString &)> &find)
{
    ToolLaunch launch;
    if (command.trimmed().isEmpty()) {
        launch.url = QUrl::fromLocalFile(file);
        return launch;
    }
    QStringList words = QProcess::splitCommand(command);
    if (words.isEmpty() || words.constFirst().isEmpty() || words.constFirst().contains("%f"_L1))
        return failure(ErrorKind::InvalidInput, Layer::LocalDisk, Words::tr("“%1” is no command that an editor can be started with. See Preferences, Files.").arg(tamed(command, 100)));
    const QString name = words.takeFirst();
    launch.program = find(name);
    if (launch.program.isEmpty())
        return failure(ErrorKind::NotFound, Layer::LocalDisk, Words::tr("The editor “%1” is not installed. See Preferences, Files.").arg(tamed(name, 100)));
    bool isNamed = false;
    for (QString &word : words) {
        isNamed = isNamed || word.contains("%f"_L1);
        word.replace("%f"_L1, file);
    }
    if (!isNamed)
        words.append(file);
    launch.arguments = words;
    return launch;
}

Result<ToolLaunch> editorLaunch(const QString &command, const QString &file)
{
    return editorLaunch(command, file, [](const QString &program) { return QStandardPaths::findExecutable(program); });
}

} // namespace Sandpiper
