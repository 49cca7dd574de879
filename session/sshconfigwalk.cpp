#include "session/sshconfigreading.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr int kMostDepth = 16; // as ssh has it
// Files that include each other many times over at every depth would never end.
constexpr int kMostVisits = 2000;

QString valueText(const SshConfigLine &line)
{
    return line.arguments.size() == 1 ? line.arguments.constFirst() : line.rest;
}

bool saysNo(const SshConfigLine &line)
{
    const QString value = line.arguments.value(0).toLower();
    return value == "no"_L1 || value == "false"_L1 || value == "none"_L1 || value == "internal"_L1;
}

} // namespace

SshConfigWalk::SshConfigWalk(SshConfigReading &reading, const Subject &subject, SshWritten &written)
    : m_reading(reading)
    , m_subject(subject)
    , m_written(written)
{
}

void SshConfigWalk::run(Pass pass)
{
    m_pass = pass;
    const SshConfig::Sources &sources = m_reading.sources;
    if (!sources.userFile.isEmpty())
        walk(sources.userFile, true, true, 0, Reach::Normal, true);
    if (!sources.systemFile.isEmpty())
        walk(sources.systemFile, false, true, 0, Reach::Normal, true);
}

void SshConfigWalk::problem(SshConfigProblem::Kind kind, const QString &path, int number, const QString &text)
{
    const SshConfigProblem found{kind, {path, number}, tamed(text, 300)};
    if (!m_written.values.problems.contains(found) && m_written.values.problems.size() < 200)
        m_written.values.problems.append(found);
}

void SshConfigWalk::walk(const QString &path, bool isUsers, bool isTop, int depth, Reach reach, bool active)
{
    using Kind = SshConfigProblem::Kind;
    if (m_isStopped)
        return;
    if (++m_visits > kMostVisits || depth > kMostDepth) {
        m_isStopped = true;
        return problem(Kind::Refused, path, 1, u"files include each other without end"_s);
    }
    const bool asGiven = !isUsers || (isTop && m_reading.sources.ownership == SshConfig::Sources::Ownership::AsGiven);
    const SshConfigFile *file = m_reading.file(path, asGiven ? SshConfigReading::Trust::Anyone : SshConfigReading::Trust::OwnersOnly);
    if (!file) {
        m_isStopped = true;
        return problem(Kind::Refused, path, 1, u"too many files are included"_s);
    }
    if (!file->refusal.isEmpty())
        return problem(Kind::Refused, path, 1, file->refusal);
    for (const SshConfigProblem &known : file->problems)
        problem(known.kind, known.place.file, known.place.line, known.text);
    for (const SshConfigLine &line : file->lines) {
        if (m_isStopped)
            return;
        if (line.keyword == SshKeyword::Unknown) {
            if (!m_written.ignoreUnknown || !matchesSshPatterns(line.name, *m_written.ignoreUnknown, PatternCase::AsWritten))
                problem(Kind::Unknown, path, line.number, u"'%1' is not known"_s.arg(line.name));
            continue;
        }
        if (!line.mistake.isEmpty())
            continue;
        QString mistake;
        if (line.keyword == SshKeyword::Host || line.keyword == SshKeyword::Match) {
            const bool matched = line.keyword == SshKeyword::Host ? matchesHost(line, mistake) : matches(line, path, mistake);
            active = matched && reach == Reach::Normal;
        } else if (line.keyword == SshKeyword::Include) {
            include(line, path, isUsers, depth, reach, active);
        } else if (active && line.keyword == SshKeyword::NotDone) {
            if (!saysNo(line))
                problem(Kind::NotDone, path, line.number, u"'%1' is not supported"_s.arg(line.name));
        } else if (active) {
            const SshApplied applied = applySshSetting(line, m_written);
            mistake = applied.mistake;
            if (applied.took)
                m_written.values.settings.append({line.name, valueText(line), {path, line.number}});
        }
        if (!mistake.isEmpty())
            problem(Kind::Refused, path, line.number, u"%1: %2"_s.arg(line.name, mistake));
    }
}

void SshConfigWalk::include(const SshConfigLine &line, const QString &path, bool isUsers, int depth, Reach reach, bool active)
{
    const Reach inside = active ? reach : Reach::NeverMatch;
    for (const QString &argument : line.arguments) {
        const Result<QString> pattern = expandSshTokens(argument, tokens(), TokenUse::Include);
        if (argument.isEmpty() || !pattern) {
            problem(SshConfigProblem::Kind::Refused, path, line.number,
                    argument.isEmpty() ? u"include: a file name is missing"_s : u"include: "_s + pattern.error().detail);
            continue;
        }
        for (const QString &found : m_reading.included(*pattern, isUsers))
            walk(found, isUsers, false, depth + 1, inside, active);
    }
}

bool SshConfigWalk::matchesHost(const SshConfigLine &line, QString &mistake) const
{
    bool matched = false;
    if (line.arguments.contains(QString())) {
        mistake = u"an empty name matches nothing"_s;
        return false;
    }
    for (const QString &argument : line.arguments) {
        const bool negated = argument.startsWith(u'!');
        if (!matchesSshPattern(m_subject.patternHost, QStringView(argument).sliced(negated ? 1 : 0)))
            continue;
        if (negated)
            return false;
        matched = true;
    }
    return matched;
}

QString SshConfigWalk::hostNow() const
{
    if (!m_written.hostName)
        return m_subject.original;
    SshTokens host;
    host.hostName = m_subject.original;
    // In the last pass the name is final already.
    const Result<QString> expanded = m_pass == Pass::Final ? *m_written.hostName : expandSshTokens(*m_written.hostName, host, TokenUse::HostName);
    return expanded ? *expanded : *m_written.hostName;
}

QString SshConfigWalk::userNow() const
{
    return m_written.user.value_or(m_reading.sources.localUser);
}

SshTokens SshConfigWalk::tokens() const
{
    SshTokens tokens = m_reading.tokens();
    tokens.hostName = hostNow();
    tokens.original = m_subject.original;
    tokens.keyAlias = m_written.hostKeyAlias.value_or(m_subject.original);
    tokens.remoteUser = userNow();
    tokens.port = m_written.port.value_or(22);
    return tokens;
}

bool SshConfigWalk::matches(const SshConfigLine &line, const QString &path, QString &mistake)
{
    const QStringList &words = line.arguments;
    bool result = true;
    int attributes = 0;
    for (qsizetype i = 0; i < words.size(); ++attributes) {
        QString attribute = words.at(i++);
        const bool negated = attribute.startsWith(u'!');
        if (negated)
            attribute = attribute.sliced(1);
        std::optional<QString> value;
        if (const qsizetype equals = attribute.indexOf(u'='); equals >= 0) {
            value = attribute.sliced(equals + 1);
            attribute = attribute.first(equals);
        }
        attribute = attribute.toLower();
        if (attribute == "all"_L1) {
            if (i < words.size() || value) {
                mistake = u"\"all\" must be the last condition"_s;
                return false;
            }
            return result && !negated;
        }
        if (attribute == "final"_L1 || attribute == "canonical"_L1) {
            m_wantsFinal = m_wantsFinal || attribute == "final"_L1;
            if ((m_pass == Pass::Final) == negated)
                result = false;
            continue;
        }
        if (!value && i < words.size())
            value = words.at(i++);
        const bool mayBeEmpty = attribute == "tagged"_L1 || attribute == "command"_L1;
        if (!value || (value->isEmpty() && !mayBeEmpty)) {
            mistake = u"'%1' wants a value"_s.arg(attribute);
            return false;
        }
        const std::optional<bool> isSo = isTrue(attribute, *value, path, line.number, mistake, !result);
        if (!mistake.isEmpty())
            return false;
        // What cannot be answered is no match, whichever way it was asked.
        if (!isSo || *isSo == negated)
            result = false;
    }
    return result;
}

std::optional<bool> SshConfigWalk::isTrue(const QString &attribute, const QString &value, const QString &path, int number,
                                          QString &mistake, bool decided)
{
    using Kind = SshConfigProblem::Kind;
    if (attribute == "host"_L1)
        return matchesSshPatterns(hostNow().toLower(), value, PatternCase::Lowered);
    if (attribute == "originalhost"_L1)
        return matchesSshPatterns(m_subject.original.toLower(), value, PatternCase::Lowered);
    if (attribute == "user"_L1)
        return matchesSshPatterns(userNow(), value, PatternCase::AsWritten);
    if (attribute == "localuser"_L1)
        return matchesSshPatterns(m_reading.sources.localUser, value, PatternCase::AsWritten);
    if (attribute == "tagged"_L1) {
        const QString tag = m_written.tag.value_or(QString());
        return value.isEmpty() ? tag.isEmpty() : matchesSshPatterns(tag, value, PatternCase::AsWritten);
    }
    if (attribute == "exec"_L1) {
        if (decided)
            return std::nullopt; // as ssh: nothing is run for a block that is out already
        const Result<QString> command = expandSshTokens(value, tokens(), TokenUse::Command);
        if (!command) {
            mistake = command.error().detail;
            return std::nullopt;
        }
        if (m_reading.sources.runs)
            return m_reading.sources.runs(*command);
        problem(Kind::NotAsked, path, number, u"this block depends on a command that is not run: %1"_s.arg(value));
        return std::nullopt;
    }
    if (attribute == "localnetwork"_L1 || attribute == "version"_L1 || attribute == "sessiontype"_L1 || attribute == "command"_L1) {
        problem(Kind::NotDone, path, number, u"this block is left out: 'match %1' is not supported"_s.arg(attribute));
        return std::nullopt;
    }
    mistake = u"'%1' is no condition"_s.arg(attribute);
    return std::nullopt;
}

} // namespace Sandpiper
