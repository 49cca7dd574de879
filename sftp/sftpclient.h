// The files of one server: an SFTP channel on a link. GUI thread; the protocol runs in the thread of the link.
#pragma once

#include "sftp/bulkwindow.h"
#include "sftp/protocol.h"
#include "sftp/sftpstreams.h"

#include <QFuture>
#include <QHash>
#include <QSocketNotifier>
#include <QTimer>

#include <deque>

namespace Sandpiper {

class SshChannel;
class SshLink;
struct ShellEnd;

// Usable at once: what is asked before the link is Ready waits for it. Every question ends with one answer,
// also when link, channel or server are lost. Errors: layer Sftp, subject the path, detail the server's words.
// Kinds: NotFound, PermissionDenied, Conflict (something is there), QuotaExceeded, Unsupported, Timeout (it may
// still be done there), Protocol, ServerError (it refuses and does not say why), ConnectionLost, Cancelled.
class SftpClient : public QObject
{
    Q_OBJECT
public:
    // link: borrowed for the call; it may go first.
    // window: what several clients of one link keep to together while somebody types; none: it has one of its own.
    explicit SftpClient(SshLink *link, const SftpPatience &patience = {}, QObject *parent = nullptr, std::shared_ptr<BulkWindow> window = {});
    ~SftpClient() override; // what is under way ends with Cancelled

    [[nodiscard]] bool isReady() const { return m_isReady; }
    [[nodiscard]] const SftpServer &server() const { return m_server; } // once ready

    // A future that is cancelled before its turn is not carried out; later, only its answer is dropped.
    // At most 256 are with the server at once, the others wait here.
    [[nodiscard]] QFuture<Result<FileAttributes>> stat(const FilePath &path, LinkPolicy links = LinkPolicy::Follow);
    // Mode (its permissions), owner, times, size. NoFollow needs lsetstat@openssh.com.
    [[nodiscard]] QFuture<Done> setAttributes(const FilePath &path, const FileAttributes &attributes, LinkPolicy links = LinkPolicy::Follow);
    [[nodiscard]] QFuture<Done> makeFolder(const FilePath &path, std::optional<quint32> mode = {});
    [[nodiscard]] QFuture<Done> removeFile(const FilePath &path); // and links
    [[nodiscard]] QFuture<Done> removeFolder(const FilePath &path);
    // Replace is atomic where the server has posix-rename@openssh.com; elsewhere the server decides whether something
    // that is there is an error (OpenSSH, by the draft) or goes. Keep looks first: Conflict.
    [[nodiscard]] QFuture<Done> rename(const FilePath &from, const FilePath &to, RenamePolicy policy = RenamePolicy::Keep);
    [[nodiscard]] QFuture<Result<FilePath>> realPath(const FilePath &path);
    [[nodiscard]] QFuture<Result<FilePath>> expandPath(const FilePath &path);
    [[nodiscard]] QFuture<Result<FilePath>> homeFolder(const QByteArray &user = {});
    [[nodiscard]] QFuture<Result<FilePath>> readLink(const FilePath &path);
    [[nodiscard]] QFuture<Done> makeSymlink(const FilePath &target, const FilePath &link);
    [[nodiscard]] QFuture<Done> makeHardlink(const FilePath &existing, const FilePath &link);
    [[nodiscard]] QFuture<Result<FileSystemSpace>> space(const FilePath &path);
    [[nodiscard]] QFuture<Done> sync(const FilePath &path); // a file's bytes are on the disk
    // On the server, into a file that is not there yet.
    [[nodiscard]] QFuture<Done> copyFile(const FilePath &from, const FilePath &to);
    [[nodiscard]] QFuture<Result<OwnerNames>> ownerNames(const QList<quint32> &users, const QList<quint32> &groups);

    [[nodiscard]] std::unique_ptr<SftpListing> list(const FilePath &path);
    [[nodiscard]] std::unique_ptr<SftpReader> read(const FileReadWish &wish);
    [[nodiscard]] std::unique_ptr<SftpWriter> write(const FileWriteWish &wish);
    [[nodiscard]] std::unique_ptr<SftpFileTransfers> transferFiles();

signals:
    void ready();
    // Once, when it cannot be used any more. After everything that was under way has ended.
    void ended(const Sandpiper::Error &error);

private:
    friend class SftpStream;
    friend class SftpFileTransfers;
    class Call;
    template <typename Answer>
    class TypedCall;

    template <typename Answer>
    [[nodiscard]] QFuture<Answer> run(SftpOperation operation);
    void startWaiting();
    [[nodiscard]] int add(SftpStream *stream);
    [[nodiscard]] int add(SftpFileTransfers *files); // one of them
    void forget(int stream);
    void forget(const QList<int> &files);
    void send(SftpCommand command);
    // A slice of what there is, or all.
    enum class Take { Slice, All };
    void takeEvents(Take how);
    void handle(SftpEvent &event);
    void tellFileEnds();
    void channelEnded(const ShellEnd &end);
    void endWith(const Error &error);

    std::shared_ptr<SftpMail> m_mail; // owned together with the engine
    std::unique_ptr<QSocketNotifier> m_bell;
    std::unique_ptr<SshChannel> m_channel;
    SftpServer m_server;
    std::deque<std::unique_ptr<Call>> m_waiting;
    QHash<int, std::shared_ptr<Call>> m_calls; // with the engine
    QHash<int, QPointer<SftpStream>> m_streams;
    QHash<int, SftpFileTransfers *> m_files;          // whose a file under way is; each leaves it when it goes
    QList<QPointer<SftpFileTransfers>> m_haveEnds;    // to be told
    std::deque<SftpEvent> m_events;                   // taken out of the mail, and not handled
    QTimer m_rest;                                    // when there are
    QByteArray m_complaints; // of the program there, on its error output
    std::optional<Error> m_end;
    int m_lastId = 0;
    bool m_isReady = false;
};

} // namespace Sandpiper
