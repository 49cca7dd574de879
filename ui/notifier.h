// Desktop notifications (org.freedesktop.Notifications), for what finished or broke while the window
// was not in front. GUI thread; never waits for the desktop.
#pragma once

#include <QList>
#include <QObject>
#include <QPointer>
#include <QTimer>

#include <functional>

class QDBusPendingCallWatcher;
class QWidget;

namespace Sandpiper {

struct DesktopMessage
{
    QString title;
    QString text; // plain

    friend bool operator==(const DesktopMessage &, const DesktopMessage &) = default;
};

// What is told within half a second becomes one message: a dead network ends every shell at once.
[[nodiscard]] DesktopMessage joined(const QList<DesktopMessage> &messages);

class Notifier : public QObject
{
    Q_OBJECT
public:
    using Sender = std::function<void(const DesktopMessage &)>;
    // sender: where messages go instead of the desktop; for tests.
    explicit Notifier(QWidget *window, QObject *parent = nullptr, Sender sender = {});

    void setEnabled(bool enabled) { m_enabled = enabled; }
    // Quiet while the window, or a dialog of ours, is in front. Foreign text is tamed here.
    void notify(const QString &title, const QString &text);

signals:
    void activated(); // a message was clicked: the window should come to the front

private:
    void flush();
    void sendToDesktop(const DesktopMessage &message);
    [[nodiscard]] bool isInFront() const;
    QPointer<QWidget> m_window;
    Sender m_sender;
    QTimer m_gather;
    QList<DesktopMessage> m_waiting;
    bool m_enabled = true;
    bool m_listening = false;
    uint m_shownId = 0; // the desktop's number of our last message

private slots:
    void actionInvoked(uint id, const QString &action);
};

} // namespace Sandpiper
