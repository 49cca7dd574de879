// One running Sandpiper for each user: a lock and a socket in runtimeFolder(). The lock decides, so
// that a socket left behind by a kill stands in nobody's way; the socket carries what a later start
// was given. GUI thread.
#pragma once

#include "session/error.h"

#include <QObject>
#include <QPointer>
#include <QStringList>

#include <chrono>
#include <memory>

class QLocalServer;
class QLocalSocket;

namespace Sandpiper {

// What a later start, or a URL handler, asks of the running one. It only prefills: whoever receives
// it shows it to the user and does nothing by itself.
struct StartRequest
{
    QStringList arguments;   // at most 64, 4,096 characters each
    QString activationToken; // XDG_ACTIVATION_TOKEN, so that the window may come to the front

    friend bool operator==(const StartRequest &, const StartRequest &) = default;
};

[[nodiscard]] QByteArray encoded(const StartRequest &request); // one JSON line
[[nodiscard]] Result<StartRequest> decodeStartRequest(QByteArrayView line);

class SingleInstance : public QObject
{
    Q_OBJECT
public:
    enum class Role {
        First, // we are it; requested() tells of later starts
        Later, // another one runs and has taken the request: leave
    };

    // folder: runtimeFolder(). Errors: Io where lock or socket cannot be made, Timeout where another
    // one runs but does not answer within the deadline, PermissionDenied where it is not this user's.
    // Waits for the running one, so it is called before there is a window.
    [[nodiscard]] static Result<std::unique_ptr<SingleInstance>>
    claim(const QString &folder, const StartRequest &request,
          std::chrono::milliseconds deadline = std::chrono::seconds(3));
    ~SingleInstance() override;

    [[nodiscard]] Role role() const { return m_server ? Role::First : Role::Later; }

    static constexpr qint64 maxMessage = 64 * 1024; // bytes
    static constexpr int maxPeers = 8;

signals:
    void requested(const Sandpiper::StartRequest &request);

private:
    SingleInstance();
    [[nodiscard]] Done listen(const QString &socketPath);
    void accept();
    void read(QLocalSocket *peer);
    int m_lock = -1;
    QString m_socketPath;
    std::unique_ptr<QLocalServer> m_server;
    int m_peers = 0;
};

} // namespace Sandpiper
