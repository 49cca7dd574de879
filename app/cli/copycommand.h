// get and put: files and folders between here and a sandbox.
#pragma once

#include "app/cli/command.h"
#include "sftp/transferqueue.h"

namespace Sandpiper {

class CopyCommand : public Command
{
    Q_OBJECT
public:
    CopyCommand(Directory *directory, TransferWay way);
    ~CopyCommand() override;
    void start(const QStringList &arguments) override;
    void interrupt() override;

private:
    void begin(const CliResult<Target> &target);
    void ask();
    void show();
    void tellFailures();
    void ended();

    TransferWay m_way;
    std::unique_ptr<PromptHandler> m_prompts; // outlives the links
    Target m_target;
    TransferWish m_wish;
    std::unique_ptr<TransferQueue> m_queue;
    qint64 m_id = 0;
    qsizetype m_told = 0; // failures
    bool m_json = false;
    bool m_showsProgress = false;
    bool m_wasConnected = false;
    bool m_isInterrupted = false;
    bool m_hasLeftOut = false; // because nobody was there to be asked
};

} // namespace Sandpiper
