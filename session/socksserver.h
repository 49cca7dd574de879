// The server's side of SOCKS until the connection is wished for: versions 4, 4a and 5, CONNECT only and
// without authentication (RFC 1928; SOCKS 4A by Ying-Da Lee). Pure; any thread.
#pragma once

#include "session/error.h"

#include <QByteArray>

namespace Sandpiper {

class SocksServer
{
public:
    enum class State {
        Reading, // more must come
        Asked,   // target() is wished for: answer with granted() or refused()
        Refused, // nothing can come of it: what toSend() has is the last
    };
    // Never holds more than a request can be long, and what came behind it.
    State take(QByteArrayView bytes);
    [[nodiscard]] State state() const { return m_state; }
    // What the client is to be told now; each byte once.
    [[nodiscard]] QByteArray toSend() { return std::exchange(m_toSend, {}); }
    // Asked: a name or an address, without control characters; it is looked up by whoever connects.
    [[nodiscard]] const QString &host() const { return m_host; }
    [[nodiscard]] quint16 port() const { return m_port; }
    // Asked: what the client has already sent for the other end.
    [[nodiscard]] QByteArray early() const { return m_bytes; }
    [[nodiscard]] QByteArray granted() const;
    [[nodiscard]] QByteArray refused(ErrorKind why) const;
    // Refused: why, for a log.
    [[nodiscard]] QString mistake() const { return m_mistake; }

private:
    enum class Stage { Version, Methods, Request, Version4 };
    void methods();
    void request();
    void version4();
    void refuse(const QString &why, const QByteArray &answer = {});
    [[nodiscard]] bool setHost(QByteArrayView name);
    void ask(qsizetype size);

    State m_state = State::Reading;
    Stage m_stage = Stage::Version;
    QByteArray m_bytes;
    QByteArray m_toSend;
    QString m_host;
    QString m_mistake;
    quint16 m_port = 0;
};

} // namespace Sandpiper
