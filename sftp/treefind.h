// Looks through a folder and all below it, for names and for what files hold. GUI thread.
#pragma once

#include "sftp/filecommand.h"
#include "sftp/filesystem.h"

#include <QPointer>

#include <deque>
#include <map>

namespace Sandpiper {

struct FindWish
{
    FilePath top; // absolute
    // Part of a name; a pattern where "*" or "?" is in it. Empty: any.
    QString name;
    QString text; // in the file, in UTF-8; empty: names alone count, and folders are found too
    bool matchesCase = false; // else capitals and small letters of ASCII are alike
};

struct FindHit
{
    FilePath path;
    FileAttributes attributes = {}; // as far as they were told
};

// By find and grep there where a command can be run; else folder by folder. Links are told, never followed. To delete it is to
// cancel it.
class TreeFind : public QObject
{
    Q_OBJECT
public:
    static constexpr qint64 mostHits = 10'000;
    struct Outcome
    {
        qint64 hits = 0;
        bool isCut = false;     // there is more; mostHits have been told
        qint64 unreadable = 0;  // folders and files that could not be looked into
        qint64 skipped = 0;     // files too large to be read from here
        bool wasByCommand = false;
        std::optional<Error> error; // of the top: nothing was looked at
    };
    // files is borrowed and may go. command: unset: none can be run there.
    TreeFind(FileSystem *files, const FileCommandMaker &command, const FindWish &wish, QObject *parent = nullptr);
    ~TreeFind() override;
    void start();

    // Of find -name and fnmatch(3).
    [[nodiscard]] static QByteArray patternFor(const QString &name);

signals:
    void found(const QList<Sandpiper::FindHit> &hits);
    void progressed(qint64 files); // looked at; only where it goes folder by folder
    void finished(const Sandpiper::TreeFind::Outcome &outcome); // once

private:
    struct Look;
    [[nodiscard]] std::optional<CommandSpec> commandSpec() const;
    void runCommand(const CommandSpec &spec);
    void takeOutput(const QByteArray &hex);
    void commandEnded(const ShellEnd &end);
    void walk();
    void startMore();
    void list(const FilePath &folder);
    void take(const FilePath &folder, const QList<FileEntry> &rows);
    void look(const FindHit &hit);
    void tell(const QList<FindHit> &hits);
    void settle();
    void finish();

    QPointer<FileSystem> m_files;
    FileCommandMaker m_command;
    FindWish m_wish;
    QByteArray m_pattern;
    QByteArray m_text;
    std::unique_ptr<RemoteCommand> m_remote;
    QByteArray m_record; // not whole yet
    QByteArray m_half;   // of a byte in hex
    std::deque<FilePath> m_folders; // not listed yet
    std::deque<FindHit> m_toRead;
    std::map<const QObject *, std::unique_ptr<FileListing>> m_listings;
    std::map<const QObject *, std::unique_ptr<Look>> m_looks;
    qint64 m_looked = 0;
    Outcome m_outcome;
    bool m_isOver = false;
};

} // namespace Sandpiper
