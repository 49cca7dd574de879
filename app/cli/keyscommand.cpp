#include "app/cli/commands.h"
#include "app/cli/json.h"
#include "app/cli/output.h"
#include "app/cli/terminal.h"
#include "session/availablekeys.h"
#include "session/paths.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QMap>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

QString sshFolder()
{
    return QDir::homePath() + u"/.ssh"_s;
}

// A key that is on this computer or in its agent.
struct KeyHere
{
    QString name;
    QString type;
    QString file; // of the private half, else of the public one; empty: none
    bool isInAgent = false;
    bool isRegistered = false;

    [[nodiscard]] QString places() const
    {
        QStringList all;
        if (!file.isEmpty())
            all.append(file);
        if (isInAgent)
            all.append(u"agent"_s);
        return all.join(u", "_s);
    }
};

// By fingerprint.
QMap<QString, KeyHere> keysHere(const AvailableKeys &available)
{
    QMap<QString, KeyHere> here;
    for (const KeyFile &file : available.files()) {
        if (!file.key.fingerprint.isEmpty() && !here.contains(file.key.fingerprint))
            here.insert(file.key.fingerprint, {QFileInfo(file.file).fileName(), file.key.type, file.file, false, false});
    }
    if (available.agentError())
        sayError(*available.agentError());
    for (const AgentKey &key : available.agentKeys()) {
        if (key.isCertificate())
            continue;
        KeyHere &one = here[fingerprintOfBlob(key.blob)];
        one.isInAgent = true;
        if (one.name.isEmpty())
            one.name = tamed(QString::fromUtf8(key.comment), 200);
        if (one.type.isEmpty())
            one.type = QString::fromLatin1(typeFromBlob(key.blob));
    }
    return here;
}

// What the table shows from all accounts; the last answer prints it.
struct Gathered
{
    QList<QStringList> rows;
    QJsonArray json;
    QMap<QString, KeyHere> here;

    void add(const QString &account, const SshKey &key)
    {
        KeyHere *local = here.contains(key.fingerprint) ? &here[key.fingerprint] : nullptr;
        if (local)
            local->isRegistered = true;
        const QString places = local ? local->places() : QString();
        rows << QStringList{account, key.name, key.type, key.fingerprint, key.id, places.isEmpty() ? u"-"_s : places};
        json << withPlaces(keyJson(account, key), local);
    }
    // Those that are registered nowhere.
    void addRest()
    {
        for (const auto &[fingerprint, key] : here.asKeyValueRange()) {
            if (key.isRegistered)
                continue;
            rows << QStringList{u"-"_s, key.name, key.type, fingerprint, u"-"_s, key.places()};
            json << withPlaces({{u"account"_s, QJsonValue()}, {u"id"_s, QJsonValue()}, {u"name"_s, key.name},
                                {u"type"_s, key.type}, {u"fingerprint"_s, fingerprint}}, &key);
        }
    }
    static QJsonObject withPlaces(QJsonObject object, const KeyHere *key)
    {
        object[u"file"_s] = key && !key->file.isEmpty() ? QJsonValue(key->file) : QJsonValue();
        object[u"in_agent"_s] = key && key->isInAgent;
        return object;
    }
    qsizetype waiting = 1;
    bool failed = false;
};

} // namespace

void KeysCommand::start(const QStringList &arguments)
{
    QCommandLineParser parser;
    parser.addOptions({{u"json"_s, u"One JSON document."_s}, {u"account"_s, u"Where."_s, u"ACCOUNT"_s},
                       {u"type"_s, u"Of a new key: ed25519 or rsa (4096 bits)."_s, u"TYPE"_s, u"ed25519"_s}});
    parser.addPositionalArgument(u"ls | add NAME FILE | rm ID | generate NAME"_s, u"What to do; ls where nothing is said."_s);
    if (!parse(parser, u"keys"_s, arguments))
        return;
    const QStringList words = parser.positionalArguments();
    const QString what = words.value(0, u"ls"_s);
    const QString account = parser.value(u"account"_s);
    m_json = parser.isSet(u"json"_s);
    if (what == "generate"_L1 && words.size() == 2)
        return generate(words.at(1), parser.value(u"type"_s));
    const bool known = (what == "ls"_L1 && words.size() <= 1) || (what == "add"_L1 && words.size() == 3) || (what == "rm"_L1 && words.size() == 2);
    if (!known)
        return usage(u"keys takes ls, add NAME FILE, rm ID or generate NAME"_s);
    const auto gateway = what == "ls"_L1 ? Directory::Gateway::FindOnly : Directory::Gateway::WhereUsed;
    directory()->load(gateway).then(this, [this, what, words, account] {
        if (what == "ls"_L1) {
            directory()->readKeys().then(this, [this, account](const AvailableKeys *available) { list(account, *available); });
            return;
        }
        const CliResult<Directory::Entry *> entry = directory()->entry(account);
        if (!entry)
            return fail(entry.error());
        SandboxProvider *provider = (*entry)->provider.get();
        if (provider == nullptr)
            return fail((*entry)->error);
        if (what == "add"_L1)
            return add(provider, words.at(1), words.at(2));
        provider->removeKey(words.at(1)).then(this, [this](const Done &done) { done ? finishLater(ExitOk) : fail(done.error()); });
    });
}

void KeysCommand::list(const QString &account, const AvailableKeys &available)
{
    const auto gathered = std::make_shared<Gathered>();
    gathered->here = keysHere(available);
    const auto show = [this, gathered, isWhole = account.isEmpty()] {
        if (--gathered->waiting > 0)
            return;
        if (isWhole)
            gathered->addRest();
        if (m_json)
            printJson(QJsonDocument(gathered->json));
        else if (!gathered->rows.isEmpty())
            printTable({u"ACCOUNT"_s, u"NAME"_s, u"TYPE"_s, u"FINGERPRINT"_s, u"ID"_s, u"HERE"_s}, gathered->rows);
        else if (!gathered->failed)
            say(u"no keys are registered, and none are on this computer"_s);
        finishLater(gathered->failed ? ExitFailed : ExitOk);
    };
    for (const auto &entry : directory()->entries()) {
        if (!entry->provider || (!account.isEmpty() && account != entry->account.name && account != entry->account.id))
            continue;
        ++gathered->waiting;
        entry->provider->keys().then(this, [gathered, show, name = entry->account.name](const Result<QList<SshKey>> &keys) {
            if (!keys) {
                sayError(keys.error());
                gathered->failed = true;
            } else {
                for (const SshKey &key : *keys)
                    gathered->add(name, key);
            }
            show();
        });
    }
    show();
}

void KeysCommand::add(SandboxProvider *provider, const QString &name, const QString &file)
{
    const Result<QByteArray> content = readFile(file, 64 * 1024);
    if (!content)
        return fail(content.error(), ExitUsage);
    const QByteArray line = content->trimmed();
    // Said here, because a private key must not leave this computer even by mistake.
    if (line.contains("PRIVATE KEY"))
        return usage(u"%1 holds a private key; give the public one (%1.pub)"_s.arg(file));
    provider->addKey(name, line).then(this, [this](const Result<SshKey> &key) {
        if (!key)
            return fail(key.error());
        printLine(m_json ? QString::fromUtf8(QJsonDocument(keyJson({}, *key)).toJson(QJsonDocument::Compact)) : key->id);
        finishLater(ExitOk);
    });
}

void KeysCommand::generate(const QString &name, const QString &type)
{
    if (!isKeyFileName(name))
        return usage(u"'%1' cannot be a file's name in ~/.ssh"_s.arg(name));
    if (type != "ed25519"_L1 && type != "rsa"_L1)
        return usage(u"--type is ed25519 or rsa, not '%1'"_s.arg(type));
    const QString file = sshFolder() + u'/' + name;
    if (QFileInfo::exists(file) || QFileInfo::exists(file + u".pub"_s))
        return usage(u"%1 is there already"_s.arg(file));
    Secret passphrase;
    if (isTerminal(0)) {
        Result<Secret> first = readSecret(u"Passphrase for %1 (empty: none)"_s.arg(file));
        const Result<Secret> again = first && !first->isEmpty() ? readSecret(u"Again"_s) : Result<Secret>();
        if (!first || !again)
            return fail(first ? again.error() : first.error());
        if (!again->equals(first->reveal()))
            return usage(u"the two passphrases differ"_s);
        passphrase = std::move(*first);
    }
    const auto kind = type == "rsa"_L1 ? NewKeyType::Rsa4096 : NewKeyType::Ed25519;
    const Result<PublicKeyLine> made = generateKey(kind, file, name, passphrase);
    if (!made)
        return fail(made.error());
    say(made->fingerprint);
    printLine(file + u".pub"_s);
    finishLater(ExitOk);
}

} // namespace Sandpiper
