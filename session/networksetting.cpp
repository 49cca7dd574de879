#include "session/networksetting.h"

#include "session/sshconnect.h"

#include <QRegularExpression>
#include <QSslCertificateExtension>
#include <QSslConfiguration>
#include <QUrl>

#include <algorithm>
#include <iterator>
#include <mutex>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr std::pair<NetworkSetting::Proxy, QLatin1StringView> kProxies[] = {
    {NetworkSetting::Proxy::Environment, "environment"_L1},
    {NetworkSetting::Proxy::None, "none"_L1},
    {NetworkSetting::Proxy::Manual, "manual"_L1},
};

constexpr qsizetype kLongestText = 4096;
constexpr qsizetype kMostAuthorities = 16; // a root and what it has signed, not a whole system's

std::unexpected<Error> refused(const QString &sentence)
{
    return failure(ErrorKind::InvalidInput, Layer::LocalDisk, sentence);
}

bool hasControls(const QString &text)
{
    static const QRegularExpression controls(u"[\\x00-\\x1f\\x7f]"_s);
    return text.contains(controls);
}

struct InForce
{
    std::mutex mutex;
    std::shared_ptr<const NetworkInForce> now = std::make_shared<NetworkInForce>();
};

InForce &inForce()
{
    // Never freed: a thread that was left behind may still ask at the end.
    static auto *one = new InForce;
    return *one;
}

QString nameOf(const QSslCertificate &certificate)
{
    for (const QSslCertificate::SubjectInfo part : {QSslCertificate::CommonName, QSslCertificate::Organization, QSslCertificate::OrganizationalUnitName}) {
        const QString name = certificate.subjectInfo(part).value(0);
        if (!name.isEmpty())
            return tamed(name, 80);
    }
    return u"without a name"_s;
}

bool isOfServerOnly(const QSslCertificate &certificate)
{
    for (const QSslCertificateExtension &extension : certificate.extensions()) {
        if (extension.oid() == "2.5.29.19"_L1)
            return !extension.value().toMap().value(u"ca"_s).toBool();
    }
    return false; // old ones do not say
}

} // namespace

QLatin1StringView wordOf(NetworkSetting::Proxy proxy)
{
    return std::ranges::find(kProxies, proxy, [](const auto &row) { return row.first; })->second;
}

std::optional<NetworkSetting::Proxy> proxyFromWord(const QString &word)
{
    const auto row = std::ranges::find_if(kProxies, [&word](const auto &one) { return word == one.second; });
    return row == std::end(kProxies) ? std::nullopt : std::optional(row->first);
}

std::shared_ptr<const NetworkInForce> networkInForce()
{
    InForce &one = inForce();
    const std::lock_guard guard(one.mutex);
    return one.now;
}

void putInForce(const NetworkSetting &setting, const std::shared_ptr<Secret> &password)
{
    auto next = std::make_shared<NetworkInForce>();
    next->setting = setting;
    next->password = password;
    // Qt stops to load the system's authorities on demand where any are named, so all are named.
    const std::shared_ptr<const NetworkInForce> before = networkInForce();
    if (setting.authority == before->setting.authority)
        next->authorities = before->authorities;
    else if (!setting.authority.isEmpty())
        next->authorities = QSslConfiguration::systemCaCertificates() + QSslCertificate::fromData(setting.authority, QSsl::Pem);
    InForce &one = inForce();
    const std::lock_guard guard(one.mutex);
    next->turn = one.now->turn + 1;
    one.now = next;
}

Result<ProxySetting> proxyAt(const QString &address)
{
    const QString text = address.trimmed();
    const QUrl url(text, QUrl::StrictMode);
    const bool isSocks = url.scheme() == "socks5"_L1 || url.scheme() == "socks5h"_L1;
    if (text.isEmpty())
        return refused(u"Write the proxy's address; until then nothing is reached."_s);
    if (url.scheme() == "https"_L1 && text.contains("://"_L1))
        return refused(u"A proxy that is itself reached by https is not supported; most speak plain http:// to their clients."_s);
    if (!text.contains("://"_L1) || (!isSocks && url.scheme() != "http"_L1))
        return refused(u"The address begins with socks5:// or http://."_s);
    if (text.size() > kLongestText || !url.isValid() || url.host().isEmpty() || !hostForLookup(url.host()))
        return refused(u"This is no address of a proxy: after :// come its host and port."_s);
    if (!url.userInfo().isEmpty() || text.contains(u'@'))
        return refused(u"The user name and the password have fields of their own."_s);
    if (url.port(1) == 0)
        return refused(u"The port is 1 to 65535."_s);
    if ((!url.path().isEmpty() && url.path() != "/"_L1) || url.hasQuery() || url.hasFragment())
        return refused(u"The address ends after the port."_s);
    ProxySetting proxy;
    proxy.kind = isSocks ? ProxySetting::Kind::Socks5 : ProxySetting::Kind::HttpConnect;
    proxy.host = url.host();
    proxy.port = quint16(url.port(isSocks ? 1080 : 8080));
    return proxy;
}

Done checkProxyUser(const QString &user)
{
    if (hasControls(user))
        return refused(u"A user name has no control characters."_s);
    if (user.toUtf8().size() > 255)
        return refused(u"This user name is too long for a proxy."_s);
    return {};
}

Done checkProxyExceptions(const QString &exceptions)
{
    static const QRegularExpression name(u"^(\\*|(\\*?\\.)?[\\p{L}\\p{N}_-]+(\\.[\\p{L}\\p{N}_-]+)*\\.?(:\\d{1,5})?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$"_s);
    if (exceptions.size() > kLongestText)
        return refused(u"This list is too long."_s);
    for (const QString &entry : exceptions.split(u',', Qt::SkipEmptyParts)) {
        const QString host = entry.trimmed();
        if (host.contains(u'/'))
            return refused(u"“%1” is a network; name hosts and domains, separated by commas."_s.arg(tamed(host, 60)));
        if (!host.isEmpty() && !name.match(host).hasMatch())
            return refused(u"“%1” is no host; name hosts and domains, separated by commas."_s.arg(tamed(host, 60)));
    }
    return {};
}

Done checkAuthority(const QByteArray &pem, const QDateTime &now)
{
    if (pem.contains("PRIVATE KEY"))
        return refused(u"This file holds a private key; take the file with the certificate alone."_s);
    const QList<QSslCertificate> certificates = QSslCertificate::fromData(pem, QSsl::Pem);
    if (certificates.isEmpty())
        return refused(u"This file holds no certificate in PEM form (“-----BEGIN CERTIFICATE-----”)."_s);
    if (certificates.size() > kMostAuthorities)
        return refused(u"This file holds %1 certificates; take the one of your authority."_s.arg(certificates.size()));
    for (const QSslCertificate &certificate : certificates) {
        if (certificate.isNull())
            return refused(u"This file holds no certificate that can be read."_s);
        if (isOfServerOnly(certificate))
            return refused(u"“%1” is the certificate of a server, not of an authority."_s.arg(nameOf(certificate)));
        if (certificate.expiryDate() < now)
            return refused(u"The certificate “%1” expired on %2."_s.arg(nameOf(certificate), certificate.expiryDate().date().toString(Qt::ISODate)));
        if (certificate.effectiveDate() > now)
            return refused(u"The certificate “%1” is valid only from %2."_s.arg(nameOf(certificate), certificate.effectiveDate().date().toString(Qt::ISODate)));
    }
    return {};
}

QString nameOfAuthority(const QByteArray &pem)
{
    const QList<QSslCertificate> certificates = QSslCertificate::fromData(pem, QSsl::Pem);
    if (certificates.isEmpty())
        return {};
    const QSslCertificate &first = certificates.constFirst();
    return u"%1, until %2"_s.arg(nameOf(first), first.expiryDate().date().toString(Qt::ISODate));
}

bool goesWithoutProxy(const QString &host, int port, const QString &exceptions)
{
    for (const QString &entry : exceptions.split(u',', Qt::SkipEmptyParts)) {
        QString pattern = entry.trimmed().toLower();
        if (pattern == "*"_L1)
            return true;
        if (const qsizetype colon = pattern.lastIndexOf(u':'); colon > 0 && pattern.count(u':') == 1) {
            if (pattern.sliced(colon + 1).toInt() != port)
                continue;
            pattern.truncate(colon);
        }
        if (pattern.startsWith("*."_L1))
            pattern.slice(2);
        if (pattern.startsWith(u'.'))
            pattern.slice(1);
        if (!pattern.isEmpty() && (host == pattern || host.endsWith(u'.' + pattern)))
            return true;
    }
    return false;
}

} // namespace Sandpiper
