// One file of a sandbox that is edited here: a private copy, watched, and sent back when it was saved and nobody else
// has changed the file there meanwhile. It survives lost links and the end of the program. GUI thread; disks and
// links are the business of other threads.
#pragma once

#include "sftp/editrecord.h"
#include "sftp/filepipe.h"
#include "sftp/folderwatch.h"
#include "sftp/localfilesystem.h"

#include <QPromise>

namespace Sandpiper {

enum class EditState {
    Fetching,
    AsksSize, // it is large, and nothing was fetched: see fetchAnyway()
    Same,     // here and there
    Sending,  // saved here, and on its way
    Waiting,  // for the sandbox; error says why, where it is known
    Conflict, // saved here, and changed there as well: overwrite(), keepBoth() or takeTheirs()
    Failed,   // error says why; the next save, or sendNow(), tries again
};

struct EditStatus
{
    EditState state = EditState::Fetching;
    std::optional<Error> error;
    bool isGoneThere = false; // Conflict: it was removed
    std::optional<quint64> size; // AsksSize
    friend bool operator==(const EditStatus &, const EditStatus &) = default;
};

struct EditDifference
{
    QByteArray theirs;
    QByteArray mine;
    bool isGoneThere = false;
    friend bool operator==(const EditDifference &, const EditDifference &) = default;
};

// From this size on it asks first.
inline constexpr quint64 kEditAsksAbove = 64ull << 20;

class EditSession : public QObject
{
    Q_OBJECT
public:
    // root: a private folder; the copy lies in a folder of its own in it, the journal beside that.
    EditSession(const EditRecord &record, const QString &root, QObject *parent = nullptr);
    ~EditSession() override;
    void start(); // fetches; or, of an earlier start, looks what has become of the copy

    [[nodiscard]] const EditRecord &record() const { return m_record; }
    [[nodiscard]] const EditStatus &status() const { return m_status; }
    [[nodiscard]] QString localFile() const;
    // What was saved here is there as well, as far as is known.
    [[nodiscard]] bool isSafeToDrop() const { return m_status.state == EditState::Same || !m_record.isFetched; }

    // Null: they are not to be had now.
    void setFiles(FileSystem *files);
    // Why they are not. Final: not by waiting alone.
    enum class Trouble { Passing, Final };
    void setTrouble(const std::optional<Error> &why, Trouble trouble);
    [[nodiscard]] bool wantsFiles() const;

    void fetchAnyway(); // AsksSize
    void sendNow();     // Failed, Waiting: at once; else looks at the copy
    // Of a conflict. What has changed there since it was seen makes a new one.
    void overwrite();
    void keepBoth(); // the copy here becomes a second file there, and that is what is edited from here on
    void takeTheirs(); // what was saved here goes
    // Both as they are now, at most 2 MiB each (TooLarge). Waits for the files.
    [[nodiscard]] QFuture<Result<EditDifference>> compare();
    void setPace(std::chrono::milliseconds settle, std::chrono::milliseconds retry);

signals:
    void changed();
    void fetched(); // for the first time: now it can be opened
    void filesWanted(); // wantsFiles(); may be told again

private:
    enum class Task { None, Fetch, TakeTheirs, Send, SendBeside };
    void begin(Task task);
    void proceed();
    void finish();
    void stepFailed(const Error &error);
    void dropStep();
    void setState(EditState state, const std::optional<Error> &error = {});
    void writeJournal(std::function<void()> then); // then: of this step still
    void finished();
    void look();
    void lookAgain();
    void looked(const Result<LocalDigest> &mine);
    void compareNext();
    void endCompares(const Result<EditDifference> &difference);

    // editsteps.cpp
    void resolve();
    void fetch(const FileAttributes &found);
    void fetchInto(const FileAttributes &found);
    void measure();
    void check();
    void readTheirs(const FileAttributes &found);
    void theirsRead(const FileAttributes &found, const FilePipeEnd &theirs);
    void conflict(const EditBase &theirs);
    void send(const std::optional<FileAttributes> &current);
    void writeHidden(std::function<void()> then);
    void dress(std::function<void()> then);
    void setOnHidden(const FileAttributes &wish, std::function<void(const FileAttributes &)> then);
    void publish();
    void sendInPlace(const FilePath &path, FileWriteWish::Existing existing);
    void writeInPlace(const FilePath &path, FileWriteWish::Existing existing);
    void afterRefusal(const Error &error);
    void beside();
    void arrivedAt(const FilePath &path);
    [[nodiscard]] bool isDressed(const FileAttributes &found) const;
    [[nodiscard]] FilePath hiddenPath() const;
    [[nodiscard]] FilePath localPath() const;
    [[nodiscard]] FilePath localPath(const QByteArray &name) const;
    template <typename Answer, typename Then>
    void ask(QFuture<Answer> answer, Then then); // dropped when the step is not this one any more
    template <typename Then>
    void pipe(FileSystem *from, FileSystem *to, const FilePipeWish &wish, Then then);

    EditRecord m_record;
    EditStatus m_status;
    QString m_root;
    LocalFileSystem m_disk;
    QPointer<FileSystem> m_files;
    FolderWatch m_watch;
    QTimer m_settle; // between two looks at what may still be written
    QTimer m_retry;
    Task m_task = Task::None;
    quint64 m_turn = 0;
    bool m_isBusy = false; // with a step of the task
    bool m_isLooking = false;
    bool m_isDirty = false; // something happened to the copy meanwhile
    bool m_isLargeAllowed = false;
    bool m_isRefused = false; // the task failed, and not for a lost link: its user or the next save tries again
    std::optional<FileAttributes> m_seen; // of the copy, at the look before
    std::optional<Error> m_trouble;

    // Of the step that is under way.
    std::unique_ptr<FilePipe> m_pipe;
    LocalDigest m_mine;
    std::optional<FileAttributes> m_current; // of the file there; none: it is gone
    std::optional<FileAttributes> m_hidden; // of what is to take its place
    FilePipeEnd m_sent;
    FilePath m_target;
    int m_number = 1;
    EditBase m_theirs; // Conflict

    std::unique_ptr<FilePipe> m_comparing;
    QList<std::shared_ptr<QPromise<Result<EditDifference>>>> m_compares; // each is answered once, or dropped with us
};

template <typename Answer, typename Then>
void EditSession::ask(QFuture<Answer> answer, Then then)
{
    answer.then(this, [this, of = m_turn, then = std::move(then)](const Answer &result) {
        if (of == m_turn)
            then(result);
    });
}

template <typename Then>
void EditSession::pipe(FileSystem *from, FileSystem *to, const FilePipeWish &wish, Then then)
{
    m_pipe = std::make_unique<FilePipe>(from, to, wish);
    connect(m_pipe.get(), &FilePipe::finished, this, [this, then = std::move(then)](const Result<FilePipeEnd> &end) {
        m_pipe.release()->deleteLater(); // it is what speaks
        then(end);
    });
}

} // namespace Sandpiper
