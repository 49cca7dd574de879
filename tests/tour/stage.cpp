#include "tests/tour/stage.h"

#include "session/localgateway.h"
#include "ui/forwardpanel.h"
#include "ui/panebanner.h"
#include "ui/portofferbar.h"

#include <QAbstractButton>
#include <QApplication>
#include <QDir>
#include <QTest>

#include <netinet/in.h>
#include <sys/socket.h>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {

Stage::Stage(Application *application)
    : m_application(application)
{
    connect(&m_cutter, &QTimer::timeout, this, &Stage::cutOnce);
}

void Stage::click(const QString &objectName)
{
    for (QWidget *widget : QApplication::allWidgets()) {
        if (widget->objectName() == objectName && widget->isVisible()) {
            QTest::mouseClick(widget, Qt::LeftButton);
            return;
        }
    }
}

void Stage::clickButton(const QString &label)
{
    for (QWidget *widget : QApplication::allWidgets()) {
        const auto *button = qobject_cast<QAbstractButton *>(widget);
        if (button != nullptr && button->isVisible() && button->text().remove(u'&') == label) {
            QTest::mouseClick(widget, Qt::LeftButton);
            return;
        }
    }
}

void Stage::trigger(ActionId action)
{
    window()->actions()->action(action)->trigger();
}

void Stage::type(const QString &line)
{
    if (pane() == nullptr)
        return;
    pane()->focusTerminal();
    // Without a window manager nobody hands out the focus: the keys go where it would be.
    QWidget *target = pane()->view()->focusProxy();
    QTest::keyClicks(target, line);
    QTest::keyClick(target, Qt::Key_Return);
}

void Stage::choose(Setting setting, const QString &value)
{
    m_application->preferences()->set(setting, value);
}

void Stage::cutNetwork()
{
    cutOnce();
    m_cutter.start(20ms);
}

void Stage::cutOnce()
{
    const Result<GatewayAddress> gateway = findGateway();
    if (!gateway)
        return;
    const QList<int> ports = {gateway->apiUrl.port(), gateway->ssh.port};
    for (const QString &name : QDir(u"/proc/self/fd"_s).entryList(QDir::System | QDir::Files)) {
        sockaddr_in peer = {};
        socklen_t size = sizeof peer;
        if (::getpeername(name.toInt(), reinterpret_cast<sockaddr *>(&peer), &size) == 0 && peer.sin_family == AF_INET
            && ports.contains(int(ntohs(peer.sin_port))))
            ::shutdown(name.toInt(), SHUT_RDWR);
    }
}

TerminalPane *Stage::pane() const
{
    for (TerminalPane *pane : workspace()->findChildren<TerminalPane *>()) {
        if (pane->isVisible())
            return pane;
    }
    return nullptr;
}

bool Stage::isOpen() const
{
    return pane() != nullptr && pane()->status().state == StandingShell::State::Open;
}

QString Stage::screen() const
{
    return pane() == nullptr ? QString() : QString::fromUtf8(pane()->view()->visibleText());
}

QString Stage::banner() const
{
    return pane() == nullptr || !pane()->banner()->isVisible() ? QString() : pane()->banner()->text();
}

QString Stage::offer() const
{
    return window()->findChild<PortOfferBar *>()->text();
}

QString Stage::forwards() const
{
    return window()->findChild<ForwardSummary *>()->text();
}

std::optional<Sandbox> Stage::sandbox() const
{
    const SandboxRegistry *registry = m_application->registry();
    for (const QString &account : registry->accountIds()) {
        const SandboxRegistry::AccountView *view = registry->view(account);
        if (view != nullptr && !view->sandboxes.isEmpty())
            return view->sandboxes.first();
    }
    return std::nullopt;
}

bool Stage::sees(const QString &objectName) const
{
    for (const QWidget *widget : QApplication::allWidgets()) {
        if (widget->objectName() == objectName && widget->isVisible())
            return true;
    }
    return false;
}

QString Stage::allThere() const
{
    const std::optional<Sandbox> box = sandbox();
    return u"tabs %1, pane %2, banner '%3', sandbox %4, screen: %5"_s.arg(workspace()->tabCount())
            .arg(pane() == nullptr ? -1 : int(pane()->status().state))
            .arg(banner(), box ? box->stateText : u"none"_s, screen().trimmed());
}

} // namespace Sandpiper
