#include "ui/notifier.h"

#include "session/error.h"

#include <QApplication>
#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QFileInfo>
#include <QLoggingCategory>
#include <QWidget>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

namespace {

using namespace std::chrono_literals;

Q_LOGGING_CATEGORY(lcNotify, "sandpiper.ui.notifier", QtInfoMsg)

constexpr auto gatherFor = 500ms;
constexpr int linesShown = 3;
constexpr int answerWithinMs = 5000;
constexpr qsizetype maxWaiting = 100;

constexpr auto service = "org.freedesktop.Notifications"_L1;
constexpr auto path = "/org/freedesktop/Notifications"_L1;

// Asking for a bus where there is none would start one.
bool hasSessionBus()
{
    return qEnvironmentVariableIsSet("DBUS_SESSION_BUS_ADDRESS")
        || QFileInfo::exists(qEnvironmentVariable("XDG_RUNTIME_DIR") + u"/bus"_s);
}

} // namespace

DesktopMessage joined(const QList<DesktopMessage> &messages)
{
    if (messages.size() == 1)
        return messages.first();
    QStringList lines;
    for (const DesktopMessage &message : messages.first(std::min<qsizetype>(linesShown, messages.size())))
        lines << Notifier::tr("%1: %2").arg(message.title, message.text);
    if (const qsizetype more = messages.size() - linesShown; more > 0)
        lines << Notifier::tr("and %1 more").arg(more);
    return {Notifier::tr("%1 terminals").arg(messages.size()), lines.join(u'\n')};
}

Notifier::Notifier(QWidget *window, QObject *parent, Sender sender)
    : QObject(parent)
    , m_window(window)
    , m_sender(sender ? std::move(sender)
                      : [this](const DesktopMessage &message) { sendToDesktop(message); })
{
    m_gather.setSingleShot(true);
    m_gather.setInterval(gatherFor);
    connect(&m_gather, &QTimer::timeout, this, &Notifier::flush);
}

bool Notifier::isInFront() const
{
    return !m_window || m_window->isActiveWindow() || QApplication::activeWindow() != nullptr;
}

void Notifier::notify(const QString &title, const QString &text)
{
    if (!m_enabled || isInFront() || m_waiting.size() >= maxWaiting)
        return;
    m_waiting.append({tamed(title, 100), tamed(text, 300)});
    if (!m_gather.isActive())
        m_gather.start();
}

void Notifier::flush()
{
    const QList<DesktopMessage> waiting = std::exchange(m_waiting, {});
    if (!waiting.isEmpty() && m_enabled && !isInFront())
        m_sender(joined(waiting));
}

void Notifier::sendToDesktop(const DesktopMessage &message)
{
    if (!hasSessionBus())
        return;
    QDBusConnection bus = QDBusConnection::sessionBus();
    if (!bus.isConnected())
        return;
    if (!std::exchange(m_listening, true))
        bus.connect(service, path, service, u"ActionInvoked"_s, this,
                    SLOT(actionInvoked(uint, QString)));
    QDBusMessage call = QDBusMessage::createMethodCall(service, path, service, u"Notify"_s);
    // The body may hold markup by the specification; ours never does.
    call.setArguments({u"Sandpiper"_s, m_shownId, u"org.sandpiper.Sandpiper"_s, message.title,
                       message.text.toHtmlEscaped(), QStringList{u"default"_s, tr("Show")},
                       QVariantMap{{u"desktop-entry"_s, u"org.sandpiper.Sandpiper"_s}}, -1});
    auto *answer = new QDBusPendingCallWatcher(bus.asyncCall(call, answerWithinMs), this);
    connect(answer, &QDBusPendingCallWatcher::finished, this, [this](QDBusPendingCallWatcher *watcher) {
        const QDBusPendingReply<uint> reply = *watcher;
        watcher->deleteLater();
        if (reply.isError())
            qCDebug(lcNotify) << "the desktop took no message:" << reply.error().name();
        else
            m_shownId = reply.value();
    });
}

void Notifier::actionInvoked(uint id, const QString &action)
{
    if (id == m_shownId && id != 0 && action == "default"_L1)
        emit activated();
}

} // namespace Sandpiper
