// A queue of transfers to a test server, and transfers run to their end.
#pragma once

#include "session/sshlink.h"
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
                [] { return 0.0; }});
    }
    // A wish of one source, or several.
    [[nodiscard]] static TransferWish wish(TransferWay way, const QByteArrayList &sources, const QByteArray &target)
    {
        TransferWish wish;
        wish.way = way;
        wish.sandbox = {QStringLiteral("ssh"), QStringLiteral("test"), QStringLiteral("server")};
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
    RecordingPrompts prompts;
    std::optional<Error> refusal; // in place of a link
    int asked = 0;
    std::unique_ptr<TransferQueue> queue;
};

} // namespace Sandpiper
