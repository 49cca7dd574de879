// sync: a folder becomes as another, between here and a sandbox.
#pragma once

#include "app/cli/command.h"
#include "sftp/filesystem.h"
#include "sftp/transferqueue.h"
#include "sftp/treecompare.h"
#include "sftp/treesync.h"

namespace Sandpiper {

class SyncCommand : public Command
{
    Q_OBJECT
public:
    explicit SyncCommand(Directory *directory);
    ~SyncCommand() override;
    void start(const QStringList &arguments) override;
    void interrupt() override;

private:
    void begin(const CliResult<Target> &target);
    void compared(const Done &end);
    void carryOut();
    void print(const QList<SyncStep> &steps) const;
    void show(const TransferProgress &progress);
    void sayFailures() const;
    void ended(const TreeSync::Outcome &outcome);
    void printDocument(const TreeSync::Outcome &outcome) const;

    std::unique_ptr<PromptHandler> m_prompts; // outlives the links
    Target m_target;
    bool m_sends = false;
    FilePath m_source;
    FilePath m_destination;
    CompareOptions m_options;
    bool m_removes = false;
    bool m_isDryRun = false;
    bool m_json = false;
    bool m_showsProgress = false;
    bool m_isInterrupted = false;
    std::unique_ptr<FileSystem> m_local;
    std::unique_ptr<SshLink> m_link;
    std::unique_ptr<FileSystem> m_remote;
    std::unique_ptr<TransferQueue> m_queue;
    std::unique_ptr<TreeCompare> m_compare;
    std::unique_ptr<TreeSync> m_sync;
    QList<CompareRow> m_rows; // without those that are the same
    SyncPlan m_plan;
};

} // namespace Sandpiper
