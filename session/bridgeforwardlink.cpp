#include "session/bridgeforwardlink.h"

#include "session/bridgeside.h"
#include "session/transportopening.h"

#include <algorithm>

namespace Sandpiper {

BridgeForwardLink::BridgeForwardLink(const ForwardOwner &owner, const ForwardRules &rules, BridgePipeMaker make, QObject *parent)
    : StreamForwardLink(ForwardWay::Bridge, owner, rules, parent)
    , m_make(std::move(make))
{
}

BridgeForwardLink::~BridgeForwardLink() = default;

Result<FileDescriptor> BridgeForwardLink::run(const QByteArray &commandLine, std::function<void(const Error &)> ended)
{
    Result<SocketPair> pair = makeSocketPair();
    if (!pair)
        return std::unexpected(pair.error());
    m_pipes.push_back(m_make(commandLine, std::move(pair->theirs)));
    BridgePipe *pipe = m_pipes.back().get();
    connect(pipe, &BridgePipe::ended, this, [this, pipe, ended = std::move(ended)](const Error &why) {
        const auto it = std::ranges::find_if(m_pipes, [pipe](const auto &each) { return each.get() == pipe; });
        it->release()->deleteLater(); // it is calling us
        m_pipes.erase(it);
        if (ended)
            ended(why);
    });
    return std::move(pair->ours);
}

StreamForwardLink::SideMaker BridgeForwardLink::sideMaker()
{
    // Later the far side tells; where there is no relay, the shell ends and that is well.
    Result<FileDescriptor> pipe = run(bridgeCommand(), [this](const Error &why) {
        if (!isReady())
            end(why);
    });
    if (!pipe) {
        news()->put([this, error = pipe.error()] { end(error); });
        return {};
    }
    const auto ours = std::make_shared<FileDescriptor>(*std::move(pipe));
    return [ours, news = news(), this](const SideWords &words) {
        return std::make_unique<BridgeSide>(std::move(*ours), BridgeSide::Asks{words.ready, words.lost, [news, this](quint64 call, const QByteArray &commandLine) {
                                                                                    news->put([this, call, commandLine] { dial(call, commandLine); });
                                                                                }});
    };
}

void BridgeForwardLink::dial(quint64 call, const QByteArray &commandLine)
{
    // That it has ended is seen at the end of its stream.
    const auto stream = std::make_shared<Result<FileDescriptor>>(run(commandLine, {}));
    post([call, stream](StreamForwards &forwards) { static_cast<BridgeSide *>(forwards.side())->go(call, std::move(*stream)); });
}

} // namespace Sandpiper
