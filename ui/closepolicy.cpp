#include "ui/closepolicy.h"

#include <QLocale>

namespace Sandpiper {

namespace {

// lupdate finds the class by this name.
class ClosePolicy
{
    Q_DECLARE_TR_FUNCTIONS(Sandpiper::ClosePolicy)
public:
    static QString quoted(const QString &name)
    {
        return tr("“%1”").arg(tamed(name, 60));
    }

    // Whole minutes, rounded down: a promise that is kept.
    static QString clockTime(const QDateTime &now, std::chrono::seconds kept)
    {
        return QLocale().toString(now.addDuration(kept).time(), QLocale::ShortFormat);
    }

    static QString tabSentence(const ClosingShell &shell, ShellFate fate, const QDateTime &now)
    {
        const QString name = quoted(shell.sandboxName);
        if (fate == ShellFate::EndsWithTab)
            return tr("Closing this tab ends its shell in %1 and what runs in it.").arg(name);
        // A suspended sandbox keeps its shells as they are; no clock runs there.
        if (!shell.keptFor || shell.state == StandingShell::State::Suspended)
            return tr("The shell lives on in %1; reopening the tab brings it back.").arg(name);
        return tr("The shell lives on in %1 until %2; reopening the tab before then brings it back.")
            .arg(name, clockTime(now, *shell.keptFor));
    }

    static QString living(int count, std::optional<std::chrono::seconds> kept, const QDateTime &now)
    {
        if (!kept && count == 1)
            return tr("One shell lives on and comes back with the next start");
        if (!kept)
            return tr("%n shells live on and come back with the next start", nullptr, count);
        if (count == 1)
            return tr("One shell lives on until %1 and comes back with the next start")
                .arg(clockTime(now, *kept));
        return tr("%n shells live on until %1 and come back with the next start", nullptr, count)
            .arg(clockTime(now, *kept));
    }

    static QString ending(int count)
    {
        return count == 1 ? tr("one SSH shell ends with what runs in it")
                          : tr("%n SSH shells end with what runs in them", nullptr, count);
    }
};

} // namespace

ShellFate fateOf(const ClosingShell &shell)
{
    using State = StandingShell::State;
    switch (shell.state) {
    case State::Idle:
    case State::Gone:
    case State::Ended:
    case State::Failed:
        return ShellFate::Nothing;
    case State::Opening:
    case State::Open:
        return shell.route == ShellRoute::Pty ? ShellFate::LivesOn : ShellFate::EndsWithTab;
    case State::Waiting:
    case State::Suspended:
    case State::Stopped:
    case State::Detached:
        // An SSH shell ended when its connection did.
        return shell.route == ShellRoute::Pty ? ShellFate::LivesOn : ShellFate::Nothing;
    }
    Q_UNREACHABLE_RETURN(ShellFate::Nothing);
}

CloseQuestion questionForTab(const ClosingShell &shell, const CloseChoices &choices,
                             const QDateTime &now)
{
    const ShellFate fate = fateOf(shell);
    if (fate == ShellFate::Nothing)
        return {};
    CloseQuestion question;
    question.remembered = fate == ShellFate::LivesOn ? &CloseChoices::askBeforeDetaching
                                                     : &CloseChoices::askBeforeEnding;
    question.ask = choices.*question.remembered;
    question.sentence = ClosePolicy::tabSentence(shell, fate, now);
    question.agree = ClosePolicy::tr("Close tab");
    return question;
}

CloseQuestion questionForEnding(const ClosingShell &shell, const CloseChoices &choices)
{
    if (fateOf(shell) == ShellFate::Nothing)
        return {};
    return {.ask = choices.askBeforeEnding,
            .sentence = ClosePolicy::tr("This ends the shell in %1 and what runs in it.")
                            .arg(ClosePolicy::quoted(shell.sandboxName)),
            .agree = ClosePolicy::tr("End shell"),
            .remembered = &CloseChoices::askBeforeEnding};
}

CloseQuestion questionForQuit(const QList<ClosingShell> &shells, const CloseChoices &choices,
                              const QDateTime &now)
{
    int living = 0;
    int ending = 0;
    // The earliest end among them, so that nothing is promised too long.
    std::optional<std::chrono::seconds> kept;
    for (const ClosingShell &shell : shells) {
        const ShellFate fate = fateOf(shell);
        living += fate == ShellFate::LivesOn ? 1 : 0;
        ending += fate == ShellFate::EndsWithTab ? 1 : 0;
        if (fate == ShellFate::LivesOn && shell.keptFor
            && shell.state != StandingShell::State::Suspended)
            kept = kept ? std::min(*kept, *shell.keptFor) : *shell.keptFor;
    }
    if (living + ending == 0)
        return {};
    CloseQuestion question;
    question.remembered = &CloseChoices::askBeforeQuitting;
    question.ask = choices.askBeforeQuitting;
    question.agree = ClosePolicy::tr("Quit");
    if (ending == 0)
        question.sentence = ClosePolicy::tr("%1.").arg(ClosePolicy::living(living, kept, now));
    else if (living == 0)
        question.sentence = ClosePolicy::tr("By quitting, %1.").arg(ClosePolicy::ending(ending));
    else
        question.sentence = ClosePolicy::tr("%1; %2.").arg(
            ClosePolicy::living(living, kept, now), ClosePolicy::ending(ending));
    return question;
}

} // namespace Sandpiper
