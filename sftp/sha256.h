// SHA-256 of what passes, by OpenSSL.
#pragma once

#include <QByteArray>

#include <openssl/evp.h>

#include <memory>

namespace Sandpiper {

class Sha256
{
public:
    Sha256()
        : m_context(EVP_MD_CTX_new())
    {
        m_isGood = m_context && EVP_DigestInit_ex(m_context.get(), EVP_sha256(), nullptr) == 1;
    }
    void add(QByteArrayView bytes) { m_isGood = m_isGood && EVP_DigestUpdate(m_context.get(), bytes.data(), size_t(bytes.size())) == 1; }
    // Raw, 32 bytes; once. Empty where the library failed.
    [[nodiscard]] QByteArray result()
    {
        QByteArray digest(32, '\0');
        return m_isGood && EVP_DigestFinal_ex(m_context.get(), reinterpret_cast<unsigned char *>(digest.data()), nullptr) == 1 ? digest : QByteArray();
    }

private:
    struct Free
    {
        void operator()(EVP_MD_CTX *context) const { EVP_MD_CTX_free(context); }
    };
    std::unique_ptr<EVP_MD_CTX, Free> m_context;
    bool m_isGood = false;
};

} // namespace Sandpiper
