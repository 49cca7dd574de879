// The inside of SshConfig: the files as they were read, and one walk through them for one host.
#pragma once

#include "session/sshconfig.h"
#include "session/sshconfigtokens.h"
#include "session/sshconfigvalues.h"

#include <QHash>
#include <QSet>

#include <memory>
#include <unordered_map>

namespace Sandpiper {

struct SshConfigFile
{
    QString path;
    bool isThere = false;
    QList<SshConfigLine> lines;
    QString refusal; // not empty: ssh does not take it at all
    QList<SshConfigProblem> problems; // that do not depend on the host
};

class SshConfigReading
{
public:
    explicit SshConfigReading(SshConfig::Sources sources);

    enum class Trust { OwnersOnly, Anyone };
    // Borrowed until the reading goes. Null: too many files.
    [[nodiscard]] const SshConfigFile *file(const QString &path, Trust trust);
    // The files that an Include names, sorted; absolute.
    [[nodiscard]] QStringList included(const QString &pattern, bool isUsers);
    [[nodiscard]] SshTokens tokens() const;

    SshConfig::Sources sources;
    QSet<QString> folders;
    std::unordered_map<QString, std::unique_ptr<SshConfigFile>> files;
    QStringList order; // of the files, as they were looked for
};

// From one top to its end, for one host and one pass.
class SshConfigWalk
{
public:
    enum class Pass { First, Final };
    struct Subject
    {
        QString patternHost; // what "Host" is compared with
        QString original;
    };
    SshConfigWalk(SshConfigReading &reading, const Subject &subject, SshWritten &written);

    void run(Pass pass);
    [[nodiscard]] bool wantsFinalPass() const { return m_wantsFinal; }

private:
    enum class Reach { Normal, NeverMatch };
    void walk(const QString &path, bool isUsers, bool isTop, int depth, Reach reach, bool active);
    void include(const SshConfigLine &line, const QString &path, bool isUsers, int depth, Reach reach, bool active);
    [[nodiscard]] bool matchesHost(const SshConfigLine &line, QString &mistake) const;
    [[nodiscard]] bool matches(const SshConfigLine &line, const QString &path, QString &mistake);
    // Nothing: it cannot be answered here.
    [[nodiscard]] std::optional<bool> isTrue(const QString &attribute, const QString &value, const QString &path, int number,
                                             QString &mistake, bool decided);
    [[nodiscard]] SshTokens tokens() const;
    [[nodiscard]] QString hostNow() const;
    [[nodiscard]] QString userNow() const;
    void problem(SshConfigProblem::Kind kind, const QString &path, int number, const QString &text);

    SshConfigReading &m_reading;
    Subject m_subject;
    SshWritten &m_written;
    Pass m_pass = Pass::First;
    bool m_wantsFinal = false;
    bool m_isStopped = false;
    int m_visits = 0;
};

} // namespace Sandpiper
