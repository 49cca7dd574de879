// An SSH server written by hand, byte by byte: it can say what a library does not let a server say.
// curve25519-sha256, ssh-ed25519 and aes128-gcm@openssh.com, whatever else it claims; "none" lets
// everybody in. Each connection has a thread of its own, which runs the script.
#pragma once

#include "tests/support/loopbackserver.h"

#include "session/sshlink.h"

#include <QByteArray>
#include <QByteArrayList>

#include <openssl/evp.h>

#include <functional>
#include <memory>
#include <optional>

namespace Sandpiper {

// The server's end of one connection. Payloads begin with the number of the message.
class RawSshWire
{
public:
    RawSshWire(int socket, const LoopbackServer &server)
        : m_socket(socket)
        , m_server(server)
    {
    }

    bool sendBytes(const QByteArray &bytes);
    bool send(const QByteArray &payload);
    // Nothing: the connection has ended, or is broken.
    std::optional<QByteArray> read();
    // The next message of that number; others are dropped.
    std::optional<QByteArray> readUntil(char number);
    // Takes in what comes until the end; it lives, and does nothing else.
    void drain();
    // The client's next channel, confirmed as 7 with this window and packet size; its number.
    std::optional<quint32> takeChannel(quint32 window = 1 << 20, quint32 packet = 32768);
    // Says yes to requests for the channel, until the one that starts something.
    bool letStart(quint32 client);

    struct Key
    {
        QByteArray key;
        QByteArray nonce;
    };
    std::optional<QByteArray> readLine();
    void readSome(); // one byte, or the end
    void seal(const Key &ours, const Key &theirs);
    [[nodiscard]] bool isStopping() const { return m_server.isStopping(); }

private:
    bool readBytes(char *to, qsizetype size);

    int m_socket;
    const LoopbackServer &m_server;
    std::optional<Key> m_ours;
    std::optional<Key> m_theirs;
};

namespace RawSsh {
[[nodiscard]] QByteArray message(char code, const QByteArray &rest = {});
// SSH_MSG_CHANNEL_REQUEST without a wish for an answer, SSH_MSG_CHANNEL_DATA and so on.
[[nodiscard]] QByteArray channelRequest(quint32 channel, const QByteArray &type, const QByteArray &rest = {});
[[nodiscard]] QByteArray exitStatus(quint32 channel, quint32 status);
[[nodiscard]] QByteArray exitSignal(quint32 channel, const QByteArray &name);
[[nodiscard]] QByteArray data(quint32 channel, const QByteArray &bytes);
[[nodiscard]] QByteArray eof(quint32 channel);
[[nodiscard]] QByteArray close(quint32 channel);
[[nodiscard]] QByteArray globalRequest(const QByteArray &type, bool wantsAnswer, const QByteArray &rest = {});
[[nodiscard]] QByteArray disconnect(const QByteArray &text);
} // namespace RawSsh

class RawSshd
{
public:
    struct Script
    {
        bool isStrict = true; // offers kex-strict-s-v00@openssh.com
        QByteArray ciphers = "aes128-gcm@openssh.com";
        QByteArray macs = "hmac-sha2-256";
        QByteArray beforeGreeting;      // as it is
        QByteArrayList beforeKeyExchange; // payloads in front of the server's SSH_MSG_KEXINIT
        QByteArrayList beforeNewKeys;
        QByteArrayList beforeLogin;
        std::function<void(RawSshWire &)> afterLogin; // nothing: it takes in what comes
    };
    explicit RawSshd(Script script);
    ~RawSshd() { m_server.stop(); }

    [[nodiscard]] quint16 port() const { return m_server.port(); }
    // Pins the host key; "somebody", no agent, no keys.
    [[nodiscard]] LinkOptions options() const;
    // Connections in which the client asked to be let in.
    [[nodiscard]] int signIns() const { return m_signIns; }

private:
    struct FreeKey
    {
        void operator()(EVP_PKEY *key) const { EVP_PKEY_free(key); }
    };
    using KeyHandle = std::unique_ptr<EVP_PKEY, FreeKey>;
    void serve(int socket);
    [[nodiscard]] bool exchangeKeys(RawSshWire &wire);

    Script m_script;
    KeyHandle m_hostKey;
    QByteArray m_hostBlob;
    std::atomic<int> m_signIns = 0;
    LoopbackServer m_server;
};

} // namespace Sandpiper
