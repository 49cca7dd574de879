#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "app/cli/terminal.h"
#include "session/providers/factory.h"

#include <QJsonArray>
#include <QJsonObject>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

void AccountsCommand::start(const QStringList &arguments)
{
    QCommandLineParser parser;
    parser.addOptions({{u"json"_s, u"One JSON document."_s},
                       {u"name"_s, u"What to call it (add)."_s, u"NAME"_s},
                       {u"api-url"_s, u"Another address than the vendor's own (add)."_s, u"URL"_s},
                       {u"proxy-url"_s, u"The address of the in-sandbox API (add)."_s, u"URL"_s},
                       {u"organization"_s, u"With a personal token (add)."_s, u"ID"_s},
                       {u"project"_s, u"With a personal token (add)."_s, u"ID"_s}});
    parser.addPositionalArgument(u"ls | add VENDOR | rm NAME"_s, u"What to do; ls where nothing is said. The secret is asked for, or read from standard input."_s);
    if (!parse(parser, u"accounts"_s, arguments))
        return;
    const QStringList words = parser.positionalArguments();
    const QString what = words.value(0, u"ls"_s);
    if (what == "ls"_L1 && words.size() <= 1) {
        if (!parser.isSet(u"json"_s))
            return list();
        QJsonArray rows;
        for (const Account &account : accountsFromEnvironment() + directory()->accounts()->accounts())
            rows << QJsonObject{{u"id"_s, account.id}, {u"vendor"_s, account.vendor}, {u"name"_s, account.name}, {u"api_url"_s, account.apiUrl.toString()}, {u"from_environment"_s, account.fromEnvironment}};
        printJson(QJsonDocument(rows));
        return finishLater(ExitOk);
    }
    if (what == "add"_L1 && words.size() == 2)
        return add(words, parser);
    if (what == "rm"_L1 && words.size() == 2)
        return remove(words.at(1));
    usage(u"accounts takes ls, add VENDOR or rm NAME"_s);
}

void AccountsCommand::list()
{
    if (const auto error = directory()->accounts()->loadError())
        return fail(*error);
    QList<QStringList> rows;
    for (const Account &account : accountsFromEnvironment() + directory()->accounts()->accounts())
        rows << QStringList{account.name, vendorName(account.vendor), account.apiUrl.toString(), account.fromEnvironment ? u"environment"_s : u"keychain"_s};
    if (rows.isEmpty())
        say(u"no accounts yet; 'accounts add %1' adds one, and this computer needs none"_s.arg(vendors().value(0).id));
    else
        printTable({u"NAME"_s, u"VENDOR"_s, u"ADDRESS"_s, u"SECRET"_s}, rows);
    finishLater(ExitOk);
}

void AccountsCommand::add(const QStringList &words, const QCommandLineParser &parser)
{
    const QList<VendorInfo> all = vendors();
    const auto vendor = std::find_if(all.cbegin(), all.cend(), [&](const VendorInfo &info) { return info.id == words.at(1); });
    if (vendor == all.cend()) {
        QStringList ids;
        for (const VendorInfo &info : all)
            ids << info.id;
        return usage(u"there is no vendor '%1'; there are: %2"_s.arg(words.at(1), ids.join(u", "_s)));
    }
    Account account;
    account.id = newAccountId();
    account.vendor = vendor->id;
    account.name = parser.isSet(u"name"_s) ? parser.value(u"name"_s) : vendor->displayName;
    account.apiUrl = parser.isSet(u"api-url"_s) ? QUrl(parser.value(u"api-url"_s), QUrl::StrictMode) : vendor->defaultApiUrl;
    account.proxyUrl = QUrl(parser.value(u"proxy-url"_s), QUrl::StrictMode);
    account.organization = parser.value(u"organization"_s);
    account.project = parser.value(u"project"_s);
    Result<Secret> secret = readSecret(vendor->secretLabel);
    if (!secret)
        return fail(secret.error());
    const auto kept = std::make_shared<Secret>(std::move(*secret));
    if (kept->isEmpty())
        return usage(u"the secret is empty"_s);
    // Kept only when it works: a typing mistake must not become an account.
    const std::shared_ptr<SandboxProvider> provider = makeProvider(account, kept);
    provider->list(SandboxProvider::ListScope::Live).then(this, [this, provider, account, kept](const Result<QList<Sandbox>> &answer) {
        if (!answer)
            return fail(answer.error());
        directory()->keychain()->write(u"account/"_s + account.id, *kept).then(this, [this, account](const Done &written) {
            if (!written)
                return fail(written.error());
            if (directory()->keychain()->persistence() != Keychain::Persistence::Lasting)
                return fail(Error{ErrorKind::NoKeychain, Layer::LocalDisk, u"there is no keychain to keep the secret in; use the vendor's environment variable instead"_s, account.name});
            if (const Done done = directory()->accounts()->add(account); !done)
                return fail(done.error());
            say(u"added '%1'"_s.arg(account.name));
            finishLater(ExitOk);
        });
    });
}

void AccountsCommand::remove(const QString &name)
{
    for (const Account &account : directory()->accounts()->accounts()) {
        if (account.name != name && account.id != name)
            continue;
        if (const Done done = directory()->accounts()->remove(account.id); !done)
            return fail(done.error());
        directory()->keychain()->remove(u"account/"_s + account.id).then(this, [this](const Done &removed) {
            if (!removed && removed.error().kind != ErrorKind::NotFound)
                return fail(removed.error());
            finishLater(ExitOk);
        });
        return;
    }
    usage(u"there is no account '%1'"_s.arg(name));
}

} // namespace Sandpiper
