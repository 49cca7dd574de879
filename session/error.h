// What can go wrong, as a value. Nothing in Sandpiper throws.
#pragma once

#include <QMetaType>
#include <QString>

#include <expected>

namespace Sandpiper {

// For code to decide on. The sentence a person reads is made by session/errortext.
enum class ErrorKind {
    HostNotFound,       // the name has no address
    HostUnreachable,    // there is no way there
    ConnectionRefused,  // nothing listens
    ConnectionLost,     // was open, is not any more
    Timeout,            // a deadline passed
    Cancelled,          // the user said no; never shown as a failure
    CertificateInvalid, // TLS peer is not who it must be
    HostKeyChanged,     // SSH server is not the one we knew
    HostKeyRefused,     // the user did not accept an unknown SSH host key
    AuthRejected,       // credentials were sent and not accepted (HTTP 401, SSH)
    KeyNotRegistered,   // the vendor does not know this SSH key
    PermissionDenied,   // known, but not allowed (HTTP 403)
    NotFound,
    Conflict,       // exists already, or in the wrong state for this
    QuotaExceeded,  // the vendor's limits
    RateLimited,    // too fast; later it will do
    SandboxNotRunning,
    SandboxNotYours, // not in any project of this account
    Unsupported,     // this vendor or this build cannot
    TooLarge,        // a bound of ours was hit
    InvalidInput,    // what the user gave cannot be used
    ServerError,     // the other side failed (HTTP 5xx)
    Protocol,        // the other side sent what it must not
    Io,              // reading or writing here failed
    NoKeychain,      // no place for secrets on this computer
};

// Where it went wrong, from the wire up.
enum class Layer { Dns, Tcp, Tls, Http, WebSocket, Ssh, Auth, Provider, SandboxState, Sftp, LocalDisk };

struct Error
{
    ErrorKind kind = ErrorKind::Protocol;
    Layer layer = Layer::Provider;
    QString detail;  // the library's or the server's own words, bounded; for the log and "Details"
    QString subject; // the thing it is about: a host, a sandbox's name, a file; may be empty

    friend bool operator==(const Error &, const Error &) = default;
};

template <typename T>
using Result = std::expected<T, Error>;
using Done = Result<void>;

[[nodiscard]] inline std::unexpected<Error> failure(ErrorKind kind, Layer layer, QString detail = {},
                                                    QString subject = {})
{
    return std::unexpected(Error{kind, layer, std::move(detail), std::move(subject)});
}

[[nodiscard]] QString nameOf(ErrorKind);
[[nodiscard]] QString nameOf(Layer);

// One line for logs: kind, layer, detail. No secret can be in it, because none is put in.
[[nodiscard]] QString describe(const Error &);

// Text from the other side, made safe to show and to keep: control characters become spaces,
// at most maxChars characters remain.
[[nodiscard]] QString tamed(const QString &foreign, qsizetype maxChars = 500);

} // namespace Sandpiper

Q_DECLARE_METATYPE(Sandpiper::Error)
