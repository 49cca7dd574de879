#include "app/cli/consoleprompts.h"

#include "app/cli/output.h"
#include "app/cli/terminal.h"

#include <QFuture>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

std::shared_ptr<PromptAnswer> answer(PromptAnswer::Kind kind)
{
    auto made = std::make_shared<PromptAnswer>();
    made->kind = kind;
    return made;
}

void sayDrawing(const QString &randomart)
{
    for (const QString &line : randomart.split(u'\n', Qt::SkipEmptyParts))
        say(line);
}

QString named(const Prompt &prompt)
{
    const bool says = prompt.address.isEmpty() || prompt.target.contains(prompt.address);
    return says ? prompt.target : u"%1 (%2)"_s.arg(prompt.target, prompt.address);
}

std::shared_ptr<PromptAnswer> askHostKey(const Prompt &prompt)
{
    if (!prompt.text.isEmpty())
        say(prompt.text);
    say(u"%1 is not known yet. Its %2 key is %3"_s.arg(named(prompt), prompt.keyType, prompt.fingerprint));
    sayDrawing(prompt.randomart);
    const Result<QString> word = readAnswer(u"Connect? (yes: remember it, once, no)"_s);
    if (!word)
        return answer(PromptAnswer::Kind::Refused);
    if (*word == "yes"_L1)
        return answer(PromptAnswer::Kind::Accepted);
    return answer(*word == "once"_L1 ? PromptAnswer::Kind::JustOnce : PromptAnswer::Kind::Cancelled);
}

std::shared_ptr<PromptAnswer> askConsent(const Prompt &prompt)
{
    say(prompt.text);
    if (!prompt.command.isEmpty())
        say(u"    "_s + tamed(prompt.command, Prompt::maxCommand));
    const Result<QString> word = readAnswer(prompt.title + u" (yes, no)"_s);
    if (!word)
        return answer(PromptAnswer::Kind::Refused);
    return answer(*word == "yes"_L1 ? PromptAnswer::Kind::Accepted : PromptAnswer::Kind::Cancelled);
}

// Both drawings in the same lines, as far as there are two.
QString sideBySide(const QString &left, const QString &right)
{
    const QStringList lefts = left.split(u'\n');
    const QStringList rights = right.split(u'\n');
    QStringList lines;
    for (qsizetype i = 0; i < std::max(lefts.size(), rights.size()); ++i)
        lines.append(lefts.value(i).leftJustified(22) + rights.value(i));
    return lines.join(u'\n');
}

void sayChangedKey(const Prompt &prompt)
{
    say(u"The host key of %1 has changed. Nothing was sent."_s.arg(named(prompt)));
    say(u"Known: %1 %2 (%3)"_s.arg(prompt.knownKeyType, prompt.knownFingerprint, prompt.knownWhere));
    say(u"Now:   %1 %2"_s.arg(prompt.keyType, prompt.fingerprint));
    sayDrawing(sideBySide(prompt.knownRandomart, prompt.randomart));
    say(prompt.isSandbox ? u"The sandbox was made anew by its vendor, or somebody else is answering in its place."_s
                         : u"The host was installed anew, or somebody stands in between. Ask whoever runs it."_s);
    say(u"If you know why, forget the old key: sandpiper-cli hostkeys forget %1"_s.arg(prompt.knownFingerprint));
}

std::shared_ptr<PromptAnswer> askFields(const Prompt &prompt, const QList<Prompt::Field> &fields)
{
    auto made = answer(PromptAnswer::Kind::Accepted);
    for (const QString &line : {prompt.title, prompt.text}) {
        if (!line.isEmpty())
            say(line);
    }
    for (const Prompt::Field &field : fields) {
        if (field.echo) {
            const Result<QString> word = readAnswer(field.label);
            if (!word)
                return answer(PromptAnswer::Kind::Refused);
            made->values.emplace_back(word->toUtf8());
            continue;
        }
        Result<Secret> secret = isTerminal(0) ? readSecret(field.label) : failure(ErrorKind::InvalidInput, Layer::Auth);
        if (!secret)
            return answer(PromptAnswer::Kind::Refused);
        made->values.push_back(std::move(*secret));
    }
    return made;
}

} // namespace

QFuture<std::shared_ptr<PromptAnswer>> ConsolePrompts::ask(const Prompt &prompt)
{
    const auto given = [&]() -> std::shared_ptr<PromptAnswer> {
        switch (prompt.kind) {
        case Prompt::Kind::UnknownHostKey:
            return askHostKey(prompt);
        case Prompt::Kind::ChangedHostKey:
            sayChangedKey(prompt);
            return answer(PromptAnswer::Kind::Refused);
        case Prompt::Kind::Passphrase:
            return askFields(prompt, {{u"Passphrase for %1"_s.arg(prompt.keyFile), false}});
        case Prompt::Kind::Password:
            return askFields(prompt, {{u"Password for %1"_s.arg(prompt.target), false}});
        case Prompt::Kind::Interactive:
            return askFields(prompt, prompt.fields);
        case Prompt::Kind::Confirm:
            return askConsent(prompt);
        case Prompt::Kind::Touch:
            say(u"Touch your security key %1"_s.arg(prompt.keyFile));
            return answer(PromptAnswer::Kind::Accepted);
        }
        Q_UNREACHABLE_RETURN(nullptr);
    };
    return QtFuture::makeReadyValueFuture(given());
}

} // namespace Sandpiper
