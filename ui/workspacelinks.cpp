// Links of terminals: those that mean the sandbox itself are led there first.
#include "ui/workspaceprivate.h"

#include "session/localurl.h"
#include "ui/panebanner.h"
#include "ui/portwords.h"
#include "ui/terminalpane.h"

namespace Sandpiper {

namespace {

using namespace std::chrono_literals;

constexpr auto linkPatience = 400ms; // a notice for what is there in a moment would only flicker

} // namespace

void Workspace::Private::openLink(TerminalPane *pane, const QUrl &url)
{
    if (!services.reach || !isLocalUrl(url)) {
        emit q->linkActivated(url);
        return;
    }
    PortOffer offer{pane->sandbox(), pane->kept().shell.sandboxName, {}};
    offer.port.port = portOfLocalUrl(url);
    const BannerFace waits = bannerForNotice(onItsWayText(offer));
    auto *slow = new QTimer(pane);
    slow->setSingleShot(true);
    QObject::connect(slow, &QTimer::timeout, pane, [pane, waits] { pane->notice()->setFace(waits); });
    slow->start(linkPatience);
    services.reach(pane->sandbox(), url).then(pane, [this, pane, slow, waits, offer](const Result<QUrl> &page) {
        delete slow;
        if (pane->notice()->face() == waits)
            pane->notice()->setFace({});
        if (page)
            emit q->linkActivated(*page);
        else if (page.error().kind != ErrorKind::Cancelled)
            pane->notice()->setFace(bannerForNotice(unreachableText(offer, page.error())));
    });
}

} // namespace Sandpiper
