// One file on its way from one file system to another, or within one: its bytes come through memory, or are copied or
// renamed there where that can be had. GUI thread.
#pragma once

#include "sftp/filesystem.h"
#include "sftp/sha256.h"
#include "sftp/transferfile.h"

#include <QPointer>

#include <deque>

namespace Sandpiper {

struct RelayFileWish
{
    FilePath source;
    FileAttributes attributes; // of the source, as they were found
    FilePath target;
    // In the target's folder, where it can be renamed there: what is not whole yet. Whatever has this name is an earlier
    // try of ours.
    QByteArray hiddenName;
    OnConflict onConflict = OnConflict::Ask;
    bool mayBeThere = false;    // as FileTransferWish has it
    bool targetIsFresh = false; // the same
    bool keepsMode = true;
    bool keepsTimes = true;
    bool syncs = false;
    bool hashes = false;
    bool renames = false; // it is to be moved: within one place its name may be all that changes
    std::shared_ptr<TransferPacer> pacer = {};
};

class RelayFile : public QObject
{
    Q_OBJECT
public:
    // source, target: borrowed, may go, and are the same within one place. To delete it leaves what is half.
    RelayFile(FileSystem *source, FileSystem *target, const RelayFileWish &wish, QObject *parent = nullptr);
    ~RelayFile() override;

    void start();
    // finished() follows, with Cancelled, when what is half has been removed.
    void stop();
    // Whose error finished() has told.
    [[nodiscard]] const FileSystem *complainant() const { return m_complainant; } // to be compared only
    // What the source was when it was looked at last.
    [[nodiscard]] const FileAttributes &attributes() const { return m_wish.attributes; }
    [[nodiscard]] bool isRenamed() const { return m_isRenamed; } // nothing is left at the source

signals:
    void moved(qint64 bytes); // more of them have arrived
    void finished(const Sandpiper::Result<Sandpiper::FileOutcome> &outcome); // once

private:
    // The answer of one of both. A loss, and a wish to stop, end it here.
    template <typename Answer, typename Then>
    void ask(FileSystem *whom, const QFuture<Answer> &answer, Then then);

    // Else it ends.
    [[nodiscard]] bool isInReach();

    void lookAtTarget();
    void decide(const FileAttributes &existing);
    void beginMoving();
    void renameThere();
    void copyThere();
    void clearHidden(void (RelayFile::*then)());
    void stream();
    void openWriter();
    void openReader();
    void pump();
    void readEnded(const Result<ReadEnd> &end);
    void closeWhenAllIsWritten();
    void writeEnded(const Done &end);
    void lookAtSource();
    void setAttributes();
    void giveName();
    void notNamed(const Error &error);
    void replaceTarget();
    void lookAtOutcome();
    [[nodiscard]] bool nextName();
    void done(const FileAttributes &there);
    void fail(const FileSystem *whose, const Error &error);
    void removeHalf();
    void end(const Result<FileOutcome> &outcome);

    [[nodiscard]] FilePath hidden() const;
    [[nodiscard]] FilePath landing() const; // where the bytes go: hidden, or under the final name
    [[nodiscard]] bool knowsMode() const;
    [[nodiscard]] Layer layerOf(const FileSystem *files) const;
    [[nodiscard]] Error changed() const;

    QPointer<FileSystem> m_source;
    QPointer<FileSystem> m_target;
    RelayFileWish m_wish;
    FilePath m_name; // the final one, as it is now
    bool m_isHidden; // until it is whole
    std::unique_ptr<FileReader> m_reader;
    std::unique_ptr<FileWriter> m_writer;
    std::deque<QByteArray> m_chunks; // read, and not given to the writer
    quint64 m_read = 0;
    std::optional<Sha256> m_hash;
    std::optional<Error> m_error; // why it ends, once what is half is removed
    const FileSystem *m_complainant = nullptr;
    int m_number = 1; // of the name
    bool m_replaces = false;
    bool m_hasMade = false; // what is half may be there
    bool m_isRead = false;
    bool m_isClosing = false;
    bool m_isHeld = false; // by the pacer
    bool m_hasChanged = false; // the source, while it was read
    bool m_isStopping = false;
    bool m_isRenamed = false;
    bool m_isOver = false;
};

} // namespace Sandpiper
