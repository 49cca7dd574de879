// Sandboxes in other programs: "Copy command" and "Open in". It wires; what is written and what is run is
// in session/toolcommands and session/sshconfigstore. GUI thread; files are touched in the background.
#pragma once

#include "session/sshconfigstore.h"
#include "session/toolcommands.h"
#include "ui/accounthub.h"
#include "ui/actions.h"

#include <QElapsedTimer>
#include <QHash>
#include <QObject>

namespace Sandpiper {

class SandboxTools : public QObject
{
    Q_OBJECT
public:
    struct Parts // borrowed; they outlive it
    {
        AccountHub *hub = nullptr;
        const Actions *actions = nullptr;
        QWidget *window = nullptr; // for the one question
        SshConfigFiles files;
        ToolSurroundings around;
        std::function<SignIn(const SandboxId &)> signIn; // unset: as the sandbox's vendor has it
        std::function<bool(const ToolLaunch &)> launch; // unset: starts it, apart from this program
    };
    explicit SandboxTools(const Parts &parts, QObject *parent = nullptr);

    // Sets what can be done with it, and the reason as the tool tip where something cannot.
    void updateActions(const std::optional<Sandbox> &sandbox);
    // "Copy command" and "Open in", of the same actions, as submenus.
    void addMenus(class QMenu *menu) const;
    void copy(CopyTool tool, const Sandbox &sandbox);
    void open(OpenTool tool, const Sandbox &sandbox);

signals:
    void told(const QString &sentence);
    void failed(const QString &sentence);

private:
    struct Row;
    [[nodiscard]] static const QList<Row> &rows();
    [[nodiscard]] Result<SshHostBlock> blockFor(const Sandbox &sandbox) const;
    [[nodiscard]] QString accountName(const Sandbox &sandbox) const;
    [[nodiscard]] Result<ToolLaunch> launchOf(OpenTool tool, const Sandbox &sandbox, const QString &alias) const;
    // Why this program cannot be started here; empty: it can. Looked up again every half minute at most.
    [[nodiscard]] QString missing(OpenTool tool);
    void askThenWrite(OpenTool tool, const Sandbox &sandbox);
    void writeThenStart(OpenTool tool, const Sandbox &sandbox);
    void start(const Result<ToolLaunch> &launch);
    Parts m_parts;
    QHash<OpenTool, QString> m_missing;
    QElapsedTimer m_looked;
};

} // namespace Sandpiper
