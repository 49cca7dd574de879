// One channel of a link as the GUI thread sees it: what SshShell and SshCommand have in common.
#pragma once

#include "session/sshlinkcore.h"

#include <QObject>
#include <QPointer>

namespace Sandpiper {

class SshChannel : public QObject
{
    Q_OBJECT
public:
    // The link may go first: ended() follows then too.
    SshChannel(SshLinkCore *link, const ChannelSpec &spec);
    // A tunnel: its bytes go through the stream of the spec, so only opened() and ended() are of use.
    SshChannel(SshLinkCore *link, const TunnelSpec &spec);
    ~SshChannel() override; // nothing is heard of it any more; what runs there gets a hang-up

    void write(QByteArrayView bytes);
    void closeInput() { send(ToLink::CloseInput{m_id}); }
    void resize(TerminalSize size) { send(ToLink::Resize{m_id, size}); }
    void sendSignal(const QByteArray &name) { send(ToLink::Signal{m_id, name}); }
    void consumed(qint64 bytes) { send(ToLink::Consumed{m_id, bytes}); }
    void hangUp() { send(ToLink::HangUp{m_id}); }
    void wake() { send(ToLink::Wake{}); } // the speaker of a subsystem has mail
    [[nodiscard]] qint64 pendingInput() const { return m_pending; }

    // From the link.
    void written(qint64 bytes);
    void linkGone(const Error &error); // ended() comes later

signals:
    void opened();
    void received(Sandpiper::SshStream stream, const QByteArray &bytes);
    void drained();
    void outputEnded(); // of a connection, once: it can still be written to
    void ended(const Sandpiper::ShellEnd &end); // exactly once

private:
    explicit SshChannel(SshLinkCore *link);
    void send(LinkCommand command);

    QPointer<SshLinkCore> m_link;
    int m_id = 0;
    qint64 m_pending = 0;
    bool m_isOpen = false;
};

} // namespace Sandpiper
