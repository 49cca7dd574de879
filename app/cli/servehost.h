// What the SSH server of `serve` is for: one sandbox, for its user's own keys.
#pragma once

#include "sshserver/mailchannel.h"
#include "sshserver/sshhost.h"

#include <QList>

namespace Sandpiper {

// Shared by the connections and the main thread, which takes: a new channel, or a line for the person
// who runs the server.
using FarArrivals = Mailbox<std::variant<std::shared_ptr<FarMail>, QString>>;

class ServeHost : public SshHost
{
public:
    struct Options
    {
        QString sandbox;         // its name, for a person
        QString user;            // empty: any
        QList<QByteArray> blobs; // who may enter
    };
    ServeHost(const Options &options, std::shared_ptr<FarArrivals> arrivals);
    // Says who was not let in: many clients leave before they read why.
    ~ServeHost() override;

    [[nodiscard]] QByteArray banner() const override { return {}; }
    [[nodiscard]] bool knowsKey(const QByteArray &blob) override;
    [[nodiscard]] QString keyRefusal() const override;
    [[nodiscard]] QString admit(const QString &user, const QByteArray &blob) override;
    [[nodiscard]] QString subject() const override { return m_options.sandbox; }
    [[nodiscard]] std::unique_ptr<SshChannelWork> session(ssh_channel channel) override;
    [[nodiscard]] std::unique_ptr<SshDial> dial(const QString &host, int port) override;
    [[nodiscard]] Result<Listener> listen(const QByteArray &address, quint16 port) override;
    // Nothing listens here, so nothing comes.
    [[nodiscard]] std::unique_ptr<SshChannelWork> forwarded(ssh_channel, FileDescriptor) override { return nullptr; }

private:
    [[nodiscard]] MailChannel::Announce announce() const;
    Options m_options;
    std::shared_ptr<FarArrivals> m_arrivals;
    QByteArray m_lastUnknown; // the last key that may not enter
    bool m_admitted = false;
};

} // namespace Sandpiper
