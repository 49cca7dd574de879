#include "tests/support/rawsshd.h"

#include "session/sshwire.h"

#include <QCryptographicHash>
#include <QtEndian>

#include <openssl/rand.h>

#include <sys/socket.h>
#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr quint32 kMostOfAPacket = 1 << 20;
constexpr qsizetype kTag = 16;

QByteArray sha256(const QByteArray &bytes)
{
    return QCryptographicHash::hash(bytes, QCryptographicHash::Sha256);
}

QByteArray rawPublic(EVP_PKEY *key)
{
    size_t size = 32;
    QByteArray raw(qsizetype(size), '\0');
    EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char *>(raw.data()), &size);
    return raw;
}

// RFC 4251 section 5: a number that is not negative.
QByteArray bigNumber(QByteArray bytes)
{
    while (bytes.startsWith('\0'))
        bytes.removeFirst();
    if (!bytes.isEmpty() && (bytes.front() & 0x80) != 0)
        bytes.prepend('\0');
    return SshWire::string(bytes);
}

// RFC 5647 section 7.1: the last eight bytes count packets.
void countUp(QByteArray &nonce)
{
    char *counter = nonce.data() + 4;
    qToBigEndian(qFromBigEndian<quint64>(counter) + 1, counter);
}

QByteArray sealed(const RawSshWire::Key &key, const QByteArray &head, const QByteArray &text)
{
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    const auto bytes = [](const QByteArray &from) { return reinterpret_cast<const unsigned char *>(from.constData()); };
    QByteArray out(text.size(), '\0');
    QByteArray tag(kTag, '\0');
    int size = 0;
    EVP_EncryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, bytes(key.key), bytes(key.nonce));
    EVP_EncryptUpdate(context.get(), nullptr, &size, bytes(head), int(head.size()));
    EVP_EncryptUpdate(context.get(), reinterpret_cast<unsigned char *>(out.data()), &size, bytes(text), int(text.size()));
    EVP_EncryptFinal_ex(context.get(), nullptr, &size);
    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, int(kTag), tag.data());
    return head + out + tag;
}

std::optional<QByteArray> opened(const RawSshWire::Key &key, const QByteArray &head, const QByteArray &sealedText)
{
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    const auto bytes = [](const QByteArray &from) { return reinterpret_cast<const unsigned char *>(from.constData()); };
    QByteArray out(sealedText.size() - kTag, '\0');
    QByteArray tag = sealedText.last(kTag);
    int size = 0;
    EVP_DecryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, bytes(key.key), bytes(key.nonce));
    EVP_DecryptUpdate(context.get(), nullptr, &size, bytes(head), int(head.size()));
    EVP_DecryptUpdate(context.get(), reinterpret_cast<unsigned char *>(out.data()), &size, bytes(sealedText), int(out.size()));
    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, int(kTag), tag.data());
    if (EVP_DecryptFinal_ex(context.get(), nullptr, &size) != 1)
        return std::nullopt;
    return out;
}

} // namespace

bool RawSshWire::sendBytes(const QByteArray &bytes)
{
    for (qsizetype sent = 0; sent < bytes.size();) {
        const ssize_t count = ::send(m_socket, bytes.constData() + sent, size_t(bytes.size() - sent), MSG_NOSIGNAL);
        if (count <= 0)
            return false;
        sent += count;
    }
    return true;
}

bool RawSshWire::send(const QByteArray &payload)
{
    // Without encryption the length counts too (RFC 4253 section 6), with GCM it does not.
    const qsizetype block = m_ours ? 16 : 8;
    const qsizetype counted = payload.size() + 1 + (m_ours ? 0 : 4);
    const qsizetype padding = 4 + (2 * block - (counted + 4) % block) % block;
    const QByteArray head = SshWire::number(quint32(payload.size() + 1 + padding));
    const QByteArray text = char(padding) + payload + QByteArray(padding, 'p');
    if (!m_ours)
        return sendBytes(head + text);
    const QByteArray packet = sealed(*m_ours, head, text);
    countUp(m_ours->nonce);
    return sendBytes(packet);
}

bool RawSshWire::readBytes(char *to, qsizetype size)
{
    for (qsizetype got = 0; got < size;) {
        const ssize_t count = ::recv(m_socket, to + got, size_t(size - got), 0);
        if (count <= 0)
            return false;
        got += count;
    }
    return true;
}

std::optional<QByteArray> RawSshWire::readLine()
{
    QByteArray line;
    for (char next = 0; readBytes(&next, 1) && line.size() < 255;) {
        if (next == '\n')
            return line.trimmed();
        line += next;
    }
    return std::nullopt;
}

std::optional<QByteArray> RawSshWire::read()
{
    QByteArray head(4, '\0');
    if (!readBytes(head.data(), 4))
        return std::nullopt;
    const auto size = qFromBigEndian<quint32>(head.constData());
    if (size < 2 || size > kMostOfAPacket)
        return std::nullopt;
    QByteArray body(qsizetype(size) + (m_theirs ? kTag : 0), '\0');
    if (!readBytes(body.data(), body.size()))
        return std::nullopt;
    if (m_theirs) {
        const std::optional<QByteArray> text = opened(*m_theirs, head, body);
        countUp(m_theirs->nonce);
        if (!text)
            return std::nullopt;
        body = *text;
    }
    const qsizetype padding = uchar(body.front());
    return padding + 1 < body.size() ? std::optional(body.sliced(1, body.size() - 1 - padding)) : std::nullopt;
}

std::optional<QByteArray> RawSshWire::readUntil(char number)
{
    std::optional<QByteArray> payload = read();
    while (payload && !payload->startsWith(number))
        payload = read();
    return payload;
}

void RawSshWire::readSome()
{
    char one = 0;
    readBytes(&one, 1);
}

void RawSshWire::drain()
{
    while (const std::optional<QByteArray> payload = read()) {
        if (payload->startsWith(80))
            send(RawSsh::message(82)); // a keep-alive
    }
}

std::optional<quint32> RawSshWire::takeChannel(quint32 window, quint32 packet)
{
    const std::optional<QByteArray> wish = readUntil(90);
    if (!wish)
        return std::nullopt;
    const auto nameSize = qFromBigEndian<quint32>(wish->constData() + 1);
    const auto client = qFromBigEndian<quint32>(wish->constData() + 5 + nameSize);
    using SshWire::number;
    if (!send(RawSsh::message(91, number(client) + number(7) + number(window) + number(packet))))
        return std::nullopt;
    return client;
}

bool RawSshWire::letStart(quint32 client)
{
    for (;;) {
        const std::optional<QByteArray> request = readUntil(98);
        if (!request)
            return false;
        const auto size = qFromBigEndian<quint32>(request->constData() + 5);
        const QByteArray type = request->sliced(9, size);
        if (request->at(9 + size) != 0 && !send(RawSsh::message(99, SshWire::number(client))))
            return false;
        if (type == "exec" || type == "shell")
            return true;
    }
}

void RawSshWire::seal(const Key &ours, const Key &theirs)
{
    m_ours = ours;
    m_theirs = theirs;
}

namespace RawSsh {

using SshWire::number;
using SshWire::string;

QByteArray message(char code, const QByteArray &rest)
{
    return code + rest;
}

QByteArray channelRequest(quint32 channel, const QByteArray &type, const QByteArray &rest)
{
    return message(98, number(channel) + string(type) + '\0' + rest);
}

QByteArray exitStatus(quint32 channel, quint32 status)
{
    return channelRequest(channel, "exit-status", number(status));
}

QByteArray exitSignal(quint32 channel, const QByteArray &name)
{
    return channelRequest(channel, "exit-signal", string(name) + '\0' + string({}) + string({}));
}

QByteArray data(quint32 channel, const QByteArray &bytes)
{
    return message(94, number(channel) + string(bytes));
}

QByteArray eof(quint32 channel)
{
    return message(96, number(channel));
}

QByteArray close(quint32 channel)
{
    return message(97, number(channel));
}

QByteArray globalRequest(const QByteArray &type, bool wantsAnswer, const QByteArray &rest)
{
    return message(80, string(type) + char(wantsAnswer) + rest);
}

QByteArray disconnect(const QByteArray &text)
{
    return message(1, number(11) + string(text) + string({}));
}

} // namespace RawSsh

RawSshd::RawSshd(Script script)
    : m_script(std::move(script))
    , m_hostKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"))
{
    m_hostBlob = SshWire::string("ssh-ed25519") + SshWire::string(rawPublic(m_hostKey.get()));
    m_server.start([this](int socket) { serve(socket); });
}

LinkOptions RawSshd::options() const
{
    LinkOptions options;
    options.endpoint.host = u"127.0.0.1"_s;
    options.endpoint.port = port();
    options.endpoint.user = u"somebody"_s;
    options.endpoint.hostKey = "ssh-ed25519 " + m_hostBlob.toBase64();
    options.useAgent = false;
    options.useDefaultKeys = false;
    options.connectTimeout = std::chrono::seconds(30);
    return options;
}

void RawSshd::serve(int socket)
{
    RawSshWire wire(socket, m_server);
    if (exchangeKeys(wire)) {
        if (!m_script.ciphers.contains("gcm")) {
            wire.readSome(); // it cannot be understood
        } else if (wire.readUntil(5)) {
            ++m_signIns;
            bool goesOn = wire.send(RawSsh::message(6, SshWire::string("ssh-userauth")));
            for (const QByteArray &payload : std::as_const(m_script.beforeLogin))
                goesOn = goesOn && wire.send(payload);
            if (goesOn && wire.readUntil(50) && wire.send(RawSsh::message(52)) && m_script.afterLogin)
                m_script.afterLogin(wire);
        }
        if (m_script.ciphers.contains("gcm"))
            wire.drain();
    }
    ::close(socket);
}

bool RawSshd::exchangeKeys(RawSshWire &wire)
{
    const QByteArray hello = "SSH-2.0-Raw_1.0";
    if (!wire.sendBytes(m_script.beforeGreeting + hello + "\r\n"))
        return false;
    const std::optional<QByteArray> theirHello = wire.readLine();
    if (!theirHello)
        return false;
    for (const QByteArray &payload : std::as_const(m_script.beforeKeyExchange))
        wire.send(payload);
    const QByteArray exchange = m_script.isStrict ? "curve25519-sha256,kex-strict-s-v00@openssh.com"_ba : "curve25519-sha256"_ba;
    QByteArray ourInit = RawSsh::message(20, QByteArray(16, 'c'));
    for (const QByteArray &list : {exchange, "ssh-ed25519"_ba, m_script.ciphers, m_script.ciphers, m_script.macs, m_script.macs,
                                   "none"_ba, "none"_ba, QByteArray(), QByteArray()})
        ourInit += SshWire::string(list);
    ourInit += QByteArray(5, '\0');
    const std::optional<QByteArray> theirInit = wire.send(ourInit) ? wire.readUntil(20) : std::nullopt;
    const std::optional<QByteArray> begin = theirInit ? wire.readUntil(30) : std::nullopt;
    if (!begin || begin->size() != 37)
        return false;
    const QByteArray theirs = begin->sliced(5);

    const KeyHandle own(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"));
    const KeyHandle peer(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, reinterpret_cast<const unsigned char *>(theirs.constData()), 32));
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> derivation(EVP_PKEY_CTX_new(own.get(), nullptr), EVP_PKEY_CTX_free);
    QByteArray shared(32, '\0');
    size_t size = 32;
    if (EVP_PKEY_derive_init(derivation.get()) != 1 || EVP_PKEY_derive_set_peer(derivation.get(), peer.get()) != 1
        || EVP_PKEY_derive(derivation.get(), reinterpret_cast<unsigned char *>(shared.data()), &size) != 1)
        return false;
    const QByteArray ours = rawPublic(own.get());
    const QByteArray secret = bigNumber(shared);
    const QByteArray hash = sha256(SshWire::string(*theirHello) + SshWire::string(hello) + SshWire::string(*theirInit) + SshWire::string(ourInit)
                                   + SshWire::string(m_hostBlob) + SshWire::string(theirs) + SshWire::string(ours) + secret);
    QByteArray signature(64, '\0');
    size = 64;
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> signing(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    if (EVP_DigestSignInit(signing.get(), nullptr, nullptr, nullptr, m_hostKey.get()) != 1
        || EVP_DigestSign(signing.get(), reinterpret_cast<unsigned char *>(signature.data()), &size,
                          reinterpret_cast<const unsigned char *>(hash.constData()), size_t(hash.size())) != 1)
        return false;
    const QByteArray proof = SshWire::string("ssh-ed25519") + SshWire::string(signature);
    if (!wire.send(RawSsh::message(31, SshWire::string(m_hostBlob) + SshWire::string(ours) + SshWire::string(proof))))
        return false;
    for (const QByteArray &payload : std::as_const(m_script.beforeNewKeys))
        wire.send(payload);
    if (!wire.send(RawSsh::message(21)) || !wire.readUntil(21))
        return false;
    const auto derived = [&](char what, qsizetype length) { return sha256(secret + hash + what + hash).first(length); };
    wire.seal({derived('D', 16), derived('B', 12)}, {derived('C', 16), derived('A', 12)});
    return true;
}

} // namespace Sandpiper
