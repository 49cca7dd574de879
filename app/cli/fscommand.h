// Files of a server, one operation at a time.
#pragma once

#include "app/cli/command.h"
#include "app/cli/fsparts.h"
#include "sftp/sftpclient.h"

#include <QSet>

#include <functional>

namespace Sandpiper {

class FsCommand : public Command
{
    Q_OBJECT
public:
    explicit FsCommand(Directory *directory);
    ~FsCommand() override;
    void start(const QStringList &arguments) override;

private:
    struct Verb;
    static const QList<Verb> &verbs();
    void connectTo(const CliResult<Target> &target);

    void ls();
    void stat();
    void cat();
    void write();
    void mkdir();
    void makeParents(const FilePath &folder, const std::function<void()> &then);
    void rm();
    void rmdir();
    void mv();
    void ln();
    void readlink();
    void realpath();
    void chmod();
    void df();

    // Where a failure has been said the others that follow from it are not.
    void failFs(Error error);
    void endWith(const Done &done);
    void printPath(const Result<FilePath> &path);
    void listed(const Result<ListEnd> &end);
    // Where listings say little of their names.
    void completeRows(const std::function<void()> &then);
    void askOwners(const QList<FileAttributes> &of, const std::function<void(const OwnerNames &)> &then);
    void printRows(const OwnerNames &names);
    void printStat(const FileAttributes &attributes, const OwnerNames &names, const QByteArray &target);

    std::function<void()> m_run;
    QSet<QString> m_options;
    QString m_targetName;
    FilePath m_path;
    FilePath m_other; // of mv and ln
    std::optional<quint32> m_mode;
    std::unique_ptr<PromptHandler> m_prompts; // outlives the link
    std::unique_ptr<SshLink> m_link;
    std::unique_ptr<SftpClient> m_client;
    std::unique_ptr<SftpListing> m_listing;
    std::unique_ptr<SftpReader> m_reader;
    std::unique_ptr<SftpWriter> m_writer;
    QList<FileEntry> m_rows;
    bool m_hasFailed = false;
};

} // namespace Sandpiper
