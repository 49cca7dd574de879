#include "app/cli/consoleprompts.h"

#include "app/cli/output.h"
#include "app/cli/terminal.h"

#include <QFuture>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

std::shared_ptr<PromptAnswer> answer(PromptAnswer::Kind kind)
{
    auto made = std::make_shared<PromptAnswer>();
    made->kind = kind;
    return made;
}

std::shared_ptr<PromptAnswer> askHostKey(const Prompt &prompt)
{
    say(u"%1 is not known yet. Its %2 key is %3"_s.arg(prompt.target, prompt.keyType, prompt.fingerprint));
    const Result<QString> word = readAnswer(u"Connect? (yes: remember it, once, no)"_s);
    if (!word)
        return answer(PromptAnswer::Kind::Refused);
    if (*word == "yes"_L1)
        return answer(PromptAnswer::Kind::Accepted);
    return answer(*word == "once"_L1 ? PromptAnswer::Kind::JustOnce : PromptAnswer::Kind::Cancelled);
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
            say(u"The host key of %1 has changed. Known: %2 (%3). Now: %4"_s.arg(prompt.target, prompt.knownFingerprint, prompt.knownWhere, prompt.fingerprint));
            return answer(PromptAnswer::Kind::Refused);
        case Prompt::Kind::Passphrase:
            return askFields(prompt, {{u"Passphrase for %1"_s.arg(prompt.keyFile), false}});
        case Prompt::Kind::Password:
            return askFields(prompt, {{u"Password for %1"_s.arg(prompt.target), false}});
        case Prompt::Kind::Interactive:
            return askFields(prompt, prompt.fields);
        case Prompt::Kind::Touch:
            say(u"Touch your security key %1"_s.arg(prompt.keyFile));
            return answer(PromptAnswer::Kind::Accepted);
        }
        Q_UNREACHABLE_RETURN(nullptr);
    };
    return QtFuture::makeReadyValueFuture(given());
}

} // namespace Sandpiper
