// An ssh-agent for tests that holds one security key made of software, and misbehaves as it is told.
// The signatures are those of FIDO (OpenSSH's PROTOCOL.u2f), so a real sshd takes them. Own thread.
#pragma once

#include "session/filedescriptor.h"
#include "session/sshwire.h"

#include <QByteArray>
#include <QCryptographicHash>
#include <QFile>
#include <QTemporaryDir>

#include <openssl/evp.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <thread>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace Sandpiper {

class SoftAgent
{
public:
    enum class Manner {
        Signs,    // once it is touched
        IsSilent, // takes requests and answers nothing
        IsNone,   // answers with what is no answer
        Lies,     // says that it has more keys than it sends
    };
    explicit SoftAgent(Manner manner)
        : m_manner(manner)
        , m_key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), &EVP_PKEY_free)
    {
        QByteArray point(32, '\0');
        size_t size = size_t(point.size());
        EVP_PKEY_get_raw_public_key(m_key.get(), reinterpret_cast<unsigned char *>(point.data()), &size);
        m_blob = SshWire::string(kType) + SshWire::string(point) + SshWire::string("ssh:");
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        const QByteArray path = QFile::encodeName(socket());
        std::memcpy(address.sun_path, path.constData(), size_t(path.size()));
        m_listener = FileDescriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        ::bind(m_listener.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address);
        ::listen(m_listener.get(), 8);
        m_thread = std::thread([this] { serve(); });
    }
    ~SoftAgent()
    {
        m_stops = true;
        m_thread.join();
    }
    SoftAgent(const SoftAgent &) = delete;
    SoftAgent &operator=(const SoftAgent &) = delete;

    [[nodiscard]] QString socket() const { return m_dir.filePath(QStringLiteral("agent")); }
    [[nodiscard]] QByteArray publicLine() const { return kType + ' ' + m_blob.toBase64() + " soft\n"; }
    void touch() { m_isTouched = true; }

private:
    static inline const QByteArray kType = "sk-ssh-ed25519@openssh.com";

    bool readable(int fd) const
    {
        pollfd waiting = {fd, POLLIN, 0};
        return ::poll(&waiting, 1, 20) > 0;
    }
    void serve()
    {
        while (!m_stops) {
            if (!readable(m_listener.get()))
                continue;
            const FileDescriptor client(::accept4(m_listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
            while (!m_stops && serveOne(client.get())) { }
        }
    }
    bool serveOne(int fd)
    {
        if (!readable(fd))
            return true;
        char head[4];
        if (::recv(fd, head, 4, MSG_WAITALL) != 4)
            return false;
        QByteArray request(qFromBigEndian<quint32>(head), '\0');
        if (::recv(fd, request.data(), size_t(request.size()), MSG_WAITALL) != request.size())
            return false;
        const QByteArray answer = SshWire::string(answerTo(request));
        return m_manner == Manner::IsSilent || ::send(fd, answer.constData(), size_t(answer.size()), MSG_NOSIGNAL) == answer.size();
    }
    QByteArray answerTo(const QByteArray &request)
    {
        if (m_manner == Manner::IsNone)
            return "HTTP/1.1 400 Bad Request\r\n\r\n";
        if (request.front() == 11)
            return char(12) + SshWire::number(m_manner == Manner::Lies ? 200 : 1) + SshWire::string(m_blob) + SshWire::string("soft key");
        QByteArrayView rest = QByteArrayView(request).sliced(1);
        QByteArrayView blob;
        QByteArrayView data;
        if (request.front() != 13 || !SshWire::takeString(rest, blob) || !SshWire::takeString(rest, data))
            return QByteArray(1, 5);
        while (!m_isTouched && !m_stops)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        const QByteArray counter = QByteArray(1, 1) + SshWire::number(7); // the user is present
        const auto hash = [](QByteArrayView bytes) { return QCryptographicHash::hash(bytes, QCryptographicHash::Sha256); };
        const QByteArray message = hash("ssh:") + counter + hash(data);
        QByteArray signature(64, '\0');
        size_t size = size_t(signature.size());
        const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
        EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, m_key.get());
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char *>(signature.data()), &size,
                       reinterpret_cast<const unsigned char *>(message.constData()), size_t(message.size()));
        return char(14) + SshWire::string(SshWire::string(kType) + SshWire::string(signature) + counter);
    }

    Manner m_manner;
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> m_key;
    QTemporaryDir m_dir;
    QByteArray m_blob;
    FileDescriptor m_listener;
    std::atomic<bool> m_stops = false;
    std::atomic<bool> m_isTouched = false;
    std::thread m_thread;
};

} // namespace Sandpiper
