#include "session/secret.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

namespace Sandpiper {

Secret::Secret(QByteArrayView bytes)
    : m_bytes(bytes.data(), bytes.size())
{
}

Secret::Secret(Secret &&other) noexcept
    : m_bytes(std::move(other.m_bytes))
{
    other.m_bytes = {};
}

Secret &Secret::operator=(Secret &&other) noexcept
{
    if (this != &other) {
        wipe();
        m_bytes = std::move(other.m_bytes);
        other.m_bytes = {};
    }
    return *this;
}

Secret::~Secret()
{
    wipe();
}

Secret Secret::taking(QByteArray &bytes)
{
    Secret secret{QByteArrayView(bytes)};
    Sandpiper::wipe(bytes);
    return secret;
}

Secret Secret::randomHex(qsizetype size)
{
    QByteArray raw(size, Qt::Uninitialized);
    // Without random numbers nothing here is safe: stopping is the only right answer.
    if (RAND_bytes(reinterpret_cast<unsigned char *>(raw.data()), int(raw.size())) != 1)
        qFatal("OpenSSL has no random numbers");
    QByteArray hex = raw.toHex();
    Sandpiper::wipe(raw);
    return taking(hex);
}

Secret Secret::clone() const
{
    return Secret(reveal());
}

bool Secret::equals(QByteArrayView other) const
{
    return m_bytes.size() == other.size()
            && CRYPTO_memcmp(m_bytes.constData(), other.data(), size_t(other.size())) == 0;
}

void Secret::wipe()
{
    Sandpiper::wipe(m_bytes);
}

void wipe(QByteArray &bytes)
{
    // A shared buffer would detach here and leave the original untouched.
    if (!bytes.isEmpty() && bytes.isDetached())
        OPENSSL_cleanse(bytes.data(), size_t(bytes.size()));
    bytes = {};
}

} // namespace Sandpiper
