#include "app/cli/commands.h"
#include "app/cli/json.h"
#include "app/cli/output.h"
#include "session/paths.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QProcess>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// What the table shows from all accounts; the last answer prints it.
struct Gathered
{
    QList<QStringList> rows;
    QJsonArray json;
    qsizetype waiting = 1;
    bool failed = false;
};

} // namespace

void KeysCommand::start(const QStringList &arguments)
{
    QCommandLineParser parser;
    parser.addOptions({{u"json"_s, u"One JSON document."_s}, {u"account"_s, u"Where."_s, u"ACCOUNT"_s}});
    parser.addPositionalArgument(u"ls | add NAME FILE | rm ID | generate NAME"_s, u"What to do; ls where nothing is said."_s);
    if (!parse(parser, u"keys"_s, arguments))
        return;
    const QStringList words = parser.positionalArguments();
    const QString what = words.value(0, u"ls"_s);
    const QString account = parser.value(u"account"_s);
    m_json = parser.isSet(u"json"_s);
    if (what == "generate"_L1 && words.size() == 2)
        return generate(words.at(1));
    const bool known = (what == "ls"_L1 && words.size() <= 1) || (what == "add"_L1 && words.size() == 3) || (what == "rm"_L1 && words.size() == 2);
    if (!known)
        return usage(u"keys takes ls, add NAME FILE, rm ID or generate NAME"_s);
    const auto gateway = what == "ls"_L1 ? Directory::Gateway::FindOnly : Directory::Gateway::WhereUsed;
    directory()->load(gateway).then(this, [this, what, words, account] {
        if (what == "ls"_L1)
            return list(account);
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

void KeysCommand::list(const QString &account)
{
    const auto gathered = std::make_shared<Gathered>();
    const auto show = [this, gathered] {
        if (--gathered->waiting > 0)
            return;
        if (m_json)
            printJson(QJsonDocument(gathered->json));
        else if (!gathered->rows.isEmpty())
            printTable({u"ACCOUNT"_s, u"NAME"_s, u"TYPE"_s, u"FINGERPRINT"_s, u"ID"_s}, gathered->rows);
        else if (!gathered->failed)
            say(u"no keys are registered"_s);
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
                for (const SshKey &key : *keys) {
                    gathered->rows << QStringList{name, key.name, key.type, key.fingerprint, key.id};
                    gathered->json << keyJson(name, key);
                }
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

void KeysCommand::generate(const QString &name)
{
    if (name.isEmpty() || name.contains(u'/') || name.startsWith(u'.') || name.startsWith(u'-'))
        return usage(u"'%1' cannot be a file's name in ~/.ssh"_s.arg(name));
    const QString folder = QDir::homePath() + u"/.ssh"_s;
    const QString file = folder + u'/' + name;
    if (QFileInfo::exists(file) || QFileInfo::exists(file + u".pub"_s))
        return usage(u"%1 is there already"_s.arg(file));
    if (!QFileInfo(folder).isDir()) {
        if (const Done made = makePrivateFolder(folder); !made)
            return fail(made.error());
    }
    // ssh-keygen asks for the passphrase on the terminal itself: it never passes through here.
    auto *keygen = new QProcess(this);
    keygen->setInputChannelMode(QProcess::ForwardedInputChannel);
    keygen->setProcessChannelMode(QProcess::ForwardedErrorChannel);
    connect(keygen, &QProcess::errorOccurred, this, [this](QProcess::ProcessError) {
        fail(Error{ErrorKind::Unsupported, Layer::LocalDisk, u"ssh-keygen cannot be started (package openssh-client)"_s, {}});
    });
    connect(keygen, &QProcess::finished, this, [this, file](int status, QProcess::ExitStatus) {
        if (status == 0)
            printLine(file + u".pub"_s);
        finishLater(status == 0 ? ExitOk : ExitFailed);
    });
    keygen->start(u"ssh-keygen"_s, {u"-q"_s, u"-t"_s, u"ed25519"_s, u"-C"_s, name, u"-f"_s, file});
}

} // namespace Sandpiper
