#include "session/logins.h"

#include "session/providers/sshhosts.h"
#include "session/sshpublickey.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QLoggingCategory>
#include <QRegularExpression>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

static Q_LOGGING_CATEGORY(lcLogins, "sandpiper.session.logins", QtInfoMsg)

namespace {

constexpr qsizetype kMostChoices = 10'000;
constexpr auto agentSocketName = "agentSocket"_L1;

QJsonObject toJson(const SandboxId &id, const LoginChoice &choice)
{
    return {{u"sandbox"_s, id.toString()},
            {u"user"_s, choice.user},
            {u"term"_s, choice.term},
            {u"key"_s, choice.key},
            {u"forwardAgent"_s, choice.forwardsAgent},
            {u"withoutSftp"_s, choice.withoutSftp}};
}

QHash<SandboxId, LoginChoice> choicesIn(const QJsonArray &items)
{
    QHash<SandboxId, LoginChoice> choices;
    for (const QJsonValue &value : items) {
        const QJsonObject entry = value.toObject();
        const std::optional<SandboxId> id = SandboxId::parse(entry[u"sandbox"].toString());
        const LoginChoice choice{entry[u"user"].toString(), entry[u"term"].toString(), entry[u"key"].toString(),
                                 entry[u"forwardAgent"].toBool(), entry[u"withoutSftp"].toBool()};
        if (id && LoginStore::check(choice) && choices.size() < kMostChoices)
            choices.insert(*id, choice);
    }
    return choices;
}

} // namespace

LoginStore::LoginStore(const QString &file)
    : m_file(file, u"sandboxes"_s)
{
    m_choices = choicesIn(m_file.load([](const QJsonArray &items) { return choicesIn(items).size() == items.size(); }));
    m_agentSocket = m_file.others().value(agentSocketName).toString();
    if (loadError())
        qCWarning(lcLogins).noquote() << describe(*loadError());
}

Done LoginStore::check(const LoginChoice &choice)
{
    static const QRegularExpression controls(u"[\\x00-\\x1f\\x7f]"_s);
    static const QRegularExpression term(u"^[A-Za-z0-9][A-Za-z0-9+._-]{0,63}$"_s);
    const auto bad = [](const QString &sentence) { return failure(ErrorKind::InvalidInput, Layer::LocalDisk, sentence); };
    if (choice.user.contains(controls) || choice.user.startsWith(u'-') || choice.user.size() > 255)
        return bad(u"This cannot be a user's name: it starts with a dash, is too long, or has control characters."_s);
    if (!choice.term.isEmpty() && !term.match(choice.term).hasMatch())
        return bad(u"TERM is a short name such as xterm-256color."_s);
    if (choice.key.contains(controls) || choice.key.size() > 4096)
        return bad(u"This cannot be a key file's name."_s);
    return {};
}

Done LoginStore::set(const SandboxId &sandbox, const LoginChoice &choice)
{
    if (const Done fine = check(choice); !fine)
        return fine;
    return change([&](QHash<SandboxId, LoginChoice> &choices) {
        if (choice.isEmpty())
            choices.remove(sandbox);
        else
            choices.insert(sandbox, choice);
    });
}

QString LoginStore::agentToAsk() const
{
    return m_agentSocket.isEmpty() ? qEnvironmentVariable("SSH_AUTH_SOCK") : m_agentSocket;
}

Done LoginStore::setAgentSocket(const QString &socket)
{
    return change([](QHash<SandboxId, LoginChoice> &) {}, {{agentSocketName, socket}});
}

Done LoginStore::change(const std::function<void(QHash<SandboxId, LoginChoice> &)> &edit, const QJsonObject &others)
{
    QHash<SandboxId, LoginChoice> all;
    const Done saved = m_file.change(
            [&](const std::optional<QJsonArray> &now) -> Result<QJsonArray> {
                all = now ? choicesIn(*now) : m_choices;
                edit(all);
                if (all.size() > kMostChoices)
                    return failure(ErrorKind::TooLarge, Layer::LocalDisk, u"too many sandboxes with a login of their own"_s);
                QJsonArray items;
                for (const auto &[id, choice] : all.asKeyValueRange())
                    items.append(toJson(id, choice));
                return items;
            },
            others);
    if (!saved)
        return saved;
    m_choices = all;
    m_agentSocket = m_file.others().value(agentSocketName).toString();
    return {};
}

QString matchingKey(const QList<SshKey> &registered, const QHash<QString, QString> &available)
{
    for (const SshKey &key : registered) {
        const auto here = available.constFind(key.fingerprint);
        if (here != available.cend())
            return here->isEmpty() ? key.fingerprint : *here;
    }
    return {};
}

QString keyFileOf(const SignIn &signIn)
{
    const QString key = signIn.choice.key.isEmpty() ? signIn.matchingKey : signIn.choice.key;
    return isKeyFingerprint(key) ? QString() : key;
}

LinkOptions linkOptionsFor(const Sandbox &sandbox, const SignIn &signIn)
{
    LinkOptions options = linkOptionsFor(sandbox);
    if (!signIn.choice.user.isEmpty())
        options.endpoint.user = signIn.choice.user;
    if (options.agentSocket.isEmpty())
        options.agentSocket = signIn.agentSocket;
    if (signIn.choice.forwardsAgent)
        options.agentForward = SshAgentForward::Yes;
    if (!signIn.choice.key.isEmpty()) {
        options.preferredKey = signIn.choice.key;
        options.identitiesOnly = true;
    } else if (!options.endpoint.identityFiles.isEmpty() && sandbox.id.vendor == sshVendorId()) {
        // Of an SSH host the key file is its user's choice; there may be a password as well.
        options.preferredKey = options.endpoint.identityFiles.takeFirst();
        options.endpoint.identityFiles.clear();
        options.identitiesOnly = true;
    } else if (options.endpoint.identityFiles.isEmpty()) {
        options.preferredKey = signIn.matchingKey;
    }
    return options;
}

} // namespace Sandpiper
