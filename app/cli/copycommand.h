// get, put and cp: files and folders between here and a sandbox, from one sandbox to another, and within one.
#pragma once

#include "app/cli/command.h"
#include "app/cli/kepttransfer.h"
#include "sftp/transferqueue.h"

namespace Sandpiper {

class CopyCommand : public Command
{
    Q_OBJECT
public:
    // way: Fetch is get, Send is put, Relay is cp.
    CopyCommand(Directory *directory, TransferWay way);
    ~CopyCommand() override;
    void start(const QStringList &arguments) override;
    void interrupt() override;

private:
    struct Place // of the sources, or of the target
    {
        std::optional<TargetText> text; // none: here
        SandboxId sandbox;
    };
    // One word of the command line; false: the mistake has been said.
    [[nodiscard]] bool take(const QByteArray &word, bool isLast);
    void resolve(Place &place, void (CopyCommand::*then)());
    void resolveTarget() { resolve(m_to, &CopyCommand::begin); }
    [[nodiscard]] bool hasSftp(const Place &place) const;
    void begin();
    // How it is to be done this time, also where an earlier start has kept it.
    void amend(TransferWish &wish) const;
    void ask();
    void show();
    void tellFailures();
    void ended();

    TransferWay m_way;
    std::unique_ptr<PromptHandler> m_prompts; // outlives the links
    Place m_from;
    Place m_to;
    QHash<SandboxId, Target> m_targets;
    TransferWish m_wish;
    std::optional<KeptTransfer> m_kept; // with --resume
    std::unique_ptr<TransferQueue> m_queue;
    qint64 m_id = 0;
    qsizetype m_told = 0; // failures
    bool m_resumes = false;
    bool m_isDone = false; // all of it: nothing is left to be kept
    bool m_json = false;
    bool m_showsProgress = false;
    bool m_wasConnected = false;
    bool m_isInterrupted = false;
    bool m_hasLeftOut = false; // because nobody was there to be asked
};

} // namespace Sandpiper
