#include "app/cli/doctorline.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

struct FeatureRow
{
    ServerFeature feature;
    std::optional<Capability> capability; // what promises it
    QString layer;
    QString expected;
    QString todo; // where it is promised and not there
};

const QList<FeatureRow> &featureRows()
{
    static const QList<FeatureRow> rows{
        {ServerFeature::Exec, Capability::Exec, u"channel"_s, u"the server runs a command"_s,
         u"See what this account may do there: a forced command or a restricted shell stands in the way."_s},
        {ServerFeature::Terminal, Capability::SshShell, u"terminal"_s, u"the server gives a terminal"_s,
         u"Allow it there (PermitTTY yes in sshd_config, no 'no-pty' beside the key), or use commands only."_s},
        {ServerFeature::Sftp, Capability::Sftp, u"SFTP"_s, u"the server answers as SFTP"_s,
         u"Install OpenSSH's sftp-server there, name it as Subsystem sftp in sshd_config, and keep start files of shells silent."_s},
        {ServerFeature::LocalForward, Capability::LocalForward, u"local forward"_s, u"the server connects to its own ports for us"_s,
         u"Allow it there (AllowTcpForwarding yes and PermitOpen any in sshd_config)."_s},
        {ServerFeature::RemoteForward, Capability::RemoteForward, u"remote forward"_s, u"the server listens at a port for us"_s,
         u"Allow it there (AllowTcpForwarding yes and PermitListen any in sshd_config)."_s},
        {ServerFeature::UnixForward, std::nullopt, u"socket forward"_s, u"the server connects to its UNIX sockets for us"_s, {}},
        {ServerFeature::AgentForward, Capability::AgentForward, u"agent"_s, u"the server forwards the key agent"_s,
         u"Allow it there (AllowAgentForwarding yes in sshd_config), or keep keys of its own there."_s},
    };
    return rows;
}

QString withWords(const QString &sentence, const QString &words)
{
    return words.isEmpty() ? sentence : u"%1 (%2)"_s.arg(sentence, words);
}

QString seenOf(const FeatureRow &row, const ServerFeatures &seen)
{
    const FeatureAnswer &answer = seen.of(row.feature);
    switch (answer.kind) {
    case FeatureAnswer::Kind::Unknown: return withWords(u"not known"_s, answer.words);
    case FeatureAnswer::Kind::No: return withWords(u"the server does not"_s, answer.words);
    case FeatureAnswer::Kind::Yes: break;
    }
    if (row.feature == ServerFeature::Exec)
        return withWords(u"a command ran"_s, answer.words);
    if (row.feature != ServerFeature::Sftp)
        return withWords(u"works"_s, answer.words);
    return seen.sftpExtensions.isEmpty() ? u"version %1, no extensions"_s.arg(seen.sftpVersion)
                                         : u"version %1 with %2"_s.arg(seen.sftpVersion).arg(seen.sftpExtensions.join(u", "_s));
}

DoctorLine compared(const FeatureRow &row, const Capabilities &promised, const ServerFeatures &seen)
{
    using Result = DoctorLine::Result;
    DoctorLine line{row.layer, Result::Ok, row.expected, seenOf(row, seen), {}, {}};
    const bool isPromised = row.capability && promised.has(*row.capability);
    const QString against = row.capability ? promised.reasonAgainst(*row.capability) : QString();
    if (!isPromised)
        line.expected = against.isEmpty() ? u"nothing is said of it"_s : against;
    switch (seen.of(row.feature).kind) {
    case FeatureAnswer::Kind::Yes:
        if (!against.isEmpty()) {
            line.result = Result::Differs;
            line.todo = u"Nothing: it works all the same."_s;
        }
        break;
    case FeatureAnswer::Kind::No:
        line.result = isPromised ? Result::Bad : Result::Skipped;
        if (isPromised)
            line.todo = row.todo;
        break;
    case FeatureAnswer::Kind::Unknown:
        // A command is the least that must be answered: what comes behind it has a reason not to be known.
        line.result = isPromised && row.feature == ServerFeature::Exec ? Result::Bad : Result::Skipped;
        if (line.result == Result::Bad)
            line.todo = u"Try again."_s;
        break;
    }
    return line;
}

} // namespace

QJsonObject DoctorLine::toJson() const
{
    const auto word = [this] {
        switch (result) {
        case Result::Ok: return u"ok"_s;
        case Result::Bad: return u"bad"_s;
        case Result::Differs: return u"differs"_s;
        case Result::Skipped: return u"skipped"_s;
        }
        Q_UNREACHABLE_RETURN(QString());
    };
    QJsonObject json{{u"layer"_s, layer}, {u"result"_s, word()}, {u"seen"_s, seen}};
    for (const auto &[key, value] : {std::pair{u"expected"_s, expected}, {u"todo"_s, todo}, {u"error"_s, detail}}) {
        if (!value.isEmpty())
            json.insert(key, value);
    }
    return json;
}

QStringList DoctorLine::toText() const
{
    const auto mark = [this] {
        switch (result) {
        case Result::Ok: return u"ok "_s;
        case Result::Bad: return u"BAD"_s;
        case Result::Differs: return u"!  "_s;
        case Result::Skipped: return u"–  "_s;
        }
        Q_UNREACHABLE_RETURN(QString());
    };
    QStringList lines{u"%1 %2: %3"_s.arg(mark(), layer, seen)};
    if (result == Result::Bad || result == Result::Differs)
        lines.append(u"    expected: "_s + expected);
    if (!todo.isEmpty())
        lines.append(u"    → "_s + todo);
    if (!detail.isEmpty())
        lines.append(u"    (%1)"_s.arg(detail));
    return lines;
}

QList<DoctorLine> featureLines(const Capabilities &promised, const ServerFeatures &seen)
{
    QList<DoctorLine> lines;
    for (const FeatureRow &row : featureRows())
        lines.append(compared(row, promised, seen));
    return lines;
}

} // namespace Sandpiper
