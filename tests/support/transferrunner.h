// A queue of transfers to a test server, and transfers run to their end.
#pragma once

#include "session/sshlink.h"
#include "sftp/sftpfilesystem.h"
#include "sftp/transferqueue.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/waituntil.h"

#include <memory>

namespace Sandpiper {

struct TransferRunner
{
    explicit TransferRunner(const LinkOptions &linkOptions, const QString &journal = {})
        : options(linkOptions)
    {
        queue = std::make_unique<TransferQueue>(TransferQueue::Services{
                [this](const SandboxId &, QObject *context, const std::function<void(Result<std::unique_ptr<SshLink>>)> &then) {
                    ++asked;
                    QMetaObject::invokeMethod(
                            context,
                            [this, then] {
                                if (refusal)
                                    return then(std::unexpected(*refusal));
                                auto link = std::make_unique<SshLink>(options, &prompts);
                                then(std::move(link));
                            },
                            Qt::QueuedConnection);
                },
                journal,
                [] { return 0.0; },
                [this](const SandboxId &sandbox, QObject *context, const std::function<void(Result<OpenedFiles>)> &then) {
                    ++asked;
                    QMetaObject::invokeMethod(context, [this, then, id = sandbox.id] { refusal ? then(std::unexpected(*refusal)) : then(openFiles(id)); }, Qt::QueuedConnection);
                }});
    }
    [[nodiscard]] static SandboxId place(const QString &id) { return id.isEmpty() ? SandboxId() : SandboxId{QStringLiteral("ssh"), QStringLiteral("test"), id}; }
    // By way of relays: a place is a key of places, "server", or empty, for this computer.
    [[nodiscard]] static TransferWish relay(const QString &from, const QByteArrayList &sources, const QString &to, const QByteArray &target)
    {
        TransferWish made = wish(TransferWay::Relay, sources, target);
        made.sourceSandbox = place(from);
        made.sandbox = place(to);
        return made;
    }
    [[nodiscard]] OpenedFiles openFiles(const QString &id)
    {
        OpenedFiles opened;
        if (makeFiles.contains(id)) {
            opened.files = makeFiles.value(id)();
            return opened;
        }
        opened.link = std::make_unique<SshLink>(places.value(id, options), &prompts);
        opened.files = std::make_unique<SftpFileSystem>(opened.link.get(), id);
        return opened;
    }
    // A wish of one source, or several.
    [[nodiscard]] static TransferWish wish(TransferWay way, const QByteArrayList &sources, const QByteArray &target)
    {
        TransferWish wish;
        wish.way = way;
        wish.sandbox = place(QStringLiteral("server"));
        for (const QByteArray &source : sources)
            wish.sources.append(FilePath::fromBytes(source).value());
        wish.target = FilePath::fromBytes(target).value();
        return wish;
    }
    [[nodiscard]] TransferProgress run(const TransferWish &wish, int milliseconds = 120'000)
    {
        const qint64 id = queue->add(wish);
        (void)waitUntil([&] { return isOver(queue->progress(id).state); }, milliseconds);
        return queue->progress(id);
    }

    LinkOptions options;
    QHash<QString, LinkOptions> places; // further servers
    QHash<QString, std::function<std::unique_ptr<FileSystem>()>> makeFiles; // places without a link
    RecordingPrompts prompts;
    std::optional<Error> refusal; // in place of a link, and of files
    int asked = 0;
    std::unique_ptr<TransferQueue> queue;
};

} // namespace Sandpiper
