// KeysPage: what its buttons do.
#include "session/background.h"
#include "session/errortext.h"
#include "ui/keydialogs.h"
#include "ui/keyspage.h"

#include <QClipboard>
#include <QFile>
#include <QFileDialog>
#include <QFileInfo>
#include <QGuiApplication>
#include <QMenu>
#include <QPushButton>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

constexpr std::chrono::seconds kAgentPatience{30};

Deadline agentDeadline()
{
    return std::chrono::steady_clock::now() + kAgentPatience;
}

// What came of registering at several accounts; shared by the answers, the last of which tells.
struct Results
{
    qsizetype waiting = 0;
    QStringList done;
    QStringList troubles;
};

} // namespace

void KeysPage::tellTrouble(const QString &what, const Error &error)
{
    m_notices->tell(NoticeBar::Tone::Trouble, tr("%1: %2").arg(what, problemText(error)));
}

void KeysPage::generate()
{
    auto *dialog = new GenerateKeyDialog(m_available->folder(), window());
    connect(dialog, &GenerateKeyDialog::agreed, this,
            [this](NewKeyType type, const QString &file, const QString &comment, const std::shared_ptr<Secret> &passphrase) {
                m_notices->tell(NoticeBar::Tone::Info, tr("Generating %1…").arg(QFileInfo(file).fileName()));
                inBackground(this, [=] { return generateKey(type, file, comment, *passphrase); }, [this, file](const Result<PublicKeyLine> &made) {
                    if (made)
                        m_notices->tell(NoticeBar::Tone::Info, tr("%1 is made. Register it where it is to let you in.").arg(QFileInfo(file).fileName()));
                    else
                        tellTrouble(QFileInfo(file).fileName(), made.error());
                    m_available->refresh();
                });
            });
    dialog->open();
}

void KeysPage::chooseFile()
{
    const QList<AccountHub::Entry> able = accountsWithKeys();
    if (able.isEmpty())
        return;
    auto *dialog = new QFileDialog(window(), tr("Choose a public key"), m_available->folder(), tr("Public keys (*.pub);;All files (*)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    connect(dialog, &QFileDialog::fileSelected, this, [this, able](const QString &file) {
        if (able.size() == 1) {
            addFromFile({able.first().account.id}, file);
            return;
        }
        auto *menu = new QMenu(this);
        menu->setAttribute(Qt::WA_DeleteOnClose);
        QStringList all;
        for (const AccountHub::Entry &entry : able) {
            all.append(entry.account.id);
            menu->addAction(tr("Register at %1").arg(entry.account.name), this, [this, id = entry.account.id, file] { addFromFile({id}, file); });
        }
        menu->addAction(tr("Register at all of these"), this, [this, all, file] { addFromFile(all, file); });
        menu->popup(m_add->mapToGlobal(m_add->rect().bottomLeft()));
    });
    dialog->open();
}

void KeysPage::addFromFile(const QStringList &accountIds, const QString &file)
{
    inBackground(this, [file] { return readPublicKeyFile(file); }, [this, accountIds, file](const Result<PublicKeyLine> &key) {
        if (key)
            registerKey(accountIds, QFileInfo(file).completeBaseName(), key->line);
        else
            tellTrouble(QFileInfo(file).fileName(), key.error());
    });
}

void KeysPage::registerKey(const QStringList &accountIds, const QString &name, const QByteArray &line)
{
    const auto results = std::make_shared<Results>();
    m_notices->tell(NoticeBar::Tone::Info, tr("Registering %1…").arg(name));
    for (const QString &id : accountIds) {
        SandboxProvider *provider = m_hub->provider(id);
        if (!provider)
            continue;
        ++results->waiting;
        const QString account = m_hub->entry(id) ? m_hub->entry(id)->account.name : id;
        provider->addKey(name, line).then(this, [this, results, id, account, name](const Result<SshKey> &added) {
            if (added)
                results->done.append(account);
            else if (added.error().kind == ErrorKind::Conflict)
                results->troubles.append(tr("%1: it is already registered there.").arg(account));
            else
                results->troubles.append(tr("%1: %2").arg(account, errorText(added.error()).sentence));
            m_registry->refreshKeys(id);
            if (--results->waiting > 0)
                return;
            QStringList words = results->troubles;
            if (!results->done.isEmpty())
                words.prepend(tr("%1 is registered at %2.").arg(name, results->done.join(u", "_s)));
            m_notices->tell(results->troubles.isEmpty() ? NoticeBar::Tone::Info : NoticeBar::Tone::Trouble, words.join(u' '));
        });
    }
}

void KeysPage::askRemove()
{
    const KeysModel::Row *row = currentRow();
    if (!row || row->registrations.isEmpty())
        return;
    if (row->registrations.size() > 1) {
        auto *menu = new QMenu(this);
        menu->setAttribute(Qt::WA_DeleteOnClose);
        for (const KeysModel::Registration &one : row->registrations)
            menu->addAction(tr("From %1…").arg(one.accountName), this, [this, one, name = row->name] { removeFrom(one, name); });
        menu->popup(m_remove->mapToGlobal(m_remove->rect().bottomLeft()));
        return;
    }
    removeFrom(row->registrations.first(), row->name);
}

void KeysPage::removeFrom(const KeysModel::Registration &one, const QString &name)
{
    confirm(window(),
            {tr("Remove %1 from %2?").arg(name, one.accountName),
             tr("Whoever holds it can no longer open new SSH connections to sandboxes of this account. The key on this computer stays."),
             tr("Remove"), tr("Keep it")},
            [this, one] {
                SandboxProvider *provider = m_hub->provider(one.accountId);
                if (!provider)
                    return;
                provider->removeKey(one.keyId).then(this, [this, id = one.accountId](const Done &removed) {
                    if (!removed)
                        m_notices->tell(NoticeBar::Tone::Trouble, errorText(removed.error()).sentence);
                    m_registry->refreshKeys(id);
                });
            });
}

void KeysPage::copyLine()
{
    if (const KeysModel::Row *row = currentRow())
        QGuiApplication::clipboard()->setText(QString::fromUtf8(row->line));
}

void KeysPage::unlockThen(const KeyFile &key, const QString &verb, std::function<void(const std::shared_ptr<Secret> &)> go)
{
    if (!key.isEncrypted) {
        go(std::make_shared<Secret>());
        return;
    }
    auto *dialog = new KeyPassphraseDialog(key, KeyPassphraseDialog::Purpose::Unlock, verb, window());
    connect(dialog, &KeyPassphraseDialog::agreed, this, [go = std::move(go)](const std::shared_ptr<Secret> &passphrase) { go(passphrase); });
    dialog->open();
}

void KeysPage::addToAgent()
{
    const KeysModel::Row *row = currentRow();
    if (!row || !row->hasPrivateHalf())
        return;
    const QString file = row->file->file;
    unlockThen(*row->file, tr("Add"), [this, file](const std::shared_ptr<Secret> &passphrase) {
        const auto add = [=, socket = QFile::encodeName(m_available->agentSocket())] {
            return addKeyFileToAgent(socket, file, *passphrase, {}, agentDeadline());
        };
        inBackground(this, add, [this, file](const Done &added) {
            if (added)
                m_notices->tell(NoticeBar::Tone::Info, tr("The agent holds %1 until it ends.").arg(QFileInfo(file).fileName()));
            else
                tellTrouble(QFileInfo(file).fileName(), added.error());
            m_available->refresh();
        });
    });
}

void KeysPage::removeFromAgent()
{
    const KeysModel::Row *row = currentRow();
    if (!row || row->agentBlob.isEmpty())
        return;
    const auto remove = [blob = row->agentBlob, socket = QFile::encodeName(m_available->agentSocket())] {
        return Sandpiper::removeFromAgent(socket, blob, agentDeadline());
    };
    inBackground(this, remove, [this, name = row->name](const Done &removed) {
        if (!removed)
            tellTrouble(name, removed.error());
        m_available->refresh();
    });
}

void KeysPage::changePassphraseOf()
{
    const KeysModel::Row *row = currentRow();
    if (!row || !row->hasPrivateHalf())
        return;
    auto *dialog = new KeyPassphraseDialog(*row->file, KeyPassphraseDialog::Purpose::Change, tr("Change"), window());
    connect(dialog, &KeyPassphraseDialog::agreed, this,
            [this, file = row->file->file](const std::shared_ptr<Secret> &before, const std::shared_ptr<Secret> &after) {
                const auto change = [=] { return changePassphrase(file, *before, *after); };
                inBackground(this, change, [this, file](const Done &changed) {
                    if (changed)
                        m_notices->tell(NoticeBar::Tone::Info, tr("%1 has its new passphrase.").arg(QFileInfo(file).fileName()));
                    else
                        tellTrouble(QFileInfo(file).fileName(), changed.error());
                    m_available->refresh();
                });
            });
    dialog->open();
}

void KeysPage::convert()
{
    const KeysModel::Row *row = currentRow();
    if (!row || !row->hasPrivateHalf())
        return;
    const QString file = row->file->file;
    unlockThen(*row->file, tr("Convert"), [this, file](const std::shared_ptr<Secret> &passphrase) {
        const auto work = [=] { return convertKey(file, *passphrase); };
        inBackground(this, work, [this, file](const Result<QString> &backup) {
            if (backup)
                m_notices->tell(NoticeBar::Tone::Info, tr("%1 is in OpenSSH's form now; the old one is kept as %2.").arg(QFileInfo(file).fileName(), QFileInfo(*backup).fileName()));
            else
                tellTrouble(QFileInfo(file).fileName(), backup.error());
            m_available->refresh();
        });
    });
}

} // namespace Sandpiper
