// SSH hosts that the user has entered here, beside those of ssh_config: hosts.json. GUI thread.
#pragma once

#include "session/keptfile.h"
#include "session/sshhostconfig.h"

#include <QList>
#include <QObject>

namespace Sandpiper {

struct OwnHost
{
    QString id;      // stable, never shown
    QString name;    // shown
    QString host;    // a name or an address, without brackets
    quint16 port = 22;
    QString user;    // empty: the name of this computer's user
    QString keyFile; // absolute path; empty: the usual keys
    QString note;

    friend bool operator==(const OwnHost &, const OwnHost &) = default;
};

// InvalidInput with a sentence in its detail: what cannot be a host.
[[nodiscard]] Done checkOwnHost(const OwnHost &host);
// "user@host:2222", as ssh and people write it: the port only where it is not 22, an IPv6 in brackets
// where a port follows.
[[nodiscard]] QString destinationText(const QString &user, const QString &host, quint16 port);

class OwnHosts : public QObject
{
    Q_OBJECT
public:
    // file: hosts.json; see KeptFile.
    explicit OwnHosts(const QString &file, QObject *parent = nullptr);

    [[nodiscard]] const QList<OwnHost> &hosts() const { return m_hosts; }
    [[nodiscard]] std::optional<OwnHost> host(const QString &id) const;
    [[nodiscard]] std::optional<Error> loadError() const { return m_file.error(); }
    // All or none; ids that are empty are filled in. InvalidInput, TooLarge, LocalDisk: nothing has changed.
    [[nodiscard]] Done add(const QList<OwnHost> &hosts);
    [[nodiscard]] Done update(const OwnHost &host); // NotFound too
    [[nodiscard]] Done remove(const QString &id);   // NotFound too

signals:
    void changed();

private:
    Done change(const std::function<Done(QList<OwnHost> &)> &edit);
    KeptFile m_file;
    QList<OwnHost> m_hosts;
};

} // namespace Sandpiper
