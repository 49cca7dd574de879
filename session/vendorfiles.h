// The files of a sandbox by its vendor's own interface, for where there is no SFTP: whole files, listings, and
// little else. GUI thread. Paths are bytes and absolute.
#pragma once

#include "session/error.h"

#include <QByteArray>
#include <QFuture>
#include <QList>
#include <QObject>

#include <memory>
#include <optional>

namespace Sandpiper {

struct VendorFileEntry
{
    QByteArray name; // as the vendor says it: may be anything
    bool isFolder = false; // a link is not told from a file
    std::optional<qint64> size;
    std::optional<qint64> modifiedAt; // ms since 1970
    friend bool operator==(const VendorFileEntry &, const VendorFileEntry &) = default;
};

// Both end exactly once, from the event loop. To delete one is to cancel it: nothing is heard any more.
class VendorFileReader : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;
    // At most 1 MiB comes that is not reported here.
    virtual void consumed(qint64 bytes) = 0;
signals:
    void received(const QByteArray &bytes); // in order, never empty
    void finished(const Sandpiper::Done &end);
};

class VendorFileWriter : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;
    // Any amount is kept until it is taken. Whoever has much to write looks at pending().
    virtual void write(const QByteArray &bytes) = 0;
    // That was all; finished() follows.
    virtual void close() = 0;
    [[nodiscard]] virtual qint64 pending() const = 0;
signals:
    void taken(qint64 bytes);
    // After a failure what was there before is there still, as far as the vendor keeps its word.
    void finished(const Sandpiper::Done &end);
};

// Errors about the sandbox have its name as their subject, those about the file none.
// Kinds beside those of HTTP: NotFound, PermissionDenied, InvalidInput (a folder where a file is wanted, or the
// other way round), TooLarge, Protocol, SandboxNotRunning, QuotaExceeded (no space left).
class VendorFiles : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;

    // Where to begin, best first: the first that can be listed.
    [[nodiscard]] virtual QList<QByteArray> startFolders() const = 0;
    // TooLarge: more entries than are taken in one answer.
    [[nodiscard]] virtual QFuture<Result<QList<VendorFileEntry>>> list(const QByteArray &path) = 0;
    [[nodiscard]] virtual std::unique_ptr<VendorFileReader> read(const QByteArray &path) = 0;
    // Replaces what is there and makes folders on the way. Without a size everything is kept on this computer's
    // disk until close(), because the vendor wants to know the size before the first byte.
    [[nodiscard]] virtual std::unique_ptr<VendorFileWriter> write(const QByteArray &path, std::optional<qint64> size) = 0;
    [[nodiscard]] virtual QFuture<Done> remove(const QByteArray &path) = 0; // a file
};

} // namespace Sandpiper
