#include "ui/sandboxtools.h"

#include "session/background.h"
#include "session/errortext.h"
#include "ui/dialogkit.h"
#include "ui/toolstart.h"

#include <QClipboard>
#include <QDir>
#include <QGuiApplication>
#include <QMenu>

#include <chrono>
#include <variant>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

struct SandboxTools::Row
{
    ActionId action;
    std::variant<CopyTool, OpenTool> tool;
    const char *name; // of the program: the same in every language
};

namespace {

constexpr std::chrono::milliseconds lookedFor{30'000};

QString sentenceOf(const Error &error)
{
    // A missing program is said in a whole sentence already.
    return error.kind == ErrorKind::NotFound || error.kind == ErrorKind::Unsupported ? error.detail : errorText(error).sentence;
}

} // namespace

const QList<SandboxTools::Row> &SandboxTools::rows()
{
    static const QList<Row> all = {
        {ActionId::CopySsh, CopyTool::Ssh, "ssh"},
        {ActionId::CopyScp, CopyTool::Scp, "scp"},
        {ActionId::CopySftp, CopyTool::Sftp, "sftp"},
        {ActionId::CopyRsync, CopyTool::Rsync, "rsync"},
        {ActionId::OpenInVsCode, OpenTool::VsCode, "VS Code"},
        {ActionId::OpenInCursor, OpenTool::Cursor, "Cursor"},
        {ActionId::OpenInJetBrains, OpenTool::JetBrains, "JetBrains Gateway"},
        {ActionId::OpenInTerminal, OpenTool::Terminal, nullptr},
    };
    return all;
}

SandboxTools::SandboxTools(const Parts &parts, QObject *parent)
    : QObject(parent)
    , m_parts(parts)
{
    if (!m_parts.launch)
        m_parts.launch = startApart;
}

QString SandboxTools::accountName(const Sandbox &sandbox) const
{
    const AccountHub::Entry *entry = m_parts.hub->entry(sandbox.id.account);
    return entry ? entry->account.name : QString();
}

Result<SshHostBlock> SandboxTools::blockFor(const Sandbox &sandbox) const
{
    SshHostWish wish;
    wish.knownHostsFile = m_parts.files.knownHosts;
    if (m_parts.signIn)
        wish.signIn = m_parts.signIn(sandbox.id);
    return hostBlockFor(sandbox, wish);
}

Result<ToolLaunch> SandboxTools::launchOf(OpenTool tool, const Sandbox &sandbox, const QString &alias) const
{
    if (tool != OpenTool::Terminal)
        return openLaunch(tool, alias, {}, m_parts.around);
    const QString account = accountName(sandbox);
    return terminalLaunch(account.isEmpty() ? sandbox.id.id : account + u'/' + sandbox.id.id, m_parts.around);
}

QString SandboxTools::missing(OpenTool tool)
{
    if (m_looked.isValid() && !m_looked.hasExpired(lookedFor.count()))
        return m_missing.value(tool);
    for (const OpenTool each : {OpenTool::VsCode, OpenTool::Cursor, OpenTool::JetBrains, OpenTool::Terminal}) {
        const Result<ToolLaunch> launch = openLaunch(each, u"x"_s, {}, m_parts.around);
        m_missing.insert(each, launch ? QString() : sentenceOf(launch.error()));
    }
    m_looked.start();
    return m_missing.value(tool);
}

void SandboxTools::updateActions(const std::optional<Sandbox> &sandbox)
{
    QString noSsh;
    if (sandbox && !sandbox->ssh) {
        noSsh = sandbox->capabilities.reasonAgainst(Capability::SshShell);
        if (noSsh.isEmpty())
            noSsh = tr("%1 has no SSH.").arg(sandbox->displayName());
    }
    for (const Row &row : rows()) {
        QString reason = noSsh;
        if (const OpenTool *tool = std::get_if<OpenTool>(&row.tool); tool && sandbox) {
            if (*tool == OpenTool::Terminal)
                reason.clear(); // sandpiper-cli has other ways
            else if (reason.isEmpty() && sandbox->state == SandboxState::Suspended)
                reason = tr("%1 is suspended. Resume it first.").arg(sandbox->displayName());
            if (reason.isEmpty())
                reason = missing(*tool);
        }
        QAction *action = m_parts.actions->action(row.action);
        action->setEnabled(sandbox && reason.isEmpty());
        action->setToolTip(reason);
    }
}

void SandboxTools::addMenus(QMenu *menu) const
{
    auto *open = new QMenu(tr("Open in"), menu);
    auto *copy = new QMenu(tr("Copy command"), menu);
    for (const Row &row : rows()) {
        const QAction *action = m_parts.actions->action(row.action);
        QMenu *into = std::holds_alternative<OpenTool>(row.tool) ? open : copy;
        into->setToolTipsVisible(true);
        // Under a title that says what happens, the program's name alone is enough.
        QAction *entry = into->addAction(row.name ? QString::fromLatin1(row.name) : tr("System terminal"), action, &QAction::trigger);
        entry->setEnabled(action->isEnabled());
        entry->setToolTip(action->toolTip());
    }
    menu->addMenu(open);
    menu->addMenu(copy);
}

void SandboxTools::copy(CopyTool tool, const Sandbox &sandbox)
{
    const QString alias = sandbox.ssh ? sandbox.ssh->alias : QString();
    if (!alias.isEmpty()) {
        const Result<QString> text = commandTextFor(tool, alias);
        if (!text)
            return void(emit failed(sentenceOf(text.error())));
        QGuiApplication::clipboard()->setText(*text);
        return void(emit told(tr("The command is in the clipboard.")));
    }
    const Result<SshHostBlock> block = blockFor(sandbox);
    if (!block)
        return void(emit failed(sentenceOf(block.error())));
    inBackground(
        this, [files = m_parts.files, block = *block] { return writeSshHostKeys(files, {block}); },
        [this, tool, block = *block](const Done &done) {
            if (!done)
                return void(emit failed(sentenceOf(done.error())));
            QGuiApplication::clipboard()->setText(commandTextFor(tool, block));
            emit told(tr("The command is in the clipboard."));
        });
}

void SandboxTools::open(OpenTool tool, const Sandbox &sandbox)
{
    // A Host of the user's own needs nothing of ours, and neither does the command line.
    const QString alias = sandbox.ssh ? sandbox.ssh->alias : QString();
    if (tool == OpenTool::Terminal || !alias.isEmpty())
        return start(launchOf(tool, sandbox, alias));
    inBackground(
        this, [files = m_parts.files] { return hasSshInclude(files); },
        [this, tool, sandbox](const Result<bool> &included) {
            if (!included)
                emit failed(sentenceOf(included.error()));
            else if (*included)
                writeThenStart(tool, sandbox);
            else
                askThenWrite(tool, sandbox);
        });
}

void SandboxTools::askThenWrite(OpenTool tool, const Sandbox &sandbox)
{
    confirm(m_parts.window,
            {tr("Let other programs find your sandboxes?"),
             tr("They read %1. Sandpiper puts one line at its top, which includes a file of its own:\n\n%2\n\nThe file as it is now is kept beside it. This is asked only once.")
                     .arg(QDir::toNativeSeparators(m_parts.files.userConfig), sshIncludeLine(m_parts.files)),
             tr("Add the line"), tr("Cancel"), false},
            [this, tool, sandbox] { writeThenStart(tool, sandbox); });
}

void SandboxTools::writeThenStart(OpenTool tool, const Sandbox &sandbox)
{
    const Result<SshHostBlock> block = blockFor(sandbox);
    if (!block)
        return void(emit failed(sentenceOf(block.error())));
    inBackground(
        this,
        [files = m_parts.files, made = *block, sandbox, account = accountName(sandbox)]() -> Result<QString> {
            const Result<QHash<QString, QString>> owners = sshAliasOwners(files);
            if (!owners)
                return std::unexpected(owners.error());
            SshHostBlock named = made;
            named.alias = hostAliasFor(sandbox, account, 0, withoutAccount(*owners, sandbox.id.account));
            if (const Done done = writeSshBlocks(files, {{named}, {}}); !done)
                return std::unexpected(done.error());
            if (const Result<QString> added = addSshInclude(files); !added)
                return std::unexpected(added.error());
            return named.alias;
        },
        [this, tool, sandbox](const Result<QString> &alias) {
            if (!alias)
                return void(emit failed(sentenceOf(alias.error())));
            start(launchOf(tool, sandbox, *alias));
        });
}

void SandboxTools::start(const Result<ToolLaunch> &launch)
{
    if (!launch)
        emit failed(sentenceOf(launch.error()));
    else if (!m_parts.launch(*launch))
        emit failed(tr("%1 could not be started.").arg(launch->program.isEmpty() ? launch->url.scheme() : launch->program));
}

} // namespace Sandpiper
