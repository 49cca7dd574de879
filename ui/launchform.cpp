#include "ui/launchform.h"

#include "session/shellquote.h"

#include <QCoreApplication>
#include <QRegularExpression>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

namespace {

class Form
{
    Q_DECLARE_TR_FUNCTIONS(Sandpiper::LaunchForm)
};

// What no honest command needs more of, and every vendor's request takes.
constexpr qsizetype maxField = 32 * 1024;

bool hasControls(const QString &text)
{
    return std::ranges::any_of(text, [](QChar c) { return c.category() == QChar::Other_Control; });
}

std::unexpected<LaunchProblem> problem(LaunchField field, const QString &sentence)
{
    return std::unexpected(LaunchProblem{field, sentence});
}

std::expected<QMap<QString, QString>, LaunchProblem> environmentFrom(const QString &text)
{
    static const QRegularExpression name(u"^[A-Za-z_][A-Za-z0-9_]*$"_s);
    QMap<QString, QString> result;
    for (const QString &line : text.split(u'\n')) {
        if (line.trimmed().isEmpty())
            continue;
        const qsizetype equals = line.indexOf(u'=');
        const QString key = line.left(equals).trimmed();
        if (equals <= 0 || !name.match(key).hasMatch())
            return problem(LaunchField::Environment,
                           Form::tr("“%1” is not of the form NAME=value.").arg(tamed(line, 40)));
        result.insert(key, line.mid(equals + 1));
    }
    return result;
}

} // namespace

Launch defaultLaunch(ShellRoute route)
{
    Launch launch;
    launch.route = route;
    launch.spec.command = u"/bin/bash"_s;
    launch.spec.arguments = {u"-l"_s};
    return launch;
}

LaunchForm formFor(const Launch &launch)
{
    LaunchForm form;
    form.route = launch.route;
    form.command = launch.spec.command;
    form.arguments = joinWords(launch.spec.arguments);
    QStringList lines;
    for (auto it = launch.spec.environment.cbegin(); it != launch.spec.environment.cend(); ++it)
        lines << it.key() + u'=' + it.value();
    form.environment = lines.join(u'\n');
    form.directory = launch.spec.workingDirectory;
    form.term = launch.spec.term;
    return form;
}

std::expected<Launch, LaunchProblem> launchFrom(const LaunchForm &form)
{
    const std::pair<LaunchField, QString> fields[] = {{LaunchField::Command, form.command},
                                                      {LaunchField::Arguments, form.arguments},
                                                      {LaunchField::Directory, form.directory},
                                                      {LaunchField::Term, form.term}};
    for (const auto &[field, text] : fields) {
        if (hasControls(text))
            return problem(field, Form::tr("There are control characters in it."));
        if (text.size() > maxField)
            return problem(field, Form::tr("This is too long."));
    }
    if (form.environment.size() > maxField)
        return problem(LaunchField::Environment, Form::tr("This is too long."));

    Launch launch;
    launch.route = form.route;
    launch.spec.command = form.command.trimmed();
    const std::optional<QStringList> words = splitWords(form.arguments);
    if (!words)
        return problem(LaunchField::Arguments, Form::tr("A quote is left open."));
    if (launch.spec.command.isEmpty() && !words->isEmpty())
        return problem(LaunchField::Command, Form::tr("Arguments need a command."));
    launch.spec.arguments = *words;
    auto environment = environmentFrom(form.environment);
    if (!environment)
        return std::unexpected(environment.error());
    launch.spec.environment = *environment;
    launch.spec.workingDirectory = form.directory.trimmed();
    if (!launch.spec.workingDirectory.isEmpty() && !launch.spec.workingDirectory.startsWith(u'/'))
        return problem(LaunchField::Directory, Form::tr("The folder must begin with “/”."));
    launch.spec.term = form.term.trimmed();
    if (launch.spec.term.isEmpty())
        return problem(LaunchField::Term, Form::tr("Programs need to know what terminal this is."));
    return launch;
}

} // namespace Sandpiper
