#include "ui/tabface.h"

#include <QCoreApplication>

namespace Sandpiper {

namespace {

class Tab
{
    Q_DECLARE_TR_FUNCTIONS(Sandpiper::Tab)
};

// Long enough for any honest title; a tab shows far less of it.
constexpr qsizetype maxTitle = 120;
constexpr qsizetype maxPath = 300;

TabMark markFor(const TabSubject &subject)
{
    using State = StandingShell::State;
    if (subject.accountMissing)
        return TabMark::Waiting;
    switch (subject.status.state) {
    case State::Opening:
        return TabMark::Busy;
    case State::Waiting:
    case State::Suspended:
    case State::Stopped:
    case State::Detached:
        return TabMark::Waiting;
    case State::Ended:
        return TabMark::Ended;
    case State::Gone:
    case State::Failed:
        return TabMark::Problem;
    case State::Idle:
    case State::Open:
        break;
    }
    if (subject.bell)
        return TabMark::Bell;
    return subject.activity ? TabMark::Activity : TabMark::None;
}

} // namespace

TabFace tabFaceFor(const TabSubject &subject)
{
    TabFace face;
    const QString sandbox = tamed(subject.sandboxName, maxTitle);
    const QString program = tamed(subject.programTitle, maxTitle);
    face.name = tamed(subject.customTitle, maxTitle);
    if (face.name.isEmpty()) {
        face.name = sandbox;
        face.program = program;
    }
    face.mark = markFor(subject);

    QStringList lines{sandbox};
    if (!subject.accountName.isEmpty())
        lines.first() = Tab::tr("%1 in %2").arg(sandbox, tamed(subject.accountName, maxTitle));
    if (!program.isEmpty())
        lines << program;
    if (!subject.directory.isEmpty())
        lines << tamed(subject.directory, maxPath);
    lines << Tab::tr("%1 · %2").arg(wordFor(subject.route),
                                    subject.accountMissing ? Tab::tr("waiting for its account")
                                                           : wordFor(subject.status.state));
    face.tip = lines.join(u'\n');

    QStringList spoken{oneLine(face)};
    if (face.mark != TabMark::None)
        spoken << wordFor(face.mark);
    face.spoken = spoken.join(QStringLiteral(", "));
    return face;
}

QString wordFor(TabMark mark)
{
    switch (mark) {
    case TabMark::None: return {};
    case TabMark::Activity: return Tab::tr("new output");
    case TabMark::Bell: return Tab::tr("bell");
    case TabMark::Busy: return Tab::tr("connecting");
    case TabMark::Waiting: return Tab::tr("waiting");
    case TabMark::Ended: return Tab::tr("ended");
    case TabMark::Problem: return Tab::tr("needs you");
    }
    Q_UNREACHABLE_RETURN({});
}

QString wordFor(StandingShell::State state)
{
    using State = StandingShell::State;
    switch (state) {
    case State::Idle: return Tab::tr("not started");
    case State::Opening: return Tab::tr("connecting");
    case State::Open: return Tab::tr("connected");
    case State::Waiting: return Tab::tr("connection lost, trying again");
    case State::Suspended: return Tab::tr("suspended");
    case State::Stopped: return Tab::tr("not connected");
    case State::Gone: return Tab::tr("gone");
    case State::Ended: return Tab::tr("ended");
    case State::Failed: return Tab::tr("cannot connect");
    case State::Detached: return Tab::tr("detached");
    }
    Q_UNREACHABLE_RETURN({});
}

QString wordFor(ShellRoute route)
{
    switch (route) {
    case ShellRoute::Pty: return Tab::tr("PTY");
    case ShellRoute::Ssh: return Tab::tr("SSH");
    }
    Q_UNREACHABLE_RETURN({});
}

QString oneLine(const TabFace &face)
{
    return face.program.isEmpty() ? face.name : Tab::tr("%1 — %2").arg(face.name, face.program);
}

} // namespace Sandpiper
