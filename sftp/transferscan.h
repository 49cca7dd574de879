// What there is to move: files, folders and links, found while others of them are on their way already.
// GUI thread.
#pragma once

#include "sftp/filesystem.h"
#include "sftp/localtree.h"
#include "sftp/transfer.h"

#include <QHash>
#include <QSet>

#include <deque>

namespace Sandpiper {

struct ScannedItem
{
    enum class Kind { File, Folder, Link };
    Kind kind = Kind::File;
    FilePath target; // relative to where the transfer goes
    FilePath source; // as people know it
    FileAttributes attributes;
    QByteArray linkTarget = {}; // Link
    // Where it is on this computer, for sending.
    std::shared_ptr<const LocalTree> tree = {};
    FilePath local = {};
};

class TransferScan : public QObject
{
    Q_OBJECT
public:
    // A folder comes before what is in it.
    explicit TransferScan(const TransferWish &wish, QObject *parent = nullptr);
    virtual void start() = 0;
    // What was cut off with a connection is asked once more: there is one again.
    virtual void retry() {}
    // At most some 50,000 items come that are not reported here.
    void consumed(qint64 items);
    [[nodiscard]] bool isFinished() const { return m_isFinished; }

signals:
    void found(const QList<Sandpiper::ScannedItem> &items);
    void failed(const Sandpiper::FilePath &source, const Sandpiper::Error &error);
    // It was asked and is out of reach: what is missing waits for retry(). of: to be compared only.
    void cutOff(const Sandpiper::FileSystem *of, const Sandpiper::Error &error);
    void finished(); // once

protected:
    // One that is to be looked into. Its way: the folders above it, as identities, for links that lead back.
    struct Folder
    {
        FilePath target;
        FilePath source;
        std::shared_ptr<const LocalTree> tree;
        FilePath local;
        QByteArrayList way;
    };
    virtual void list(const Folder &folder) = 0;
    // Where the wish has a base: what is wished for in this folder of the target, by name; each is looked at by itself.
    [[nodiscard]] bool isNamed() const { return !m_wish.base.isEmpty(); }
    [[nodiscard]] QByteArrayList namesIn(const FilePath &target) const { return m_names.value(target); }
    // Something in it is wished for.
    [[nodiscard]] bool isNamedFolder(const FilePath &target) const { return m_names.contains(target); }
    // What does not lie below the base.
    void tellStrays();
    [[nodiscard]] static Error noFolderAnyMore(const FilePath &source);
    // Starts what may start; ends the scan where nothing is left.
    void goOn();
    void push(Folder folder);
    void began() { ++m_active; }
    void ended();
    void tell(const QList<ScannedItem> &items);
    [[nodiscard]] FilePath targetOf(const FilePath &source) const; // of one of the wish's sources
    [[nodiscard]] const TransferWish &wish() const { return m_wish; }

private:
    TransferWish m_wish;
    QHash<FilePath, QByteArrayList> m_names;
    std::deque<Folder> m_folders;
    int m_active = 0;
    qint64 m_unconsumed = 0;
    bool m_isFinished = false;
};

// By the face of a file system. files: asked for it each time; null: it is not to be had now, and retry() says when it
// is. layer: of what is said of it.
class RemoteScan : public TransferScan
{
    Q_OBJECT
public:
    RemoteScan(const TransferWish &wish, Layer layer, std::function<FileSystem *()> files, QObject *parent = nullptr);
    ~RemoteScan() override;
    void start() override;
    void retry() override;

private:
    struct Listing;
    void list(const Folder &folder) override;
    void lookAtSource(const FilePath &source);
    void lookAtBase();
    void begin(const std::shared_ptr<Listing> &listing);
    void take(const std::shared_ptr<Listing> &listing, const QList<FileEntry> &rows);
    void end(const std::shared_ptr<Listing> &listing, const Result<ListEnd> &end);
    void lookAt(const Folder &in, const QByteArray &name, const FileAttributes &attributes);
    void followLink(const Folder &in, const ScannedItem &link);
    void postpone(std::function<void()> step);
    // Whether it is out of reach; then the step comes again.
    [[nodiscard]] bool isCutOff(const FileSystem *of, const Error &error, std::function<void()> step);

    Layer m_layer;
    std::function<FileSystem *()> m_files;
    QList<std::shared_ptr<Listing>> m_listings;
    std::vector<std::function<void()>> m_postponed;
};

// On this computer, in pool threads.
class LocalScan : public TransferScan
{
    Q_OBJECT
public:
    using TransferScan::TransferScan;
    void start() override;

private:
    void list(const Folder &folder) override;
};

} // namespace Sandpiper
