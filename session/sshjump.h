// The way of one link through other SSH servers (ProxyJump): a link to the last of them, which makes the
// ones before it in the same way, and a tunnel of it. GUI thread.
#pragma once

#include "session/sshmessages.h"

#include <QObject>

#include <memory>

namespace Sandpiper {

class SshChannel;
class SshLinkCore;

class SshJump : public QObject
{
    Q_OBJECT
public:
    // link: of whoever wants to travel. prompts is borrowed and must outlive it.
    SshJump(const LinkOptions &link, PromptHandler *prompts);
    ~SshJump() override; // closes the links that it made

    // One at a time. opened() or failed() follows, not from inside the call.
    void open(const FromLink::NeedTransport &request);

signals:
    void opened(int request, const std::shared_ptr<Sandpiper::OpenTransport> &transport);
    void failed(int request, const Sandpiper::Error &error);
    void bannerReceived(const QString &text); // of one of the servers on the way

private:
    [[nodiscard]] Result<LinkOptions> optionsFor(const QList<SshJumpHop> &hops) const;
    void dig();
    void fail(Error error);

    LinkOptions m_link;
    PromptHandler *m_prompts;
    QString m_name; // of the last hop
    FromLink::NeedTransport m_request;
    std::unique_ptr<SshLinkCore> m_core;
    std::unique_ptr<SshChannel> m_tunnel;
    std::shared_ptr<OpenTransport> m_transport; // until it is handed out
    bool m_isOpening = false;
};

} // namespace Sandpiper
