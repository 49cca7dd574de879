// Archives are packed and unpacked where they lie, by tar, zip and unzip. GUI thread.
#pragma once

#include "sftp/filecommand.h"
#include "sftp/filepath.h"

namespace Sandpiper {

class ArchiveWork : public QObject
{
    Q_OBJECT
public:
    static constexpr qsizetype mostSources = 500; // all of them are words of one command

    // By its ending: tar, tar.gz, tgz, tar.bz2, tbz2, tar.xz, txz, tar.zst, zip.
    [[nodiscard]] static bool isArchive(const QByteArray &name);
    // Without its ending: what a folder for what is in it is called.
    [[nodiscard]] static QByteArray stem(const QByteArray &name);

    // sources lie in folder; what has the name there stays, and Conflict is the answer. InvalidInput, with a sentence: a name is no text,
    // there are too many, or the ending of name is none of the above.
    [[nodiscard]] static Result<CommandSpec> packing(const FilePath &folder, const QList<FilePath> &sources, const QByteArray &name);
    // Into a folder that is there, and should be empty: what an archive holds may have any name in it.
    [[nodiscard]] static Result<CommandSpec> unpacking(const FilePath &archive, const FilePath &into);

    // To delete it is to cancel it: of an archive that is being packed nothing is left, of one that is unpacked what has come so far.
    ArchiveWork(const FileCommandMaker &command, const CommandSpec &spec, QObject *parent = nullptr);
    ~ArchiveWork() override;
    void start();

signals:
    void progressed(qint64 files);
    void finished(const Sandpiper::Done &done); // once

private:
    void take(const QByteArray &bytes, QByteArray &line);
    void ended(const ShellEnd &end);
    FileCommandMaker m_command;
    CommandSpec m_spec;
    std::unique_ptr<RemoteCommand> m_remote;
    qint64 m_lines = 0;
    QByteArray m_output;
    QByteArray m_complaint; // the last line that is not empty
};

} // namespace Sandpiper
