// A path as bytes, as whoever has the file has them. Any thread.
#pragma once

#include "session/error.h"

#include <QByteArray>

namespace Sandpiper {

// Never holds a NUL. Empty: the folder where the server's login lands. Nothing is resolved here: "..", "."
// and symbolic links mean what the server takes them for.
class FilePath
{
public:
    FilePath() = default;
    // InvalidInput where there is a NUL in it, or more than `mostBytes`.
    [[nodiscard]] static Result<FilePath> fromBytes(const QByteArray &bytes);
    // The way back from shown(). InvalidInput names what cannot be read.
    [[nodiscard]] static Result<FilePath> fromShown(const QString &text);
    // Linux takes 4 KiB in one call; a server elsewhere may take more.
    static constexpr qsizetype mostBytes = 32 << 10;

    [[nodiscard]] const QByteArray &bytes() const { return m_bytes; }
    // What the protocol wants: never empty.
    [[nodiscard]] QByteArray onTheWire() const { return m_bytes.isEmpty() ? QByteArray(".") : m_bytes; }
    [[nodiscard]] bool isEmpty() const { return m_bytes.isEmpty(); }
    [[nodiscard]] bool isAbsolute() const { return m_bytes.startsWith('/'); }
    // The last part; empty of "/" and of the empty path.
    [[nodiscard]] QByteArray name() const;
    // "/" is its own parent.
    [[nodiscard]] FilePath parent() const;
    // Where other leads from here: itself, where it is absolute.
    [[nodiscard]] FilePath joined(const FilePath &other) const;
    // Of a name that a server told: InvalidInput, subject the name, unless isPlainName().
    [[nodiscard]] Result<FilePath> child(QByteArrayView name) const;
    // For people: what is not UTF-8, and characters that are not seen or turn the text around, are escaped.
    [[nodiscard]] QString shown() const;

    friend bool operator==(const FilePath &, const FilePath &) = default;
    friend size_t qHash(const FilePath &path, size_t seed = 0) { return qHash(path.m_bytes, seed); }

private:
    explicit FilePath(const QByteArray &bytes)
        : m_bytes(bytes)
    {
    }
    QByteArray m_bytes;
};

// One name in a folder, and nothing that leads elsewhere: not empty, not "." or "..", no slash, no NUL, of a
// length that a disk can have.
[[nodiscard]] bool isPlainName(QByteArrayView name);

// "\\" for a backslash, "\n", "\t", else "\xHH" for each byte.
[[nodiscard]] QString shownBytes(QByteArrayView bytes);
[[nodiscard]] Result<QByteArray> bytesFromShown(const QString &text);

} // namespace Sandpiper
