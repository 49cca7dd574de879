// Bytes that must not be seen: wiped when they go, equal only in constant time, printable never.
#pragma once

#include <QByteArray>

namespace Sandpiper {

// Move-only, so that every copy is a decision (`clone`). Holds tokens, passphrases, API keys.
// Has no conversion to QString and no QDebug operator: printing one does not compile.
class Secret
{
public:
    Secret() = default;
    explicit Secret(QByteArrayView bytes);
    Secret(Secret &&other) noexcept;
    Secret &operator=(Secret &&other) noexcept;
    Secret(const Secret &) = delete;
    Secret &operator=(const Secret &) = delete;
    ~Secret();

    // Takes the bytes over and wipes the giver's buffer.
    [[nodiscard]] static Secret taking(QByteArray &bytes);
    // size random bytes from OpenSSL, as lower-case hex (2 × size characters).
    [[nodiscard]] static Secret randomHex(qsizetype size);

    [[nodiscard]] Secret clone() const;
    [[nodiscard]] bool isEmpty() const { return m_bytes.isEmpty(); }
    // For the one line that hands it to a socket, a header or a library. Do not keep it.
    [[nodiscard]] QByteArrayView reveal() const { return m_bytes; }
    // Takes the same time for every pair of equal length (OpenSSL's CRYPTO_memcmp).
    [[nodiscard]] bool equals(QByteArrayView other) const;

private:
    void wipe();
    QByteArray m_bytes;
};

// Overwrites the buffer of `bytes` in a way no optimiser removes, then empties it.
void wipe(QByteArray &bytes);

} // namespace Sandpiper
