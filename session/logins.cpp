#include "session/logins.h"

#include "session/paths.h"
#include "session/providers/sshhosts.h"
#include "session/sshpublickey.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLoggingCategory>
#include <QRegularExpression>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

static Q_LOGGING_CATEGORY(lcLogins, "sandpiper.session.logins", QtInfoMsg)

namespace {

constexpr int kVersion = 1;
constexpr qint64 kLargestFile = 4 << 20;
constexpr qsizetype kMostChoices = 10'000;

} // namespace

LoginStore::LoginStore(const QString &file)
    : m_file(file)
{
    const Result<QByteArray> content = readFile(file, kLargestFile);
    if (!content) {
        if (content.error().kind != ErrorKind::NotFound)
            qCWarning(lcLogins).noquote() << describe(content.error());
        return;
    }
    const QJsonObject root = QJsonDocument::fromJson(*content).object();
    if (root[u"version"].toInt() != kVersion) {
        qCWarning(lcLogins) << "the file of logins cannot be understood and is put aside";
        QFile::remove(file + u".broken"_s);
        QFile::rename(file, file + u".broken"_s);
        return;
    }
    m_agentSocket = root[u"agentSocket"].toString();
    for (const QJsonValue &value : root[u"sandboxes"].toArray()) {
        const QJsonObject entry = value.toObject();
        const std::optional<SandboxId> id = SandboxId::parse(entry[u"sandbox"].toString());
        const LoginChoice choice{entry[u"user"].toString(), entry[u"term"].toString(), entry[u"key"].toString(),
                                 entry[u"forwardAgent"].toBool(), entry[u"withoutSftp"].toBool()};
        if (id && check(choice) && m_choices.size() < kMostChoices)
            m_choices.insert(*id, choice);
    }
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
    if (choice.isEmpty())
        m_choices.remove(sandbox);
    else
        m_choices.insert(sandbox, choice);
    return save();
}

QString LoginStore::agentToAsk() const
{
    return m_agentSocket.isEmpty() ? qEnvironmentVariable("SSH_AUTH_SOCK") : m_agentSocket;
}

Done LoginStore::setAgentSocket(const QString &socket)
{
    m_agentSocket = socket;
    return save();
}

Done LoginStore::save() const
{
    QJsonArray sandboxes;
    for (const auto &[id, choice] : m_choices.asKeyValueRange()) {
        sandboxes.append(QJsonObject{{u"sandbox"_s, id.toString()}, {u"user"_s, choice.user},
                                     {u"term"_s, choice.term}, {u"key"_s, choice.key}, {u"forwardAgent"_s, choice.forwardsAgent},
                                     {u"withoutSftp"_s, choice.withoutSftp}});
    }
    const QJsonObject root{{u"version"_s, kVersion}, {u"agentSocket"_s, m_agentSocket}, {u"sandboxes"_s, sandboxes}};
    return writePrivateFile(m_file, QJsonDocument(root).toJson());
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
