#include "app/cli/servehost.h"

#include <QCryptographicHash>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

ServeHost::ServeHost(const Options &options, std::shared_ptr<FarArrivals> arrivals)
    : m_options(options)
    , m_arrivals(std::move(arrivals))
{
}

ServeHost::~ServeHost()
{
    if (m_admitted || m_lastUnknown.isEmpty())
        return;
    const QByteArray hash = QCryptographicHash::hash(QByteArray::fromBase64(m_lastUnknown), QCryptographicHash::Sha256);
    m_arrivals->put(u"a client was not let in: its key SHA256:%1 is none of those that may enter"_s.arg(
            QString::fromLatin1(hash.toBase64(QByteArray::OmitTrailingEquals))));
}

bool ServeHost::knowsKey(const QByteArray &blob)
{
    const bool known = m_options.blobs.contains(blob);
    if (!known)
        m_lastUnknown = blob;
    return known;
}

QString ServeHost::keyRefusal() const
{
    return u"none of your keys may enter; sandpiper-cli serve names those that may on its standard error"_s;
}

QString ServeHost::admit(const QString &user, const QByteArray &)
{
    m_admitted = m_options.user.isEmpty() || user == m_options.user;
    if (m_admitted)
        return {};
    return u"only the user %1 may enter here, not %2"_s.arg(m_options.user, tamed(user, 60));
}

std::unique_ptr<SshChannelWork> ServeHost::session(ssh_channel channel)
{
    return std::make_unique<MailChannel>(channel, announce());
}

std::unique_ptr<SshDial> ServeHost::dial(const QString &host, int port)
{
    if (port < 1 || port > 65535)
        return nullptr;
    return std::make_unique<MailDial>(host, quint16(port), announce());
}

Result<SshHost::Listener> ServeHost::listen(const QByteArray &, quint16)
{
    return failure(ErrorKind::Unsupported, Layer::Ssh, u"remote forwards are not served"_s, m_options.sandbox);
}

MailChannel::Announce ServeHost::announce() const
{
    return [arrivals = m_arrivals](const std::shared_ptr<FarMail> &mail) { arrivals->put(mail); };
}

} // namespace Sandpiper
