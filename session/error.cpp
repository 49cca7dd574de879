#include "session/error.h"

namespace Sandpiper {

QString nameOf(ErrorKind kind)
{
    switch (kind) {
    case ErrorKind::HostNotFound: return QStringLiteral("host not found");
    case ErrorKind::HostUnreachable: return QStringLiteral("host unreachable");
    case ErrorKind::ConnectionRefused: return QStringLiteral("connection refused");
    case ErrorKind::ConnectionLost: return QStringLiteral("connection lost");
    case ErrorKind::Timeout: return QStringLiteral("timeout");
    case ErrorKind::Cancelled: return QStringLiteral("cancelled");
    case ErrorKind::CertificateInvalid: return QStringLiteral("certificate invalid");
    case ErrorKind::HostKeyChanged: return QStringLiteral("host key changed");
    case ErrorKind::HostKeyRefused: return QStringLiteral("host key refused");
    case ErrorKind::AuthRejected: return QStringLiteral("authentication rejected");
    case ErrorKind::KeyNotRegistered: return QStringLiteral("key not registered");
    case ErrorKind::PermissionDenied: return QStringLiteral("permission denied");
    case ErrorKind::NotFound: return QStringLiteral("not found");
    case ErrorKind::Conflict: return QStringLiteral("conflict");
    case ErrorKind::QuotaExceeded: return QStringLiteral("quota exceeded");
    case ErrorKind::RateLimited: return QStringLiteral("rate limited");
    case ErrorKind::SandboxNotRunning: return QStringLiteral("sandbox not running");
    case ErrorKind::SandboxNotYours: return QStringLiteral("sandbox not yours");
    case ErrorKind::Unsupported: return QStringLiteral("unsupported");
    case ErrorKind::TooLarge: return QStringLiteral("too large");
    case ErrorKind::InvalidInput: return QStringLiteral("invalid input");
    case ErrorKind::ServerError: return QStringLiteral("server error");
    case ErrorKind::Protocol: return QStringLiteral("protocol error");
    case ErrorKind::Io: return QStringLiteral("input/output error");
    case ErrorKind::NoKeychain: return QStringLiteral("no keychain");
    }
    Q_UNREACHABLE_RETURN({});
}

QString nameOf(Layer layer)
{
    switch (layer) {
    case Layer::Dns: return QStringLiteral("DNS");
    case Layer::Tcp: return QStringLiteral("TCP");
    case Layer::Tls: return QStringLiteral("TLS");
    case Layer::Http: return QStringLiteral("HTTP");
    case Layer::WebSocket: return QStringLiteral("WebSocket");
    case Layer::Ssh: return QStringLiteral("SSH");
    case Layer::Auth: return QStringLiteral("auth");
    case Layer::Provider: return QStringLiteral("provider");
    case Layer::SandboxState: return QStringLiteral("sandbox state");
    case Layer::Sftp: return QStringLiteral("SFTP");
    case Layer::LocalDisk: return QStringLiteral("local disk");
    }
    Q_UNREACHABLE_RETURN({});
}

QString describe(const Error &error)
{
    QString line = nameOf(error.layer) + QStringLiteral(": ") + nameOf(error.kind);
    if (!error.subject.isEmpty())
        line += QStringLiteral(" (") + tamed(error.subject) + QLatin1Char(')');
    if (!error.detail.isEmpty())
        line += QStringLiteral(": ") + tamed(error.detail);
    return line;
}

QString tamed(const QString &foreign, qsizetype maxChars)
{
    QString out;
    out.reserve(qMin(foreign.size(), maxChars));
    bool space = false;
    for (const QChar c : foreign) {
        if (out.size() >= maxChars) {
            out.back() = QChar(0x2026);
            break;
        }
        // Format characters (bidirectional overrides among them) can make a text say something else.
        const bool unsafe = c.category() == QChar::Other_Control
                || c.category() == QChar::Other_Format || c.isSpace();
        if (unsafe) {
            space = !out.isEmpty();
            continue;
        }
        if (space)
            out += QLatin1Char(' ');
        space = false;
        out += c;
    }
    return out;
}

} // namespace Sandpiper
