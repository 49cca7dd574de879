#include "app/cli/commands.h"
#include "app/cli/doctorwalk.h"
#include "app/cli/output.h"

#include <QJsonDocument>
#include <QJsonObject>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

DoctorCommand::DoctorCommand(Directory *directory)
    : Command(directory)
{
}

DoctorCommand::~DoctorCommand() = default;

void DoctorCommand::start(const QStringList &arguments)
{
    QCommandLineParser parser;
    parser.addOption({u"json"_s, u"One JSON document."_s});
    parser.addPositionalArgument(u"TARGET"_s, u"A sandbox's name or id, ACCOUNT/name, or ssh://user@host:port."_s);
    if (!parse(parser, u"doctor"_s, arguments))
        return;
    m_json = parser.isSet(u"json"_s);
    if (parser.positionalArguments().size() != 1)
        return usage(u"doctor takes one TARGET"_s);
    const CliResult<TargetText> text = parseTarget(parser.positionalArguments().constFirst());
    if (!text)
        return fail(text.error());
    m_walk = std::make_unique<DoctorWalk>(directory());
    connect(m_walk.get(), &DoctorWalk::seen, this, &DoctorCommand::print);
    connect(m_walk.get(), &DoctorWalk::finished, this, &DoctorCommand::conclude);
    directory()->load(Directory::Gateway::WhereUsed).then(this, [this, text = *text] { m_walk->start(text); });
}

void DoctorCommand::print(const DoctorLine &line)
{
    m_failed = m_failed || line.result == DoctorLine::Result::Bad;
    m_layers.append(line.toJson());
    if (m_json)
        return;
    for (const QString &text : line.toText())
        printLine(text);
}

void DoctorCommand::conclude()
{
    if (m_json)
        printJson(QJsonDocument(QJsonObject{{u"target"_s, m_walk->targetName()}, {u"ok"_s, !m_failed}, {u"layers"_s, m_layers}}));
    finishLater(m_failed ? ExitFailed : ExitOk);
}

} // namespace Sandpiper
