// What the gateway and the init process inside a sandbox say to each other, over a SOCK_SEQPACKET
// UNIX socket, one connection per request. No Qt: both sides include it.
//
//   request   u32 length, then as many bytes of body; cut into packets of at most packetBytes
//   body      u8 version, u8 operation, fields
//   reply     one packet: u8 status, then the operation's fields, or a text for people;
//             descriptors ride along by SCM_RIGHTS
//
// After a good Spawn the connection stays open and is the process's control channel: 'S' u32 signal
// and 'R' u32 columns u32 rows go in; 'E' i32 code i32 signal u8 outOfMemory comes out, once, and the
// channel closes. Closing it from outside hangs up. Numbers are little-endian, texts u32 length + bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace Sandpiper::Wire {

inline constexpr std::uint8_t version = 1;
inline constexpr std::size_t packetBytes = 32 << 10;
inline constexpr std::size_t requestBytes = 1 << 20; // of body, at most
inline constexpr std::size_t replyBytes = 4 << 10;
inline constexpr std::size_t listEntries = 16 << 10; // arguments or variables, at most
inline constexpr int maxDescriptors = 4;

enum class Operation : std::uint8_t {
    Spawn = 1,
    Dial = 2,
    Listen = 3,
    Freeze = 4,
    Thaw = 5,
    Inform = 6,
};

enum class Status : std::uint8_t {
    Good = 0,
    BadRequest,
    NotFound,
    Denied,
    Refused,
    NoSuchHost,
    Unreachable,
    TimedOut,
    InUse,
    TooMany,
    Frozen,
    Failed,
};

// What Spawn's flags say.
inline constexpr std::uint32_t withTerminal = 1;
inline constexpr std::uint32_t withLoginShell = 2;
inline constexpr std::uint32_t withAgentSocket = 4;
// No program: argv is a verb and a path, for gateway/sandboxinit/files.h.
inline constexpr std::uint32_t withFileWork = 8;

enum class FileStatus : std::uint8_t {
    Good = 0,
    NotFound,
    IsFolder,
    NotAFolder,
    NotAFile, // a device, a pipe, a socket
    Denied,
    NoSpace,
    BadPath,
    Failed,
};

class Writer
{
public:
    void u8(std::uint8_t value) { m_bytes.push_back(static_cast<char>(value)); }
    void u32(std::uint32_t value)
    {
        for (int shift = 0; shift < 32; shift += 8)
            m_bytes.push_back(static_cast<char>((value >> shift) & 0xff));
    }
    void i32(std::int32_t value) { u32(static_cast<std::uint32_t>(value)); }
    void text(std::string_view value)
    {
        u32(static_cast<std::uint32_t>(value.size()));
        m_bytes.append(value);
    }
    [[nodiscard]] const std::string &bytes() const { return m_bytes; }

private:
    std::string m_bytes;
};

// Never reads past its end: what is missing reads as zero or empty, and isGood() turns false.
class Reader
{
public:
    explicit Reader(std::string_view bytes) : m_bytes(bytes) {}
    std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
    std::uint32_t u32() { return number(4); }
    std::int32_t i32() { return static_cast<std::int32_t>(number(4)); }
    std::string text()
    {
        const std::size_t size = u32();
        if (!m_good || size > m_bytes.size()) {
            m_good = false;
            return {};
        }
        std::string value(m_bytes.substr(0, size));
        m_bytes.remove_prefix(size);
        return value;
    }
    // What is left, as a text for people.
    std::string rest() { return std::string(std::exchange(m_bytes, {})); }
    [[nodiscard]] bool isGood() const { return m_good; }
    [[nodiscard]] bool isDone() const { return m_good && m_bytes.empty(); }

private:
    std::uint32_t number(std::size_t size)
    {
        if (!m_good || size > m_bytes.size()) {
            m_good = false;
            return 0;
        }
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < size; ++i)
            value |= std::uint32_t{static_cast<unsigned char>(m_bytes[i])} << (8 * i);
        m_bytes.remove_prefix(size);
        return value;
    }

    std::string_view m_bytes;
    bool m_good = true;
};

} // namespace Sandpiper::Wire
